"""Who is told when nobody answers, what hides the banner, when an alert is closed: on both sides.

Times count from the first dose; the Bedside stores what is due whenever somebody looks.
"""

from __future__ import annotations

import pytest

from monitor.alerts import (
    AlertEvent,
    AlertEventKind,
    AlertState,
    AlertView,
    acknowledge,
    open_alerts,
    suppress,
)
from monitor.errors import InvalidEntry, Problem
from monitor.ids import derived_id
from tests.monitor.limits import clock, infusion, moment
from tests.monitor.test_alerts import Bedside, only


@pytest.fixture
def bedside() -> Bedside:
    return Bedside(infusion("", ""))


def told(bedside: Bedside) -> list[str]:
    """Who was told when, as stored."""
    return [
        f"{clock(event.at)} {event.text}"
        for event in bedside.events
        if event.kind is AlertEventKind.ESCALATED
    ]


def hide(bedside: Bedside, when: str) -> AlertView:
    view = open_alerts(bedside.look(when))[0]
    bedside.events += (suppress(view, by="blum", reason="doctor beside me", now=moment(when)),)
    return next(item for item in bedside.look(when) if item.alert.id == view.alert.id)


# -- the ladder --------------------------------------------------------------------------------------

CRITICAL = "10:00 spo2 88"
#: readings, answered at, looked at, who was told: clinical.md 7.2, U-59, U-60
LADDER = [
    ("a critical: not yet at 2:00", CRITICAL, None, "12:00", []),
    ("a second later the anaesthetist", CRITICAL, None, "12:01", ["12:00 anaesthetist"]),
    ("not yet the lead at 5:00", CRITICAL, None, "15:00", ["12:00 anaesthetist"]),
    ("then the lead", CRITICAL, None, "15:01", ["12:00 anaesthetist", "15:00 lead"]),
    ("answered at 2:00 exactly: nobody", CRITICAL, "12:00", "20:00", []),
    ("answered after that: the first step alone", CRITICAL, "12:30", "20:00",
     ["12:00 anaesthetist"]),
    ("recovered: the first step goes out all the same, the second does not",
     f"{CRITICAL} | 11:30 spo2 97", None, "30:00", ["12:00 anaesthetist"]),
    ("recovered after 5:00: both", f"{CRITICAL} | 15:30 spo2 97", None, "30:00",
     ["12:00 anaesthetist", "15:00 lead"]),
    ("a critical of two readings counts from its confirmation", "10:00 sbp 185 | 12:00 sbp 185",
     None, "14:01", ["14:00 anaesthetist"]),
    ("and not before", "10:00 sbp 185 | 12:00 sbp 185", None, "14:00", []),
    ("entered late it counts from when it was known", "10:00 spo2 88 saved 30:00", None, "32:01",
     ["32:00 anaesthetist"]),
    ("entered late and over: nobody", "10:00 spo2 88 saved 50:00 | 20:00 spo2 97", None, "60:00",
     []),
    ("a warning: not yet at 10:00", "10:00 sbp 165 | 12:00 sbp 165", None, "22:00", []),
    ("then the shift lead", "10:00 sbp 165 | 12:00 sbp 165", None, "22:01", ["22:00 shift_lead"]),
    ("answered in time: nobody", "10:00 sbp 165 | 12:00 sbp 165", "21:59", "22:30", []),
    ("a warning that recovered: nobody", "10:00 sbp 165 | 12:00 sbp 165 | 20:00 sbp 140", None,
     "40:00", []),
    ("pending: nobody", "10:00 sbp 185", None, "14:59", []),
    ("unconfirmed: nobody", "10:00 sbp 185 | 12:00 sbp 150", None, "40:00", []),
    ("pain tells nobody", "10:00 pain 9", None, "60:00", []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("why", "readings", "answered", "looked", "expected"), LADDER, ids=[row[0] for row in LADDER]
)
def test_the_ladder(
    why: str, readings: str, answered: str | None, looked: str, expected: list[str]
) -> None:
    bedside = Bedside(infusion(readings, "pain 4"))
    if answered:
        bedside.answer(answered)
    bedside.look(looked)
    assert told(bedside) == expected


def test_an_answer_while_it_waits_holds_when_it_is_confirmed(bedside: Bedside) -> None:
    """U-60."""
    bedside.save("10:00 sbp 185", "10:00")
    bedside.answer("10:30")
    bedside.save("12:00 sbp 185", "12:00")
    bedside.look("20:00")
    assert told(bedside) == []


def test_an_answer_that_ran_out_starts_the_ladder_anew(bedside: Bedside) -> None:
    """U-61: fires again 15:00 after the answer, needs a new one, and is told again."""
    bedside.save(CRITICAL, "10:00")
    bedside.answer("11:00")
    bedside.look("28:00")
    assert told(bedside) == []
    view = only(bedside.look("28:01"))
    assert told(bedside) == ["28:00 anaesthetist"]
    assert view.escalated_to == ("anaesthetist",)


def test_a_warning_that_became_critical_is_told_as_critical(bedside: Bedside) -> None:
    bedside.save("10:00 sbp 165 | 12:00 sbp 165", "12:00")
    bedside.save("20:00 sbp 205", "20:00")
    bedside.look("23:00")
    assert told(bedside) == ["22:00 anaesthetist"]


def test_being_told_is_no_answer_and_an_answer_ends_it(bedside: Bedside) -> None:
    """U-60."""
    bedside.save(CRITICAL, "10:00")
    view = only(bedside.look("16:00"))
    assert (view.state, view.acknowledged_at) == (AlertState.ACTIVE, None)
    assert (view.escalated_to, view.escalated_at) == (("anaesthetist", "lead"), moment("15:00"))
    view = bedside.answer("17:00")
    assert (view.escalated_to, view.escalated_at) == ((), None)


def test_each_step_is_told_once_whoever_looks_and_how_often(bedside: Bedside) -> None:
    bedside.save(CRITICAL, "10:00")
    for when in ("12:01", "12:02", "15:30", "15:31", "40:00"):
        bedside.look(when)
    assert told(bedside) == ["12:00 anaesthetist", "15:00 lead"]


def test_after_discharge_nobody_is_told_what_was_not_told_then() -> None:
    """An import of a finished visit invents no call that nobody made."""
    bedside = Bedside(infusion(f"{CRITICAL} | 20:00 event discharged"))
    bedside.look("60:00")
    assert told(bedside) == []


def test_an_amended_value_takes_the_ladder_away() -> None:
    bedside = Bedside(infusion("10:00 spo2 94"))
    bedside.look("30:00")
    assert told(bedside) == []


# -- hiding the banner -------------------------------------------------------------------------------


def test_a_hidden_banner_comes_back_by_itself(bedside: Bedside) -> None:
    """7.2, U-65: 2 min for a critical, 15 for a warning; the card stays, the ladder goes on."""
    bedside.save("10:00 sbp 185 | 12:00 sbp 185", "12:00")
    view = hide(bedside, "13:00")
    assert (view.state, view.suppressed_until) == (AlertState.ACTIVE, moment("15:00"))
    assert only(bedside.look("14:59")).suppressed_until == moment("15:00")
    assert only(bedside.look("15:00")).suppressed_until is None
    assert told(bedside) == ["14:00 anaesthetist"]


def test_a_warning_is_hidden_for_15_minutes_at_most(bedside: Bedside) -> None:
    bedside.save("10:00 sbp 165 | 12:00 sbp 165", "12:00")
    assert hide(bedside, "13:00").suppressed_until == moment("28:00")


def test_a_higher_level_ends_it_at_once(bedside: Bedside) -> None:
    """U-65."""
    bedside.save("10:00 sbp 165 | 12:00 sbp 165", "12:00")
    hide(bedside, "13:00")
    bedside.save("14:00 sbp 205", "14:00")
    assert only(bedside.look("14:00")).suppressed_until is None


def test_once_until_there_is_a_new_reading(bedside: Bedside) -> None:
    """U-65."""
    bedside.save("10:00 sbp 185 | 12:00 sbp 185", "12:00")
    hide(bedside, "13:00")
    with pytest.raises(InvalidEntry, match="once already"):
        hide(bedside, "16:00")
    bedside.save("17:00 sbp 186", "17:00")
    assert hide(bedside, "17:30").suppressed_until == moment("19:30")


@pytest.mark.parametrize(
    "readings",
    [
        "10:00 rr 0", "10:00 rr 8", "10:00 spo2 89", "10:00 sedation 3", "10:00 chest_pain yes",
        "10:00 effect seizure 1", "10:00 hr 0", "10:00 sbp unrecordable", "10:00 neuro_deficit yes",
    ],
)  # fmt: skip
def test_what_is_too_dangerous_is_never_hidden(readings: str) -> None:
    """U-65: RR 0 or <= 8, critical SpO2, sedation grade 3, the criticals of U-02, U-03 and U-05."""
    bedside = Bedside(infusion(readings))
    with pytest.raises(InvalidEntry, match="too dangerous"):
        hide(bedside, "10:30")


@pytest.mark.parametrize("readings", ["10:00 rr 9 | 12:00 rr 9", "10:00 spo2 90 | 12:00 spo2 90"])
def test_their_warnings_can_be_hidden(readings: str) -> None:
    bedside = Bedside(infusion(readings))
    assert hide(bedside, "13:00").suppressed_until == moment("28:00")


def test_a_pending_alert_cannot_be_hidden(bedside: Bedside) -> None:
    """U-65."""
    bedside.save("10:00 sbp 185", "10:00")
    with pytest.raises(InvalidEntry, match="confirmed and not answered"):
        hide(bedside, "10:30")


def test_hiding_needs_a_reason(bedside: Bedside) -> None:
    bedside.save("10:00 sbp 185 | 12:00 sbp 185", "12:00")
    with pytest.raises(InvalidEntry) as refusal:
        suppress(only(bedside.look("13:00")), by="blum", reason=" ", now=moment("13:00"))
    assert refusal.value.problems == (Problem("text", "Say why the alert is hidden."),)


def test_all_that_is_wrong_with_hiding_is_said_at_once(bedside: Bedside) -> None:
    view = only(bedside.save("10:00 spo2 88", "10:00"))
    with pytest.raises(InvalidEntry) as refusal:
        suppress(view, by="blum", reason="", now=moment("11:00"))
    assert [problem.field for problem in refusal.value.problems] == ["text", "alert_id"]


def test_hiding_is_kept_with_all_it_says(bedside: Bedside) -> None:
    view = only(bedside.save("10:00 sbp 185 | 12:00 sbp 185", "12:00"))
    first = suppress(view, by="blum", reason=" doctor beside me ", now=moment("13:00"))
    assert first == AlertEvent(
        id=derived_id("alert_event", view.alert.id, AlertEventKind.SUPPRESSED, 1),
        alert_id=view.alert.id,
        kind=AlertEventKind.SUPPRESSED,
        step=1,
        at=moment("13:00"),
        recorded_at=moment("13:00"),
        by="blum",
        text="doctor beside me",
        level="critical",
    )
    bedside.events += (first,)
    view = only(bedside.save("17:00 sbp 186", "17:00"))
    second = suppress(view, by="blum", reason="again", now=moment("17:30"))
    assert (second.step, second.id) == (
        2,
        derived_id("alert_event", view.alert.id, AlertEventKind.SUPPRESSED, 2),
    )


# -- closed, and why nobody was called ---------------------------------------------------------------


def test_over_with_an_action_it_is_closed_without_one_resolved(bedside: Bedside) -> None:
    """7.2: RESOLVED -> CLOSED (action recorded)."""
    bedside.save("10:00 sbp 165 | 12:00 sbp 165 | 20:00 sbp 140", "20:00")
    assert only(bedside.look("20:00")).state is AlertState.RESOLVED
    other = Bedside(infusion("10:00 sbp 165 | 12:00 sbp 165"))
    other.answer("13:00", action="slow")
    view = only(other.save("20:00 sbp 140", "20:00"))
    assert view.state is AlertState.CLOSED
    assert "20:00 closed warning" in other.told


@pytest.mark.parametrize("action", ["observe", "expected", "artefact"])
def test_a_critical_for_which_nobody_is_called_says_why(bedside: Bedside, action: str) -> None:
    """F53: a reason is needed for not escalating."""
    bedside.save(CRITICAL, "10:00")
    view = only(bedside.look("11:00"))
    with pytest.raises(InvalidEntry) as refusal:
        acknowledge(view, by="blum", action=action, now=moment("11:00"))
    assert refusal.value.problems == (
        Problem("text", "Say why nobody was called for a critical alert."),
    )
    given = acknowledge(view, by="blum", action=action, text="probe off", now=moment("11:00"))
    assert given.text == "probe off"


def test_a_warning_needs_no_such_reason(bedside: Bedside) -> None:
    bedside.save("10:00 sbp 165 | 12:00 sbp 165", "12:00")
    assert acknowledge(
        only(bedside.look("13:00")), by="blum", action="expected", now=moment("13:00")
    )
