"""A device session while it lasts: idling, expiry, revocation, taking over, and open WebSockets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from monitor import user_admin
from monitor.accounts import DeviceSession
from monitor.errors import StoreUnavailable
from pages.http import device_routes
from pages.http.context import Gate, Standing, visitor_for
from pages.http.device import device_label, end_device, note_input
from tests.asgi_client import NAVIGATE, SAME_ORIGIN, Answer, Client, Socket
from tests.build import T0
from tests.pages.http_app import LOOK_S, PASSWORD, PIN, House

if TYPE_CHECKING:
    from db import SqlStore

IDLE_MIN = 10
EXPIRY_H = 12


def token(home: House, username: str = "blum") -> dict[str, str]:
    return {**SAME_ORIGIN, "x-csrf-token": home.device_of(username).csrf_token}


def touch(client: Client, home: House, age_ms: int = 0) -> Answer:
    return client.post(f"/device/activity?age_ms={age_ms}", headers=token(home))


@contextmanager
def stream(client: Client) -> Iterator[Socket]:
    with client.websocket(headers=SAME_ORIGIN) as socket:
        assert socket.accepted
        yield socket


# -- idling ----------------------------------------------------------------------------------


def test_a_device_nobody_touches_locks_itself(home: House) -> None:
    client = home.signed_in()
    home.clock.forward(minutes=IDLE_MIN, seconds=-1)
    assert client.get("/", NAVIGATE).status == 200
    home.clock.forward(seconds=1)
    assert client.get("/", NAVIGATE).headers["location"] == "/unlock?next=/"


def test_looking_and_polling_are_not_activity(home: House) -> None:
    client = home.signed_in()
    for _minute in range(IDLE_MIN):
        home.clock.forward(minutes=1)
        client.get("/live", {"accept": "*/*"})
        client.get("/", NAVIGATE)
    assert client.get("/live", {"accept": "*/*"}).status == 423


def test_a_touch_keeps_the_device_open(home: House) -> None:
    client = home.signed_in()
    for _minute in range(3 * IDLE_MIN):
        home.clock.forward(minutes=1)
        assert touch(client, home).status == 200
    assert client.get("/", NAVIGATE).status == 200


def test_a_touch_counts_from_when_it_was_made(home: House) -> None:
    client = home.signed_in()
    home.clock.forward(minutes=5)
    touch(client, home, age_ms=20_000)
    assert home.device_of().last_input_at == home.clock() - timedelta(seconds=20)


def test_a_touch_cannot_be_dated_back_or_ahead(home: House) -> None:
    client = home.signed_in()
    home.clock.forward(minutes=5)
    touch(client, home, age_ms=999_999)
    assert home.device_of().last_input_at == home.clock() - timedelta(seconds=60)
    assert client.post("/device/activity?age_ms=-5", headers=token(home)).status == 200
    assert home.device_of().last_input_at == home.clock()


def test_a_touch_does_not_unlock(home: House) -> None:
    client = home.signed_in()
    home.clock.forward(minutes=IDLE_MIN)
    assert touch(client, home).status == 423
    assert client.get("/", NAVIGATE).status == 303


def test_after_unlocking_the_time_starts_anew(home: House) -> None:
    client = home.signed_in()
    home.clock.forward(minutes=IDLE_MIN)
    form = {"username": "blum", "secret": PIN, "csrf": home.device_of().csrf_token}
    assert client.post("/unlock", form).status == 303
    home.clock.forward(minutes=IDLE_MIN, seconds=-1)
    assert client.get("/", NAVIGATE).status == 200


def test_a_touch_sent_by_another_site_is_refused(home: House) -> None:
    client = home.signed_in()
    headers = {**token(home), "origin": "http://evil.example"}
    assert client.post("/device/activity", headers=headers).status == 403


# -- expiry and revocation -------------------------------------------------------------------


def test_a_device_session_ends_after_twelve_hours_however_busy(home: House) -> None:
    client = home.signed_in()
    for _step in range(EXPIRY_H * 12 - 1):
        home.clock.forward(minutes=5)
        assert touch(client, home).status == 200
    home.clock.forward(minutes=5)
    assert touch(client, home).status == 401
    assert client.get("/", NAVIGATE).headers["location"] == "/sign-in?next=/"


def test_an_expired_device_cannot_be_unlocked(home: House) -> None:
    client = home.signed_in()
    home.clock.forward(hours=EXPIRY_H)
    form = {"username": "blum", "secret": PIN, "csrf": home.device_of().csrf_token}
    assert client.post("/unlock", form).status == 401
    assert client.get("/", NAVIGATE).status == 303


def test_disabling_an_account_ends_its_sessions_at_once(home: House) -> None:
    client = home.signed_in()
    user_admin.disable_user(home.store, "blum", by=None, now=home.clock())
    assert client.get("/", NAVIGATE).status == 303
    assert home.device_of().ended_at == home.clock()


def test_a_new_password_ends_the_sessions_signed_in_with_the_old_one(home: House) -> None:
    client = home.signed_in()
    user_admin.set_password(home.store, "blum", "another long one", by=None, now=home.clock())
    assert client.get("/", NAVIGATE).status == 303


# -- open WebSockets -------------------------------------------------------------------------


def test_signing_out_in_another_tab_closes_the_websocket(home: House) -> None:
    client = home.signed_in()
    with stream(client) as socket:
        other_tab = home.browser(cookies=dict(client.cookies))
        other_tab.post("/sign-out", headers=token(home))
        socket.wait(0.01)
        assert socket.close_code == 4401


def test_a_message_after_the_end_of_the_session_runs_nothing(home: House) -> None:
    client = home.signed_in()
    with stream(client) as socket:
        user_admin.end_device_sessions(home.store, "blum", now=home.clock())
        socket.say(b"script")
        assert socket.received == [b"the whole record"]
        assert socket.close_code == 4401


@pytest.mark.parametrize(
    ("what", "code"),
    [("revoked", 4401), ("expired", 4401), ("idle", 4423), ("taken over", 4409)],
)
def test_the_timer_closes_a_silent_websocket(home: House, what: str, code: int) -> None:
    client = home.signed_in()
    device = home.device_of()
    with stream(client) as socket:
        if what == "revoked":
            user_admin.disable_user(home.store, "blum", by=None, now=home.clock())
        elif what == "expired":
            home.clock.forward(hours=EXPIRY_H)
        elif what == "idle":
            home.clock.forward(minutes=IDLE_MIN)
        else:
            # Another process switched the person; this one hears of it from the database.
            taken = replace(device, username="diaz", csrf_token="new")
            assert home.store.replace_device_session(device, taken)
        socket.wait(10 * LOOK_S)
        assert socket.close_code == code


def test_an_open_device_keeps_its_websocket(home: House) -> None:
    client = home.signed_in()
    with stream(client) as socket:
        home.clock.forward(minutes=5)
        touch(client, home)
        socket.wait(10 * LOOK_S)
        socket.say(b"script")
        assert socket.close_code is None
        assert socket.received[-1] == b"ran script"


def test_a_message_while_the_database_does_not_answer_runs_nothing(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(_token_hash: str) -> DeviceSession | None:
        raise StoreUnavailable("The database does not answer.")

    client = home.signed_in()
    with stream(client) as socket:
        monkeypatch.setattr(home.store, "device_session", silent)
        socket.say(b"script")
        assert socket.close_code == 1013
        assert socket.received == [b"the whole record"]
    assert client.get("/", NAVIGATE).status == 503


# -- what the guard asks ---------------------------------------------------------------------


def ask(client: Client, csrf_token: str) -> Answer:
    return client.get("/device/watch", {"accept": "*/*", "x-csrf-token": csrf_token})


def test_the_guard_is_answered_at_once_when_its_page_is_stale(home: House) -> None:
    client = home.signed_in()
    answer = ask(client, "from before")
    assert answer.json() == {"standing": "open", "token": home.device_of().csrf_token}


def test_the_guard_is_told_of_the_lock(home: House) -> None:
    client = home.signed_in()
    client.post("/device/lock", headers=token(home))
    assert ask(client, home.device_of().csrf_token).status == 423


def test_the_guard_is_told_while_it_waits(home: House) -> None:
    import asyncio

    client = home.signed_in()
    headers = {"accept": "*/*", "x-csrf-token": home.device_of().csrf_token}

    async def wait_and_end() -> Answer:
        question = asyncio.create_task(client.send("GET", "/device/watch", headers))
        await asyncio.sleep(0.1)
        assert not question.done()
        user_admin.end_device_sessions(home.store, "blum", now=home.clock())
        return await asyncio.wait_for(question, 2)

    assert client.runner.run(wait_and_end()).status == 401


def test_the_guard_is_answered_in_time_when_nothing_changes(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device_routes, "HOLD_S", 0.05)
    client = home.signed_in()
    assert ask(client, home.device_of().csrf_token).json()["standing"] == "open"


# -- races -----------------------------------------------------------------------------------


@pytest.fixture
def device(store: SqlStore) -> DeviceSession:
    made = DeviceSession(
        token_hash="f" * 64,
        username="blum",
        label="Chrome on Android",
        wall=False,
        opened_at=T0,
        last_input_at=T0,
        expires_at=T0 + timedelta(hours=12),
        csrf_token="first",
    )
    store.put_device_session(made)
    return made


def test_a_row_somebody_else_changed_is_not_replaced(
    store: SqlStore, device: DeviceSession
) -> None:
    ended = replace(device, ended_at=T0 + timedelta(minutes=1))
    late = replace(device, last_input_at=T0 + timedelta(minutes=1))
    assert store.replace_device_session(device, ended)
    assert not store.replace_device_session(device, late)
    assert store.device_session(device.token_hash) == ended


def test_a_touch_that_overlaps_with_signing_out_does_not_sign_in_again(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.signed_in()
    seen = home.device_of()
    gate = Gate(store=home.store, zone=None, clock=home.clock)  # type: ignore[arg-type]
    home.clock.forward(minutes=1)
    read = home.store.device_session
    ended = []

    def read_then_end(token_hash: str) -> DeviceSession | None:
        found = read(token_hash)
        if not ended:
            ended.append(True)
            end_device(gate, token_hash, home.clock())
        return found

    monkeypatch.setattr(home.store, "device_session", read_then_end)
    note_input(gate, seen.token_hash, timedelta(0), home.clock())
    found = visitor_for(gate, seen.token_hash)
    assert found is not None
    assert found.standing is Standing.ENDED


@pytest.mark.parametrize(
    ("agent", "label"),
    [
        ("Mozilla/5.0 (iPad; CPU OS 17_0) AppleWebKit Safari/604.1", "Safari on iPad"),
        ("Mozilla/5.0 (Linux; Android 14) Chrome/156.0 Safari/537", "Chrome on Android"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/156 Edg/156", "Edge on Windows"),
        ("curl/8", "Browser"),
    ],
)
def test_a_device_is_called_by_its_browser_and_system(agent: str, label: str) -> None:
    assert device_label(agent) == label


def test_the_password_of_the_house_is_a_real_one() -> None:
    from monitor.passwords import password_problems

    assert password_problems(PASSWORD, username="blum") == ()
