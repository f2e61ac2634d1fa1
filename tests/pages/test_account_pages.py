"""The pages about accounts and the intended use, through AppTest with a real store."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from streamlit.testing.v1 import AppTest

from monitor import user_admin
from monitor.accounts import DeviceSession
from monitor.passwords import verify_secret
from monitor.permissions import Role, User
from pages.clinic_lead.manage_users import manage_users
from pages.everyone.intended_use import intended_use
from pages.everyone.own_account import own_account
from pages.http import throttle
from pages.http.plain_page import DEMO_BANNER, INTENDED_USE
from pages.widgets.frame import OFFERS, offers_for
from tests.build import T0

if TYPE_CHECKING:
    from db import SqlStore

PASSWORD = "correct horse battery"
OTHER = "another long one"
DEVICE = DeviceSession(
    token_hash="f" * 64,
    username="adams",
    label="Chrome on Linux",
    wall=False,
    opened_at=T0,
    last_input_at=T0,
    expires_at=T0 + timedelta(hours=12),
    csrf_token="token",
)
Page = Callable[..., None]


@pytest.fixture
def adams(sqlite_store: SqlStore) -> User:
    """An administrator, and a nurse of the same clinic."""
    for username, role in (("adams", Role.ADMIN), ("blum", Role.NURSE)):
        user_admin.create_user(
            sqlite_store,
            username=username,
            name=username.title(),
            role=role,
            clinic="north",
            password=PASSWORD,
            by=None,
            now=T0,
        )
    return sqlite_store.user("adams")


def run(page: Page, store: SqlStore, user: User) -> AppTest:
    def script(page, *args):  # type: ignore[no-untyped-def]
        page(*args)

    at = AppTest.from_function(script, args=(page, store, user, DEVICE), default_timeout=20)
    return at.run()


def errors(at: AppTest) -> str:
    assert not at.exception
    return " ".join(item.value for item in at.error)


def field(at: AppTest, label: str, place: int = 0):  # type: ignore[no-untyped-def]
    return [item for item in at.text_input if item.label == label][place]


def press(at: AppTest, label: str) -> AppTest:
    [button] = [item for item in at.button if item.label == label]
    return button.click().run()


# -- users -----------------------------------------------------------------------------------


def test_the_clinics_accounts_are_listed_and_nobody_elses(
    sqlite_store: SqlStore, adams: User
) -> None:
    user_admin.create_user(
        sqlite_store,
        username="olsen",
        name="Olsen",
        role=Role.NURSE,
        clinic="south",
        password=PASSWORD,
        by=None,
        now=T0,
    )
    at = run(manage_users, sqlite_store, adams)
    assert list(at.table[0].value["User name"]) == ["adams", "blum"]


def test_an_account_is_added_and_can_sign_in(sqlite_store: SqlStore, adams: User) -> None:
    at = run(manage_users, sqlite_store, adams)
    assert [item.value for item in at.text_input] == ["", "", "", ""]
    field(at, "Name people know this person by").input("C. Diaz")
    field(at, "User name").input("diaz")
    field(at, "First password").input(OTHER)
    field(at, "PIN (may stay empty)").input("2846")
    at.selectbox[0].select(Role.ANAESTHETIST)
    press(at, "Add account")
    assert errors(at) == ""
    assert at.success[0].value == "Account added."
    made = sqlite_store.user("diaz")
    assert (made.name, made.role, made.clinic) == ("C. Diaz", Role.ANAESTHETIST, "north")
    assert verify_secret(sqlite_store.credential("diaz").password_hash, OTHER)
    [*_rest, last] = sqlite_store.audit_rows("north")
    assert last.event.by == "adams"


def test_what_is_wrong_with_a_new_account_is_said(sqlite_store: SqlStore, adams: User) -> None:
    at = press(run(manage_users, sqlite_store, adams), "Add account")
    assert errors(at) == "Choose a role."
    at.selectbox[0].select(Role.NURSE)
    press(at, "Add account")
    assert "A user name has" in errors(at)
    assert "too short" in errors(at)
    assert len(sqlite_store.users()) == 2


def test_an_account_is_disabled_and_put_back(sqlite_store: SqlStore, adams: User) -> None:
    at = run(manage_users, sqlite_store, adams)
    at.selectbox[1].select(sqlite_store.user("blum")).run()
    press(at, "Disable this account")
    assert not sqlite_store.user("blum").active
    at = run(manage_users, sqlite_store, adams)
    at.selectbox[1].select(sqlite_store.user("blum")).run()
    press(at, "Put this account back into use")
    assert sqlite_store.user("blum").active


def test_ones_own_account_cannot_be_disabled(sqlite_store: SqlStore, adams: User) -> None:
    at = run(manage_users, sqlite_store, adams)
    at.selectbox[1].select(adams).run()
    [button] = [item for item in at.button if item.label == "Disable this account"]
    assert button.disabled


@pytest.mark.parametrize(("kind", "secret"), [("password", OTHER), ("PIN", "2846")])
def test_a_secret_is_set_for_somebody(
    sqlite_store: SqlStore, adams: User, kind: str, secret: str
) -> None:
    at = run(manage_users, sqlite_store, adams)
    at.selectbox[1].select(sqlite_store.user("blum")).run()
    at.radio[0].set_value(kind)
    field(at, "New password or PIN").input(secret)
    press(at, "Set it")
    assert errors(at) == ""
    credential = sqlite_store.credential("blum")
    stored = credential.password_hash if kind == "password" else credential.pin_hash
    assert verify_secret(stored, secret)


def test_who_may_not_manage_users_sees_none(sqlite_store: SqlStore, adams: User) -> None:
    at = run(manage_users, sqlite_store, sqlite_store.user("blum"))
    assert "may not manage users" in errors(at)
    assert not at.table
    assert not at.text_input


# -- one's own account -----------------------------------------------------------------------


def test_a_nurse_sets_a_pin_with_the_present_password(sqlite_store: SqlStore, adams: User) -> None:
    at = run(own_account, sqlite_store, sqlite_store.user("blum"))
    field(at, "Present password").input(PASSWORD)
    field(at, "New PIN").input("2846")
    press(at, "Set PIN")
    assert errors(at) == ""
    assert at.success[0].value == "Your PIN is set."
    assert verify_secret(sqlite_store.credential("blum").pin_hash, "2846")


def test_without_the_present_password_nothing_is_set(sqlite_store: SqlStore, adams: User) -> None:
    before = sqlite_store.credential("blum")
    at = run(own_account, sqlite_store, sqlite_store.user("blum"))
    field(at, "Present password").input(OTHER)
    field(at, "New PIN").input("2846")
    press(at, "Set PIN")
    assert errors(at) == "The present password is not right."
    field(at, "Present password", 1).input(OTHER)
    field(at, "New password").input(OTHER)
    field(at, "New password again").input(OTHER)
    press(at, "Set password")
    assert errors(at) == "The present password is not right."
    assert sqlite_store.credential("blum") == before


def test_a_device_left_open_is_no_way_to_guess(sqlite_store: SqlStore, adams: User) -> None:
    blum = sqlite_store.user("blum")
    at = run(own_account, sqlite_store, blum)
    for _guess in range(throttle.PAIR_LIMIT + 1):
        field(at, "Present password").input(OTHER)
        field(at, "New PIN").input("2846")
        press(at, "Set PIN")
    assert "Too many wrong passwords" in errors(at)


def test_a_new_password_is_typed_twice_the_same(sqlite_store: SqlStore, adams: User) -> None:
    at = run(own_account, sqlite_store, sqlite_store.user("blum"))
    for again, said in ((PASSWORD, "not the same"), (OTHER, "")):
        field(at, "Present password", 1).input(PASSWORD)
        field(at, "New password").input(OTHER)
        field(at, "New password again").input(again)
        press(at, "Set password")
        assert said in errors(at)
    assert errors(at) == ""
    assert verify_secret(sqlite_store.credential("blum").password_hash, OTHER)


def test_a_weak_new_password_is_refused_in_words(sqlite_store: SqlStore, adams: User) -> None:
    at = run(own_account, sqlite_store, sqlite_store.user("blum"))
    field(at, "Present password", 1).input(PASSWORD)
    field(at, "New password").input("short")
    field(at, "New password again").input("short")
    press(at, "Set password")
    assert "too short" in errors(at)


# -- intended use and what is offered --------------------------------------------------------


def test_the_intended_use_is_shown_word_for_word(sqlite_store: SqlStore, adams: User) -> None:
    at = run(intended_use, sqlite_store, adams)
    assert INTENDED_USE in [item.value for item in at.markdown]
    assert not at.warning


def test_a_demo_says_that_it_is_one(sqlite_store: SqlStore) -> None:
    nurse = user_admin.create_demo_users(sqlite_store, now=T0)[0]
    at = run(intended_use, sqlite_store, nurse)
    assert at.warning[0].value == DEMO_BANNER


@pytest.mark.parametrize(
    ("role", "names"),
    [
        (Role.NURSE, "board start bedside review patients sessions protocols account intended-use"),
        (
            Role.ANAESTHETIST,
            (
                "board start bedside review patients sessions burden try-limits protocols account"
                " intended-use"
            ),
        ),
        (
            Role.LEAD,
            "board review sessions burden try-limits protocols users account intended-use",
        ),
        (Role.ADMIN, "users account intended-use"),
        (Role.WALL, "board"),
    ],
)
def test_each_role_is_offered_its_pages(role: Role, names: str) -> None:
    offered = offers_for(User("x", "X", role, "north"))
    assert [offer.name for offer in offered] == names.split()
    assert offered[0].listed


def test_pages_have_names_of_their_own() -> None:
    assert len({offer.name for offer in OFFERS}) == len(OFFERS)
