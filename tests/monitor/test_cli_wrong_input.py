"""Wrong input to every command: one sentence, a status that says no, and nothing half-written."""

from __future__ import annotations

import io
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import db
from monitor.commands import serving
from monitor.commands.database import clinic_zone
from monitor.errors import NotFound
from monitor.folders import read_folder
from monitor.user_admin import DEMO_CLINIC
from tests.monitor.conftest import Run
from tests.server import free_port

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "sample_sessions" / "uneventful_titration"
AN_ID = "00000000-0000-7000-8000-000000000007"


@pytest.fixture
def filled(run: Run, sqlite_url: str) -> str:
    """A database with one session."""
    assert run("import", SAMPLE, "--database", sqlite_url)[0] == 0
    return sqlite_url


def process(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """The real command, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "monitor", *(str(argument) for argument in arguments)],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def audited(url: str) -> int:
    """How many links the audit trail has."""
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        found: int = connection.execute("SELECT count(*) FROM audit").fetchone()[0]
    connection.close()
    return found


def sentence(told: tuple[int, str, str], status: int = 1) -> str:
    """The one sentence of a command that was refused."""
    assert told[0] == status
    assert told[1] == ""
    assert len(told[2].splitlines()) == 1, told[2]
    assert "Traceback" not in told[2]
    return told[2]


# -- where an export goes --------------------------------------------------------------------------


def export(run: Run, url: str, out: object, *more: object) -> tuple[int, str, str]:
    return run("export", "doses", "--clinic", DEMO_CLINIC, "--out", out, "--database", url, *more)


@pytest.fixture(params=["fifo", "socket", "link to a fifo"])
def no_plain_file(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """Something that exists and holds no bytes of its own."""
    path = tmp_path / "x.csv"
    # Never a real device: a test that fails as root would put a file in its place.
    if request.param == "fifo":
        os.mkfifo(path)
        yield path
    elif request.param == "link to a fifo":
        os.mkfifo(tmp_path / "fifo")
        path.symlink_to(tmp_path / "fifo")
        yield path
    else:
        with socket.socket(socket.AF_UNIX) as listening:
            os.chdir(tmp_path)
            listening.bind(path.name)
            os.chdir(ROOT)
            yield path


def test_what_is_no_plain_file_is_left_alone(
    run: Run, filled: str, no_plain_file: Path, tmp_path: Path
) -> None:
    before = (no_plain_file.lstat().st_mode, no_plain_file.lstat().st_ino, audited(filled))
    beside = sorted(tmp_path.iterdir())
    assert "is no plain file and is left alone" in sentence(export(run, filled, no_plain_file))
    after = (no_plain_file.lstat().st_mode, no_plain_file.lstat().st_ino, audited(filled))
    assert after == before
    assert sorted(tmp_path.iterdir()) == beside


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "is a folder"),
        ("no/such/x.csv", "there is no folder"),
        ("file/x.csv", "cannot be written"),
        ("circle", "cannot be written"),
        ("n" * 300, "cannot be written"),
    ],
)
def test_a_place_where_nothing_can_be_written_is_told_before_the_audit_trail_says_export(
    run: Run, filled: str, tmp_path: Path, name: str, words: str
) -> None:
    (tmp_path / "file").write_text("keep")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    before, beside = audited(filled), sorted(tmp_path.iterdir())
    assert words in sentence(export(run, filled, tmp_path / name))
    assert audited(filled) == before
    assert sorted(tmp_path.iterdir()) == beside
    assert (tmp_path / "file").read_text() == "keep"


def test_a_file_that_is_replaced_keeps_its_permissions_and_a_link_its_place(
    run: Run, filled: str, tmp_path: Path
) -> None:
    file, link = tmp_path / "real.csv", tmp_path / "link.csv"
    file.write_text("old")
    file.chmod(0o640)
    link.symlink_to(file)
    assert export(run, filled, link)[0] == 0
    assert link.is_symlink()
    assert file.stat().st_mode & 0o777 == 0o640
    assert file.read_bytes().startswith(b"session")
    assert [path for path in tmp_path.iterdir() if path.name.endswith(".part")] == []


def test_an_export_that_is_stopped_leaves_the_old_file(tmp_path: Path) -> None:
    from monitor.commands.output import write_whole

    file = tmp_path / "x.csv"
    file.write_text("old")

    def pieces() -> Iterator[bytes]:
        yield b"new"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_whole(str(file), pieces())
    assert file.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["x.csv"]


def test_a_clinic_nobody_knows_is_no_empty_table(run: Run, filled: str, tmp_path: Path) -> None:
    before = audited(filled)
    given = ("--clinic", "demmo", "--out", tmp_path / "x.csv", "--database", filled)
    assert 'nothing of a clinic "demmo"' in sentence(run("export", "doses", *given))
    assert audited(filled) == before
    assert not (tmp_path / "x.csv").exists()


@pytest.mark.parametrize(
    "days", [("--from", "2026-02-30"), ("--to", "9999-12-31"), ("--from", "0001-01-01")]
)
def test_a_day_that_is_none_is_told(run: Run, days: tuple[str, str]) -> None:
    assert "is not a day such as" in sentence(run("export", "doses", "--out", "x", *days), 2)


def test_days_in_the_wrong_order_are_told(run: Run, filled: str, tmp_path: Path) -> None:
    days = ("--from", "2026-09-08", "--to", "2026-09-07")
    assert "--from lies after --to" in sentence(export(run, filled, tmp_path / "x.csv", *days))
    assert not (tmp_path / "x.csv").exists()


# -- where a session goes --------------------------------------------------------------------------


@pytest.mark.parametrize("made", ["file", "fifo", "full folder", "below a file"])
def test_a_session_is_never_written_over_anything(
    run: Run, filled: str, tmp_path: Path, made: str
) -> None:
    out = tmp_path / "out"
    if made == "file":
        out.write_text("keep")
    elif made == "fifo":
        os.mkfifo(out)
    elif made == "full folder":
        out.mkdir()
        (out / "mine.txt").write_text("keep")
    else:
        out.write_text("keep")
        out = out / "session"
    before = audited(filled)
    session_id = read_folder(SAMPLE).session.id
    told = sentence(run("export-session", session_id, "--out", out, "--database", filled))
    assert str(out) in told
    if made != "below a file":
        assert audited(filled) == before


def test_a_session_folder_that_fails_half_way_is_taken_away(
    run: Run, filled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Path.write_bytes

    def full(path: Path, content: bytes) -> int:
        if path.name == "doses.csv":
            write(path, content[:10])
            raise OSError(28, "No space left on device")
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    session_id = read_folder(SAMPLE).session.id
    out = tmp_path / "out"
    told = sentence(run("export-session", session_id, "--out", out, "--database", filled))
    assert "No space left on device" in told
    assert not out.exists()


# -- serve -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("port", ["0", "-1", "65536", "99999999", "http", "80.5", "", "٨٠٨٠"])
def test_a_port_that_is_none_is_a_wrong_argument(run: Run, port: str) -> None:
    assert "is not a port" in sentence(run("serve", f"--port={port}"), 2)


def test_a_port_in_use_is_told_before_the_address_and_another_is_named(
    run: Run, tmp_path: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        url = f"sqlite:///{tmp_path / 'new.db'}"
        told = sentence(run("serve", "--demo-if-empty", "--port", port, "--database", url))
    assert told.startswith(f"Port {port} is in use. Try: --port ")
    other = int(told.rsplit(" ", 1)[1])
    assert other > port
    serving.check_address("127.0.0.1", other)
    assert not (tmp_path / "new.db").exists(), "nothing is made for a server that cannot start"


@pytest.mark.parametrize("host", ["192.0.2.1", "", "a" * 70 + ".invalid"])
def test_a_host_that_is_none_of_this_machine_is_told(run: Run, tmp_path: Path, host: str) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"
    given = (f"--host={host}", "--port", free_port(), "--database", url)
    assert "is no address of this machine" in sentence(run("serve", *given))
    assert not (tmp_path / "new.db").exists()


# -- which database --------------------------------------------------------------------------------

#: Every command that opens a database, with otherwise sound arguments.
OPENING = [
    ("serve",),
    ("demo",),
    ("import", str(SAMPLE)),
    ("export-session", AN_ID, "--out", "never"),
    ("breaches", AN_ID),
    ("export", "doses", "--out", "never"),
    ("verify",),
    ("rebuild",),
    ("users", "list"),
    ("users", "add", "rose", "--role", "nurse", "--generate"),
    ("users", "password", "rose", "--generate"),
    ("users", "disable", "rose"),
    ("users", "enable", "rose"),
]


def name_of(arguments: tuple[str, ...]) -> str:
    return " ".join(arguments[: 2 if arguments[0] == "users" else 1])


def binary(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 64)


def text(path: Path) -> None:
    path.write_text("this is a letter, not a database\n" * 200)


def folder(path: Path) -> None:
    path.mkdir()


def of_another_program(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE session (cookie TEXT)")
        connection.execute("INSERT INTO session VALUES ('mine')")
    connection.close()


def of_another_alembic(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES ('deadbeef')")
    connection.close()


WRONG_FILES = [binary, text, folder, of_another_program, of_another_alembic]


@pytest.mark.parametrize("made", WRONG_FILES, ids=lambda made: made.__name__)
@pytest.mark.parametrize("arguments", OPENING, ids=name_of)
def test_what_is_no_database_of_the_monitor_is_left_alone(
    run: Run, tmp_path: Path, made: object, arguments: tuple[str, ...]
) -> None:
    path = tmp_path / "monitor.db"
    made(path)  # type: ignore[operator]
    if arguments[0] == "serve":
        arguments = (*arguments, "--port", str(free_port()))
    before = path.read_bytes() if path.is_file() else b""
    sentence(run(*arguments, "--database", f"sqlite:///{path}"))
    if made in (of_another_program, of_another_alembic):
        connection = sqlite3.connect(path)
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type='table'").fetchall()
        connection.close()
        assert len(tables) == 1
    elif path.is_file():
        assert path.read_bytes() == before


#: Commands that make no database where there is none.
READING = [arguments for arguments in OPENING if arguments[0] not in ("serve", "demo")]
READING = [arguments for arguments in READING if arguments[:2] != ("users", "add")]


@pytest.mark.parametrize("there", [True, False], ids=["empty file", "no file"])
@pytest.mark.parametrize("arguments", READING, ids=name_of)
def test_a_database_that_is_not_there_is_not_made_by_asking(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], there: bool
) -> None:
    path = tmp_path / "monitor.db"
    if there:
        path.touch()
    assert "monitor serve" in sentence(run(*arguments, "--database", f"sqlite:///{path}"))
    assert path.exists() is there


@pytest.mark.parametrize("arguments", OPENING, ids=name_of)
def test_a_database_that_is_no_plain_file_is_left_alone(
    run: Run, no_plain_file: Path, arguments: tuple[str, ...]
) -> None:
    if arguments[0] == "serve":
        arguments = (*arguments, "--port", str(free_port()))
    before = (no_plain_file.lstat().st_mode, no_plain_file.lstat().st_ino)
    sentence(run(*arguments, "--database", f"sqlite:///{no_plain_file}"))
    assert (no_plain_file.lstat().st_mode, no_plain_file.lstat().st_ino) == before


@pytest.mark.parametrize("arguments", OPENING, ids=name_of)
def test_a_folder_that_cannot_be_made_is_told(
    run: Run, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    (tmp_path / "file").write_text("keep")
    if arguments[0] == "serve":
        arguments = (*arguments, "--port", str(free_port()))
    sentence(run(*arguments, "--database", f"sqlite:///{tmp_path}/file/below/monitor.db"))


WRONG_URLS = ["nonsense", "mysql://u:geheim@h/db", "postgresql://u:geheim@h:x/db"]


@pytest.mark.parametrize("url", WRONG_URLS)
@pytest.mark.parametrize("arguments", OPENING, ids=name_of)
@pytest.mark.parametrize("by", ["argument", "environment"])
def test_a_url_that_is_none_is_told_without_its_password(
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    url: str,
    by: str,
) -> None:
    if by == "environment":
        monkeypatch.setenv("MONITOR_DATABASE_URL", url)
    else:
        arguments = (*arguments, "--database", url)
    if arguments[0] == "serve":
        arguments = (*arguments, "--port", str(free_port()))
    told = sentence(run(*arguments))
    assert "geheim" not in told


@pytest.mark.parametrize(
    "arguments",
    [
        ("verify", "postgresql://u:geheim@host/db"),
        ("rebuild", "postgresql://u:geheim@host/db"),
        ("postgresql://u:geheim@host/db",),
        ("export", "postgresql://u:geheim@host/db", "--out", "x"),
        ("breaches", "postgresql://u:geheim@host/db"),
        ("export-session", "postgresql://u:ge@heim@host/db", "--out", "x"),
    ],
)
def test_a_url_in_the_wrong_place_is_told_without_its_password(
    run: Run, arguments: tuple[str, ...]
) -> None:
    status, _, err = run(*arguments)
    assert status in (1, 2)
    assert "postgresql://***@host/db" in err
    assert "heim" not in err


def test_an_unreachable_server_is_told_in_one_line_of_the_real_command() -> None:
    url = f"postgresql://u:geheim@127.0.0.1:{free_port()}/db"
    told = process("verify", "--database", url)
    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr.startswith("The database cannot be reached.")
    assert len(told.stderr.splitlines()) == 1
    assert "geheim" not in told.stderr


@pytest.mark.parametrize("zone", ["Mars/Olympus", "Europe", "../etc/passwd", "x" * 300, "a\tb"])
def test_a_zone_that_is_none_is_told(
    run: Run, sqlite_url: str, monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    monkeypatch.setenv("MONITOR_ZONE", zone)
    told = sentence(run("verify", "--database", sqlite_url))
    assert "is not the name of a time zone" in told


def test_an_empty_zone_is_the_usual_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONITOR_ZONE", "")
    assert clinic_zone().key == "Europe/London"
    monkeypatch.setenv("MONITOR_ZONE", "Mars/Olympus")
    with pytest.raises(NotFound):
        clinic_zone()


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"MONITOR_ZONE": "Mars/Olympus"}, "time zone"),
        ({"MONITOR_DATABASE_URL": "postgresql://u:geheim@h:x/db"}, "its port"),
        ({"MONITOR_DATABASE_URL": "sqlite:////nowhere/monitor.db"}, "no database file"),
    ],
)
def test_the_app_itself_ends_in_the_same_sentence(environment: dict[str, str], words: str) -> None:
    told = subprocess.run(
        [sys.executable, "-c", "import dashboard"],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert told.returncode == 1
    assert words in told.stderr.splitlines()[-1]
    assert "Traceback" not in told.stderr
    assert "geheim" not in told.stderr


# -- the order of arguments ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ("users", "add", "rose", "--role", "admin", "--generate"),
        ("users", "add", "--role", "admin", "rose", "--generate"),
        ("users", "add", "--generate", "--role", "admin", "rose"),
    ],
)
@pytest.mark.parametrize("first", [True, False], ids=["database first", "database last"])
def test_names_and_options_of_an_account_stand_in_any_order(
    run: Run, sqlite_url: str, arguments: tuple[str, ...], first: bool
) -> None:
    where = ("--database", sqlite_url)
    given = (*arguments[:2], *where, *arguments[2:]) if first else (*arguments, *where)
    status, out, err = run(*given)
    assert (status, err) == (0, "")
    assert out.startswith("rose (admin) added to clinic.\nPassword: ")


@pytest.mark.parametrize("job", ["password", "disable", "enable"])
def test_the_other_jobs_take_the_name_last_too(run: Run, sqlite_url: str, job: str) -> None:
    where = ("--database", sqlite_url)
    run("users", "add", "rose", "--role", "admin", "--generate", *where)
    more = ("--generate",) if job == "password" else ()
    assert run("users", job, *more, *where, "rose")[0] == 0
    assert run("users", job, "rose", *where, *more)[0] == 0


def test_paths_stand_before_and_behind_the_options(run: Run, sqlite_url: str) -> None:
    other = SAMPLE.parent / "desaturation_at_second_step"
    status, out, err = run("import", SAMPLE, "--database", sqlite_url, other)
    assert (status, err) == (0, "")
    assert len(out.splitlines()) == 2


def test_ids_and_tables_stand_behind_the_options(run: Run, filled: str, tmp_path: Path) -> None:
    where = ("--database", filled)
    session_id = read_folder(SAMPLE).session.id
    assert run("export-session", "--out", tmp_path / "s", *where, session_id)[0] == 0
    assert run("breaches", "--format", "csv", *where, session_id)[0] == 0
    given = ("--clinic", DEMO_CLINIC, "--out", tmp_path / "x.csv", *where)
    assert run("export", *given, "doses")[0] == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("users",),
        ("users", "promote", "rose"),
        ("users", "list", "rose"),
        ("users", "disable"),
        ("users", "disable", "rose", "--role", "nurse"),
        ("users", "add", "rose", "--role", "wall"),
        ("verify", "--zone", "Mars/Olympus"),
        ("import", "--clinic", "north"),
        ("export-session", "7", "--out", "x"),
        ("breaches",),
        ("breaches", "x", "y"),
    ],
)
def test_arguments_that_do_not_fit_are_told(run: Run, arguments: tuple[str, ...]) -> None:
    assert "--help" in sentence(run(*arguments), 2)


# -- accounts --------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["", None], ids=["end of input", "closed"])
def test_no_password_at_all_changes_nothing(
    run: Run, sqlite_url: str, monkeypatch: pytest.MonkeyPatch, typed: str | None
) -> None:
    monkeypatch.setattr("sys.stdin", None if typed is None else io.StringIO(typed))
    given = ("users", "add", "rose", "--role", "nurse", "--database", sqlite_url)
    assert "No password was given" in sentence(run(*given))
    store = db.open_store(sqlite_url)
    assert store.users() == ()
    store.close()


def test_a_password_that_is_no_text_changes_nothing(
    run: Run, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe\n"), "utf-8"))
    given = ("users", "add", "rose", "--role", "nurse", "--database", sqlite_url)
    assert "UTF-8" in sentence(run(*given))


@pytest.mark.parametrize("job", ["password", "disable", "enable"])
def test_an_account_nobody_has_is_told_before_a_password_is_asked_for(
    run: Run, sqlite_url: str, monkeypatch: pytest.MonkeyPatch, job: str
) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert "rose" in sentence(run("users", job, "rose", "--database", sqlite_url))


# -- the shell around it ---------------------------------------------------------------------------


def test_a_reader_that_goes_away_early_gets_no_traceback(filled: str) -> None:
    for arguments in (
        ("export", "observations", "--clinic", DEMO_CLINIC, "--out", "-"),
        ("breaches", str(SAMPLE)),
    ):
        reading, writing = os.pipe()
        os.close(reading)
        told = subprocess.run(
            [sys.executable, "-m", "monitor", *arguments, "--database", filled],
            cwd=ROOT,
            stdout=writing,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
        os.close(writing)
        assert (told.returncode, told.stderr) == (1, b"")


def test_a_standard_output_that_is_closed_or_full_is_told(filled: str) -> None:
    command = [sys.executable, "-m", "monitor", "export", "observations", "--clinic", DEMO_CLINIC]
    command += ["--out", "-", "--database", filled]
    for redirect in (">&-", ">/dev/full"):
        told = subprocess.run(
            ["/bin/sh", "-c", f'exec "$@" {redirect}', "sh", *command],
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
        assert told.returncode == 1
        assert told.stderr.startswith("Standard output")
        assert len(told.stderr.splitlines()) == 1, told.stderr


def test_ctrl_c_is_said_in_a_word(
    run: Run, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pressed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("monitor.commands.session_folders.read_folder", pressed)
    told = sentence(run("import", SAMPLE, "--database", sqlite_url))
    assert told == "Stopped.\n"


def test_a_copied_demo_of_another_version_is_not_thrown_away(run: Run, sqlite_url: str) -> None:
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    connection = sqlite3.connect(path)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    assert "version 9999" in sentence(run("demo", "--database", sqlite_url))
    assert path.exists()


# -- folders ---------------------------------------------------------------------------------------


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SAMPLE, tmp_path / SAMPLE.name))
