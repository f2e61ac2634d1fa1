"""Signing in, being refused, being slowed down, unlocking, signing out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from monitor import passwords, user_admin
from monitor.permissions import Role
from pages.http import throttle
from pages.http.sign_in import safe_next
from tests.asgi_client import NAVIGATE, SAME_ORIGIN, Answer, Client
from tests.pages.http_app import PASSWORD, PIN, House, house

if TYPE_CHECKING:
    from db import SqlStore

WRONG = "wrong password here"


def sign_in(client: Client, username: str = "blum", password: str = PASSWORD) -> Answer:
    return client.post("/sign-in", {"username": username, "password": password, "next": "/board"})


def unlock(client: Client, username: str, secret: str, house: House, device_of: str) -> Answer:
    form = {
        "username": username,
        "secret": secret,
        "csrf": house.device_of(device_of).csrf_token,
        "next": "/board",
    }
    return client.post("/unlock", form)


# -- signing in ------------------------------------------------------------------------------


def test_the_right_password_leads_to_the_page_asked_for(home: House) -> None:
    client = home.browser()
    answer = sign_in(client)
    assert (answer.status, answer.headers["location"]) == (303, "/board")
    assert client.get("/board", NAVIGATE).status == 200


def test_the_name_is_taken_in_any_case_and_with_blanks(home: House) -> None:
    assert sign_in(home.browser(), " BLUM ").status == 303


@pytest.mark.parametrize("username", ["blum", "nobody", "", "x" * 5000, "ｂｌｕｍ", "'; --"])
def test_a_wrong_sign_in_says_the_same_for_every_name(home: House, username: str) -> None:
    client = home.browser()
    answer = sign_in(client, username, WRONG)
    assert answer.status == 401
    assert "The user name or the password is not right." in answer.text
    assert client.cookies == {}
    assert WRONG not in answer.text


def test_an_unknown_name_costs_the_same_work_as_a_known_one(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    hasher = passwords._HASHER

    class Counting:
        hash = staticmethod(hasher.hash)

        @staticmethod
        def verify(stored: str, secret: str) -> bool:
            hashed.append(stored.split("$")[3])
            return hasher.verify(stored, secret)

    monkeypatch.setattr(passwords, "_HASHER", Counting)
    sign_in(home.browser(), "blum", WRONG)
    sign_in(home.browser(), "nobody", WRONG)
    assert hashed == ["m=65536,t=3,p=4"] * 2


def test_a_name_with_markup_is_shown_as_text(home: House) -> None:
    answer = sign_in(home.browser(), '"><script>alert(1)</script>', WRONG)
    assert "<script>" not in answer.text
    assert "&lt;script&gt;" in answer.text


def test_a_disabled_account_is_told_so_only_with_its_password(home: House) -> None:
    user_admin.disable_user(home.store, "blum", by=None, now=home.clock())
    assert "disabled" not in sign_in(home.browser(), "blum", WRONG).text
    assert "This account is disabled." in sign_in(home.browser(), "blum").text


def test_a_wall_account_cannot_sign_in(home: House) -> None:
    user_admin.create_user(
        home.store,
        username="wall",
        name="Wall",
        role=Role.WALL,
        clinic="north",
        password=PASSWORD,
        by=None,
        now=home.clock(),
    )
    assert sign_in(home.browser(), "wall").status == 401


def test_a_sign_in_sent_by_another_site_is_refused(home: House) -> None:
    form = {"username": "blum", "password": PASSWORD}
    client = home.browser()
    answer = client.post("/sign-in", form, {"origin": "http://evil.example"})
    assert answer.status == 403
    assert client.cookies == {}


def test_a_second_sign_in_ends_the_device_session_before_it(home: House) -> None:
    client = home.signed_in("blum")
    sign_in(client, "diaz")
    assert home.device_of("blum").ended_at == home.clock()
    assert home.device_of("diaz").ended_at is None


def test_the_sign_in_page_sends_a_signed_in_person_on(home: House) -> None:
    answer = home.signed_in().get("/sign-in?next=/board", NAVIGATE)
    assert (answer.status, answer.headers["location"]) == (303, "/board")


def test_an_old_hash_is_made_anew_at_sign_in(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    before = home.store.credential("blum")
    monkeypatch.setattr(passwords, "needs_rehash", lambda stored: stored == before.password_hash)
    assert sign_in(home.browser()).status == 303
    after = home.store.credential("blum")
    assert after.password_hash != before.password_hash
    assert after.pin_hash == before.pin_hash
    assert sign_in(home.browser()).status == 303


def test_signing_in_and_out_is_in_the_audit_trail(home: House) -> None:
    client = home.signed_in()
    device = home.device_of()
    client.post("/sign-out", {"csrf": device.csrf_token})
    events = [row.event for row in home.store.audit_rows("north")][-2:]
    assert [(event.by, event.action, event.device) for event in events] == [
        ("blum", "SIGN_IN", device.token_hash[:12]),
        ("blum", "SIGN_OUT", device.token_hash[:12]),
    ]


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("/review?session=1", "/review?session=1"),
        ("/", "/"),
        ("", "/"),
        ("//evil.example", "/"),
        ("///evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("board", "/"),
        ("/a\nb", "/"),
        ("/sign-out", "/"),
        ("http://[", "/"),
    ],
)
def test_afterwards_only_a_path_of_this_server_is_gone_to(asked: str, given: str) -> None:
    assert safe_next(asked) == given


# -- cookie ----------------------------------------------------------------------------------


def test_the_cookie_over_http_is_httponly_and_lax(home: House) -> None:
    [cookie] = sign_in(home.browser()).set_cookies
    name, *flags = [part.strip() for part in cookie.split(";")]
    assert name.startswith("monitor=")
    assert {flag.casefold() for flag in flags} == {
        "httponly",
        "max-age=43200",
        "path=/",
        "samesite=lax",
    }


def test_the_cookie_over_https_is_host_bound_and_secure(home: House) -> None:
    client = home.browser(scheme="https")
    form = {"username": "blum", "password": PASSWORD}
    [cookie] = client.post("/sign-in", form, {"origin": "https://monitor.test"}).set_cookies
    assert cookie.startswith("__Host-monitor=")
    assert "; Secure" in cookie
    assert "Domain" not in cookie


def test_a_plain_cookie_is_nobody_over_https(home: House) -> None:
    token = home.signed_in().cookies["monitor"]
    client = home.browser(scheme="https")
    client.cookies["monitor"] = token
    assert client.get("/", NAVIGATE).status == 303
    client.cookies = {"__Host-monitor": token}
    assert client.get("/", NAVIGATE).status == 200


def test_the_database_never_holds_the_secret_of_the_cookie(home: House) -> None:
    token = home.signed_in().cookies["monitor"]
    device = home.device_of()
    assert token not in repr(device)
    assert len(token) == 43


# -- throttling ------------------------------------------------------------------------------


def test_the_pair_that_guessed_too_often_is_refused_and_nobody_else(home: House) -> None:
    client = home.browser()
    for _guess in range(throttle.PAIR_LIMIT):
        assert "not right" in sign_in(client, "blum", WRONG).text
    refused = sign_in(client, "blum")
    assert refused.status == 401
    assert "Too many wrong passwords" in refused.text
    assert sign_in(home.browser(address="10.0.0.8"), "blum").status == 303
    assert sign_in(home.browser(), "diaz").status == 303


def test_the_refusal_ends_and_is_not_made_longer_by_trying(home: House) -> None:
    client = home.browser()
    for _guess in range(throttle.PAIR_LIMIT):
        sign_in(client, "blum", WRONG)
    home.clock.forward(minutes=14)
    assert "Too many" in sign_in(client, "blum").text
    home.clock.forward(minutes=1, seconds=1)
    assert sign_in(client, "blum").status == 303


def test_a_right_password_forgets_the_wrong_ones(home: House) -> None:
    client = home.browser()
    for _guess in range(throttle.PAIR_LIMIT - 1):
        sign_in(client, "blum", WRONG)
    sign_in(client, "blum")
    for _guess in range(throttle.PAIR_LIMIT - 1):
        sign_in(client, "blum", WRONG)
    assert sign_in(client, "blum").status == 303


def test_guesses_from_many_addresses_slow_an_account_down_and_never_lock_it(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "SLOW_S", 0.4)
    for number in range(throttle.SLOW_LIMIT):
        throttle.password_wrong(home.store, "blum", f"10.9.0.{number}", home.clock())
    start = time.monotonic()
    assert sign_in(home.browser(), "blum", WRONG).status == 401
    assert time.monotonic() - start >= 0.4
    assert sign_in(home.browser(), "blum").status == 303


def test_what_was_typed_as_a_name_is_not_stored(home: House) -> None:
    sign_in(home.browser(), "my secret passphrase", WRONG)
    key = throttle._key("account", "my secret passphrase")
    assert "secret" not in key
    assert home.store.failed_attempts(key, home.clock()) == 1


# -- unlocking -------------------------------------------------------------------------------


@pytest.fixture
def locked(home: House) -> Client:
    client = home.signed_in("blum")
    headers = {**SAME_ORIGIN, "x-csrf-token": home.device_of().csrf_token}
    assert client.post("/device/lock", headers=headers).status == 423
    return client


def test_a_locked_device_shows_nothing_but_the_lock(home: House, locked: Client) -> None:
    answer = locked.get("/review?session=1", NAVIGATE)
    assert (answer.status, answer.headers["location"]) == (
        303,
        "/unlock?next=/review%3Fsession%3D1",
    )
    assert locked.get("/live", {"accept": "*/*"}).status == 423
    assert "Blum is signed in on this device." in locked.get("/unlock", NAVIGATE).text
    with locked.websocket(headers=SAME_ORIGIN) as socket:
        assert not socket.accepted


def test_the_same_person_unlocks_with_their_pin(home: House, locked: Client) -> None:
    answer = unlock(locked, "blum", PIN, home, "blum")
    assert (answer.status, answer.headers["location"]) == (303, "/board")
    assert locked.get("/board", NAVIGATE).status == 200


def test_the_same_person_unlocks_with_their_password(home: House, locked: Client) -> None:
    assert unlock(locked, "blum", PASSWORD, home, "blum").status == 303


def test_a_colleague_takes_over_without_a_new_cookie(home: House, locked: Client) -> None:
    cookie = locked.cookies["monitor"]
    old_token = home.device_of().csrf_token
    answer = unlock(locked, "diaz", PIN, home, "blum")
    assert answer.set_cookies == []
    assert locked.cookies["monitor"] == cookie
    headers = {**SAME_ORIGIN, "x-csrf-token": home.device_of("diaz").csrf_token}
    assert locked.post("/write", headers=headers).json()["written_by"] == "diaz"
    stale = {**SAME_ORIGIN, "x-csrf-token": old_token}
    assert locked.post("/write", headers=stale).status == 403


def test_nobody_of_another_clinic_takes_over(home: House, locked: Client) -> None:
    answer = unlock(locked, "olsen", PIN, home, "blum")
    assert answer.status == 403
    assert "another clinic" in answer.text
    assert locked.get("/board", NAVIGATE).status == 303


def test_wrong_pins_lead_to_the_password_and_never_further(home: House, locked: Client) -> None:
    for _guess in range(throttle.PIN_LIMIT):
        assert "PIN is not right" in unlock(locked, "blum", "9999", home, "blum").text
    assert "Use your password" in unlock(locked, "blum", PIN, home, "blum").text
    assert unlock(locked, "diaz", PIN, home, "blum").status == 303


def test_a_colleagues_own_pin_does_not_wipe_out_guesses(home: House, locked: Client) -> None:
    for _guess in range(throttle.PIN_DEVICE_LIMIT // 2):
        unlock(locked, "blum", "9999", home, "blum")
        unlock(locked, "keller", "9999", home, "blum")
    assert "Use your password" in unlock(locked, "diaz", PIN, home, "blum").text
    assert unlock(locked, "diaz", PASSWORD, home, "blum").status == 303


def test_an_unlock_without_the_token_of_the_page_is_refused(home: House, locked: Client) -> None:
    form = {"username": "blum", "secret": PIN, "csrf": "guessed"}
    assert locked.post("/unlock", form).status == 403
    assert locked.get("/board", NAVIGATE).status == 303


def test_the_overlay_is_answered_in_json(home: House, locked: Client) -> None:
    headers = {
        **SAME_ORIGIN,
        "accept": "application/json",
        "x-csrf-token": home.device_of().csrf_token,
    }
    wrong = locked.post("/unlock", {"username": "blum", "secret": "9999"}, headers)
    assert (wrong.status, "PIN is not right" in wrong.json()["error"]) == (403, True)
    assert locked.post("/unlock", {"username": "blum", "secret": PIN}, headers).status == 200


# -- signing out -----------------------------------------------------------------------------


def test_signing_out_ends_the_session_and_takes_the_cookie_back(home: House) -> None:
    client = home.signed_in()
    token = client.cookies["monitor"]
    answer = client.post("/sign-out", {"csrf": home.device_of().csrf_token})
    assert (answer.status, answer.headers["location"]) == (303, "/sign-in")
    assert client.cookies == {}
    client.cookies["monitor"] = token
    assert client.get("/", NAVIGATE).status == 303


def test_a_link_signs_nobody_out(home: House) -> None:
    client = home.signed_in()
    assert 'method="post"' in client.get("/sign-out", NAVIGATE).text
    assert client.get("/", NAVIGATE).status == 200


def test_another_site_signs_nobody_out(home: House) -> None:
    client = home.signed_in()
    form = {"csrf": home.device_of().csrf_token}
    assert client.post("/sign-out", form, {"origin": "http://evil.example"}).status == 403
    assert client.post("/sign-out", {"csrf": "guessed"}).status == 403
    assert client.get("/", NAVIGATE).status == 200


# -- demo ------------------------------------------------------------------------------------


def test_a_real_database_shows_no_demo_accounts(home: House) -> None:
    text = home.browser().get("/sign-in").text
    assert "Demo accounts" not in text
    assert user_admin.DEMO_PASSWORD not in text


def test_one_real_account_is_enough_to_hide_the_demo(home: House, sqlite_store: SqlStore) -> None:
    assert not user_admin.is_demo(sqlite_store)
    user_admin.create_demo_users(sqlite_store, now=home.clock())
    demo = house(sqlite_store)
    assert "Demo accounts" in demo.browser().get("/sign-in").text
    user_admin.create_user(
        sqlite_store,
        username="real",
        name="A Real Person",
        role=Role.ADMIN,
        clinic="north",
        password=PASSWORD,
        by=None,
        now=home.clock(),
    )
    assert "Demo accounts" not in demo.browser().get("/sign-in").text
    demo.close()


def test_a_demo_account_signs_in_with_the_button_on_the_page(
    home: House, sqlite_store: SqlStore
) -> None:
    user_admin.create_demo_users(sqlite_store, now=home.clock())
    demo = house(sqlite_store)
    for username, *_rest in user_admin.DEMO_ACCOUNTS:
        assert sign_in(demo.browser(), username, user_admin.DEMO_PASSWORD).status == 303
    demo.close()
