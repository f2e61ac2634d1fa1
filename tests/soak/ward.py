"""One server, one browser with a screen at each bed, and everything that can happen to them."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import BrowserContext, BrowserType, Error

import db
from monitor.user_admin import create_demo_users
from tests.browser.tablet import put_session
from tests.machine import CHROMIUM_FLAGS, find_chromium
from tests.server import ROOT, Server, _wait_until_ready, free_port
from tests.soak.bed import Bed
from tests.soak.traps import VARIABLE, Order
from tests.soak.wire import Wire

SIZE = {"width": 1280, "height": 800}
#: Longer than a save waits for another one before it is refused (db.engine.LOCK_WAIT_S).
LOCKED_S = 6.0
#: More than any file of the database may have while the file limit stands: nothing can be added.
_NO_FILE_GROWS = 4096


class Ward:
    """The server process (with traps), the wire before it and the browser of all beds."""

    def __init__(self, folder: Path, browser_type: BrowserType, beds: int) -> None:
        self.folder = folder
        self.beds = beds
        self.database = folder / "monitor.db"
        self.trap = folder / "trap.json"
        self.starts_s: list[float] = []
        self._browser_type = browser_type
        self._log = folder / "server.log"
        url = f"sqlite:///{self.database}"
        if not self.database.exists():
            db.migrate(url)
        self.store = db.open_store(url)
        create_demo_users(self.store, now=datetime.now(UTC))
        self.store.close()
        port = free_port()
        self._next = self._load(port)
        self.server = self._start(port)
        self.wire = Wire(self.server.port, beds)
        self._cookie = self.server.sign_in("nurse")
        self.context = self._launch()

    def address(self, bed: int) -> str:
        return f"http://localhost:{self.wire.ports[bed]}"

    def close(self) -> None:
        with suppress(Error):
            self.context.close()
        self.kill_server()
        self._next.kill()
        self._next.communicate()
        self.wire.close()
        self.store.close()
        shutil.rmtree(self.folder / "browser", ignore_errors=True)

    # -- the server ------------------------------------------------------------------------------
    def _load(self, port: int) -> subprocess.Popen[bytes]:
        """A server that has loaded its code and waits for its turn."""
        with self._log.open("ab") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "tests.soak.traps", str(port)],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                env={
                    **os.environ,
                    "MONITOR_DATABASE_URL": f"sqlite:///{self.database}",
                    VARIABLE: str(self.trap),
                },
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def _start(self, port: int) -> Server:
        begin = time.monotonic()
        process = self._next
        assert process.stdin is not None
        process.stdin.write(b"start\n")
        process.stdin.close()
        server = Server(port, f"sqlite:///{self.database}", self.store, process, self._log)
        try:
            _wait_until_ready(server)
        except BaseException:
            process.kill()
            raise
        self._next = self._load(port)
        self.starts_s.append(time.monotonic() - begin)
        return server

    def kill_server(self) -> None:
        self.server.process.send_signal(signal.SIGKILL)
        self.server.process.wait()

    def restart_server(self) -> None:
        """The next server on the same port and database."""
        self.trap.unlink(missing_ok=True)
        self.server = self._start(self.server.port)

    def died(self, within_s: float) -> bool:
        """Whether the server ended by itself (in a trap)."""
        with suppress(subprocess.TimeoutExpired):
            self.server.process.wait(within_s)
        return self.server.process.poll() is not None

    def place(self, order: Order) -> None:
        order.place(self.trap)

    @contextmanager
    def killed_after(self, delay_s: float) -> Iterator[None]:
        """kill -9 so long after the beginning of what is done inside."""
        timer = threading.Timer(delay_s, self.server.process.kill)
        timer.start()
        yield
        timer.join()
        self.server.process.wait()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Another program holds the write lock of the database, longer than a save waits."""
        connection = sqlite3.connect(self.database, timeout=30, isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        begin = time.monotonic()
        try:
            yield
            time.sleep(max(0.0, LOCKED_S - (time.monotonic() - begin)))
        finally:
            connection.execute("ROLLBACK")
            connection.close()

    @contextmanager
    def no_file_grows(self) -> Iterator[None]:
        """The kernel refuses every write of the server beyond the first 4 kB of a file."""
        pid = self.server.process.pid
        before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (_NO_FILE_GROWS, before[1]))
        try:
            yield
        finally:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, before)

    def add_session(self) -> str:
        """A running session with a few sets; its id."""
        session = put_session(self.server, name="Okafor")
        # The file belongs to the server alone again: after a kill nobody else holds it open.
        self.store.close()
        return str(session.id)

    # -- the browser -----------------------------------------------------------------------------
    def _launch(self) -> BrowserContext:
        flags = CHROMIUM_FLAGS if os.geteuid() == 0 else CHROMIUM_FLAGS[1:]
        context = self._browser_type.launch_persistent_context(
            self.folder / "browser",
            executable_path=find_chromium(),
            args=flags,
            viewport=SIZE,
            locale="en-GB",
        )
        # Every bed stands for a tablet of its own: none of them was at another chair before.
        context.add_init_script("try { localStorage.removeItem('monitor.visits') } catch {}")
        name, _sep, value = self._cookie.partition("=")
        # One cookie for all beds: a cookie knows no port.
        context.add_cookies([{"name": name, "value": value, "url": self.address(0)}])
        return context

    def kill_browser(self) -> None:
        """kill -9 of the whole browser; what it stored stays in its folder."""
        for pid in self._browser_pids():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with suppress(Error):
            self.context.close()

    def relaunch(self, *, sign_in_anew: bool) -> None:
        """The browser is started again, signed in as before or anew."""
        if sign_in_anew:
            self._cookie = self.server.sign_in("nurse")
        self.context = self._launch()

    def _browser_pids(self) -> list[int]:
        """The browser started here (known by its folder), not the helpers it started itself."""
        named = f"--user-data-dir={self.folder / 'browser'}".encode()
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            with suppress(OSError):
                arguments = (entry / "cmdline").read_bytes().split(b"\0")
                if named in arguments and not any(a.startswith(b"--type=") for a in arguments):
                    found.append(int(entry.name))
        return found

    def crash(self, bed: Bed) -> None:
        """The process behind one page ends."""
        with suppress(Error):
            bed.page.goto("chrome://crash")
