"""The two-person check: the start, a bolus, a syringe and what is beyond a limit (clinical.md 9)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from monitor import actions, second_person
from monitor.accounts import UserEvent, UserEventKind
from monitor.errors import InvalidEntry, Problem
from monitor.permissions import User
from monitor.protocols import (
    InfusionProtocol,
    PinnedVersion,
    SecondPersonAt,
    VersionStatus,
    canonical_content,
    parse_protocol,
)
from monitor.record import DoseStepKind, DoseUnit
from monitor.requests import BolusRequest, SyringeRequest
from monitor.store import Store
from tests import build
from tests.build import an_id, anaesthetist, at, nurse
from tests.entering import BLUM, clear_gate, infusing, rate_request, started

#: No sets are taken here, so more drug is asked about, and so is raising it.
_LATE_SETS = frozenset({"interlock.1", "titrate_if.soft"})


def account(store: Store, person: User) -> User:
    created = UserEvent(
        id=an_id(),
        kind=UserEventKind.CREATED,
        username=person.username,
        name=person.name,
        role=person.role,
        clinic=person.clinic,
        active=True,
        shift_lead=False,
        at=at(-60),
        by="admin",
    )
    with store.write(build.audit("add account"), clinic=person.clinic) as writer:
        writer.add_user_event(created)
    return person


def codes(error: pytest.ExceptionInfo[InvalidEntry]) -> set[str]:
    return {problem.code for problem in error.value.problems}


def a_bolus(**changes: Any) -> BolusRequest:
    values: dict[str, Any] = {
        "id": an_id(),
        "value": Decimal(8),
        "unit": DoseUnit.MG,
        "over_s": 60,
        "taken_at": at(10),
        "reason": "ordered",
    }
    return BolusRequest(**(values | changes))


def test_the_start_needs_somebody_else(store: Store) -> None:
    session_id = started(store)
    clear_gate(store, session_id)
    alone = rate_request("0.1", 0)
    for second, code in ((None, "second_person.start"), ("blum", "second_person.same")):
        with pytest.raises(InvalidEntry) as refused:
            actions.change_rate(
                store, BLUM, session_id, replace(alone, second_person=second), now=at(0)
            )
        assert codes(refused) == {code}
    opened = actions.change_rate(
        store, BLUM, session_id, replace(alone, second_person="diaz"), now=at(0)
    )
    assert opened.session.dose_steps[0].second_person == "diaz"


def test_a_start_that_happened_alone_is_recorded_with_its_reason_and_flagged(store: Store) -> None:
    session_id = started(store)
    clear_gate(store, session_id)
    given = rate_request("0.1", 0, already_given=True)
    with pytest.raises(InvalidEntry, match="Say why"):
        actions.change_rate(store, BLUM, session_id, given, now=at(0))
    opened = actions.change_rate(
        store, BLUM, session_id, replace(given, reason="nobody near"), now=at(0)
    )
    (step,) = opened.session.dose_steps
    assert step.second_person is None
    assert step.overrides == ("second_person.start",)


def test_a_planned_step_a_hold_and_a_resume_need_nobody(store: Store) -> None:
    session_id = infusing(store)
    for minute, value, kind in (
        (31, "0.15", DoseStepKind.RATE),
        (40, "0", DoseStepKind.HOLD),
        (45, "0.15", DoseStepKind.RESUME),
    ):
        request = rate_request(value, minute, kind=kind, reason="set follows")
        opened = actions.change_rate(
            store, BLUM, session_id, request, now=at(minute), confirmed=_LATE_SETS
        )
    assert [step.second_person for step in opened.session.dose_steps] == ["diaz", None, None, None]


def test_a_rate_beyond_a_limit_needs_somebody_else(store: Store) -> None:
    session_id = infusing(store)
    high = rate_request("0.6", 40, reason="ordered")
    with pytest.raises(InvalidEntry) as refused:
        actions.change_rate(store, BLUM, session_id, high, now=at(40))
    asked = codes(refused)
    assert {"second_person.limit", "rate_mg_per_kg_h.soft"} <= asked
    opened = actions.change_rate(
        store,
        BLUM,
        session_id,
        replace(high, second_person="diaz"),
        now=at(40),
        confirmed=frozenset(asked),
    )
    assert opened.session.dose_steps[-1].second_person == "diaz"


def test_a_bolus_that_is_not_planned_needs_an_anaesthetist_among_the_two(store: Store) -> None:
    session_id = infusing(store)
    doctor, other = account(store, anaesthetist()), account(store, nurse("diaz"))
    confirmed = frozenset({"bolus_not_planned.soft"})
    for person, second in ((BLUM, other), (BLUM, None), (doctor, None)):
        request = a_bolus(second_person=second.username if second else None)
        with pytest.raises(InvalidEntry) as refused:
            actions.give_bolus(store, person, session_id, request, now=at(10), confirmed=confirmed)
        assert "second_person.anaesthetist" in codes(refused)
    for person, second in ((BLUM, doctor), (doctor, other)):
        request = a_bolus(second_person=second.username)
        opened = actions.give_bolus(
            store, person, session_id, request, now=at(10), confirmed=confirmed
        )
    assert [bolus.second_person for bolus in opened.session.boluses] == ["okoye", "diaz"]


def test_a_new_syringe_needs_somebody_else(store: Store) -> None:
    session_id = infusing(store)
    change = SyringeRequest(id=an_id(), concentration_mg_per_ml=Decimal(2), taken_at=at(10))
    with pytest.raises(InvalidEntry) as refused:
        actions.change_syringe(store, BLUM, session_id, change, now=at(10))
    assert codes(refused) == {"second_person.syringe"}
    opened = actions.change_syringe(
        store, BLUM, session_id, replace(change, second_person="diaz"), now=at(10)
    )
    assert opened.session.syringe_changes[0].second_person == "diaz"


def test_a_syringe_changed_alone_says_so_and_why(store: Store) -> None:
    session_id = infusing(store)
    alone = SyringeRequest(
        id=an_id(), concentration_mg_per_ml=Decimal(2), taken_at=at(10), already_given=True
    )
    with pytest.raises(InvalidEntry, match="Say why nobody else confirmed"):
        actions.change_syringe(store, BLUM, session_id, alone, now=at(10))
    said = replace(alone, reason="nobody near")
    for minute in (10, 11):
        opened = actions.change_syringe(store, BLUM, session_id, said, now=at(minute))
    (change,) = opened.session.syringe_changes
    (note,) = (event for event in opened.session.events if event.linked_to == change.id)
    assert note.text == "New syringe without a second person: nobody near"


def test_the_role_of_a_stranger_counts_for_nothing(store: Store) -> None:
    session_id = infusing(store)
    with pytest.raises(InvalidEntry) as refused:
        actions.give_bolus(
            store, BLUM, session_id, a_bolus(second_person="nobody"), now=at(10),
            confirmed=frozenset({"bolus_not_planned.soft"}),
        )  # fmt: skip
    assert "second_person.anaesthetist" in codes(refused)


# -- what the protocol version chose ---------------------------------------------------------------

BEYOND = (Problem("rate", "high", kind="soft", code="rate_mg_per_kg_h.soft"),)
UNPLANNED = (Problem("bolus", "none planned", kind="soft", code="bolus_not_planned.soft"),)


def choosing(*moments: SecondPersonAt) -> InfusionProtocol:
    return replace(build.seeded("protocol", "P02").protocol(), second_person_at=frozenset(moments))


def code(problem: Problem | None) -> str | None:
    return None if problem is None else problem.code.removeprefix("second_person.")


def test_a_version_that_says_nothing_needs_one_everywhere() -> None:
    content = build.seeded("protocol", "P02").content()
    assert "second_person" not in content
    assert parse_protocol(content).second_person_at == frozenset(SecondPersonAt)
    one_less = content | {"second_person": {"bolus": False}}
    assert parse_protocol(one_less).second_person_at == frozenset(SecondPersonAt) - {"bolus"}


@pytest.mark.parametrize("moment", SecondPersonAt)
def test_only_what_was_chosen_needs_somebody_else(moment: SecondPersonAt) -> None:
    protocol, before = choosing(moment), build.session()
    running = build.session(build.rate("0.1", -10))
    found = {
        SecondPersonAt.START: second_person.for_rate(before, protocol, Decimal("0.1"), ()),
        SecondPersonAt.BOLUS: second_person.for_bolus(protocol, ()),
        SecondPersonAt.SYRINGE: second_person.for_syringe(protocol),
        SecondPersonAt.LIMIT: second_person.for_rate(running, protocol, Decimal("0.6"), BEYOND),
    }
    assert {name: code(problem) for name, problem in found.items()} == {
        name: name.value if name is moment else None for name in SecondPersonAt
    }


def test_an_unplanned_bolus_needs_an_anaesthetist_whatever_was_chosen() -> None:
    assert code(second_person.for_bolus(choosing(), UNPLANNED)) == "anaesthetist"


def test_a_start_beyond_a_limit_needs_one_where_only_limits_were_chosen() -> None:
    found = second_person.for_rate(
        build.session(), choosing(SecondPersonAt.LIMIT), Decimal("0.6"), BEYOND
    )
    assert code(found) == "limit"


def test_a_session_goes_by_the_version_it_was_started_under(store: Store) -> None:
    """The next version needs nobody at start and syringe; a session of the old one still does."""
    old = started(store)
    content = build.seeded("protocol", "P02").content()
    content |= {"version": 2, "second_person": {"start": False, "syringe": False}}
    text, sha256 = canonical_content(content)
    new = PinnedVersion(an_id(), "protocol", "P02", 2, text, sha256, VersionStatus.APPROVED)
    with store.write(build.audit("write"), clinic="main") as writer:
        writer.add_version(new)
    alone = started(store, protocol_id=new.id)
    for session_id in (old, alone):
        clear_gate(store, session_id)
    request = rate_request("0.1", 0)
    with pytest.raises(InvalidEntry) as refused:
        actions.change_rate(store, BLUM, old, request, now=at(0))
    assert codes(refused) == {"second_person.start"}
    opened = actions.change_rate(store, BLUM, alone, request, now=at(0))
    assert opened.session.dose_steps[0].overrides == ()
    syringe = SyringeRequest(id=an_id(), concentration_mg_per_ml=Decimal(2), taken_at=at(10))
    opened = actions.change_syringe(store, BLUM, alone, syringe, now=at(10))
    assert opened.session.syringe_changes[0].second_person is None
    with pytest.raises(InvalidEntry) as refused:
        actions.give_bolus(
            store, BLUM, alone, a_bolus(), now=at(10),
            confirmed=frozenset({"bolus_not_planned.soft"}),
        )  # fmt: skip
    assert "second_person.anaesthetist" in codes(refused)


@pytest.mark.parametrize(
    "code",
    ["step_mg_per_kg_h.soft", "step_percent.soft", "step_interval.soft", "rate_mg_per_h.soft"],
)
def test_a_step_outside_the_protocol_needs_somebody_else(code: str) -> None:
    running = build.session(build.rate("0.1", 0))
    asked = (Problem("rate", "Too big a step.", kind="soft", code=code),)
    needed = second_person.for_rate(
        running, build.seeded("protocol", "P02").protocol(), Decimal("0.3"), asked
    )
    assert needed is not None
    assert needed.code == "second_person.limit"
    late = (Problem("rate", "A set is late.", kind="soft", code="interlock.1"),)
    assert (
        second_person.for_rate(
            running, build.seeded("protocol", "P02").protocol(), Decimal("0.2"), late
        )
        is None
    )
