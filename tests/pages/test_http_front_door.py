"""Nothing but the sign-in page is served to nobody, and every answer carries its headers."""

from __future__ import annotations

import re

import pytest

from pages.http import middleware
from pages.http.middleware import host_allowed
from pages.http.scripts import served
from tests.asgi_client import NAVIGATE, SAME_ORIGIN
from tests.pages.http_app import House

BEHIND_THE_DOOR = (
    "/",
    "/board",
    "/shell",
    "/pages/shell.py",
    "/live",
    "/device/watch",
    "/unlock",
    "/sign-out",
    "/_stcore/host-config",
    "/_stcore/metrics",
    "/_stcore/agent/openapi.json",
    "/_stcore/upload_file/a/b",
    "/media/aa.png",
    "/component/x/index.html",
    "/static/js/no-such-file.js",
    "/scripts/no-such-script.js",
    "/static/../board",
    "/sign-in/",
    "/sign-in/x",
    "/healthz/x",
)


@pytest.mark.parametrize("path", BEHIND_THE_DOOR)
def test_a_page_without_a_device_session_becomes_the_sign_in_page(home: House, path: str) -> None:
    answer = home.browser().get(path, NAVIGATE)
    assert answer.status == 303
    assert answer.headers["location"].startswith("/sign-in?next=/")
    assert b"the whole record" not in answer.body


@pytest.mark.parametrize("path", BEHIND_THE_DOOR)
def test_a_fetch_without_a_device_session_is_told_401(home: House, path: str) -> None:
    answer = home.browser().get(path, {"sec-fetch-mode": "cors", "accept": "*/*"})
    assert (answer.status, answer.json()["go_to"]) == (401, "/sign-in")


def test_a_write_without_a_device_session_is_told_401(home: House) -> None:
    assert home.browser().post("/write").status == 401


def test_an_invented_cookie_is_nobody(home: House) -> None:
    client = home.browser()
    client.cookies["monitor"] = "a" * 43
    assert client.get("/", NAVIGATE).status == 303


def test_signed_in_the_same_pages_are_served(home: House) -> None:
    client = home.signed_in()
    assert client.get("/", NAVIGATE).text == "the whole record"
    assert client.get("/_stcore/metrics").text == "the whole record"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/_stcore/health"])
def test_health_is_answered_to_machines_that_know_only_the_address(home: House, path: str) -> None:
    assert home.browser(host="10.1.2.3:8501").get(path).status == 200


def test_another_host_name_is_refused_even_with_a_session(home: House) -> None:
    client = home.signed_in()
    client.host = "evil.example"
    assert client.get("/", NAVIGATE).status == 400


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("monitor.ward:8501", True),
        ("MONITOR.WARD.", True),
        ("a.clinic.example", True),
        ("clinic.example", False),
        ("evilclinic.example", False),
        ("[::1]:8501", True),
        ("user@monitor.ward", False),
        ("monitor.ward:port", True),
        ("", False),
        (None, False),
        ("[", False),
    ],
)
def test_host_names_are_compared_whole(host: str | None, allowed: bool) -> None:
    assert host_allowed(host, ("monitor.ward", "*.clinic.example", "::1")) is allowed


# -- headers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/sign-in", "/healthz", "/board"])
def test_every_answer_carries_the_security_headers(home: House, path: str) -> None:
    headers = home.browser().get(path, NAVIGATE).headers
    policy = headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "script-src 'self' blob: 'sha256-" in policy
    assert "unsafe-eval" not in policy
    assert "'unsafe-inline'" not in policy.split("style-src")[0]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert "strict-transport-security" not in headers


def test_a_script_of_ours_is_kept_by_the_browser_and_changes_its_address(home: House) -> None:
    addresses = [
        re.search(r"/scripts/test-[0-9a-f]{16}\.js", served("test", source))
        for source in ("export default () => 1;", "export default () => 2;")
    ]
    first, second = (found.group() for found in addresses if found)
    assert first != second
    answer = home.browser().get(second)
    assert (answer.status, answer.body) == (200, b"export default () => 2;")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "content-security-policy" in answer.headers


def test_https_is_remembered_by_the_browser(home: House) -> None:
    headers = home.browser(scheme="https").get("/sign-in").headers
    assert headers["strict-transport-security"] == "max-age=31536000"


# -- size ------------------------------------------------------------------------------------


def test_a_large_request_is_refused_before_it_is_read(home: House) -> None:
    client = home.signed_in()
    headers = {**SAME_ORIGIN, "content-length": str(middleware.MAX_BODY_BYTES + 1)}
    assert client.request("POST", "/write", headers, b"x").status == 413


def test_a_large_request_that_does_not_say_so_is_refused(home: House) -> None:
    client = home.signed_in()
    headers = {**SAME_ORIGIN, "x-csrf-token": home.device_of().csrf_token}
    assert client.request("POST", "/write", headers, b"x" * 1000).json()["size"] == 1000
    body = b"x" * (middleware.MAX_BODY_BYTES + 1)
    assert client.request("POST", "/write", headers, body).status == 413


# -- writes ----------------------------------------------------------------------------------

EVIL = "http://evil.example"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": EVIL},
        {"origin": "null"},
        {"origin": "http://monitor.test:9999"},
        {"origin": "http://monitor.test", "sec-fetch-site": "cross-site"},
        {"origin": "http://monitor.test", "sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
    ],
)
def test_a_write_of_another_site_is_refused(home: House, headers: dict[str, str]) -> None:
    client = home.signed_in()
    token = {"x-csrf-token": home.device_of().csrf_token}
    assert client.post("/write", headers={**headers, **token}).status == 403


@pytest.mark.parametrize("token", ["", "wrong", "ümlaut"])
def test_a_write_without_the_token_of_the_page_is_refused(home: House, token: str) -> None:
    client = home.signed_in()
    headers = {**SAME_ORIGIN, "x-csrf-token": token} if token else SAME_ORIGIN
    assert client.post("/write", headers=headers).status == 403


def test_a_write_of_our_own_page_is_done_by_the_person_signed_in(home: House) -> None:
    client = home.signed_in()
    headers = {**SAME_ORIGIN, "x-csrf-token": home.device_of().csrf_token}
    assert client.post("/write", headers=headers).json()["written_by"] == "blum"


# -- WebSocket -------------------------------------------------------------------------------


def test_no_websocket_opens_for_nobody(home: House) -> None:
    with home.browser().websocket(headers=SAME_ORIGIN) as socket:
        assert not socket.accepted
        assert socket.close_code == 4401
        assert socket.received == []


def test_no_websocket_opens_for_a_page_of_another_site(home: House) -> None:
    with home.signed_in().websocket(headers={"origin": EVIL}) as socket:
        assert not socket.accepted


def test_no_websocket_opens_under_another_host_name(home: House) -> None:
    client = home.signed_in()
    client.host = "evil.example"
    with client.websocket(headers={"origin": EVIL}) as socket:
        assert not socket.accepted


def test_a_websocket_of_our_own_page_opens(home: House) -> None:
    with home.signed_in().websocket(headers=SAME_ORIGIN) as socket:
        assert socket.accepted
        socket.say(b"script")
        assert socket.received == [b"the whole record", b"ran script"]
        assert socket.close_code is None
