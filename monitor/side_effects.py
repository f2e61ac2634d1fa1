"""The words a side effect is recorded in, so that the same thing is always called the same."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True)
class SideEffectTerm:
    """One term of the vocabulary (clinical.md 6.2).

    ``snomed`` and ``meddra_pt`` are None where no code is certain.  ``narrower`` are codes that
    say more than the term does (name, code).  ``synonyms`` are words staff look for it by.
    ``help`` is for clinicians to read: typical interventions, never an order.  ``seed`` names the
    founding fact it covers (clinical.md 1.5).
    """

    key: str
    display: str
    category: str
    snomed: str | None
    meddra_pt: str | None
    help: str
    seed: str
    narrower: tuple[tuple[str, str], ...] = ()
    synonyms: tuple[str, ...] = ()

    @property
    def found_by(self) -> tuple[str, ...]:
        """Everything it can be looked for by, what is shown first: words, codes, its group."""
        codes = (self.snomed, *(code for _, code in self.narrower))
        named = (self.meddra_pt, *(name for name, _ in self.narrower), *codes, self.category)
        return (self.display, *self.synonyms, *(text for text in named if text))


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


_CONTENT = tomllib.loads(
    resources.files("monitor.library").joinpath("side_effects.toml").read_text("utf-8")
)


def _load(
    content: dict[str, Any],
) -> tuple[int, dict[str, SideEffectTerm], dict[int, Grade], frozenset[str], int]:
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
            synonyms=tuple(row.get("synonyms", ())),
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
VOCABULARY_VERSION, TERMS, GRADES, CRITICAL_TERMS, CRITICAL_FROM_GRADE = _load(_CONTENT)

#: How a side effect relates to the drug, and what was done about it: label by code (clinical.md 6.1).
RELATIONS: Mapping[str, str] = {row["code"]: row["label"] for row in _CONTENT["relation"]}
ACTIONS: Mapping[str, str] = {row["code"]: row["label"] for row in _CONTENT["action"]}


def term_text(key: str) -> str:
    """What a term is called; a term of an older vocabulary stands as it was recorded."""
    return TERMS[key].display if key in TERMS else key


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
