"""Reading a session folder: every cell into its value, every problem with its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from monitor.errors import ImportRefused
from monitor.folder_cells import Problems, Row, file_text, rows_of, toml_of
from monitor.folder_doses import read_doses
from monitor.folder_events import (
    read_amendment,
    read_event,
    read_gate,
    read_movement,
    read_patient_limit,
    read_side_effect,
)
from monitor.folder_facts import CLOCK_TOLERANCE, FactRows
from monitor.folder_format import AlertAnswer, SessionFolder
from monitor.folder_header import read_header
from monitor.folder_observations import check_sets, read_observation
from monitor.protocols import PinnedVersion, seed_versions

#: What reads a row of each file; doses.csv is read as a whole before, weights first.
_READERS: dict[str, Callable[[FactRows, Row], None]] = {
    "observations.csv": read_observation,
    "side_effects.csv": read_side_effect,
    "events.csv": read_event,
    "gate.csv": read_gate,
    "drug_ledger.csv": read_movement,
    "patient_limits.csv": read_patient_limit,
    "amendments.csv": read_amendment,
}


def _read_answers(rows: FactRows, path: Path) -> tuple[AlertAnswer, ...]:
    answers = []
    for row in rows_of(path, rows.problems):
        at = row.needed_instant("at")
        recorded_at = row.instant("recorded_at") or at
        if not row.broken and at > recorded_at + CLOCK_TOLERANCE:
            row.fail("at", "lies after recorded_at; no answer is saved before it is given")
        answer = AlertAnswer(
            at=at,
            recorded_at=recorded_at,
            by=row.needed_text("by"),
            group=row.needed_text("group"),
            action=row.text("action"),
            text=row.text("text"),
            trigger_id=rows.reference(row, "trigger"),
            line=row.line,
        )
        if not row.broken:
            answers.append(answer)
    return tuple(sorted(answers, key=lambda item: (item.recorded_at, item.at)))


def read_folder(path: Path, versions: Iterable[PinnedVersion] | None = None) -> SessionFolder:
    """The session a folder holds.

    ``versions`` are the protocols and threshold sets known here; the packaged ones by default.

    Raises:
        ImportRefused: one line for every problem: file, line, column, reason.
    """
    problems = Problems()
    if not path.is_dir():
        raise ImportRefused([f"{path.name}:1:folder: is not a folder"])
    known = tuple(seed_versions()) if versions is None else tuple(versions)
    header = read_header(path, known, problems)
    if header is None:
        problems.refuse()
        raise ImportRefused(["session.toml:1:file: cannot be read"])
    rows = FactRows(
        header.session,
        header.recorded_by,
        problems,
        header.protocol.protocol().dissociation_scale,
    )
    read_doses(rows, path / "doses.csv")
    for name, read in _READERS.items():
        for row in rows_of(path / name, problems):
            read(rows, row)
    answers = _read_answers(rows, path / "answers.csv")
    rows.check_references()
    check_sets(rows)
    expected = _read_expected(path / "expected.toml", problems)
    problems.refuse()
    return SessionFolder(
        name=path.name,
        title=header.title,
        synthetic=header.synthetic,
        session=header.session.with_facts(rows.facts),
        protocol_version=header.protocol,
        threshold_version=header.thresholds,
        answers=answers,
        expected=expected,
    )


def _read_expected(path: Path, problems: Problems) -> Mapping[str, Any]:
    if not path.is_file():
        return {}
    text = file_text(path, problems)
    if text is None:
        return {}
    return toml_of(path.name, text, problems) or {}
