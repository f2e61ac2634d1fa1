"""What happened beside values and doses: side effects, events, gate, drug ledger, amendments."""

from __future__ import annotations

from monitor.folder_cells import Row
from monitor.folder_facts import FactRows
from monitor.patient_dose_limits import PATIENT_LIMITS
from monitor.record import (
    Amendment,
    Answer,
    DrugMovement,
    GateAnswer,
    MovementKind,
    PatientDoseLimit,
    SessionEvent,
    SideEffect,
    SideEffectChange,
)
from monitor.side_effects import TERMS


def read_side_effect(rows: FactRows, row: Row) -> None:
    values = rows.common(row)
    grade = row.whole("grade")
    of = rows.reference(row, "of", SideEffect)
    values |= {"action": row.text("action"), "note": row.text("note")}
    if of is not None:
        if row.raw("term"):
            row.fail("term", "must be empty when of names the side effect")
        values |= {"side_effect_id": of, "grade": grade, "ended": row.flag("ended")}
        rows.add(row, SideEffectChange, values)
        return
    term = row.raw("term")
    if term not in TERMS:
        row.fail("term", f'"{term}" is not a side effect; see the list in side_effects.toml')
    lowest, highest = (0, 0) if term == "none" else (1, 5)
    if grade is None or not lowest <= grade <= highest:
        row.fail("grade", f"must be from {lowest} to {highest}")
    if row.raw("ended"):
        row.fail("ended", "a new side effect cannot end on its own row; add one with of")
    values |= {
        "term": term,
        "grade": grade,
        "relation": row.text("relation"),
        "serious": row.flag("serious"),
    }
    rows.add(row, SideEffect, values)


def read_event(rows: FactRows, row: Row) -> None:
    values = rows.common(row)
    values |= {
        "kind": row.needed_text("kind"),
        "text": row.text("text"),
        "linked_to": rows.reference(row, "linked_to"),
    }
    rows.add(row, SessionEvent, values)


def read_gate(rows: FactRows, row: Row) -> None:
    values = rows.common(row)
    answer = row.code("answer", Answer)
    if answer is None and not row.raw("answer"):
        row.fail("answer", "is empty; use yes, no or unknown")
    values |= {
        "question": row.needed_text("question"),
        "answer": answer,
        "override_reason": row.text("override_reason"),
        "override_by": row.text("override_by"),
        "second_person": row.text("second_person"),
        "note": row.text("note"),
    }
    rows.add(row, GateAnswer, values)


def read_movement(rows: FactRows, row: Row) -> None:
    values = rows.common(row)
    kind, amount_mg = row.code("kind", MovementKind), row.needed_number("amount_mg")
    if kind is None and not row.raw("kind"):
        row.fail("kind", f"is empty; use one of: {', '.join(MovementKind)}")
    elif amount_mg <= 0 and kind is not MovementKind.UNACCOUNTED and not row.broken:
        row.fail("amount_mg", "must be above 0")
    values |= {
        "kind": kind,
        "amount_mg": amount_mg,
        "ampoules": row.whole("ampoules"),
        "batch": row.text("batch"),
        "expires_on": row.day("expires_on"),
        "witness": row.text("witness"),
        "reason": row.text("reason"),
    }
    rows.add(row, DrugMovement, values)


def read_patient_limit(rows: FactRows, row: Row) -> None:
    values = rows.common(row)
    quantity, value = row.needed_text("quantity"), row.needed_number("value")
    if not row.broken and quantity not in PATIENT_LIMITS:
        row.fail("quantity", f"is none of: {', '.join(PATIENT_LIMITS)}")
    if not row.broken and value <= 0:
        row.fail("value", "a limit is above 0")
    values |= {
        "quantity": quantity,
        "value": value,
        "approved_by": row.needed_text("approved_by"),
        "reason": row.needed_text("reason"),
    }
    rows.add(row, PatientDoseLimit, values)


def read_amendment(rows: FactRows, row: Row) -> None:
    values = rows.common(row)
    amends = rows.reference(row, "amends")
    if amends is None and not row.raw("amends"):
        row.fail("amends", "is empty; name the row that was wrong")
    values |= {
        "amends": amends,
        "replacement": rows.reference(row, "replacement"),
        "reason": row.needed_text("reason"),
    }
    rows.add(row, Amendment, values)
