"""A new syringe: what is asked, what is refused, and what was really running (U-28, 2.2)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from monitor import actions, dosing
from monitor.errors import InvalidEntry, NeedsConfirmation
from monitor.record import DoseUnit
from monitor.requests import SyringeRequest
from monitor.store import Store
from monitor.syringe_checks import concentration_problems
from tests.build import an_id, at
from tests.entering import BLUM, infusing, rate_request
from tests.monitor.dosing_sessions import P02

D = Decimal


def _syringe(strength: str, **changes: Any) -> SyringeRequest:
    values: dict[str, Any] = {
        "id": an_id(),
        "concentration_mg_per_ml": D(strength),
        "taken_at": at(10),
        "second_person": "diaz",
    }
    return SyringeRequest(**(values | changes))


@pytest.mark.parametrize(
    ("strength", "code"),
    [
        ("0", "concentration.impossible"),
        ("NaN", "concentration.impossible"),
        ("100.1", "concentration.impossible"),
        ("100", "concentration.hard"),
        ("50.1", "concentration.hard"),
        ("0.09", "concentration.hard"),
        ("50", "concentration.unusual"),
        ("3", "concentration.unusual"),
        ("5", None),
    ],
)
def test_strengths(strength: str, code: str | None) -> None:
    found = concentration_problems(D(strength), P02)
    assert [problem.code for problem in found] == ([code] if code else [])


def test_the_usual_strengths_are_those_of_the_protocol() -> None:
    own = replace(P02, concentrations_mg_per_ml=(D(3), D(50)))
    assert concentration_problems(D(3), own) == []
    (asked,) = concentration_problems(D(2), own)
    assert "usual syringes of P02 (3, 50 mg/mL)" in asked.message
    # Undiluted is asked about however usual it is.
    assert concentration_problems(D(50), own)[0].code == "concentration.unusual"


def test_a_strength_that_was_really_running_is_recorded_and_flagged(store: Store) -> None:
    session_id = infusing(store)
    rate = replace(rate_request("0.1", 10), unit=DoseUnit.ML_PER_H, already_given=True, reason="x")
    undiluted = _syringe("100", rate=rate)
    with pytest.raises(InvalidEntry, match="diluted first"):
        actions.change_syringe(store, BLUM, session_id, undiluted, now=at(10))
    with pytest.raises(InvalidEntry, match="Say why"):
        actions.change_syringe(
            store, BLUM, session_id, replace(undiluted, already_given=True), now=at(10)
        )
    opened = actions.change_syringe(
        store,
        BLUM,
        session_id,
        replace(undiluted, already_given=True, reason="undiluted by mistake"),
        now=at(10),
    )
    (change,) = opened.session.syringe_changes
    assert change.concentration_mg_per_ml == 100
    assert dosing.current_rate_mg_per_h(opened.session, at(10)) == 10
    (note,) = [event for event in opened.session.events if event.linked_to == change.id]
    assert note.text == (
        "New syringe 100 mg/mL, a strength that is not infused: undiluted by mistake"
    )


def test_a_running_pump_whose_new_rate_nobody_knows_counts_as_held(store: Store) -> None:
    session_id = infusing(store)
    unknown = _syringe("5", reason="rate not read", already_given=False)
    with pytest.raises(InvalidEntry, match="another concentration"):
        actions.change_syringe(store, BLUM, session_id, unknown, now=at(10))
    opened = actions.change_syringe(
        store, BLUM, session_id, replace(unknown, already_given=True), now=at(10)
    )
    assert dosing.current_rate_mg_per_h(opened.session, at(10)) == 0
    assert "no rate said, so it counts as held" in str(opened.session.events[-1].text)


def test_an_unusual_strength_is_kept_with_its_reason(store: Store) -> None:
    session_id = infusing(store)
    unusual = _syringe("4", rate=rate_request("0.1", 10), reason="only bag left")
    with pytest.raises(NeedsConfirmation, match="usual syringes"):
        actions.change_syringe(store, BLUM, session_id, unusual, now=at(10))
    opened = actions.change_syringe(
        store,
        BLUM,
        session_id,
        unusual,
        now=at(10),
        confirmed=frozenset({"concentration.unusual", "interlock.1"}),
    )
    assert opened.session.events[-1].text == (
        "New syringe 4 mg/mL, an unusual strength: only bag left"
    )


def test_nothing_is_stronger_than_the_strongest_vial(store: Store) -> None:
    session_id = infusing(store)
    slip = _syringe("200", already_given=True, reason="x")
    with pytest.raises(InvalidEntry, match="strongest vial"):
        actions.change_syringe(store, BLUM, session_id, slip, now=at(10))
