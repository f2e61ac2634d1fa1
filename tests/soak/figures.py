"""What a fault run says: faults_lost, faults_doubled and what else was counted."""

from __future__ import annotations

import json
import statistics
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks.report import Figure


def read_journal(path: Path) -> list[dict[str, Any]]:
    """The rounds that were finished; a line cut off by a stop is left out."""
    if not path.exists():
        return []
    found = []
    for line in path.read_text("utf-8").splitlines():
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return found


def figures(outcomes: Sequence[dict[str, Any]], note: str, asked: int) -> list[Figure]:
    """``asked`` is how many faults the whole run has: what is outstanding is said, not left out."""
    entries = [entry for outcome in outcomes for entry in outcome["entries"]]
    struck = sum(outcome["struck"] for outcome in outcomes)
    sides = Counter(entry["fault"]["side"] for entry in entries)
    kills = sum(outcome["entries"][0]["fault"]["kind"] == "kill" for outcome in outcomes)
    beside = (
        f"{len(entries)} sets tapped, {sum(entry['acknowledged'] for entry in entries)} acknowledged;"
        f" read from the database file"
    )
    lost = [entry for entry in entries if entry["found"] == 0]
    told = [entry for entry in entries if entry["said_not_saved"] is not None]
    of_all = f"{dict(sides)}, {struck} struck; server killed in {kills} rounds; {note}"

    def count(name: str, value: float, unit: str, what: str, n: int = struck) -> Figure:
        return Figure(name, value, unit, n, beside, what)

    by_kind = Counter(f"{entry['fault']['kind']} at {entry['fault']['step']}" for entry in entries)
    spent_min = sum(outcome["seconds"] for outcome in outcomes) / 60
    outstanding = asked - len(entries)
    return [
        count(
            "faults_done",
            len(entries),
            "faults",
            f"outstanding {outstanding} of {asked}{'' if outstanding else ': the run is complete'};"
            f" {len(outcomes)} rounds in {spent_min:.1f} min"
            f" = {len(entries) / spent_min if spent_min else 0:.1f} a minute;"
            f" {', '.join(f'{kind} {n}' for kind, n in sorted(by_kind.items()))}",
            asked,
        ),
        count(
            "faults_lost",
            sum(entry["acknowledged"] for entry in lost),
            "sets",
            f"acknowledged and not in the record; goal 0; {of_all}",
        ),
        count(
            "faults_doubled",
            sum(max(0, entry["found"] - 1) + entry["others"] for entry in entries),
            "sets",
            "more than once in the record, or never entered as it stands there; goal 0",
        ),
        count(
            "faults_vanished",
            sum(not entry["acknowledged"] for entry in lost),
            "sets",
            "tapped, not acknowledged, neither in the record nor on the device afterwards; goal 0",
        ),
        count(
            "faults_offered_again",
            sum(entry["offered_again"] for entry in entries)
            + sum(one["stood"] for one in outcomes),
            "sets",
            "saved, and in the form again as if not, or in the form though nobody typed it; goal 0",
        ),
        count(
            "faults_from_draft",
            sum(entry["from_draft"] for entry in entries),
            "sets",
            "the browser died within the tap on SAVE: the values stood in the form, saved from there",
        ),
        count(
            "faults_refused_unsaid",
            sum(not entry["said_not_saved"] for entry in told),
            "sets",
            "refused (disk full, no fsync, locked, offline) and not called NOT SAVED; goal 0",
            len(told),
        ),
    ]


def seconds_of(outcomes: Sequence[dict[str, Any]]) -> str:
    """How long a round took, by kind of fault."""
    by_kind: dict[str, list[float]] = {}
    for outcome in outcomes:
        fault = outcome["entries"][0]["fault"]
        kind = fault["kind"] if fault["side"] == "server" else fault["side"]
        by_kind.setdefault(kind, []).append(outcome["seconds"])
    return "\n".join(
        f"{kind:<12} {len(times):>4} rounds, median {statistics.median(times):6.1f} s"
        for kind, times in sorted(by_kind.items())
    )
