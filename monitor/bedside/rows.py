"""The strip of what was recorded last: one row per set, dose, side effect or event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, tzinfo
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

from monitor.actions import OpenSession, can_be_moved
from monitor.conflicts import conflicts
from monitor.dose_overrides import confirmation_words
from monitor.dose_response import dose_responses, response_sentence
from monitor.gate import label_of, newest_answers
from monitor.late_notes import LATE_AFTER, LATE_NOTE, late_reasons
from monitor.news2 import CONSCIOUSNESS_SCALE, score_of, score_text, short_text
from monitor.oxygen import DEVICE_NOTE, device_text
from monitor.parameters import PARAMETERS
from monitor.record import (
    Amendment,
    Fact,
    GateAnswer,
    InfusionSession,
    Observation,
    SideEffect,
    SideEffectChange,
)
from monitor.scales import SCALES
from monitor.side_effects import NONE, term_text
from monitor.timeline import (
    Mark,
    bare_text,
    clock,
    marks,
    numbered_events,
    struck_events,
    weight_text,
)
from monitor.verbal_orders import override_words

#: How many rows are sent with the state; the screen shows two or three of them.
ROWS = 6
#: How many earlier ones are sent at once.
EARLIER_ROWS = 20
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
#: What S stands for: said by the sedation score already, and corrected behind the row's time.
_BESIDE = frozenset({"asleep", "roused_to_voice"})


class _Row(NamedTuple):
    recorded_at: datetime
    content: dict[str, Any]


def recent_rows(
    opened: OpenSession,
    *,
    zone: tzinfo,
    names: Mapping[str, str],
    first: int = 0,
    count: int = ROWS,
) -> tuple[list[dict[str, Any]], int]:
    """The rows recorded last, the newest first, and how many there are: all can be corrected.

    What was just saved always stands on top.  What was struck out stays, struck through, with who
    did it and why.
    """
    marked = marks(opened.breaches, opened.threshold_set)
    sets: dict[UUID, list[Observation]] = {}
    for item in opened.session.observations:
        sets.setdefault(item.set_id, []).append(item)
    most = first + count
    rows = [
        *_set_rows(opened, sets, most, marked, zone, names),
        *_event_rows(opened, zone, names),
        *_effect_rows(opened.session, zone, names),
        *_gate_rows(opened, zone, names),
        *_weight_rows(opened.session, zone, names),
    ]
    rows.sort(key=lambda row: (row.recorded_at, row.content["taken_at"]), reverse=True)
    left_out = max(0, len(sets) - most)
    return [row.content for row in rows[first:most]], len(rows) + left_out


def _row(
    fact: Fact,
    kind: str,
    text: str,
    zone: tzinfo,
    names: Mapping[str, str],
    *,
    row_id: UUID | None = None,
    recorded_at: datetime | None = None,
    saved_at: datetime | None = None,
    why_late: str = "",
    cells: list[dict[str, Any]] | None = None,
    struck: Amendment | None = None,
    moved: Amendment | None = None,
    more: str | None = None,
    score: dict[str, str] | None = None,
) -> _Row:
    """``saved_at`` is when it was first saved; ``moved`` is the correction of its time."""
    recorded = recorded_at or fact.recorded_at
    name = names.get(fact.recorded_by, fact.recorded_by)
    saved = saved_at or fact.recorded_at
    late = saved - fact.taken_at > LATE_AFTER
    source = f", {fact.source.words}" if fact.source.words else ""
    story = f"Recorded {clock(saved, zone, seconds=True)} by {name}{source}."
    if moved is not None:
        by = names.get(moved.recorded_by, moved.recorded_by)
        at = clock(moved.recorded_at, zone, seconds=True)
        story += f" Time corrected {at} by {by}: {moved.reason}."
    if struck is not None:
        by = names.get(struck.recorded_by, struck.recorded_by)
        at = clock(struck.recorded_at, zone, seconds=True)
        story += f" Struck out {at} by {by}: {struck.reason}."
    if more:
        story += f" {more}"
    return _Row(
        recorded,
        {
            "id": str(row_id or fact.id),
            "kind": kind,
            "taken_at": fact.taken_at.isoformat(),
            "by": name,
            "late": _late_text(saved, zone, why_late) if late else None,
            "moves": struck is None and can_be_moved(fact),
            "text": text,
            "story": story,
            "source": fact.source.words,
            "struck": struck is not None,
            "cells": cells or [],
            "score": score,
        },
    )


def _late_text(saved: datetime, zone: tzinfo, why: str) -> str:
    return f"saved {clock(saved, zone)}" + (f": {why}" if why else "")


def _why_late(items: list[Observation]) -> str:
    """The reason somebody gave for entering a set late (clinical.md U-42)."""
    notes = (item.note for item in items if item.note and item.note.startswith(LATE_NOTE))
    return next(notes, "").removeprefix(LATE_NOTE).partition(f"; {DEVICE_NOTE}")[0]


def _devices(items: list[Observation]) -> str:
    """ "Oxygen by nasal cannula."; empty where nobody said what by."""
    said = (device_text(item) for item in items if item.parameter == "o2_flow")
    return " ".join(f"Oxygen by {words}." for words in said if words)


def _set_rows(
    opened: OpenSession,
    sets: Mapping[UUID, list[Observation]],
    most: int,
    marked: Mapping[UUID, Mark],
    zone: tzinfo,
    names: Mapping[str, str],
) -> list[_Row]:
    """The ``most`` sets recorded last: a session has many, and a row is much work."""
    session = opened.session
    amendments = {amendment.amends: amendment for amendment in session.amendments}
    contested = {
        item.id
        for pair in conflicts(session, opened.threshold_set.conflict_within)
        for item in pair.observations
    }
    found = []
    for set_id, items, last in _last_recorded(sets)[:most]:
        standing = [item for item in items if item.id not in amendments] or items
        first = min(standing, key=attrgetter("order"))
        cells = _cells(session, items, amendments, marked, contested)
        struck = None
        if all(item.id in amendments and amendments[item.id].replacement is None for item in items):
            struck = amendments[last.id]
        said = "  ".join(f"{cell['label']} {cell['was']}" for cell in cells)
        found.append(
            _row(
                first,
                "set",
                said if struck else "observation set",
                zone,
                names,
                row_id=set_id,
                recorded_at=last.recorded_at,
                saved_at=min(item.recorded_at for item in items),
                why_late=_why_late(items),
                more=_devices(standing),
                moved=_moved(standing, items, session),
                cells=[] if struck else cells,
                struck=struck,
                score=None if struck else _score(opened, standing),
            )
        )
    return found


def _score(opened: OpenSession, standing: list[Observation]) -> dict[str, str] | None:
    """The NEWS2 of a set where it is used; quiet, also while parts of it are missing."""
    if not opened.threshold_set.has_news2:
        return None
    session = opened.session
    found = score_of(
        {item.parameter: item for item in standing},
        sedation_scale=session.sedation_scale,
        spo2_scale=session.spo2_scale,
    )
    if found is None:
        return None
    return {"label": "NEWS2", "text": short_text(found), "words": score_text(found)}


def _last_recorded(
    sets: Mapping[UUID, list[Observation]],
) -> list[tuple[UUID, list[Observation], Observation]]:
    """The sets with the last recorded value of each, the newest first."""
    found = [
        (set_id, items, max(items, key=attrgetter("recorded_at"))) for set_id, items in sets.items()
    ]
    found.sort(key=lambda row: (row[2].recorded_at, row[2].taken_at), reverse=True)
    return found


def _cells(
    session: InfusionSession,
    items: list[Observation],
    amendments: Mapping[UUID, Amendment],
    marked: Mapping[UUID, Mark],
    contested: AbstractSet[UUID],
) -> list[dict[str, Any]]:
    """One cell per parameter: the value in force, and what it said before it was corrected."""
    standing = [item for item in items if item.id not in amendments] or items
    asleep = any(item.parameter == "asleep" and item.value == 1 for item in standing)
    order = {key: index for index, key in enumerate(PARAMETERS)}
    cells = []
    for key in sorted({item.parameter for item in items}, key=order.__getitem__):
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
                "tick": PARAMETERS[key].kind == "tick",
                "beside": key in _BESIDE,
                "label": cell_label(key),
                "text": _text(session, current, asleep),
                "was": _was(session, was, current, asleep),
                "level": mark.level if mark else "",
                "contested": current is not None and current.id in contested,
            }
        )
    return cells


def _was(
    session: InfusionSession, was: list[Observation], current: Observation | None, asleep: bool
) -> str | None:
    """What it said before; the same value at another time says nothing new."""
    said = [
        item
        for item in was
        if current is None or (item.value, item.not_taken) != (current.value, current.not_taken)
    ]
    return _text(session, said[-1], asleep) if said else None


def _moved(
    standing: list[Observation], items: list[Observation], session: InfusionSession
) -> Amendment | None:
    """The newest correction of the time of a set."""
    taken = {item.id: item.taken_at for item in items}
    now = {item.id: item.taken_at for item in standing}
    found = [
        amendment
        for amendment in session.amendments
        if amendment.replacement in now
        and amendment.amends in taken
        and taken[amendment.amends] != now[amendment.replacement]
    ]
    return found[-1] if found else None


def cell_label(parameter: str) -> str:
    """What a value is called where there is little room."""
    return _SHORT.get(parameter, PARAMETERS[parameter].short)


def _text(session: InfusionSession, item: Observation | None, asleep: bool) -> str:
    if item is None or item.value is None:
        return "–"
    if PARAMETERS[item.parameter].kind == "tick":
        return "yes" if item.value else "no"
    if item.parameter in ("sedation", "acvpu"):
        scale_id = session.sedation_scale if item.parameter == "sedation" else CONSCIOUSNESS_SCALE
        answer = SCALES[scale_id].answer(int(item.value), asleep=asleep)
        return answer.short if answer else bare_text(item)
    return bare_text(item)


def _event_rows(opened: OpenSession, zone: tzinfo, names: Mapping[str, str]) -> list[_Row]:
    session = opened.session
    amendments = {amendment.amends: amendment for amendment in session.amendments}
    responses = {
        response.dose.id: response_sentence(response) for response in dose_responses(session)
    }
    return [
        *(
            _row(
                event.fact,
                "event",
                event.text,
                zone,
                names,
                why_late=event.why_late,
                more=_more(event.fact, responses.get(event.fact.id, ""), names),
            )
            for event in numbered_events(session, zone, names, opened.alerts)
        ),
        *(
            _row(fact, "event", text, zone, names, struck=amendments[fact.id])
            for fact, text in struck_events(session)
        ),
    ]


def _more(fact: Fact, response: str, names: Mapping[str, str]) -> str:
    """Who confirmed a dose and what it went past, then what it did."""
    confirmation = confirmation_words(fact, names)
    said = f"{confirmation[0].upper()}{confirmation[1:]}." if confirmation else ""
    return " ".join(part for part in (said, response) if part)


def _effect_rows(session: InfusionSession, zone: tzinfo, names: Mapping[str, str]) -> list[_Row]:
    effects = {effect.id: effect for effect in session.side_effects}
    amendments = {amendment.amends: amendment for amendment in session.amendments}
    facts: list[SideEffect | SideEffectChange] = [
        *session.side_effects,
        *session.side_effect_changes,
    ]
    why_late = late_reasons(session)
    return [
        _row(
            fact,
            "effect",
            _effect_text(fact, effects),
            zone,
            names,
            why_late=why_late.get(fact.id, ""),
            struck=amendments.get(fact.id),
        )
        for fact in facts
    ]


def _effect_text(fact: SideEffect | SideEffectChange, effects: Mapping[UUID, SideEffect]) -> str:
    if isinstance(fact, SideEffectChange):
        name = term_text(effects[fact.side_effect_id].term)
        return f"{name} ended" if fact.ended else f"{name} now grade {fact.grade}"
    if fact.term == NONE:
        return "Asked: no side effect"
    return f"{term_text(fact.term)} grade {fact.grade}"


def _gate_rows(opened: OpenSession, zone: tzinfo, names: Mapping[str, str]) -> list[_Row]:
    """What was overridden, and what was taken back; plain answers stand on their own sheet."""
    session = opened.session
    amendments = {amendment.amends: amendment for amendment in session.amendments}
    rows = [
        _row(answer, "override", _override_text(answer, names), zone, names)
        for answer in newest_answers(session, opened.as_of).values()
        if answer.is_override
    ]
    struck: dict[tuple[datetime, datetime], list[GateAnswer]] = {}
    for answer in session.answers:
        if answer.id in amendments:
            # What one tap answered and one tap took back is one row.
            moments = (answer.recorded_at, amendments[answer.id].recorded_at)
            struck.setdefault(moments, []).append(answer)
    for together in struck.values():
        first = together[0]
        text = _answers_text(together, names)
        rows.append(_row(first, "override", text, zone, names, struck=amendments[first.id]))
    return rows


def _answers_text(answers: Sequence[GateAnswer], names: Mapping[str, str]) -> str:
    first = answers[0]
    if len(answers) > 1:
        return f"Gate: {len(answers)} answers"
    if first.is_override:
        return _override_text(first, names)
    return f"{label_of(first.question)}: {first.answer.value}"


def _override_text(answer: GateAnswer, names: Mapping[str, str]) -> str:
    return f"⚑ Overridden: {label_of(answer.question)}: {override_words(answer, names)}"


def _weight_rows(session: InfusionSession, zone: tzinfo, names: Mapping[str, str]) -> list[_Row]:
    """Weights recorded between the opening and the start; later ones stand among the events."""
    amendments = {amendment.amends: amendment for amendment in session.amendments}
    found = {
        weight.recorded_at: weight
        for weight in session.weights
        if weight.recorded_at > session.created_at and not weight.reason
    }
    return [
        _row(weight, "weight", weight_text(weight), zone, names, struck=amendments.get(weight.id))
        for weight in found.values()
    ]
