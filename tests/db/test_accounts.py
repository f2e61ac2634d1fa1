"""Signed-in devices, failed attempts and drafts: working rows that may be changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from db import SqlStore
from monitor.accounts import Credential, DeviceSession
from monitor.permissions import Role
from monitor.store import Draft
from tests import build
from tests.db.conftest import account


def device(token: str = "a" * 64, **changes: object) -> DeviceSession:
    values: dict[str, object] = {
        "username": "blum",
        "label": "tablet 2",
        "wall": False,
        "opened_at": build.T0,
        "last_input_at": build.T0,
        "expires_at": build.at(720),
        "csrf_token": "c" * 32,
    }
    return DeviceSession(token_hash=token, **(values | changes))  # type: ignore[arg-type]


def test_a_device_session_is_replaced_not_doubled(store: SqlStore) -> None:
    assert store.device_session("a" * 64) is None
    first = device()
    store.put_device_session(first)
    later = replace(
        first,
        username="okoye",
        last_input_at=build.at(3),
        locked_at=build.at(4),
        ended_at=build.at(5),
    )
    store.put_device_session(later)
    assert store.device_session("a" * 64) == later
    assert store.device_sessions("blum") == ()
    assert store.device_sessions("okoye") == (later,)


def test_a_device_session_is_replaced_only_as_it_was_seen(store: SqlStore) -> None:
    """Two requests of one device: the one that read before the lock must not undo the lock."""
    seen = device()
    store.put_device_session(seen)
    locked = replace(seen, locked_at=build.at(4))
    assert store.replace_device_session(seen, locked)
    assert not store.replace_device_session(seen, replace(seen, last_input_at=build.at(5)))
    assert store.device_session("a" * 64) == locked
    assert not store.replace_device_session(device("b" * 64), device("b" * 64))


def test_devices_of_a_person_come_newest_first(store: SqlStore) -> None:
    old = device("b" * 64)
    new = device("a" * 64, opened_at=build.at(10))
    wall = device("c" * 64, username="wall", wall=True)
    for item in (old, new, wall):
        store.put_device_session(item)
    assert store.device_sessions("blum") == (new, old)
    assert store.device_sessions("wall") == (wall,)


def test_failed_attempts_are_counted_since_a_moment_and_per_key(store: SqlStore) -> None:
    for minute in (0, 1, 1, 2):
        store.add_failed_attempt("blum", build.at(minute))
    store.add_failed_attempt("198.51.100.7", build.at(1))
    assert store.failed_attempts("blum", build.at(1)) == 3
    assert store.failed_attempts("198.51.100.7", build.T0) == 1
    assert store.failed_attempts("okoye", build.T0) == 0
    store.clear_failed_attempts("blum")
    assert store.failed_attempts("blum", build.T0) == 0
    assert store.failed_attempts("198.51.100.7", build.T0) == 1


def test_a_draft_belongs_to_one_session_on_one_device(store: SqlStore) -> None:
    session_id, other_id = build.an_id(), build.an_id()
    first = Draft(session_id, "tablet 1", "blum", '{"hr": "6"}', build.T0)
    typed_on = replace(first, content='{"hr": "68"}', saved_at=build.at(1))
    second = Draft(session_id, "tablet 2", "okoye", '{"sbp": "1"}', build.at(2))
    elsewhere = Draft(other_id, "tablet 1", "blum", "{}", build.T0)
    for draft in (first, typed_on, second, elsewhere):
        store.put_draft(draft)
    assert store.drafts(session_id) == (second, typed_on)
    store.drop_draft(session_id, "tablet 2")
    store.drop_draft(session_id, "tablet 2")
    assert store.drafts(session_id) == (typed_on,)
    assert store.drafts(other_id) == (elsewhere,)


def test_a_password_is_replaced_and_leaves_an_audit_event(store: SqlStore) -> None:
    first = Credential(
        username="blum", password_hash="$argon2id$1", pin_hash="$argon2id$2", changed_at=build.T0
    )
    second = replace(first, password_hash="$argon2id$3", pin_hash=None, changed_at=build.at(1))
    for credential in (first, second):
        with store.write(build.audit("password"), clinic=build.CLINIC) as writer:
            writer.set_credential(credential)
        assert store.credential("blum") == credential
    assert [row.event.action for row in store.audit_rows(build.CLINIC)] == ["password"] * 2


@pytest.mark.parametrize("role", Role)
def test_an_account_of_any_role_comes_back(store: SqlStore, role: Role) -> None:
    event = account("someone", role=role, active=role is not Role.WALL)
    with store.write(build.audit("account"), clinic=build.CLINIC) as writer:
        writer.add_user_event(event)
    assert store.user("someone") == event.user()


def test_accounts_are_listed_by_clinic(store: SqlStore) -> None:
    for username, clinic in (("zoe", "main"), ("ann", "main"), ("bob", "north")):
        with store.write(build.audit("account"), clinic=clinic) as writer:
            writer.add_user_event(account(username, clinic=clinic))
    assert [user.username for user in store.users("main")] == ["ann", "zoe"]
    assert [user.username for user in store.users()] == ["ann", "bob", "zoe"]


def test_a_session_on_a_device_outlives_a_restart(store: SqlStore, database_url: str) -> None:
    import db

    store.put_device_session(device(expires_at=build.T0 + timedelta(hours=12)))
    store.close()
    again = db.open_store(database_url)
    assert again.device_session("a" * 64) == device()
    again.close()
