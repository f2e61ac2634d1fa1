"""The demo: past sessions as they happened, others under way right now, the same on both engines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from db import SqlStore
from db.samples import SAMPLES, refresh_running, start_running, store_folder
from monitor import lifecycle
from monitor.actions import OpenSession, open_sessions
from monitor.errors import ImportRefused
from monitor.expected import findings
from monitor.folders import read_folder
from monitor.lifecycle import SessionStatus
from monitor.permissions import User
from monitor.schedule import clock_state
from monitor.store import SessionQuery
from monitor.user_admin import DEMO_ACCOUNTS, DEMO_CLINIC
from tests import build

NOW = datetime(2026, 11, 20, 14, 32, 10, tzinfo=UTC)
ROW = DEMO_ACCOUNTS[0]
NURSE = User(ROW[0], ROW[1], ROW[2], DEMO_CLINIC)
SAMPLE = SAMPLES / "desaturation_at_second_step"


def under_way(store: SqlStore, now: datetime = NOW) -> dict[str, OpenSession]:
    """The sessions of the board by chair."""
    return {item.session.chair: item for item in open_sessions(store, NURSE, now=now)}


def test_a_folder_and_its_alerts_are_stored_as_they_were(store: SqlStore) -> None:
    folder = read_folder(SAMPLE)
    assert store_folder(store, folder, now=NOW)
    assert store.session(folder.session.id) == folder.session
    alerts, events = store.alerts(folder.session.id)
    shown = findings(folder)
    assert set(alerts) == set(shown.alerts)
    assert set(events) == set(shown.alert_events)
    assert not store_folder(store, folder, now=NOW + timedelta(days=1))
    assert store.verify() == ()


def test_its_summary_is_in_the_list(store: SqlStore) -> None:
    store_folder(store, read_folder(SAMPLE), now=NOW)
    (row,) = store.summaries(SessionQuery(clinic=DEMO_CLINIC))
    assert (row["nadir_spo2"], row["dose_total_mg"]) == (88, Decimal("10.2"))
    assert row["in_progress"] is False


def test_alerts_bear_the_times_of_that_day_not_of_the_import(store: SqlStore) -> None:
    folder = read_folder(SAMPLE)
    store_folder(store, folder, now=NOW)
    alerts, events = store.alerts(folder.session.id)
    day = folder.session.created_at.date()
    assert {alert.detected_at.date() for alert in alerts} == {day}
    assert {event.recorded_at.date() for event in events} == {day}


def test_a_folder_of_another_version_brings_it_along_retired(
    store: SqlStore, tmp_path: Path
) -> None:
    import json

    from monitor.folders import write_folder
    from monitor.protocols import VersionStatus

    first = read_folder(SAMPLE)
    write_folder(first.session, tmp_path / "x", answers=first.answers)
    path = tmp_path / "x" / "protocol.json"
    content = json.loads(path.read_text("utf-8")) | {"version": 7}
    path.write_text(json.dumps(content), "utf-8")
    header = tmp_path / "x" / "session.toml"
    lines = [
        line.replace("protocol_version = 1", "protocol_version = 7")
        for line in header.read_text("utf-8").splitlines()
        if not line.startswith("protocol_id")
    ]
    header.write_text("\n".join(lines) + "\n", "utf-8")
    folder = read_folder(tmp_path / "x")
    assert store_folder(store, folder, now=NOW)
    pinned = store.pinned(store.session(folder.session.id).protocol_id)
    assert (pinned.version, pinned.status) == (7, VersionStatus.RETIRED)


def test_nothing_is_stored_when_an_answer_fits_no_alert(store: SqlStore) -> None:
    from dataclasses import replace

    folder = read_folder(SAMPLE)
    wrong = replace(folder.answers[0], group="nausea")
    with pytest.raises(ImportRefused, match="no alert of nausea is open"):
        store_folder(store, replace(folder, answers=(wrong,)), now=NOW)
    assert store.summaries(SessionQuery(clinic=DEMO_CLINIC)) == []


# -- under way ---------------------------------------------------------------------------------------


def test_four_sessions_are_under_way_each_with_its_story(sqlite_store: SqlStore) -> None:
    start_running(sqlite_store, now=NOW)
    chairs = under_way(sqlite_store)
    assert {chair: item.status for chair, item in chairs.items()} == {
        "1": SessionStatus.RECOVERY,
        "2": SessionStatus.INFUSING,
        "3": SessionStatus.INFUSING,
        "5": SessionStatus.INFUSING,
    }
    assert {item.session.patient.mrn[:4] for item in chairs.values()} == {"SYN-"}


def test_a_draft_of_the_plan_changes_nothing_of_the_demo(sqlite_store: SqlStore) -> None:
    draft = build.version("protocol", "P02", 2, 'name = "not finished"')
    with sqlite_store.write(build.audit("draft"), clinic=DEMO_CLINIC) as writer:
        writer.add_version(draft)
    start_running(sqlite_store, now=NOW)
    plans = {item.session.protocol_id for item in under_way(sqlite_store).values()}
    assert plans == {build.seeded_id("protocol", "P02")}


def test_one_waits_for_a_second_blood_pressure(sqlite_store: SqlStore) -> None:
    start_running(sqlite_store, now=NOW)
    opened = under_way(sqlite_store)["3"]
    (view,) = opened.views
    assert (view.alert.group, view.state, view.level) == ("bp_high", "pending", "warning")
    assert view.recheck_by == NOW + timedelta(minutes=1, seconds=50)


def test_one_set_is_late(sqlite_store: SqlStore) -> None:
    start_running(sqlite_store, now=NOW)
    opened = under_way(sqlite_store)["5"]
    state = clock_state(opened.dues, NOW)
    assert state is not None
    assert state.level == "warning"
    assert NOW - state.due.due_at == timedelta(minutes=4, seconds=10)
    assert opened.views == ()


def test_one_recovers_and_one_is_simply_well(sqlite_store: SqlStore) -> None:
    start_running(sqlite_store, now=NOW)
    chairs = under_way(sqlite_store)
    for chair, due_in in (("1", 6 * 60), ("2", 3 * 60 + 20)):
        assert chairs[chair].views == ()
        assert chairs[chair].next_due is not None
        assert chairs[chair].next_due.due_at - NOW == timedelta(seconds=due_in)  # type: ignore[union-attr]
    assert lifecycle.phase_text(chairs["2"].session, chairs["2"].protocol, NOW) == (
        "titration step 2 of 6"
    )


def test_nothing_of_what_is_under_way_lies_in_the_future(sqlite_store: SqlStore) -> None:
    start_running(sqlite_store, now=NOW)
    for opened in under_way(sqlite_store).values():
        assert all(fact.recorded_at <= NOW for fact in opened.session.facts())
        assert opened.session.started_at is not None


def test_on_another_day_the_old_ones_go_home_and_others_are_under_way(
    sqlite_store: SqlStore,
) -> None:
    start_running(sqlite_store, now=NOW)
    yesterday = {item.session.id for item in under_way(sqlite_store).values()}
    later = NOW + timedelta(days=1)
    assert refresh_running(sqlite_store, now=later) == 4
    today = {item.session.id for item in under_way(sqlite_store, later).values()}
    assert len(today) == 4
    assert not today & yesterday
    for session_id in yesterday:
        assert lifecycle.status(sqlite_store.session(session_id), later) is SessionStatus.COMPLETED
    assert sqlite_store.verify() == ()


def test_sessions_that_are_really_under_way_are_left_alone(sqlite_store: SqlStore) -> None:
    start_running(sqlite_store, now=NOW)
    assert refresh_running(sqlite_store, now=NOW + timedelta(minutes=30)) == 0
    assert len(under_way(sqlite_store)) == 4
