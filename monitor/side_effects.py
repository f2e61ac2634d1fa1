"""The words a side effect is recorded in, so that the same thing is always called the same."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True, slots=True)
class SideEffectTerm:
    """One term of the vocabulary (clinical.md 6.2).

    ``snomed`` and ``meddra_pt`` are None where no code is certain.  ``narrower`` are codes that
    say more than the term does (name, code).  ``help`` is for clinicians to read: typical
    interventions, never an order.  ``seed`` names the founding fact it covers (clinical.md 1.5).
    """

    key: str
    display: str
    category: str
    snomed: str | None
    meddra_pt: str | None
    help: str
    seed: str
    narrower: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Grade:
    """A severity grade and what it means (clinical.md 6.1).

    ``blood_pressure`` replaces ``rule`` for the term ``bp_high``: CTCAE would call most ketamine
    sessions grade 2 to 3.
    """

    grade: int
    label: str
    rule: str
    action: str
    blood_pressure: str


#: The term that says "asked, none"; recorded with grade 0 and no other term has that grade.
NONE = "none"


def _load() -> tuple[int, dict[str, SideEffectTerm], dict[int, Grade], frozenset[str], int]:
    text = resources.files("monitor.library").joinpath("side_effects.toml").read_text("utf-8")
    content = tomllib.loads(text)
    terms = {
        row["key"]: SideEffectTerm(
            key=row["key"],
            display=row["display"],
            category=row["category"],
            snomed=row.get("snomed"),
            meddra_pt=row.get("meddra_pt"),
            help=row["help"],
            seed=row["seed"],
            narrower=tuple(row.get("narrower", {}).items()),
        )
        for row in content["term"]
    }
    grades = {row["grade"]: Grade(**row) for row in content["grade"]}
    return (
        content["version"],
        terms,
        grades,
        frozenset(content["critical_terms"]),
        content["critical_from_grade"],
    )


#: Version of the vocabulary, its terms by key, its grades, and what is critical (U-03).
VOCABULARY_VERSION, TERMS, GRADES, CRITICAL_TERMS, CRITICAL_FROM_GRADE = _load()


def is_critical(term: str, grade: int) -> bool:
    """Whether recording this raises a critical alert: a named term or grade >= 3 (U-03)."""
    return term in CRITICAL_TERMS or grade >= CRITICAL_FROM_GRADE


def grade_rule(term: str, grade: int) -> str:
    """What this grade means for this term, in words; blood pressure has its own grading.

    Raises:
        KeyError: there is no such term or grade.
    """
    found = GRADES[grade]
    return found.blood_pressure if TERMS[term].key == "bp_high" else found.rule
