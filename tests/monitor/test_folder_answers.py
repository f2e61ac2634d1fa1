"""Answers to alerts outlive an export and an import: whenever they were given, to whichever alert.

A nurse's answer is part of the record.  Whatever the bedside takes, the import takes as well; what
it cannot place, it refuses with file and line.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db import SqlStore
from db.samples import store_folder
from monitor import actions
from monitor.alerts import AlertEventKind, AlertState
from monitor.commands.export_tables import export_session
from monitor.errors import ImportRefused
from monitor.folders import SessionFolder, read_folder
from monitor.record import SideEffect
from monitor.replay import answers_given, replay_alerts
from monitor.requests import AmendRequest, AnswerRequest, SideEffectChangeRequest, SideEffectRequest
from monitor.store import Store
from tests.build import an_id, at, nurse, patient
from tests.entering import entered, rate_request, save, started

_number = count(1)


class Bedside:
    """A session under way, one act a minute."""

    def __init__(self, store: Store) -> None:
        number = next(_number)
        self.store = store
        self.session_id = started(
            store, patient=patient(id=an_id(), mrn=f"A-{number}"), chair=str(number)
        )
        first = rate_request(
            "0.1", 0, second_person="diaz", already_given=True, reason="gate on paper"
        )
        actions.change_rate(store, nurse(), self.session_id, first, now=at(0))
        self.minute = 5

    def later(self, minutes: int = 1) -> int:
        self.minute += minutes
        return self.minute

    def effects(self) -> list[SideEffect]:
        session = self.store.session(self.session_id)
        return list(session.current(session.side_effects))

    def opened(self) -> actions.OpenSession:
        return actions.open_session(self.store, nurse(), self.session_id, now=at(self.minute))

    def suffers(self, term: str = "vomiting") -> UUID:
        minute = self.later()
        request = SideEffectRequest(id=an_id(), term=term, grade=1, onset_at=at(minute))
        actions.record_side_effect(self.store, nurse(), self.session_id, request, now=at(minute))
        return request.id

    def ends(self, effect_id: UUID) -> None:
        minute = self.later()
        request = SideEffectChangeRequest(
            id=an_id(), side_effect_id=effect_id, taken_at=at(minute), ended=True
        )
        actions.change_side_effect(self.store, nurse(), self.session_id, request, now=at(minute))

    def strikes(self, effect_id: UUID) -> None:
        request = AmendRequest(id=an_id(), amends=effect_id, reason="wrong patient")
        now = at(self.later())
        actions.amend(self.store, nurse("diaz"), self.session_id, request, now=now)

    def measures(self, late: int = 0, **values: str) -> None:
        minute = self.later()
        save(self.store, self.session_id, entered(minute - late, **values), at(minute))

    def answers(self, alert_id: UUID, by: str = "blum", text: str | None = None) -> None:
        request = AnswerRequest(id=an_id(), alert_id=alert_id, action="watch", text=text)
        now = at(self.later())
        actions.answer_alert(self.store, nurse(by), self.session_id, request, now=now)

    def states(self) -> dict[UUID, AlertState]:
        return {view.alert.id: view.state for view in self.opened().views}


Told = tuple[UUID, int, object, object, str, str | None, str | None, str | None]


def told(store: Store, session_id: UUID) -> set[Told]:
    """Every answer in the record with the alert it belongs to and the level it covers."""
    return {
        (e.alert_id, e.step, e.at, e.recorded_at, e.by, e.action, e.text or None, e.level)
        for e in store.alerts(session_id)[1]
        if e.kind is AlertEventKind.ACKNOWLEDGED
    }


def exported(bedside: Bedside, path: Path) -> SessionFolder:
    export_session(bedside.store, bedside.session_id, path, by="test", now=at(bedside.minute))
    return read_folder(path)


def check_same(bedside: Bedside, other: Store, path: Path) -> None:
    """The session is imported elsewhere: its answers and its alerts are those of the bedside."""
    assert store_folder(other, exported(bedside, path), now=at(bedside.minute))
    expected = told(bedside.store, bedside.session_id)
    assert told(other, bedside.session_id) == expected
    there = actions.open_session(other, nurse(), bedside.session_id, now=at(bedside.minute))
    assert {view.alert.id: view.state for view in there.views} == bedside.states()
    assert not store_folder(other, read_folder(path), now=at(bedside.minute))


@pytest.fixture
def bedside(store: SqlStore) -> Bedside:
    return Bedside(store)


# -- what the bedside takes --------------------------------------------------------------------------


def test_an_answer_after_the_last_entry_is_kept(
    bedside: Bedside, other_store: SqlStore, tmp_path: Path
) -> None:
    bedside.suffers()
    (alert_id,) = bedside.states()
    bedside.answers(alert_id)
    check_same(bedside, other_store, tmp_path / "x")
    assert len(told(other_store, bedside.session_id)) == 1


@pytest.mark.parametrize("more", [False, True], ids=["last of all", "before the last entry"])
def test_an_answer_to_an_alert_that_was_taken_back_is_kept(
    bedside: Bedside, other_store: SqlStore, tmp_path: Path, more: bool
) -> None:
    effect_id = bedside.suffers()
    bedside.strikes(effect_id)
    ((alert_id, state),) = bedside.states().items()
    assert state is AlertState.INVALIDATED
    bedside.answers(alert_id)
    if more:
        bedside.measures(hr="70")
    check_same(bedside, other_store, tmp_path / "x")
    assert len(told(other_store, bedside.session_id)) == 1


def test_an_answer_to_an_alert_that_was_over_is_kept(
    bedside: Bedside, other_store: SqlStore, tmp_path: Path
) -> None:
    for saturation in ("89", "88"):
        bedside.measures(spo2=saturation)
    (alert_id,) = bedside.states()
    bedside.answers(alert_id)
    for saturation in ("97", "97"):
        bedside.measures(spo2=saturation)
    assert set(bedside.states().values()) == {AlertState.CLOSED}
    bedside.answers(alert_id, by="diaz", text="second answer, to one that is over")
    check_same(bedside, other_store, tmp_path / "x")
    assert len(told(other_store, bedside.session_id)) == 2


def two_of_one_group(bedside: Bedside) -> tuple[UUID, UUID]:
    """Two alerts of one group: the first over, the second open."""
    bedside.strikes(bedside.suffers())
    (first,) = bedside.states()
    bedside.suffers()
    (second,) = bedside.states().keys() - {first}
    alerts, _ = bedside.store.alerts(bedside.session_id)
    assert [alert.group for alert in alerts] == ["nausea", "nausea"]
    return first, second


@pytest.mark.parametrize("which", [0, 1])
def test_of_two_alerts_of_one_group_the_one_is_answered_that_was(
    bedside: Bedside, other_store: SqlStore, tmp_path: Path, which: int
) -> None:
    alert_id = two_of_one_group(bedside)[which]
    bedside.answers(alert_id)
    check_same(bedside, other_store, tmp_path / "x")
    assert {item[0] for item in told(other_store, bedside.session_id)} == {alert_id}


def test_an_answer_days_later_is_kept(
    bedside: Bedside, other_store: SqlStore, tmp_path: Path
) -> None:
    bedside.suffers()
    (alert_id,) = bedside.states()
    bedside.later(9 * 24 * 60)
    bedside.answers(alert_id)
    check_same(bedside, other_store, tmp_path / "x")


@pytest.mark.parametrize("which", [0, 1])
def test_of_two_open_alerts_of_one_group_the_one_is_answered_that_was(
    bedside: Bedside, other_store: SqlStore, tmp_path: Path, which: int
) -> None:
    bedside.suffers("chest_pain")
    bedside.suffers("syncope")
    alert_id = sorted(bedside.states())[which]
    bedside.answers(alert_id)
    check_same(bedside, other_store, tmp_path / "x")
    assert {item[0] for item in told(other_store, bedside.session_id)} == {alert_id}


# -- what cannot be placed ---------------------------------------------------------------------------


def problems_of(folder: SessionFolder, **changes: object) -> str:
    """What the replay says of the folder's first answer, changed so."""
    answer = replace(folder.answers[0], **changes)  # type: ignore[arg-type]
    with pytest.raises(ImportRefused) as refused:
        replay_alerts(
            folder.session,
            folder.protocol,
            folder.threshold_set,
            (answer,),
            folder.session.created_at,
        )
    return "\n".join(refused.value.problems)


def test_an_answer_that_fits_nothing_is_refused_with_its_line(
    sqlite_store: SqlStore, tmp_path: Path
) -> None:
    bedside = Bedside(sqlite_store)
    bedside.suffers()
    (alert_id,) = bedside.states()
    bedside.answers(alert_id)
    folder = exported(bedside, tmp_path / "x")
    weight_id = folder.session.weights[0].id
    said = problems_of(folder, trigger_id=weight_id)
    assert said.startswith("answers.csv:2:trigger: no alert of nausea was raised for that row")
    said = problems_of(folder, group="spo2", trigger_id=None)
    assert said.startswith("answers.csv:2:group: no alert of spo2 is open")
    before = at(1)
    said = problems_of(folder, at=before, recorded_at=before)
    assert said.startswith("answers.csv:2:trigger: no alert of nausea was raised for that row")


def test_of_two_open_alerts_of_one_group_none_is_guessed(
    sqlite_store: SqlStore, tmp_path: Path
) -> None:
    bedside = Bedside(sqlite_store)
    bedside.suffers("chest_pain")
    bedside.suffers("syncope")
    views = [view for view in bedside.opened().views if view.is_open]
    assert [view.alert.group for view in views] == ["side_effect", "side_effect"]
    bedside.answers(views[0].alert.id)
    folder = exported(bedside, tmp_path / "x")
    said = problems_of(folder, trigger_id=None)
    assert said.startswith("answers.csv:2:trigger: 2 alerts of side_effect are open")


def test_an_answer_that_says_nothing_about_a_critical_alert_is_refused_with_its_line(
    sqlite_store: SqlStore, tmp_path: Path
) -> None:
    bedside = Bedside(sqlite_store)
    bedside.measures(spo2="86")
    bedside.measures(spo2="86")
    (view,) = bedside.opened().views
    assert view.level == "critical"
    bedside.answers(view.alert.id)
    said = problems_of(exported(bedside, tmp_path / "x"), action=None)
    assert said.startswith("answers.csv:2:action: A critical alert needs")


def test_a_row_that_is_not_in_the_folder_is_refused(sqlite_store: SqlStore, tmp_path: Path) -> None:
    bedside = Bedside(sqlite_store)
    bedside.suffers()
    (alert_id,) = bedside.states()
    bedside.answers(alert_id)
    folder = exported(bedside, tmp_path / "x")
    path = tmp_path / "x" / "answers.csv"
    named, unknown = str(folder.answers[0].trigger_id), str(UUID(int=7))
    path.write_text(path.read_text("utf-8").replace(named, unknown), "utf-8")
    with pytest.raises(ImportRefused, match=r"answers\.csv:2:trigger: .* not the id of a row"):
        read_folder(tmp_path / "x")


def test_without_a_trigger_the_open_alert_of_the_group_is_meant(
    bedside: Bedside, other_store: SqlStore, tmp_path: Path
) -> None:
    _, second = two_of_one_group(bedside)
    bedside.answers(second)
    folder = exported(bedside, tmp_path / "x")
    by_hand = tuple(replace(answer, trigger_id=None) for answer in folder.answers)
    assert store_folder(other_store, replace(folder, answers=by_hand), now=at(60))
    assert {item[0] for item in told(other_store, bedside.session_id)} == {second}


def test_a_session_stored_already_takes_no_further_answer_silently(
    bedside: Bedside, other_store: SqlStore, tmp_path: Path
) -> None:
    bedside.suffers()
    (alert_id,) = bedside.states()
    bedside.answers(alert_id)
    check_same(bedside, other_store, tmp_path / "x")
    bedside.answers(alert_id, by="diaz")
    more = exported(bedside, tmp_path / "y")
    with pytest.raises(ImportRefused, match=r"answers\.csv:3:row: .* without this answer"):
        store_folder(other_store, more, now=at(60))
    assert len(told(other_store, bedside.session_id)) == 1
    # A folder that is behind the record loses nothing, so nothing is to be said.
    assert not store_folder(bedside.store, read_folder(tmp_path / "x"), now=at(60))


# -- any session -------------------------------------------------------------------------------------

ACTS = st.lists(
    st.tuples(
        st.sampled_from(
            ["vomits", "faints", "strikes", "ends", "measures", "late", "answers", "waits"]
        ),
        st.integers(0, 7),
    ),
    min_size=2,
    max_size=12,
)
SATURATIONS = ("97", "93", "91", "89", "86", "95", "92", "97")


def act(bedside: Bedside, kind: str, choice: int) -> None:
    """Do it, when there is something to do it to."""
    effects, alerts = bedside.effects(), bedside.opened().views
    if kind == "vomits":
        bedside.suffers()
    elif kind == "faints":
        bedside.suffers("syncope")
    elif kind == "measures":
        bedside.measures(spo2=SATURATIONS[choice])
    elif kind == "late":
        bedside.measures(late=3, spo2=SATURATIONS[choice])
    elif kind == "waits":
        bedside.later(choice * 5)
    elif kind == "answers" and alerts:
        bedside.answers(alerts[choice % len(alerts)].alert.id)
    elif kind == "strikes" and effects:
        bedside.strikes(effects[choice % len(effects)].id)
    elif kind == "ends" and effects:
        bedside.ends(effects[choice % len(effects)].id)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(acts=ACTS)
def test_whatever_was_answered_at_the_bedside_is_imported(
    store: SqlStore,
    other_store: SqlStore,
    tmp_path_factory: pytest.TempPathFactory,
    acts: list[tuple[str, int]],
) -> None:
    bedside = Bedside(store)
    for kind, choice in acts:
        act(bedside, kind, choice)
    for view in bedside.opened().views:  # after the last fact, whatever their state
        bedside.answers(view.alert.id, by="diaz")
    path = tmp_path_factory.mktemp("folder") / "session"
    check_same(bedside, other_store, path)
    stored = answers_given(*store.alerts(bedside.session_id))
    assert set(read_folder(path).answers) == set(stored)
