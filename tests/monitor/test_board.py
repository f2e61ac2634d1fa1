"""The live board: who comes first, what is greyed, what is hidden, and how often it is worked out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

from monitor import board
from monitor.board import BoardRow, board_snapshot, minutes_text, nurse_loads
from monitor.errors import NotPermitted
from monitor.permissions import Role
from monitor.record import Fact, InfusionSession
from pages.widgets.escalated import banner_html
from tests import build
from tests.build import at
from tests.stored import keep

if TYPE_CHECKING:
    from db import SqlStore


def infusing(chair: str, *facts: Fact | tuple[Fact, ...]) -> InfusionSession:
    return build.session(
        build.event("arrived", -30),
        build.event("ready", -2),
        build.obs_set(-5, sbp=120, dbp=70),
        build.rate("0.2"),
        *facts,
        chair=chair,
    )


def rows(store: SqlStore, minute: float, **who: object) -> tuple[BoardRow, ...]:
    return board_snapshot(store, build.user(**who), at(minute))


@pytest.fixture(autouse=True)
def _fresh_snapshots() -> Iterator[None]:
    board._snapshots.clear()
    yield
    board._snapshots.clear()


def test_those_that_need_someone_come_first(sqlite_store: SqlStore) -> None:
    keep(sqlite_store, infusing("calm", build.obs_set(20)), 20)
    keep(sqlite_store, infusing("late"), 20)
    keep(sqlite_store, infusing("warning", build.obs_set(18, sbp=165)), 20)
    keep(sqlite_store, infusing("critical", build.obs_set(18, spo2=88)), 20)
    keep(sqlite_store, infusing("recovering", build.obs_set(17), build.stop(16)), 20)
    assert [row.chair for row in rows(sqlite_store, 20)] == [
        "critical",
        "warning",
        "late",
        "calm",
        "recovering",
    ]


def test_a_pending_critical_is_critical_from_its_first_reading(sqlite_store: SqlStore) -> None:
    keep(sqlite_store, infusing("1", build.obs_set(18, sbp=185)), 19)
    (row,) = rows(sqlite_store, 19)
    assert row.level == "critical"
    assert row.flags[0].text.startswith("SBP 185 ≥ 180 · recheck ")


def test_an_unanswered_flag_says_for_how_long(sqlite_store: SqlStore) -> None:
    keep(sqlite_store, infusing("1", build.obs_set(18, spo2=88)), 18)
    (row,) = rows(sqlite_store, 20.5)
    assert row.flags[0].text == "SpO2 88 ≤ 89 · unanswered 2:30 · on anaesthetist's screen"
    assert row.open_alerts == 1


def test_a_value_goes_grey_after_its_interval_and_grace_then_disappears(
    sqlite_store: SqlStore,
) -> None:
    """P02 wants a set every 15 min in the first hour, with 3 min of grace."""
    keep(sqlite_store, infusing("1", build.obs_set(10, hr=88)), 10)

    def pulse(minute: float) -> tuple[str, str]:
        cell = rows(sqlite_store, minute)[0].cells[0]
        return cell.freshness, cell.text

    assert pulse(28) == ("fresh", "88")
    assert pulse(28.1) == ("old", "88")
    assert pulse(43) == ("old", "88")
    assert pulse(43.1) == ("hidden", "–")


def test_a_value_is_grey_as_soon_as_its_set_is_late(sqlite_store: SqlStore) -> None:
    """A change of rate asks for a set sooner than the interval of 15 min does."""
    keep(sqlite_store, infusing("1", build.obs_set(10, hr=88), build.rate("0.3", 12)), 12)

    def standing(minute: float) -> tuple[str, str]:
        (row,) = rows(sqlite_store, minute)
        assert row.due is not None
        return row.due.state, row.cells[0].freshness

    found = [standing(minute) for minute in range(12, 28)]
    assert ("upcoming", "fresh") in found
    assert {fresh for state, fresh in found if state in ("late", "missed")} == {"old"}


def test_a_hidden_value_is_not_in_the_row_any_more(sqlite_store: SqlStore) -> None:
    keep(sqlite_store, infusing("1", build.obs_set(10, spo2=88)), 10)
    cell = next(cell for cell in rows(sqlite_store, 60)[0].cells if cell.parameter == "spo2")
    assert (cell.text, cell.level) == ("–", "")


def test_a_late_set_is_said_with_its_time(sqlite_store: SqlStore) -> None:
    keep(sqlite_store, infusing("1"), 10)
    (row,) = rows(sqlite_store, 19)
    assert row.due is not None
    assert (row.due.state, row.due.in_s) == ("late", -240)
    assert row.flags[-1].text == "set late 4:00"


def test_the_next_due_counts_down(sqlite_store: SqlStore) -> None:
    keep(sqlite_store, infusing("1", build.obs_set(10)), 10)
    (row,) = rows(sqlite_store, 12)
    assert row.due is not None
    assert (row.due.state, row.due.in_s) == ("upcoming", 13 * 60)


def test_the_rate_is_said_in_words_when_nothing_runs(sqlite_store: SqlStore) -> None:
    keep(sqlite_store, infusing("runs"), 10)
    keep(sqlite_store, infusing("held", build.hold(5)), 10)
    keep(sqlite_store, infusing("over", build.stop(5)), 10)
    keep(sqlite_store, build.session(build.event("arrived", -30), chair="waits"), 10)
    rates = {row.chair: row.rate for row in rows(sqlite_store, 10)}
    assert rates == {
        "runs": "0.2 mg/kg/h",
        "held": "paused",
        "over": "stopped",
        "waits": "not started",
    }


def test_a_value_that_was_not_taken_is_a_word(sqlite_store: SqlStore) -> None:
    keep(sqlite_store, infusing("1", build.obs_set(10, spo2=build.NotTaken.NO_TRACE)), 10)
    cell = next(cell for cell in rows(sqlite_store, 11)[0].cells if cell.parameter == "spo2")
    assert cell.text == "no trace"


def test_a_wall_screen_gets_no_names(sqlite_store: SqlStore) -> None:
    keep(sqlite_store, infusing("1"), 10)
    (row,) = rows(sqlite_store, 11, role=Role.WALL, username="wall")
    assert (row.name, row.nurse) == ("", "")
    (named,) = rows(sqlite_store, 11)
    assert named.name == "BERG, Nora"


def test_the_board_is_not_for_everybody(sqlite_store: SqlStore) -> None:
    with pytest.raises(NotPermitted):
        rows(sqlite_store, 11, role=Role.ADMIN, username="admin")


def test_another_clinic_is_not_on_the_board(sqlite_store: SqlStore) -> None:
    keep(sqlite_store, infusing("1"), 10)
    assert rows(sqlite_store, 11, clinic="elsewhere") == ()


def test_many_viewers_are_one_reading_of_the_database(sqlite_store: SqlStore) -> None:
    keep(sqlite_store, infusing("1"), 10)
    with patch.object(sqlite_store, "session", wraps=sqlite_store.session) as read:
        for viewer in range(20):
            rows(sqlite_store, 11, username=f"viewer{viewer}")
        assert read.call_count == 1
        rows(sqlite_store, 12)
        assert read.call_count == 1
    with patch.object(board, "board_rows", wraps=board.board_rows) as worked_out:
        rows(sqlite_store, 13)
        rows(sqlite_store, 13.01)
        assert worked_out.call_count == 1


def test_a_saved_set_is_on_the_board_at_once(sqlite_store: SqlStore) -> None:
    session = keep(sqlite_store, infusing("1"), 10)
    assert rows(sqlite_store, 11)[0].cells[0].text == "68"
    with sqlite_store.write(
        build.audit(minute=11), clinic=session.clinic, session_id=session.id
    ) as writer:
        writer.add_facts(session.id, build.obs_set(11, hr=91))
    assert rows(sqlite_store, 11)[0].cells[0].text == "91"


def test_the_load_of_the_next_five_minutes_is_counted_per_nurse(sqlite_store: SqlStore) -> None:
    by_ortiz = {"recorded_by": "ortiz"}
    keep(sqlite_store, infusing("1", build.obs_set(2)), 14)
    keep(sqlite_store, infusing("2", build.obs_set(10, changes=by_ortiz)), 14)
    keep(sqlite_store, infusing("3", build.obs_set(-3, changes=by_ortiz)), 14)
    loads = {load.nurse: (load.due, load.late) for load in nurse_loads(rows(sqlite_store, 19))}
    assert loads == {"blum": (1, 0), "ortiz": (0, 1)}


def test_the_trend_is_the_sign_that_needs_looking_at_and_keeps_its_gaps(
    sqlite_store: SqlStore,
) -> None:
    keep(sqlite_store, infusing("1", build.spo2(97, 95, 88, start=5, every=5)), 15)
    (row,) = rows(sqlite_store, 16)
    assert row.trend_parameter == "spo2"
    assert [[value for _minute, value in run] for run in row.trend] == [[97, 97, 95, 88]]
    keep(sqlite_store, infusing("2", build.sbp(120, start=50)), 50)
    gapped = next(row for row in rows(sqlite_store, 51) if row.chair == "2")
    assert len(gapped.trend) == 2


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (200, "3:20"), (-250, "4:10"), (3900, "1 h 05")]
)
def test_times_are_short(seconds: int, text: str) -> None:
    assert minutes_text(seconds) == text


def test_an_unanswered_warning_comes_before_a_missed_set_alone(sqlite_store: SqlStore) -> None:
    """However late the others' sets are: the warning's own next set is missing, too."""
    high = [build.obs_set(10, sbp=168, dbp=90), build.obs_set(13, sbp=170, dbp=90)]
    keep(sqlite_store, build.session(build.obs_set(-15), build.rate("0.1", 0), chair="1"), 90)
    keep(
        sqlite_store,
        build.session(build.obs_set(-15), build.rate("0.1", 0), *high, chair="2"),
        90,
    )
    rows = board_snapshot(sqlite_store, build.nurse(), build.at(90))
    assert [row.chair for row in rows] == ["2", "1"]
    assert [row.due.state for row in rows if row.due] == ["missed", "missed"]


def test_an_alert_nobody_answered_is_told_to_the_role_it_is_for(sqlite_store: SqlStore) -> None:
    """7.2: a critical to the anaesthetist after 2 min, to the lead after 5; a warning after 10 to
    the shift lead; nobody before, and nobody else."""
    keep(sqlite_store, infusing("3", build.obs_set(10, spo2=88)), 10)
    keep(sqlite_store, infusing("5", build.obs_set(1, sbp=165), build.obs_set(3, sbp=165)), 10)

    def told(minute: float, **who: object) -> list[str]:
        person = build.user(**who)
        found = board.escalated_to(board_snapshot(sqlite_store, person, at(minute)), person)
        return [row.chair for row, _flag in found]

    for minute, who, chairs in (
        (12, {"role": Role.ANAESTHETIST}, []),
        (12.1, {"role": Role.ANAESTHETIST}, ["3"]),
        (12.2, {"role": Role.LEAD}, []),
        (15.1, {"role": Role.LEAD}, ["3"]),
        (13, {"shift_lead": True}, []),
        (13.1, {"shift_lead": True}, ["5"]),
        (40, {}, []),
    ):
        assert told(minute, **who) == chairs, (minute, who)
    (row, _) = rows(sqlite_store, 15.1)
    assert row.flags[0].text.endswith("unanswered 5:06 · on clinic lead's screen")
    assert row.flags[0].to == ("anaesthetist", "lead")


def test_what_the_banner_says_is_escaped_and_leads_to_the_session(sqlite_store: SqlStore) -> None:
    session = infusing("3", build.obs_set(10, spo2=88))
    keep(sqlite_store, session, 10)
    person = build.user(role=Role.ANAESTHETIST)
    (found,) = board.escalated_to(rows(sqlite_store, 13), person)
    row, flag = found
    html = banner_html(((replace(row, name="<b>X"), flag),), page="review", dark=False)
    assert f'href="/review?session={session.id}"' in html
    assert "◆ You are told: chair 3, &lt;b&gt;X: SpO2 88 ≤ 89" in html
    assert "href" not in banner_html((found,), page=None, dark=False)
