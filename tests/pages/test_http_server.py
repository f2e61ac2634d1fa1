"""The real command on a fresh server: every address it has, asked for by nobody.

``streamlit run`` finds the App by reading dashboard.py; built in another way it runs without the
front door and says nothing.  These tests would notice.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.server import ROOT, Server, running_server

NAVIGATE = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}
FETCH = {"Accept": "*/*", "Sec-Fetch-Mode": "cors"}


@pytest.fixture(scope="module")
def fresh(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server nobody has asked for anything yet."""
    folder = tmp_path_factory.mktemp("fresh")
    path = folder / "monitor.db"
    shutil.copyfile(migrated_sqlite, path)
    with running_server(f"sqlite:///{path}", folder) as running:
        yield running


def page_addresses() -> list[str]:
    from pages.widgets.frame import OFFERS

    return ["/", "/home", "/shell", *(f"/{offer.name}" for offer in OFFERS)]


def own_routes(server: Server) -> list[tuple[str, str]]:
    """(method, address) of every route of ours that is not public, with parameters filled in."""
    from datetime import UTC
    from typing import Any, cast

    from pages import http
    from pages.http.middleware import PUBLIC

    gate = http.Gate(store=server.store, zone=cast(Any, UTC))
    found = []
    for route in http.routes(gate, http.Watch(gate)):
        path = re.sub(r"\{\w+:uuid\}", "0199a8f0-0000-7000-8000-000000000000", route.path)
        path = re.sub(r"\{\w+(:\w+)?\}", "x", path)
        found += [
            (method, path)
            for method in sorted(route.methods or ())
            if method != "HEAD" and path not in PUBLIC
        ]
    return found


def test_the_first_visitor_of_any_page_gets_the_sign_in_page(fresh: Server) -> None:
    for address in page_addresses():
        status, headers, text = fresh.request("GET", address, NAVIGATE)
        assert (status, text) == (303, ""), address
        assert headers["location"].startswith("/sign-in?next="), address


def test_no_route_of_ours_answers_to_nobody(fresh: Server) -> None:
    routes = own_routes(fresh)
    assert len(routes) > 5
    for method, path in routes:
        status, _headers, text = fresh.request(method, path, {**FETCH, "Origin": fresh.url})
        assert (status, "go_to" in text) == (401, True), (method, path)


@pytest.mark.parametrize(
    "path",
    [
        "/_stcore/host-config",
        "/_stcore/metrics",
        "/_stcore/script-health-check",
        "/_stcore/agent",
        "/_stcore/agent/openapi.json",
        "/_stcore/agent/mcp",
        "/_stcore/upload_file/a/b",
        "/_stcore/bidi-components/monitor.guard/x.js",
        "/media/aaaa.png",
        "/component/x/index.html",
        "/app/static/x.png",
        "/auth/login",
        "/oauth2callback",
        "/index.html",
        "/static/js/not-there.js",
        "/static/js/../../index.html",
        "//board",
    ],
)
def test_nothing_of_streamlit_answers_to_nobody(fresh: Server, path: str) -> None:
    assert fresh.request("GET", path, FETCH)[0] == 401
    assert fresh.request("POST", path, {**FETCH, "Origin": fresh.url}, "x")[0] == 401


def test_streamlits_own_files_are_public_and_the_only_ones(fresh: Server) -> None:
    from pages.http.headers import public_files

    scripts = sorted(path for path in public_files() if path.endswith(".js"))
    status, headers, text = fresh.request("GET", scripts[0])
    assert status == 200
    assert "javascript" in headers["content-type"]
    assert "<!doctype" not in text[:100].lower()


UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": base64.b64encode(b"0123456789abcdef").decode(),
    "Sec-WebSocket-Protocol": "streamlit",
}


def upgrade(server: Server, **headers: str) -> int:
    sent = {**UPGRADE, "Origin": server.url, **headers}
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    try:
        host = {"Host": f"localhost:{server.port}"}
        connection.request("GET", "/_stcore/stream", headers={**host, **sent})
        return connection.getresponse().status
    finally:
        connection.close()


def test_no_websocket_opens_for_nobody(fresh: Server) -> None:
    assert upgrade(fresh) == 403
    assert upgrade(fresh, Cookie="monitor=" + "a" * 43) == 403


def test_a_websocket_opens_for_a_signed_in_device_from_our_own_page_only(fresh: Server) -> None:
    cookie = fresh.sign_in("nurse")
    assert upgrade(fresh, Cookie=cookie) == 101
    assert upgrade(fresh, Cookie=cookie, Origin="http://evil.example") == 403


def test_signed_in_the_page_is_streamlits_with_our_headers(fresh: Server) -> None:
    cookie = fresh.sign_in("lead")
    status, headers, text = fresh.request("GET", "/", {**NAVIGATE, "Cookie": cookie})
    assert (status, "<title>Streamlit</title>" in text) == (200, True)
    assert headers["cache-control"] == "no-store"
    [script] = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in headers["content-security-policy"]


def test_another_host_name_is_refused(fresh: Server) -> None:
    assert fresh.request("GET", "/sign-in", {"Host": "evil.example"})[0] == 400


def test_a_large_request_is_refused(fresh: Server) -> None:
    cookie = fresh.sign_in("nurse2")
    headers = {"Cookie": cookie, "Origin": fresh.url}
    assert fresh.request("POST", "/sign-out", headers, "x" * 1_100_000)[0] == 413


def test_a_held_question_does_not_hold_up_a_restart(migrated_sqlite: Path, tmp_path: Path) -> None:
    path = tmp_path / "monitor.db"
    shutil.copyfile(migrated_sqlite, path)
    with running_server(f"sqlite:///{path}", tmp_path) as running:
        cookie = running.sign_in("nurse")
        token = running.store.device_sessions("ablum")[0].csrf_token
        headers = {**FETCH, "Cookie": cookie, "X-CSRF-Token": token}
        answers: list[int] = []
        waiting = threading.Thread(
            target=lambda: answers.append(running.request("GET", "/device/watch", headers)[0])
        )
        waiting.start()
        time.sleep(0.5)
        running.process.terminate()
        running.process.wait(10)
        waiting.join(10)
    assert answers == [503]


# -- start-up --------------------------------------------------------------------------------


def start(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "streamlit", "run", "dashboard.py", "--server.port=1"],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def sentences(run: subprocess.CompletedProcess[str]) -> list[str]:
    """What the process said, without Streamlit's own stopping lines."""
    return [line for line in (run.stdout + run.stderr).splitlines() if line.strip()]


def test_an_empty_database_is_refused_in_one_sentence(tmp_path: Path) -> None:
    run = start(MONITOR_DATABASE_URL=f"sqlite:///{tmp_path / 'empty.db'}")
    assert run.returncode != 0
    assert len(sentences(run)) == 1, run.stdout + run.stderr


def test_a_database_of_another_version_is_refused_in_one_sentence(sqlite_url: str) -> None:
    engine = sa.create_engine(sqlite_url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    run = start(MONITOR_DATABASE_URL=sqlite_url)
    assert run.returncode != 0
    assert len(sentences(run)) == 1, run.stdout + run.stderr


def test_an_unknown_zone_is_refused_in_one_sentence(sqlite_url: str) -> None:
    run = start(MONITOR_DATABASE_URL=sqlite_url, MONITOR_ZONE="Mars/Olympus")
    assert run.returncode != 0
    assert sentences(run) == [
        'MONITOR_ZONE "Mars/Olympus" is not the name of a time zone such as Europe/London.'
    ]


def test_the_running_app_stores_what_time_confirmed(fresh: Server) -> None:
    """A reading nobody repeated, and nobody who looks or saves (design ruling 16)."""
    from datetime import UTC, datetime, timedelta

    from tests import build

    # Long enough ago for the pressure, not yet for the set that is due 5 minutes after that.
    began = datetime.now(UTC) - timedelta(minutes=18)
    minute = (began - build.at(0)) / timedelta(minutes=1)
    of = build.session(
        build.rate("0.1", minute), build.obs_set(minute + 10, sbp=165), created_at=began
    )
    with fresh.store.write(build.audit(minute=minute), clinic=of.clinic) as writer:
        writer.add_patient(of.patient)
        writer.add_session(of)
    deadline = time.monotonic() + 60
    while not fresh.store.alerts(of.id)[1] and time.monotonic() < deadline:
        time.sleep(0.1)
    confirmed = fresh.store.alerts(of.id)[1][0]
    assert (confirmed.kind.value, confirmed.by) == ("confirmed", "monitor")
