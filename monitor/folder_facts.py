"""What every row of a session folder has in common: its id, its two times, its references."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from monitor.folder_cells import Problems, Row
from monitor.ids import derived_id
from monitor.record import Fact, InfusionSession, Source

#: A fact may lie this far after its saving: clocks of tablet and server differ (clinical.md 9).
CLOCK_TOLERANCE = timedelta(minutes=2)

_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


@dataclass(slots=True)
class FactRows:
    """The facts of one folder while its files are read; labels become ids of this session."""

    #: The session of session.toml, without facts.
    session: InfusionSession
    #: Who saved the rows that name nobody.
    recorded_by: str
    problems: Problems
    #: The protocol's scale.
    dissociation_scale: str
    facts: list[Fact] = field(default_factory=list)
    lines: dict[UUID, Row] = field(default_factory=dict)
    references: list[tuple[Row, str, UUID, type[Fact] | None]] = field(default_factory=list)

    def named(self, row: Row, column: str) -> UUID | None:
        """The id that a UUID or a label stands for; None when the cell is empty."""
        cell = row.raw(column)
        if not cell:
            return None
        try:
            return UUID(cell)
        except ValueError:
            pass
        if not _LABEL.fullmatch(cell):
            row.fail(column, f'"{cell}" is neither a UUID nor a plain label')
            return None
        return derived_id(self.session.id, "label", cell)

    def reference(self, row: Row, column: str, kind: type[Fact] | None = None) -> UUID | None:
        """A reference to another row, checked when every file was read."""
        found = self.named(row, column)
        if found is not None:
            self.references.append((row, column, found, kind))
        return found

    def common(self, row: Row) -> dict[str, Any]:
        """The fields every fact has."""
        own = self.named(row, "id") or derived_id(self.session.id, row.file, row.line)
        taken_at, recorded_at = row.needed_instant("taken_at"), row.needed_instant("recorded_at")
        if not row.broken and taken_at > recorded_at + CLOCK_TOLERANCE:
            row.fail("taken_at", "lies after recorded_at; nothing is recorded before it happens")
        source = Source.IMPORTED
        if row.raw("source"):
            source = row.code("source", Source) or source
        return {
            "id": own,
            "taken_at": taken_at,
            "recorded_at": recorded_at,
            "recorded_by": row.text("recorded_by") or self.recorded_by,
            "source": source,
        }

    def add(self, row: Row, kind: Callable[..., Fact], values: dict[str, Any]) -> None:
        """Keep the fact, unless its row is broken or its id is taken."""
        if row.broken:
            return
        if values["id"] in self.lines:
            other = self.lines[values["id"]]
            row.fail("id", f"is already the id of {other.file} line {other.line}")
            return
        self.lines[values["id"]] = row
        self.facts.append(kind(**values))

    def check_references(self) -> None:
        """Every row another row speaks of must be there, and be of the right kind."""
        kinds = {fact.id: type(fact) for fact in self.facts}
        for row, column, target, kind in self.references:
            if target not in kinds:
                row.fail(column, f'"{row.raw(column)}" is not the id of a row of this folder')
            elif kind is not None and kinds[target] is not kind:
                row.fail(column, f'"{row.raw(column)}" is a {kinds[target].__name__}')
