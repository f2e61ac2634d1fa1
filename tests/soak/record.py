"""What the record holds, read from the database file itself and nothing of ours in between."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

#: The values of one set by parameter, as text.
Values = frozenset[tuple[str, str]]


def values_of(entered: Mapping[str, str]) -> Values:
    return frozenset(entered.items())


def sets_of(database: Path, session_id: str) -> Counter[Values]:
    """How often each set stands in the record of one session (hexadecimal id)."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)
    try:
        rows = connection.execute(
            "SELECT set_id, parameter, coalesce(value, not_taken) FROM observation"
            " WHERE session_id = ?",
            (session_id.replace("-", ""),),
        ).fetchall()
    finally:
        connection.close()
    sets: dict[str, set[tuple[str, str]]] = {}
    for set_id, parameter, value in rows:
        sets.setdefault(set_id, set()).add((parameter, value))
    return Counter(frozenset(items) for items in sets.values())


def is_whole(database: Path) -> bool:
    """Whether SQLite itself finds nothing wrong with the file."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)
    try:
        return bool(connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)])
    finally:
        connection.close()
