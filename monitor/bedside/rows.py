"""The strip of what was recorded last: one row per set, dose, side effect or event."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any, NamedTuple
from uuid import UUID

from monitor.actions import OpenSession
from monitor.parameters import PARAMETERS
from monitor.record import Amendment, Fact, InfusionSession, Observation, SideEffectChange
from monitor.scales import SCALES
from monitor.side_effects import NONE, TERMS
from monitor.timeline import LATE_AFTER, Mark, bare_text, clock, marks, numbered_events

#: How many rows are sent; the screen shows two or three of them.
ROWS = 6
#: Labels of the cells, in the order of the form.
_SHORT = {
    "hr": "HR",
    "sbp": "SYS",
    "dbp": "DIA",
    "spo2": "SpO₂",
    "rr": "RR",
    "sedation": "sed",
    "dissociation": "diss",
    "nausea": "nau",
    "pain": "pain",
}


class _Row(NamedTuple):
    recorded_at: datetime
    content: dict[str, Any]


def recent_rows(
    opened: OpenSession, *, zone: tzinfo, names: Mapping[str, str]
) -> list[dict[str, Any]]:
    """The rows recorded last, the newest first: what was just saved always stands on top."""
    session = opened.session
    marked = marks(opened.breaches, opened.threshold_set)
    rows = [*_set_rows(session, marked, zone, names), *_event_rows(session, zone, names)]
    rows += _effect_rows(session, zone, names)
    rows.sort(key=lambda row: (row.recorded_at, row.content["taken_at"]), reverse=True)
    return [row.content for row in rows[:ROWS]]


def _row(
    fact: Fact,
    kind: str,
    text: str,
    zone: tzinfo,
    names: Mapping[str, str],
    *,
    row_id: UUID | None = None,
    recorded_at: datetime | None = None,
    cells: list[dict[str, Any]] | None = None,
) -> _Row:
    recorded = recorded_at or fact.recorded_at
    name = names.get(fact.recorded_by, fact.recorded_by)
    late = fact.recorded_at - fact.taken_at > LATE_AFTER
    return _Row(
        recorded,
        {
            "id": str(row_id or fact.id),
            "kind": kind,
            "taken_at": fact.taken_at.isoformat(),
            "by": name,
            "late": f"saved {clock(fact.recorded_at, zone)}" if late else None,
            "text": text,
            "story": f"Recorded {clock(fact.recorded_at, zone, seconds=True)} by {name}.",
            "cells": cells or [],
        },
    )


def _set_rows(
    session: InfusionSession,
    marked: Mapping[UUID, Mark],
    zone: tzinfo,
    names: Mapping[str, str],
) -> list[_Row]:
    sets: dict[UUID, list[Observation]] = {}
    for item in session.observations:
        sets.setdefault(item.set_id, []).append(item)
    amendments = {amendment.amends: amendment for amendment in session.amendments}
    found = []
    for set_id, items in sets.items():
        if all(item.id in amendments and amendments[item.id].replacement is None for item in items):
            continue
        newest = max(item.recorded_at for item in items)
        first = min(items, key=lambda item: item.order)
        cells = _cells(session, items, amendments, marked)
        found.append(
            _row(
                first,
                "set",
                "observation set",
                zone,
                names,
                row_id=set_id,
                recorded_at=newest,
                cells=cells,
            )
        )
    return found


def _cells(
    session: InfusionSession,
    items: list[Observation],
    amendments: Mapping[UUID, Amendment],
    marked: Mapping[UUID, Mark],
) -> list[dict[str, Any]]:
    """One cell per parameter: the value in force, and what it said before it was corrected."""
    asleep = any(item.parameter == "asleep" and item.value == 1 for item in items)
    order = {key: index for index, key in enumerate(PARAMETERS)}
    cells = []
    for key in sorted({item.parameter for item in items}, key=order.__getitem__):
        if PARAMETERS[key].kind == "tick" and key != "distress":
            continue
        versions = sorted(
            (item for item in items if item.parameter == key), key=lambda item: item.recorded_at
        )
        now = [item for item in versions if item.id not in amendments]
        was = [item for item in versions if item.id in amendments]
        current = now[-1] if now else None
        mark = marked.get(current.id) if current else None
        cells.append(
            {
                "id": str(current.id) if current else None,
                "parameter": key,
                "label": _SHORT.get(key, PARAMETERS[key].short),
                "text": _text(session, current, asleep),
                "was": _text(session, was[-1], asleep) if was else None,
                "level": mark.level if mark else "",
            }
        )
    return cells


def _text(session: InfusionSession, item: Observation | None, asleep: bool) -> str:
    if item is None or item.value is None:
        return "–"
    if PARAMETERS[item.parameter].kind == "tick":
        return "yes" if item.value else "no"
    if item.parameter == "sedation":
        answer = SCALES[session.sedation_scale].answer(int(item.value), asleep=asleep)
        return answer.short if answer else bare_text(item)
    return bare_text(item)


def _event_rows(session: InfusionSession, zone: tzinfo, names: Mapping[str, str]) -> list[_Row]:
    return [
        _row(event.fact, "event", event.text, zone, names)
        for event in numbered_events(session, zone)
    ]


def _effect_rows(session: InfusionSession, zone: tzinfo, names: Mapping[str, str]) -> list[_Row]:
    effects = {effect.id: effect for effect in session.side_effects}
    facts: list[Fact] = [
        *session.current(session.side_effects),
        *session.current(session.side_effect_changes),
    ]
    found = []
    for fact in facts:
        if isinstance(fact, SideEffectChange):
            name = _term(effects[fact.side_effect_id].term)
            text = f"{name} ended" if fact.ended else f"{name} now grade {fact.grade}"
        else:
            effect = effects[fact.id]
            text = (
                "Asked: no side effect"
                if effect.term == NONE
                else _graded(effect.term, effect.grade)
            )
        found.append(_row(fact, "effect", text, zone, names))
    return found


def _graded(term: str, grade: int) -> str:
    return f"{_term(term)} grade {grade}"


def _term(key: str) -> str:
    return TERMS[key].display if key in TERMS else key
