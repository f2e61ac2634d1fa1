"""The patient register: who is treated, and what was corrected or learned about them since (F98)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from monitor.days import day_text
from monitor.errors import Problem
from monitor.record import Patient

#: Nobody has been older (Jeanne Calment reached 122); an earlier birth date is a slip.
OLDEST_YEARS = 125


def with_number(found: Iterable[Patient], typed: str) -> Patient | None:
    """The one patient whose hospital number was typed or scanned whole; blanks mean nothing."""
    same = [patient for patient in found if _number_key(patient.mrn) == _number_key(typed)]
    return same[0] if len(same) == 1 else None


def _number_key(text: str) -> str:
    return "".join(text.split()).casefold()


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientChange:
    """The patient as of ``recorded_at``, with the reason; earlier ones stay in the record.

    ``number`` counts the changes of one patient from 1.
    """

    id: UUID
    patient: Patient
    number: int
    reason: str
    recorded_at: datetime
    recorded_by: str


#: What is asked of a patient, in the order of the form, with what to do about a missing one.
REQUIRED = {
    "family_name": "Enter the patient's family name.",
    "given_name": "Enter the patient's given name.",
    "mrn": "Enter the patient's hospital number.",
    "allergies": "Ask for allergies; write “none known” when there are none.",
}


def patient_problems(patient: Patient, today: date) -> tuple[Problem, ...]:
    """Everything wrong with a patient's identity before it is saved."""
    found = [
        Problem(name, sentence)
        for name, sentence in REQUIRED.items()
        if not getattr(patient, name).strip()
    ]
    if patient.born_on > today:
        found.append(Problem("born_on", "The date of birth is in the future. Check it."))
    elif patient.age_on(today) > OLDEST_YEARS:
        found.append(
            Problem("born_on", f"This makes the patient over {OLDEST_YEARS} years old. Check it.")
        )
    return tuple(found)


def differences(before: Patient, after: Patient) -> tuple[str, ...]:
    """What a change of a patient changed, in words for the history."""
    labels = {
        "mrn": "hospital number",
        "family_name": "family name",
        "given_name": "given name",
        "born_on": "date of birth",
        "sex": "sex",
        "allergies": "allergies",
    }
    return tuple(
        f"{label}: {_said(getattr(before, name))} → {_said(getattr(after, name))}"
        for name, label in labels.items()
        if getattr(before, name) != getattr(after, name)
    )


def _said(value: object) -> str:
    if isinstance(value, date):
        return day_text(value)
    return str(value).strip() or "nothing"
