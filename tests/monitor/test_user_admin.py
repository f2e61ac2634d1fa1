"""Accounts: who may make and change them, what is recorded, and what ends when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from monitor import user_admin
from monitor.accounts import DeviceSession, UserEvent, UserEventKind
from monitor.audit import AuditEvent
from monitor.errors import InvalidEntry, NotFound, NotPermitted
from monitor.passwords import verify_secret
from monitor.permissions import Role, User
from tests.build import T0, an_id

if TYPE_CHECKING:
    from db import SqlStore

PASSWORD = "correct horse battery"
ADMIN = User("adams", "A. Adams", Role.ADMIN, "north")
ELSEWHERE = User("ewing", "E. Ewing", Role.ADMIN, "south")
NURSE = User("nash", "N. Nash", Role.NURSE, "north")


def add(store: SqlStore, username: str = "blum", by: User | None = None, **other: object) -> User:
    return user_admin.create_user(
        store,
        **{  # type: ignore[arg-type]
            "username": username,
            "name": "A. Blum",
            "role": Role.NURSE,
            "clinic": "north",
            "password": PASSWORD,
            "by": by,
            "now": T0,
            **other,
        },
    )


def device(store: SqlStore, username: str = "blum") -> DeviceSession:
    made = DeviceSession(
        token_hash=f"{len(store.device_sessions(username)):064d}",
        username=username,
        label="Chrome on Android",
        wall=False,
        opened_at=T0,
        last_input_at=T0,
        expires_at=T0 + timedelta(hours=12),
        csrf_token="token",
    )
    store.put_device_session(made)
    return made


def test_an_account_is_an_event_with_its_audit_and_a_hashed_secret(store: SqlStore) -> None:
    made = add(store, " BLUM ", pin="2846")
    assert store.user("blum") == made
    credential = store.credential("blum")
    assert verify_secret(credential.password_hash, PASSWORD)
    assert verify_secret(credential.pin_hash, "2846")
    [row] = store.audit_rows("north")
    assert (row.event.by, row.event.action) == (user_admin.COMMAND_LINE, "MANAGE_USERS")
    assert PASSWORD not in row.text
    assert "$argon2" not in row.text


def test_every_problem_is_said_at_once(sqlite_store: SqlStore) -> None:
    with pytest.raises(InvalidEntry) as refused:
        add(sqlite_store, "-", name=" ", clinic="", password="short", pin="1234")
    assert {problem.field for problem in refused.value.problems} == {
        "username",
        "name",
        "clinic",
        "password",
        "pin",
    }
    assert sqlite_store.users() == ()


@pytest.mark.parametrize("username", ["(command line)", "a", "a b", "ä", "x" * 33, ".blum", ""])
def test_a_user_name_is_plain(sqlite_store: SqlStore, username: str) -> None:
    with pytest.raises(InvalidEntry, match="A user name has"):
        add(sqlite_store, username)


def test_a_name_is_given_once_whatever_its_case(sqlite_store: SqlStore) -> None:
    add(sqlite_store)
    with pytest.raises(InvalidEntry, match="already an account blum"):
        add(sqlite_store, "Blum")


ACTS: dict[str, Callable[[SqlStore, User], object]] = {
    "create": lambda store, by: add(store, "diaz", by),
    "change": lambda store, by: user_admin.change_user(store, "blum", name="X", by=by, now=T0),
    "disable": lambda store, by: user_admin.disable_user(store, "blum", by=by, now=T0),
    "enable": lambda store, by: user_admin.enable_user(store, "blum", by=by, now=T0),
    "password": lambda store, by: user_admin.set_password(
        store, "blum", "another long one", by=by, now=T0
    ),
    "pin": lambda store, by: user_admin.set_pin(store, "blum", "2846", by=by, now=T0),
}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("by", [NURSE, ELSEWHERE], ids=["a nurse", "another clinic's admin"])
def test_nobody_else_manages_the_clinics_accounts(
    sqlite_store: SqlStore, act: str, by: User
) -> None:
    add(sqlite_store)
    before = sqlite_store.users(), sqlite_store.credential("blum")
    with pytest.raises(NotPermitted):
        ACTS[act](sqlite_store, by)
    assert (sqlite_store.users(), sqlite_store.credential("blum")) == before


@pytest.mark.parametrize("act", ACTS)
def test_the_clinics_admin_manages_its_accounts(sqlite_store: SqlStore, act: str) -> None:
    add(sqlite_store)
    ACTS[act](sqlite_store, ADMIN)
    *_rest, last = sqlite_store.audit_rows("north")
    # Enabling an account that is in use changes nothing, so nothing is recorded.
    assert last.event.by == ("adams" if act != "enable" else user_admin.COMMAND_LINE)
    assert sqlite_store.verify() == ()


def test_people_set_their_own_pin_and_password(sqlite_store: SqlStore) -> None:
    blum = add(sqlite_store)
    user_admin.set_pin(sqlite_store, "blum", "2846", by=blum, now=T0)
    user_admin.set_password(sqlite_store, "blum", "another long one", by=blum, now=T0)
    credential = sqlite_store.credential("blum")
    assert verify_secret(credential.pin_hash, "2846")
    assert verify_secret(credential.password_hash, "another long one")


def test_nobody_disables_or_promotes_themselves(sqlite_store: SqlStore) -> None:
    admin = add(sqlite_store, "adams", role=Role.ADMIN)
    with pytest.raises(NotPermitted, match="your own account"):
        user_admin.disable_user(sqlite_store, "adams", by=admin, now=T0)
    with pytest.raises(NotPermitted, match="your own role"):
        user_admin.change_user(sqlite_store, "adams", role=Role.ANAESTHETIST, by=admin, now=T0)


def test_a_disabled_account_is_signed_out_and_can_come_back(store: SqlStore) -> None:
    add(store)
    device(store)
    device(store)
    later = T0 + timedelta(hours=1)
    assert not user_admin.disable_user(store, "blum", by=None, now=later).active
    assert {row.ended_at for row in store.device_sessions("blum")} == {later}
    assert user_admin.enable_user(store, "blum", by=None, now=later).active
    assert store.user("blum").active


@pytest.mark.parametrize("what", ["password", "role"])
def test_a_new_password_or_role_signs_out_everywhere(sqlite_store: SqlStore, what: str) -> None:
    add(sqlite_store)
    device(sqlite_store)
    if what == "password":
        user_admin.set_password(sqlite_store, "blum", "another long one", by=None, now=T0)
    else:
        user_admin.change_user(sqlite_store, "blum", role=Role.LEAD, by=None, now=T0)
    [row] = sqlite_store.device_sessions("blum")
    assert row.ended_at == T0


def test_a_new_name_signs_nobody_out(sqlite_store: SqlStore) -> None:
    add(sqlite_store)
    device(sqlite_store)
    changed = user_admin.change_user(
        sqlite_store, "blum", name="Ada Blum", shift_lead=True, by=None, now=T0
    )
    assert (changed.name, changed.shift_lead) == ("Ada Blum", True)
    [row] = sqlite_store.device_sessions("blum")
    assert row.ended_at is None


def test_ending_counts_only_what_was_open(sqlite_store: SqlStore) -> None:
    add(sqlite_store)
    device(sqlite_store)
    assert user_admin.end_device_sessions(sqlite_store, "blum", now=T0) == 1
    assert user_admin.end_device_sessions(sqlite_store, "blum", now=T0) == 0


def test_a_device_that_changes_meanwhile_is_ended_all_the_same(
    sqlite_store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(sqlite_store)
    seen = device(sqlite_store)
    touched = replace(seen, last_input_at=T0 + timedelta(minutes=1))
    put = sqlite_store.replace_device_session

    def touch_first(old: DeviceSession, new: DeviceSession) -> bool:
        sqlite_store.put_device_session(touched)
        monkeypatch.setattr(sqlite_store, "replace_device_session", put)
        return put(old, new)

    monkeypatch.setattr(sqlite_store, "replace_device_session", touch_first)
    assert user_admin.end_device_sessions(sqlite_store, "blum", now=T0) == 1
    assert sqlite_store.device_session(seen.token_hash) == replace(touched, ended_at=T0)


def test_a_lost_credential_costs_a_new_password_and_no_more(sqlite_store: SqlStore) -> None:
    event = UserEvent(
        id=an_id(),
        kind=UserEventKind.CREATED,
        username="blum",
        name="A. Blum",
        role=Role.NURSE,
        clinic="north",
        active=True,
        shift_lead=False,
        at=T0,
        by="x",
    )
    with sqlite_store.write(AuditEvent(T0, "x", "restore"), clinic="north") as writer:
        writer.add_user_event(event)
    user_admin.set_password(sqlite_store, "blum", PASSWORD, by=None, now=T0)
    credential = sqlite_store.credential("blum")
    assert credential.pin_hash is None
    assert verify_secret(credential.password_hash, PASSWORD)


def test_an_account_that_does_not_change_leaves_no_event(sqlite_store: SqlStore) -> None:
    add(sqlite_store)
    events = len(list(sqlite_store.audit_rows("north")))
    user_admin.change_user(sqlite_store, "blum", by=None, now=T0)
    user_admin.enable_user(sqlite_store, "blum", by=None, now=T0)
    user_admin.disable_user(sqlite_store, "blum", by=None, now=T0)
    user_admin.disable_user(sqlite_store, "blum", by=None, now=T0)
    assert len(list(sqlite_store.audit_rows("north"))) == events + 1


def test_a_hash_is_made_anew_without_touching_the_pin(sqlite_store: SqlStore) -> None:
    blum = add(sqlite_store, pin="2846")
    before = sqlite_store.credential("blum")
    user_admin.refresh_password_hash(sqlite_store, blum, PASSWORD, now=T0)
    after = sqlite_store.credential("blum")
    assert after.password_hash != before.password_hash
    assert after.pin_hash == before.pin_hash
    assert verify_secret(after.password_hash, PASSWORD)


def test_an_unknown_account_is_said(sqlite_store: SqlStore) -> None:
    with pytest.raises(NotFound):
        user_admin.disable_user(sqlite_store, "nobody", by=None, now=T0)


# -- demo ------------------------------------------------------------------------------------


def test_demo_accounts_are_made_once_in_an_empty_database(sqlite_store: SqlStore) -> None:
    made = user_admin.create_demo_users(sqlite_store, now=T0)
    assert {user.role for user in made} == {role for role in Role if role is not Role.WALL}
    events = len(list(sqlite_store.audit_rows(user_admin.DEMO_CLINIC)))
    assert user_admin.create_demo_users(sqlite_store, now=T0) == made
    assert len(list(sqlite_store.audit_rows(user_admin.DEMO_CLINIC))) == events
    assert user_admin.is_demo(sqlite_store)


def test_demo_accounts_are_never_added_to_a_real_database(sqlite_store: SqlStore) -> None:
    add(sqlite_store)
    with pytest.raises(NotPermitted, match="never added"):
        user_admin.create_demo_users(sqlite_store, now=T0)


def test_an_empty_database_is_no_demo(sqlite_store: SqlStore) -> None:
    assert not user_admin.is_demo(sqlite_store)


def test_a_real_account_takes_neither_the_demos_clinic_nor_its_password(
    sqlite_store: SqlStore,
) -> None:
    with pytest.raises(InvalidEntry, match="for the demo only"):
        add(sqlite_store, clinic=user_admin.DEMO_CLINIC)
    with pytest.raises(InvalidEntry, match="password of the demo"):
        add(sqlite_store, password=user_admin.DEMO_PASSWORD)
    add(sqlite_store)
    with pytest.raises(InvalidEntry, match="password of the demo"):
        user_admin.set_password(sqlite_store, "blum", user_admin.DEMO_PASSWORD, by=None, now=T0)
