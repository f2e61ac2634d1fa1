"""Another weight of an open session: mg and mg/h stay, mg/kg follow, and that is said before."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from decimal import Decimal
from uuid import UUID

import pytest

from monitor import actions, dosing
from monitor.errors import InvalidEntry, NeedsConfirmation
from monitor.gate import ItemState, gate_state
from monitor.record import Answer, DosingWeight, Source, WeightBasis
from monitor.requests import UndoRequest, WeightRequest
from monitor.store import Store
from monitor.timeline import numbered_events
from monitor.weight_change import limit_questions, weight_effects
from tests import build
from tests.build import an_id, at
from tests.entering import BLUM, infusing, rate_request, started

D = Decimal
P02 = build.seeded("protocol", "P02").protocol()


def request(weight_kg: str, minute: float = 30, **changes: object) -> WeightRequest:
    values: dict[str, object] = {
        "id": an_id(),
        "weight_kg": D(weight_kg),
        "basis": WeightBasis.ACTUAL,
        "measured": True,
        "taken_at": at(minute),
        "reason": "weighed again",
    }
    return WeightRequest(**(values | changes))  # type: ignore[arg-type]


# -- what it does, in words ----------------------------------------------------------------------


def test_the_pump_goes_on_and_every_figure_per_kg_is_said_old_and_new() -> None:
    """70 kg at 0.2 mg/kg/h is 14 mg/h; after 30 min 7 mg were given.  Then 80 kg."""
    running = build.session(build.rate("0.2"), weight_kg=70)
    assert weight_effects(running, P02, D(80), at(30)) == (
        (
            "The pump goes on at 14 mg/h: that is now 0.175 mg/kg/h, was 0.2 mg/kg/h. "
            "Change the rate if it should be another."
        ),
        "Given so far 7 mg: that is now 0.088 mg/kg, was 0.1 mg/kg.",
        "Doses entered per kg are calculated on 80 kg from now on; what was given stays in mg.",
    )


def test_before_the_start_only_the_start_is_another_one() -> None:
    assert weight_effects(build.session(weight_kg=70), P02, D(80), at(0)) == (
        "The start at 0.1 mg/kg/h is 8 mg/h, was 7 mg/h.",
    )
    assert weight_effects(build.session(weight_kg=None), P02, D(80), at(0)) == (
        "The start at 0.1 mg/kg/h is 8 mg/h.",
    )


def test_nothing_is_said_of_a_pump_that_stands_still() -> None:
    held = build.session(build.rate("0.2"), build.hold(30), weight_kg=70)
    first, _second = weight_effects(held, P02, D(80), at(40))
    assert first == "Given so far 7 mg: that is now 0.088 mg/kg, was 0.1 mg/kg."


@pytest.mark.parametrize(
    ("rate", "weight_kg", "codes"),
    [
        ("0.5", "70", []),
        ("0.5", "69", ["weight_kg.rate_soft"]),
        ("0.5", "34", ["weight_kg.rate_hard"]),
        ("0.6", "69", []),
        ("0.4", "56", []),
    ],
    ids=["the same", "just above", "far above", "was above already", "at the limit"],
)
def test_a_weight_that_puts_the_running_rate_beyond_a_limit_is_asked_once(
    rate: str, weight_kg: str, codes: list[str]
) -> None:
    running = build.session(build.rate(rate), weight_kg=70)
    found = limit_questions(running, P02, D(weight_kg), at(1))
    assert [problem.code for problem in found] == codes
    assert all(problem.kind == "soft" for problem in found)


def test_what_was_given_is_held_against_the_total_as_well() -> None:
    """70 mg to 70 kg are 1 mg/kg, the soft total of P02; to 60 kg they are more."""
    over = build.session(build.rate("0.5"), build.stop(120), weight_kg=70)
    [problem] = limit_questions(over, P02, D(60), at(125))
    assert problem.code == "weight_kg.total_soft"
    assert "1.167 mg/kg with this weight" in problem.message


# -- recorded ------------------------------------------------------------------------------------


def test_a_new_weight_keeps_mg_and_recomputes_what_is_per_kg(store: Store) -> None:
    session_id = infusing(store)  # 80 kg, 0.1 mg/kg/h = 8 mg/h
    asked = request("84")
    opened = actions.record_weight(store, BLUM, session_id, asked, now=at(30))
    assert opened.session.weight_kg == 84
    assert dosing.current_rate_mg_per_h(opened.session, at(30)) == 8
    assert dosing.cumulative_mg(opened.session, at(30)) == 4
    assert opened.session.weights[-1].height_cm == 178, "the height of before stays"
    again = actions.record_weight(store, BLUM, session_id, asked, now=at(31))
    assert len(again.session.weights) == 2
    up = rate_request("0.15", 45, reason="ordered", second_person="diaz")
    later = actions.change_rate(
        store,
        BLUM,
        session_id,
        up,
        now=at(45),
        confirmed=frozenset({"interlock.1", "titrate_if.soft"}),
    )
    assert later.session.dose_steps[-1].rate_mg_per_h == D("12.6")
    [event] = [item for item in numbered_events(later.session, UTC) if "Weight" in item.text]
    assert event.text == "Weight 84 kg, measured: weighed again"


def test_once_the_drug_runs_the_reason_is_asked_for(store: Store) -> None:
    session_id = infusing(store)
    with pytest.raises(InvalidEntry, match="Say why the weight"):
        actions.record_weight(store, BLUM, session_id, request("84", reason=" "), now=at(30))
    before = started(store)
    opened = actions.record_weight(store, BLUM, before, request("84", -5, reason=None), now=at(-5))
    assert opened.session.weights[-1].reason is None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"weight_kg": D(95)}, "weight_kg.changed"),
        ({"measured": False}, "weight_kg.stated"),
        ({"weight_kg": D("84"), "height_cm": D("160")}, "weight_basis.actual"),
    ],
)
def test_what_is_unusual_about_a_weight_is_asked(
    store: Store, changes: dict[str, object], code: str
) -> None:
    session_id = infusing(store)
    asked = replace(request("84"), **changes)  # type: ignore[arg-type]
    with pytest.raises(NeedsConfirmation) as questions:
        actions.record_weight(store, BLUM, session_id, asked, now=at(30))
    assert [problem.code for problem in questions.value.problems] == [code]
    opened = actions.record_weight(
        store, BLUM, session_id, asked, now=at(30), confirmed=frozenset({code})
    )
    assert opened.session.weight_kg == asked.weight_kg


def test_a_weight_that_cannot_be_is_refused_with_every_problem(store: Store) -> None:
    session_id = infusing(store)
    asked = request("8.4", height_cm=D("1.78"), basis=WeightBasis.IDEAL)
    with pytest.raises(InvalidEntry) as refused:
        actions.record_weight(store, BLUM, session_id, asked, now=at(30))
    assert {problem.field for problem in refused.value.problems} == {"weight_kg", "height_cm"}
    with pytest.raises(InvalidEntry):
        actions.preview_weight(store, BLUM, session_id, asked, now=at(30))
    assert len(store.session(session_id).weights) == 1


def test_doses_go_by_the_adjusted_weight_and_the_actual_one_is_kept(store: Store) -> None:
    session_id = started(store)
    asked = request("84", -5, basis=WeightBasis.IDEAL)
    other = build.patient(sex="unknown", allergies="none known")
    unknown = started(store, patient=other)
    with pytest.raises(InvalidEntry, match="male or female"):
        actions.record_weight(store, BLUM, unknown, asked, now=at(-5))
    opened = actions.record_weight(store, BLUM, session_id, asked, now=at(-5))
    actual, ideal = opened.session.weights[-2:]
    assert (actual.weight_kg, actual.basis) == (84, WeightBasis.ACTUAL)
    assert (ideal.weight_kg, ideal.basis) == (D("68.7"), WeightBasis.IDEAL)
    assert opened.session.weight_kg == D("68.7")


def test_actual_weight_chosen_on_purpose_settles_the_gate(store: Store) -> None:
    session_id = started(store)
    asked = request("120", -5)
    confirmed = frozenset({"weight_kg.changed", "weight_basis.actual"})
    opened = actions.record_weight(store, BLUM, session_id, asked, now=at(-5), confirmed=confirmed)
    state = gate_state(opened.session, opened.protocol, at(-5), zone=UTC)
    assert "weight_basis" not in {item.id for item in state.items}
    undone = actions.undo(
        store,
        BLUM,
        session_id,
        UndoRequest(id=an_id(), undoes=asked.id, tapped_at=at(-4.9)),
        now=at(-4.9),
    )
    assert undone.session.weight_kg == 80
    assert not undone.session.current(undone.session.answers)


def test_an_override_of_the_basis_is_shown_as_one(store: Store) -> None:
    heavy = build.session(
        build.weight(120, -20, height_cm=D(178)),
        build.answer(
            "weight_basis",
            Answer.NO,
            -15,
            override_reason="as before",
            override_by="blum",
        ),
        weight_kg=None,
    )
    states = {item.id: item.state for item in gate_state(heavy, P02, at(0), zone=UTC).items}
    assert states["weight_basis"] is ItemState.OVERRIDDEN


def test_a_preview_says_it_and_saves_nothing(store: Store) -> None:
    session_id = infusing(store)
    found = actions.preview_weight(store, BLUM, session_id, request("95", reason=None), now=at(30))
    assert found.needs_reason
    assert found.weight_kg == 95
    assert found.effects[0].startswith("The pump goes on at 8 mg/h: that is now 0.084 mg/kg/h")
    assert [problem.code for problem in found.problems] == ["weight_kg.changed"]
    assert len(store.session(session_id).weights) == 1


def test_a_weight_from_paper_belongs_to_its_time(store: Store) -> None:
    session_id = infusing(store)
    asked = request("84", 10, source=Source.PAPER)
    actions.record_weight(store, BLUM, session_id, asked, now=at(40))
    saved = newest(store, session_id)
    assert (saved.taken_at, saved.recorded_at, saved.source) == (at(10), at(40), Source.PAPER)


def newest(store: Store, session_id: UUID) -> DosingWeight:
    return store.session(session_id).weights[-1]
