"""The real thing for tests: ``streamlit run dashboard.py`` on a free port, on its own database."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

if TYPE_CHECKING:
    from db import SqlStore

ROOT = Path(__file__).resolve().parent.parent
START_S = 60.0

#: Role -> demo account; the second nurse is for tests with two people.
USERNAMES = {
    "nurse": "ablum",
    "nurse2": "cdiaz",
    "anaesthetist": "mkeller",
    "lead": "lsato",
    "admin": "admin",
}


@dataclass
class Server:
    """A running server and its database, which the test may read and change as well."""

    port: int
    database_url: str
    store: SqlStore
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def request(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: str = ""
    ) -> tuple[int, dict[str, str], str]:
        """A plain request: status, headers (lower case), text.  Redirects are not followed."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=40)
        try:
            sent = {"Host": f"localhost:{self.port}", **(headers or {})}
            connection.request(method, path, body=body or None, headers=sent)
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", "replace")
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, text
        finally:
            connection.close()

    def sign_in(self, role: str) -> str:
        """Sign a demo account in; the ``Cookie`` header that goes with it."""
        from monitor.user_admin import DEMO_PASSWORD

        form = urlencode({"username": USERNAMES[role], "password": DEMO_PASSWORD})
        status, headers, text = self.request(
            "POST",
            "/sign-in",
            {"Origin": self.url, "Content-Type": "application/x-www-form-urlencoded"},
            form,
        )
        assert status == 303, text
        return headers["set-cookie"].split(";")[0]


def free_port() -> int:
    """A port nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running_server(database_url: str, folder: Path) -> Iterator[Server]:
    """Start the server on a migrated database with demo users; stop it again."""
    from datetime import UTC, datetime

    import db
    from monitor.user_admin import create_demo_users

    store = db.open_store(database_url)
    create_demo_users(store, now=datetime.now(UTC))
    port = free_port()
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "dashboard.py", f"--server.port={port}"],
            cwd=ROOT,
            env={**os.environ, "MONITOR_DATABASE_URL": database_url},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        server = Server(port, database_url, store, process, log)
        try:
            _wait_until_ready(server)
            yield server
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            store.close()


def _wait_until_ready(server: Server) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            break
        try:
            if server.request("GET", "/readyz")[0] == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"The server did not start:\n{server.log.read_text('utf-8', 'replace')}")
