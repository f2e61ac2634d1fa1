"""What one writing transaction saves: everything once, with its audit link, or nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from db import SqlStore
from db.chain import SHARED
from monitor.accounts import Credential, UserEventKind
from monitor.alerts import AlertEventKind
from monitor.audit import GENESIS, chain_hash
from monitor.errors import InvalidEntry, MonitorError, NotFound
from monitor.permissions import Role
from monitor.protocols import VersionStatus, seed_versions
from monitor.record import FACT_FIELDS
from tests import build
from tests.db.conftest import a_bit_of_everything, account, fill, start, summary_row


def test_every_kind_of_fact_comes_back_as_it_was_stored(store: SqlStore) -> None:
    session = start(store, a_bit_of_everything())
    held = {type(fact) for fact in session.facts()}
    assert held == FACT_FIELDS.keys()
    assert store.session(session.id) == session


def test_a_value_keeps_the_zeros_it_was_typed_with(store: SqlStore) -> None:
    typed = build.observation("temp", "36.60", entered_value=Decimal("97.880"))
    session = start(store, build.session(typed))
    (back,) = store.session(session.id).observations
    assert str(back.value) == "36.60"
    assert str(back.entered_value) == "97.880"


def test_a_save_that_is_repeated_is_saved_once(store: SqlStore) -> None:
    session = start(store, build.session())
    facts = build.obs_set(5)
    for expected in (len(facts), 0):
        with store.write(build.audit(), clinic=build.CLINIC, session_id=session.id) as writer:
            writer.add_facts(session.id, facts)
            assert writer.added == expected
    assert store.session(session.id).observations == facts
    assert store.version(build.CLINIC) == 2, "the repeated save wrote an audit event"
    assert store.verify() == ()


def test_a_session_that_is_opened_twice_is_opened_once(store: SqlStore) -> None:
    session = build.session(build.spo2(97))
    start(store, session)
    with store.write(build.audit(), clinic=build.CLINIC, session_id=session.id) as writer:
        writer.add_facts(session.id, build.spo2(88, start=5))
        writer.set_summary(session.id, summary_row(session, nadir_spo2=88))
    with store.write(build.audit("start"), clinic=build.CLINIC) as writer:
        writer.add_patient(session.patient)
        writer.add_session(session)
        writer.set_summary(session.id, summary_row(session, nadir_spo2=97))
        assert writer.added == 0
    (row,) = store.summaries(build.query())
    assert row["nadir_spo2"] == 88, "a repeated start put the old projection back"
    assert store.version(build.CLINIC) == 2


def test_a_writer_sees_what_it_has_added(store: SqlStore) -> None:
    session = start(store, build.session())
    facts = build.obs_set(5)
    with store.write(build.audit(), clinic=build.CLINIC, session_id=session.id) as writer:
        assert writer.session(session.id) == session
        writer.add_facts(session.id, facts)
        assert writer.session(session.id) == session.with_facts(facts)


def test_an_error_in_the_middle_leaves_nothing_behind(store: SqlStore) -> None:
    session = fill(store)
    alerts, events = store.alerts(session.id)
    version = store.version(build.CLINIC)

    def save_and_fail() -> None:
        with store.write(build.audit(), clinic=build.CLINIC, session_id=session.id) as writer:
            writer.add_facts(session.id, build.obs_set(70))
            writer.add_alerts([], [build.alert_event(alerts[0], AlertEventKind.ESCALATED, 14)])
            writer.add_user_event(account("okoye", role=Role.ANAESTHETIST))
            writer.set_summary(session.id, summary_row(session, status="signed"))
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        save_and_fail()
    assert store.session(session.id) == session
    assert store.alerts(session.id) == (alerts, events)
    assert store.version(build.CLINIC) == version
    assert [row["status"] for row in store.summaries(build.query())] == ["infusing"]
    with pytest.raises(NotFound):
        store.user("okoye")
    assert store.verify() == ()


def test_a_look_is_audited_though_it_adds_nothing(store: SqlStore) -> None:
    with store.write(build.audit("export"), clinic=build.CLINIC):
        pass
    (row,) = store.audit_rows(build.CLINIC)
    assert (row.seq, row.event.action, row.previous_hash) == (1, "export", GENESIS)


def test_a_projection_that_is_put_right_is_no_fact(store: SqlStore) -> None:
    session = start(store, build.session())
    with store.write(build.audit("rebuild"), clinic=build.CLINIC, session_id=session.id) as writer:
        writer.add_facts(session.id, [])
        writer.set_summary(session.id, summary_row(session, status="recovery"))
    assert [row["status"] for row in store.summaries(build.query())] == ["recovery"]
    assert store.version(build.CLINIC) == 1
    assert store.session(session.id) == session


def test_a_version_stored_twice_is_stored_once(store: SqlStore) -> None:
    stored = store.versions("protocol", build.CLINIC)[0]
    with store.write(build.audit("store version"), clinic=build.CLINIC) as writer:
        writer.add_version(stored)
        assert writer.added == 0
    assert store.version(build.CLINIC) == 0
    assert store.pinned(stored.id) == stored


def test_a_locked_write_that_decides_to_do_nothing_is_not_audited(store: SqlStore) -> None:
    session = start(store, build.session())
    with store.write(build.audit(), clinic=build.CLINIC, session_id=session.id) as writer:
        writer.session(session.id)
    assert store.version(build.CLINIC) == 1


def test_the_audit_link_holds_the_event_and_every_row_in_canonical_form(store: SqlStore) -> None:
    session = start(store, build.session())
    observation = build.observation("spo2", "97.0", 5)
    event = build.audit("record", session_id=session.id, detail={"late": True})
    with store.write(event, clinic=build.CLINIC, session_id=session.id) as writer:
        writer.add_facts(session.id, [observation])
    first, second = store.audit_rows(build.CLINIC)
    content = json.loads(second.text)
    ((table, row),) = content.pop("rows")
    assert content == {
        "action": "record",
        "at": "2026-03-02T09:00:00.000000Z",
        "by": "blum",
        "clinic": build.CLINIC,
        "detail": {"late": True},
        "device": "tablet 1",
        "session_id": str(session.id),
    }
    assert table == "observation"
    assert (row["id"], row["value"], row["not_taken"]) == (str(observation.id), "97.0", None)
    assert (second.event, second.seq) == (event, 2)
    assert second.hash == chain_hash(first.hash, second.text)


def test_the_same_save_makes_the_same_link_on_both_engines(
    sqlite_url: str, postgres_url: str
) -> None:
    import db

    session = a_bit_of_everything()
    texts = []
    for url in (sqlite_url, postgres_url):
        store = db.open_store(url)
        start(store, session)
        texts.append([(row.text, row.hash) for row in store.audit_rows(build.CLINIC)])
        store.close()
    assert texts[0] == texts[1]


def test_audit_rows_of_one_session_are_those_of_that_session(store: SqlStore) -> None:
    sessions = [start(store, build.session()) for _ in range(2)]
    for session in sessions:
        event = build.audit("open", session_id=session.id)
        with store.write(event, clinic=build.CLINIC):
            pass
    (row,) = store.audit_rows(build.CLINIC, sessions[1].id)
    assert row.event.session_id == sessions[1].id
    assert [row.seq for row in store.audit_rows(build.CLINIC)] == [1, 2, 3, 4]


def test_each_clinic_has_its_own_chain(store: SqlStore) -> None:
    for clinic in ("north", "south", "north"):
        with store.write(build.audit("look"), clinic=clinic):
            pass
    assert (store.version("north"), store.version("south"), store.version("east")) == (2, 1, 0)


# -- alerts ----------------------------------------------------------------------------------


def test_an_alert_raised_twice_is_raised_once(store: SqlStore) -> None:
    session = start(store, build.session(build.spo2(89)))
    alert = build.alert(session, session.observations[0])
    escalated = build.alert_event(alert, AlertEventKind.ESCALATED, 2)
    again = replace(escalated, id=build.an_id(), by="other process")
    for events in ([escalated], [again]):
        with store.write(build.audit(), clinic=build.CLINIC, session_id=session.id) as writer:
            writer.add_alerts([alert], events)
    assert store.alerts(session.id) == ((alert,), (escalated,))
    assert store.verify() == ()


def test_alerts_come_back_as_they_were_stored(store: SqlStore) -> None:
    session = start(store, build.session(build.spo2(89)))
    alert = build.alert(session, session.observations[0], baseline_value=Decimal("97.50"))
    answered = build.alert_event(
        alert, AlertEventKind.ACKNOWLEDGED, 3, action="repeat", text="cuff moved", level="warning"
    )
    with store.write(build.audit(), clinic=build.CLINIC, session_id=session.id) as writer:
        writer.add_alerts([alert], [answered])
        assert writer.alerts(session.id) == ((alert,), (answered,))
    assert store.alerts(session.id) == ((alert,), (answered,))


def test_one_transaction_may_write_several_sessions_in_any_order(store: SqlStore) -> None:
    first, second = (start(store, build.session(build.spo2(89))) for _ in range(2))
    alerts = [build.alert(session, session.observations[0]) for session in (first, second)]
    events = [build.alert_event(alert, AlertEventKind.CONFIRMED, 1) for alert in alerts]
    later = [build.alert_event(alert, AlertEventKind.CLEARED, 2) for alert in alerts]
    facts = [build.obs_set(minute) for minute in range(4)]
    with store.write(build.audit(), clinic=build.CLINIC, session_id=first.id) as writer:
        writer.add_facts(first.id, facts[0])
        writer.add_facts(second.id, facts[1])
        writer.add_alerts(alerts, events)
        writer.add_facts(first.id, facts[0] + facts[2])
        writer.add_facts(second.id, facts[3])
    with store.write(build.audit("clock"), clinic=build.CLINIC) as writer:
        writer.add_alerts([], later)
    assert store.session(first.id) == first.with_facts(facts[0] + facts[2])
    assert store.session(second.id) == second.with_facts(facts[1] + facts[3])
    assert store.alerts(second.id) == ((alerts[1],), (events[1], later[1]))
    assert store.verify() == ()


def test_an_answer_to_an_alert_nobody_raised_is_refused(store: SqlStore) -> None:
    session = start(store, build.session(build.spo2(89)))
    alert = build.alert(session, session.observations[0])
    with (
        pytest.raises(NotFound, match="no alert"),
        store.write(build.audit(), clinic=build.CLINIC, session_id=session.id) as writer,
    ):
        writer.add_alerts([], [build.alert_event(alert, AlertEventKind.ACKNOWLEDGED, 1)])


# -- what does not fit ------------------------------------------------------------------------


def test_an_id_that_another_session_uses_is_refused_in_words(store: SqlStore) -> None:
    taken = build.observation("hr", 70)
    start(store, build.session(taken))
    other = start(store, build.session())
    with (
        pytest.raises(InvalidEntry, match="already used"),
        store.write(build.audit(), clinic=build.CLINIC, session_id=other.id) as writer,
    ):
        writer.add_facts(other.id, [replace(taken, value=Decimal(71))])
    assert store.session(other.id).observations == ()


def test_a_patient_number_that_belongs_to_someone_else_is_refused_in_words(
    store: SqlStore,
) -> None:
    session = start(store, build.session())
    other = build.patient(mrn=session.patient.mrn.lower())
    with (
        pytest.raises(InvalidEntry, match="belongs to another patient"),
        store.write(build.audit(), clinic=build.CLINIC) as writer,
    ):
        writer.add_patient(other)
    with pytest.raises(NotFound):
        store.patient(other.id)


def test_facts_for_a_session_that_does_not_exist_are_refused(store: SqlStore) -> None:
    with (
        pytest.raises(NotFound, match="no infusion session"),
        store.write(build.audit(), clinic=build.CLINIC) as writer,
    ):
        writer.add_facts(build.an_id(), build.spo2(97))


def test_a_session_under_a_protocol_that_is_not_stored_is_refused(store: SqlStore) -> None:
    session = build.session(protocol_id=build.an_id())
    with pytest.raises(MonitorError):
        start(store, session)
    with pytest.raises(NotFound):
        store.session(session.id)


@pytest.mark.parametrize("text", ["a\0b", "half of a pair \ud83d"], ids=["nul", "surrogate"])
def test_a_text_that_cannot_be_stored_is_refused_in_words(store: SqlStore, text: str) -> None:
    session = start(store, build.session())
    with (
        pytest.raises(InvalidEntry, match="cannot be stored"),
        store.write(build.audit(), clinic=build.CLINIC, session_id=session.id) as writer,
    ):
        writer.add_facts(session.id, [build.event("note", 1, text=text)])
    assert store.session(session.id) == session


def test_a_text_about_a_nul_can_be_stored(store: SqlStore) -> None:
    note = build.event("note", 1, text="the pump showed \\u0000 and = 😀")
    session = start(store, build.session(note))
    assert store.session(session.id).events == (note,)
    assert store.verify() == ()


def test_an_unknown_summary_column_is_a_mistake_of_ours(store: SqlStore) -> None:
    session = start(store, build.session())
    with (
        pytest.raises(ValueError, match="peak_spb"),
        store.write(build.audit(), clinic=build.CLINIC, session_id=session.id) as writer,
    ):
        writer.set_summary(session.id, summary_row(session, peak_spb=170))


# -- versions and accounts --------------------------------------------------------------------


def test_the_packaged_versions_are_stored_once_and_chained(store: SqlStore) -> None:
    packaged = sorted(seed_versions(), key=lambda version: (version.kind, version.code))
    stored = [
        *store.versions("protocol", build.CLINIC),
        *store.versions("threshold_set", build.CLINIC),
    ]
    assert stored == packaged
    assert all(store.pinned(version.id) == version for version in packaged)
    (link,) = store.audit_rows(SHARED)
    assert len(json.loads(link.text)["rows"]) == 2 * len(packaged)


def test_a_new_version_stands_beside_the_old_one(store: SqlStore) -> None:
    new = build.version("protocol", "P02", 2, 'name = "slower"')
    with store.write(build.audit("store version"), clinic=build.CLINIC) as writer:
        writer.add_version(new)
    assert [
        version.version
        for version in store.versions("protocol", build.CLINIC)
        if version.code == "P02"
    ] == [
        1,
        2,
    ]
    assert store.pinned(new.id).status is VersionStatus.DRAFT
    with store.write(build.audit("approve"), clinic=build.CLINIC) as writer:
        writer.set_version_status(new.id, VersionStatus.APPROVED, "reviewed by Okoye")
    assert store.pinned(new.id) == replace(new, status=VersionStatus.APPROVED)
    assert store.verify() == ()


def test_another_process_sees_a_version_retired_within_seconds(
    store: SqlStore, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import db
    from db import store as module

    other = db.open_store(database_url)
    version = other.versions("protocol", build.CLINIC)[0]
    assert other.pinned(version.id).status is version.status
    with store.write(build.audit("retire"), clinic=build.CLINIC) as writer:
        writer.set_version_status(version.id, VersionStatus.RETIRED, "replaced")
    assert store.pinned(version.id).status is VersionStatus.RETIRED
    monkeypatch.setattr(module, "PINNED_FOR_S", 0.0)
    assert other.pinned(version.id).status is VersionStatus.RETIRED
    other.close()


def test_an_account_is_what_its_last_event_says(store: SqlStore) -> None:
    created = account("blum")
    lead = account(
        "blum", kind=UserEventKind.CHANGED, shift_lead=True, at=created.at - timedelta(days=1)
    )
    for event in (created, lead, lead):
        with store.write(build.audit("account"), clinic=build.CLINIC) as writer:
            writer.add_user_event(event)
    assert store.user("blum") == lead.user()
    assert store.users(build.CLINIC) == (lead.user(),)
    assert store.users("elsewhere") == ()
    assert store.version(build.CLINIC) == 2


def test_a_password_is_stored_with_its_event_and_never_chained(store: SqlStore) -> None:
    credential = Credential(
        username="blum", password_hash="$argon2id$secret", pin_hash=None, changed_at=build.T0
    )
    with store.write(build.audit("password"), clinic=build.CLINIC) as writer:
        writer.add_user_event(account("blum", kind=UserEventKind.PASSWORD_SET))
        writer.set_credential(credential)
    assert store.credential("blum") == credential
    assert all("secret" not in row.text for row in store.audit_rows(build.CLINIC))
