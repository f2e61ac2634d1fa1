"""Sets that are late or missed as alerts: U-33 with U-42, U-60 to U-62 and U-65, on both sides.

P02 wants a set every 15 minutes with 3 of grace: without one a set is late from 18:00 on and missed
at 30:00.  Times count from the first dose; the Bedside stores what is due whenever somebody looks.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

import pytest

from monitor import board, export
from monitor.actions import AlertClock
from monitor.actions.opening import OpenSession, bundle
from monitor.actions.saving import summary
from monitor.alerts import (
    AlertEventKind,
    AlertState,
    AlertView,
    acknowledge,
    confirmed_spans,
    dose_interlocks,
    suppress,
)
from monitor.breaches import find_breaches
from monitor.errors import InvalidEntry
from monitor.folder_format import AlertAnswer
from monitor.frames import alert_table
from monitor.record import Fact, InfusionSession
from monitor.replay import answers_given, replay_alerts
from tests import build
from tests.build import at, obs_set, rate, seeded, session
from tests.monitor.limits import clock, default_set, moment
from tests.monitor.test_alerts import Bedside, only
from tests.monitor.test_export import rows as csv_rows

if TYPE_CHECKING:
    from db import SqlStore

P02 = seeded("protocol", "P02").protocol()


def running(*facts: Fact | tuple[Fact, ...]) -> Bedside:
    return Bedside(session(rate("0.1"), *facts), protocol=P02)


def told(bedside: Bedside) -> list[str]:
    """Who was told when, as stored."""
    return [
        f"{clock(event.at)} {event.text}"
        for event in bedside.events
        if event.kind is AlertEventKind.ESCALATED
    ]


def answer(bedside: Bedside, when: str, action: str = "recheck", text: str | None = None) -> None:
    view = only(bedside.look(when))
    event = acknowledge(view, by="blum", action=action, text=text, now=moment(when))
    bedside.events += (event,)


# -- late is a warning, missed is critical -----------------------------------------------------------

#: looked at, what the clock shows
LEVELS = [
    ("15:00", None),
    ("18:00", None),
    ("18:01", ("warning", AlertState.ACTIVE, "set late, due every 15 min")),
    ("29:59", ("warning", AlertState.ACTIVE, "set late, due every 15 min")),
    ("30:00", ("critical", AlertState.ACTIVE, "set missed, due every 15 min")),
    ("120:00", ("critical", AlertState.ACTIVE, "set missed, due every 15 min")),
]


@pytest.mark.parametrize(("when", "shown"), LEVELS)
def test_late_is_a_warning_and_missed_is_critical(
    when: str, shown: tuple[str, AlertState, str] | None
) -> None:
    """U-33, on both sides of the grace and of the deadline; due within grace is no alert."""
    views = running().look(when)
    assert [(view.level, view.state, view.text) for view in views] == ([shown] if shown else [])


def test_one_wait_is_one_alert_however_many_sets_it_misses() -> None:
    """U-33, U-61: it goes up a level, keeps its id and is told once."""
    bedside = running()
    for minute in range(10, 121):
        bedside.look(f"{minute}:00")
    (alert,) = bedside.alerts
    assert (alert.group, alert.level, clock(alert.onset_at)) == ("clock", "warning", "18:00")
    assert [line for line in bedside.told if "escalated" not in line] == [
        "18:00 confirmed warning",
        "30:00 level_up critical",
        "30:00 confirmed critical",
    ]


def test_it_ends_with_the_next_answered_set_and_does_not_latch() -> None:
    """U-33: also a critical that nobody answered; the next wait is another alert."""
    bedside = running()
    bedside.look("40:00")
    view = only(bedside.add(obs_set(41), "41:00"))
    assert (view.state, view.level, view.confirmed_level) == (
        AlertState.RESOLVED,
        "critical",
        "critical",
    )
    assert (view.cleared_at, view.resolved_at) == (at(41), at(41))
    bedside.look("60:00")
    assert [clock(alert.onset_at) for alert in bedside.alerts] == ["18:00", "59:00"]


def test_a_set_that_answers_too_little_ends_nothing() -> None:
    """U-38: each of the minimum has a value or a reason why there is none."""
    bedside = running()
    bedside.look("20:00")
    assert only(bedside.add(obs_set(21, spo2=None), "21:00")).state is AlertState.ACTIVE
    refused = obs_set(22, spo2=build.NotTaken.REFUSED)
    assert only(bedside.add(refused, "22:00")).state is AlertState.RESOLVED


def test_an_action_that_was_recorded_closes_it() -> None:
    bedside = running()
    answer(bedside, "20:00")
    assert only(bedside.look("20:00")).state is AlertState.ACKNOWLEDGED
    assert only(bedside.add(obs_set(22), "22:00")).state is AlertState.CLOSED


def test_a_set_on_time_is_no_alert() -> None:
    bedside = running(obs_set(18), obs_set(36))
    for minute in range(10, 54):
        bedside.look(f"{minute}:00")
    assert bedside.alerts == ()


def test_the_end_of_the_visit_ends_the_wait() -> None:
    """U-67: after discharge nothing fires; a set that was late then never becomes missed."""
    bedside = running(obs_set(14), build.stop(15), build.event("discharged", 40))
    view = only(bedside.look("90:00"))
    assert (view.level, view.state, view.cleared_at) == ("warning", AlertState.RESOLVED, at(40))
    assert told(bedside) == []


def test_the_watch_after_an_increase_is_waited_for_as_well() -> None:
    """U-36: the set 5 minutes after the increase, with 2 of grace."""
    bedside = running(obs_set(14), rate("0.2", 16))
    assert bedside.look("23:00") == ()
    view = only(bedside.look("23:01"))
    assert (view.level, view.text) == ("warning", "set late, due 5 min after the increase")


# -- who is told, and when ----------------------------------------------------------------------------


def test_it_is_told_on_as_every_alert() -> None:
    """U-60: a warning after 10:00 to the shift lead, a critical after 2:00 and 5:00."""
    bedside = running()
    for when in ("28:00", "28:01", "32:00", "32:01", "35:00", "35:01"):
        bedside.look(when)
    assert told(bedside) == ["28:00 shift_lead", "32:00 anaesthetist", "35:00 lead"]
    assert only(bedside.look("36:00")).escalated_to == ("shift_lead", "anaesthetist", "lead")


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        (28, []),
        (29, ["28:00 shift_lead"]),
        (31.5, ["28:00 shift_lead"]),
        (33, ["28:00 shift_lead", "32:00 anaesthetist"]),
    ],
)
def test_nobody_is_told_of_a_set_that_came(taken: float, expected: list[str]) -> None:
    """U-33 against U-59: what does not latch is not told on after its end."""
    bedside = running(obs_set(taken))
    bedside.look("60:00")
    assert [line for line in told(bedside) if line < "45:00"] == expected


def test_an_answer_ends_the_telling_until_it_runs_out() -> None:
    """U-61: 15:00 after the answer the same alert needs another one; U-60: for its level alone."""
    bedside = running()
    answer(bedside, "20:00")
    bedside.look("29:59")
    assert told(bedside) == []
    assert only(bedside.look("30:00")).state is AlertState.ACTIVE  # another level
    answer(bedside, "31:00")
    assert only(bedside.look("45:59")).state is AlertState.ACKNOWLEDGED
    assert only(bedside.look("46:00")).state is AlertState.ACTIVE
    bedside.look("48:01")
    assert told(bedside) == ["48:00 anaesthetist"]
    assert len(bedside.alerts) == 1


def test_a_missed_set_that_is_left_needs_a_reason() -> None:
    bedside = running()
    with pytest.raises(InvalidEntry, match="why nobody was called"):
        answer(bedside, "31:00", action="observe")
    answer(bedside, "31:00", action="observe", text="patient is in the toilet")
    assert only(bedside.look("31:00")).state is AlertState.ACKNOWLEDGED


def test_its_banner_can_be_hidden_for_two_minutes_once() -> None:
    """U-65: a missed set is none of those that are too dangerous to hide."""
    bedside = running()
    view = only(bedside.look("31:00"))
    assert view.why_not_suppressed is None
    bedside.events += (suppress(view, by="blum", reason="cuff is on", now=moment("31:00")),)
    assert only(bedside.look("32:59")).suppressed_until == moment("33:00")
    view = only(bedside.look("33:00"))
    assert view.suppressed_until is None
    assert view.why_not_suppressed is not None


# -- late entries -------------------------------------------------------------------------------------


def test_a_set_in_time_that_is_entered_later_takes_it_back() -> None:
    """U-42: the due was on time after all; the alert is kept and marked."""
    bedside = running()
    bedside.look("20:00")
    view = only(bedside.add(obs_set(16, changes={"recorded": 25}), "25:00"))
    assert view.state is AlertState.INVALIDATED
    assert "entered later" in view.detail
    assert "kept" not in view.detail
    bedside.look("33:00")
    assert [event.kind for event in bedside.events][-1] is AlertEventKind.INVALIDATED


def test_entered_more_than_an_hour_later_it_takes_nothing_back() -> None:
    """U-42: the due stays missed, and so does its alert."""
    for recorded, state in ((76, AlertState.INVALIDATED), (76.1, AlertState.ACTIVE)):
        bedside = running()
        bedside.look("75:00")
        bedside.add(obs_set(16, changes={"recorded": recorded}), "77:00")
        (first,) = (v for v in bedside.look("77:00") if v.alert.onset_at == at(18))
        assert first.state is state


def test_a_wait_that_was_over_before_it_was_known_calls_nobody() -> None:
    """U-43 in its sense: told in the list, not rung for."""
    late = obs_set(14, changes={"recorded": 44})
    bedside = running(late, obs_set(40))
    bedside.look("39:00")
    views = bedside.look("50:00")
    assert {(clock(view.onset_at), view.state, view.retrospective) for view in views} == {
        ("18:00", AlertState.INVALIDATED, False),
        ("32:00", AlertState.RESOLVED, True),
    }
    assert [line for line in told(bedside) if line >= "40:00"] == []


def test_an_increase_entered_late_is_waited_for_from_then_on() -> None:
    """U-60: the ladder starts when the monitor could know; onset stays what it was."""
    bedside = running(obs_set(14), rate("0.2", 16, recorded=30))
    assert bedside.look("29:59") == ()
    view = only(bedside.look("30:00"))
    assert (clock(view.onset_at), view.detected_at) == ("23:00", at(30))
    assert view.level == "critical"
    bedside.look("32:00")
    assert told(bedside) == []
    bedside.look("32:01")
    assert told(bedside) == ["32:00 anaesthetist"]


# -- what it leaves alone -----------------------------------------------------------------------------


def opened(bedside: Bedside, when: str) -> OpenSession:
    bedside.look(when)
    return OpenSession(
        session=bedside.session,
        protocol=P02,
        threshold_set=default_set(),
        alerts=bedside.alerts,
        alert_events=bedside.events,
        as_of=moment(when),
    )


def test_it_shortens_no_schedule() -> None:
    """U-33, U-40: the dues are those of the plan."""
    bedside = running()
    found = find_breaches(bedside.session, default_set(), moment("70:00"), protocol=P02)
    assert confirmed_spans(found, default_set()) == ()
    assert {due.kind for due in opened(bedside, "70:00").dues} == {"interval"}


def test_it_is_counted_among_late_and_missed_sets_alone() -> None:
    """U-33, U-62: never in alerts_*_n, nor among the escalations."""
    bedside = running(obs_set(31), build.stop(40), obs_set(54), build.event("discharged", 100))
    bedside.look("29:00")
    bedside.session = bedside.session.with_facts([build.event("completed", 101)])
    row = summary(opened(bedside, "102:00"), UTC)
    assert told(bedside) != []
    assert (row["n_obs_late"], row["n_obs_missed"]) == (1, 3)
    assert (row["alerts_warn_n"], row["alerts_crit_n"], row["escalations_n"]) == (0, 0, 0)
    assert row["alerts_unack_n"] == 0


def test_a_late_set_is_said_once_as_reason_to_wait_with_more_drug() -> None:
    """U-31: as the set that is missing, not as a critical alert besides."""
    shown = opened(running(), "31:00")
    assert shown.interlocks == ("The observation set is missed.",)
    assert dose_interlocks(shown.views, shown.overdue) == shown.interlocks


def test_the_board_says_it_once_and_names_who_was_told() -> None:
    row = board.board_row(opened(running(), "33:00"), {})
    (flag,) = row.flags
    assert (flag.level, flag.to) == ("critical", ("shift_lead", "anaesthetist"))
    assert flag.text == "set missed 18:00 · on anaesthetist's screen"
    assert (row.level, row.open_alerts) == ("critical", 0)
    (late,) = board.board_row(opened(running(), "19:00"), {}).flags
    assert (late.level, late.text, late.to) == ("warning", "set late 4:00", ())


def test_on_the_board_an_answered_one_calls_nobody() -> None:
    bedside = running()
    answer(bedside, "31:00")
    (flag,) = board.board_row(opened(bedside, "34:00"), {}).flags
    assert (flag.text, flag.to) == ("set missed 19:00 · answered", ())


def test_the_list_of_alerts_says_why_and_how_it_went() -> None:
    bedside = running()
    shown = opened(bedside, "33:00")
    table = alert_table(shown.all_views, shown.alert_events, UTC, limits="Limit set X")
    assert list(table["Alert"]) == ["set missed, due every 15 min"]
    assert "raised 09:18; confirmed 09:18" in table["What happened"][0]
    assert "escalated 09:32 (anaesthetist)" in table["What happened"][0]
    assert table["Limit from"][0] == "Schedule of the protocol"
    assert table["Why it fired"][0] == ("Observation set. Schedule PAIN-OUT of protocol P02 v1.")


def test_the_csv_has_it_marked_as_of_the_clock() -> None:
    shown = opened(running(), "33:00")
    (cells,) = csv_rows(export.alerts_csv([(shown.session, shown.all_views)]))
    assert (cells["group"], cells["rule"], cells["parameter"]) == ("clock", "set_overdue", "set")
    assert cells["escalated_to"] == "shift_lead;anaesthetist"
    assert cells["escalated_min"] == "28.0"
    assert (cells["level"], cells["priority"], cells["raised_late"]) == ("critical", "high", "N")
    assert cells["rule_version"] == "Schedule PAIN-OUT of protocol P02 v1"


# -- every process, once, and the same on replay -------------------------------------------------------


def kept(store: SqlStore, *facts: Fact | tuple[Fact, ...]) -> InfusionSession:
    of = session(rate("0.1"), *facts)
    with store.write(build.audit(), clinic=of.clinic) as writer:
        writer.add_patient(of.patient)
        writer.add_session(of)
    return of


def test_the_clock_of_a_process_stores_it_once(store: SqlStore) -> None:
    of = kept(store)
    ticking = AlertClock(store)
    assert ticking.look(at(18)) == 0
    assert ticking.look(at(18.1)) == 2  # the alert and that it is confirmed
    assert ticking.look(at(18.2)) == AlertClock(store).look(at(18.2)) == 0
    assert [alert.group for alert in store.alerts(of.id)[0]] == ["clock"]
    assert store.verify() == ()


def test_in_recovery_nothing_runs_and_yet_a_set_is_waited_for(store: SqlStore) -> None:
    kept(store, obs_set(5), build.stop(6))
    ticking = AlertClock(store)
    assert [ticking.look(at(minute)) for minute in (20, 23, 23.1)] == [0, 0, 2]


def test_after_downtime_it_is_raised_late(store: SqlStore) -> None:
    """Design ruling 16: what became due while no process ran is caught up and marked."""
    of = kept(store)
    AlertClock(store).look(at(40))
    alerts, events = store.alerts(of.id)
    assert [clock(alert.onset_at) for alert in alerts] == ["18:00"]
    assert {event.recorded_at for event in events} == {at(40)}
    assert all(str(event.text).endswith("raised late") for event in events)
    escalated = [event for event in events if event.kind is AlertEventKind.ESCALATED]
    assert [event.text for event in sorted(escalated, key=lambda event: event.at)] == [
        "shift_lead; raised late", "anaesthetist; raised late", "lead; raised late",
    ]  # fmt: skip
    shown = bundle(store, store.session(of.id), (alerts, events), at(41)).clock_view
    assert shown is not None
    assert shown.state is AlertState.ACTIVE


def ids(views: tuple[AlertView, ...]) -> list[object]:
    return sorted((view.alert.id, view.state, view.confirmed_at) for view in views)


def test_live_and_replay_tell_the_same() -> None:
    """U-08 for the clock: the same alerts, the same times, answers included."""
    facts = (obs_set(31, sbp=165), obs_set(33, sbp=150), obs_set(70), build.stop(75))
    live = running(*facts)
    answered = False
    for half in range(2, 241):
        when = f"{half // 2}:{half % 2 * 30:02d}"
        live.look(when)
        if when == "21:00":
            answer(live, when)
            answered = True
            live.look(when)
    assert answered
    given: tuple[AlertAnswer, ...] = answers_given(live.alerts, live.events)
    alerts, events = replay_alerts(live.session, P02, default_set(), given, moment("120:00"))
    assert {alert.id for alert in alerts} == {alert.id for alert in live.alerts}

    def story(told: tuple[object, ...]) -> list[tuple[object, ...]]:
        return sorted((e.alert_id, e.kind, e.level or "", e.at, e.text or "") for e in told)  # type: ignore[attr-defined]

    assert story(events) == story(live.events)


# -- no data -------------------------------------------------------------------------------------------


def test_where_the_board_shows_no_value_any_more_an_alert_says_why() -> None:
    """F55: a value turns grey, then disappears; that there is none is an alert until a set comes."""
    bedside = running(obs_set(10))
    seen = []
    for minute in range(11, 64):
        if minute == 62:
            bedside.add(obs_set(62), "62:00")
        shown = opened(bedside, f"{minute}:00")
        cells = board.board_row(shown, {}).cells
        standing = {cell.freshness for cell in cells if cell.age_s is not None}
        level = shown.clock_view.level if shown.clock_view else None
        seen.append((minute, standing, level))
    assert {level for _, standing, level in seen if standing == {"fresh"}} == {None}
    assert {level for _, standing, level in seen if standing == {"old"}} == {"warning", "critical"}
    assert {level for _, standing, level in seen if standing == {"hidden"}} == {"critical"}
    assert seen[-1] == (63, {"fresh"}, None)
