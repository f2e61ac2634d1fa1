"""The command line: status 0 only when the job was done, problems one line each on stderr."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

import db
from db import samples
from monitor.commands.database import database_url
from monitor.commands.export_tables import TABLES
from monitor.folders import read_folder
from monitor.running_samples import RUNNING
from monitor.user_admin import DEMO_ACCOUNTS, DEMO_CLINIC, DEMO_PASSWORD, is_demo
from tests.monitor.conftest import Run

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "sample_sessions"
SAMPLE = SAMPLES / "desaturation_at_second_step"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SAMPLE, tmp_path / SAMPLE.name))


def count(url: str, table: str) -> int:
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        found: int = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    connection.close()
    return found


# -- import and export-session -----------------------------------------------------------------------


def test_import_stores_a_folder_and_a_second_time_changes_nothing(
    run: Run, sqlite_url: str
) -> None:
    status, out, err = run("import", SAMPLE, "--database", sqlite_url)
    assert (status, err) == (0, "")
    assert "stored" in out
    tables = ("observation", "dose_step", "alert", "alert_event", "audit", "infusion_session")
    before = {table: count(sqlite_url, table) for table in tables}
    assert before["observation"] == 149
    assert before["alert"] == 2
    status, out, err = run("import", SAMPLE, "--database", sqlite_url)
    assert (status, err) == (0, "")
    assert "nothing changed" in out
    assert {table: count(sqlite_url, table) for table in tables} == before


def test_a_broken_folder_is_refused_with_every_problem_and_nothing_of_it_is_stored(
    run: Run, sqlite_url: str, folder: Path
) -> None:
    path = folder / "observations.csv"
    text = path.read_text("utf-8").replace(",hr,74,", ",hr,7O,", 1).replace(",rr,14,", ",rr,x,", 1)
    path.write_text(text, "utf-8")
    status, out, err = run("import", folder, "--database", sqlite_url)
    assert status == 1
    assert out == ""
    lines = err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith(f"{folder}/observations.csv:2:value: ")
    assert lines[1].startswith(f"{folder}/observations.csv:6:value: ")
    assert count(sqlite_url, "infusion_session") == 0
    assert count(sqlite_url, "patient") == 0
    assert count(sqlite_url, "observation") == 0


def test_a_good_folder_beside_a_broken_one_is_stored_and_the_status_says_no(
    run: Run, sqlite_url: str, folder: Path
) -> None:
    (folder / "observations.csv").unlink()
    status, out, err = run(
        "import", folder, SAMPLES / "uneventful_titration", "--database", sqlite_url
    )
    assert status == 1
    assert "observations.csv:1:file: is missing" in err
    assert "uneventful_titration: session" in out
    assert count(sqlite_url, "infusion_session") == 1


def test_a_folder_that_differs_from_what_is_stored_is_refused(
    run: Run, sqlite_url: str, folder: Path
) -> None:
    run("import", folder, "--database", sqlite_url)
    path = folder / "observations.csv"
    path.write_text(path.read_text("utf-8").replace(",hr,74,", ",hr,75,", 1), "utf-8")
    before = count(sqlite_url, "observation")
    status, _, err = run("import", folder, "--database", sqlite_url)
    assert status == 1
    assert "stored already and differs" in err
    assert count(sqlite_url, "observation") == before


def test_a_record_number_of_somebody_else_is_refused(
    run: Run, sqlite_url: str, folder: Path
) -> None:
    run("import", SAMPLE, "--database", sqlite_url)
    other = Path(shutil.copytree(folder, folder.with_name("other")))
    path = other / "session.toml"
    path.write_text(path.read_text("utf-8").replace('"Haddad"', '"Hadad"'), "utf-8")
    status, _, err = run("import", other, "--database", sqlite_url)
    assert status == 1
    assert "is the number of somebody else here" in err
    assert count(sqlite_url, "infusion_session") == 1


def test_a_patient_who_is_known_keeps_one_record(run: Run, sqlite_url: str, folder: Path) -> None:
    run("import", SAMPLE, "--database", sqlite_url)
    again = Path(shutil.copytree(folder, folder.with_name("again")))
    header = again / "session.toml"
    created_at = next(
        line for line in header.read_text("utf-8").splitlines() if line.startswith("created_at")
    )
    earlier = created_at.replace(":00+", ":01+")
    assert earlier != created_at
    header.write_text(header.read_text("utf-8").replace(created_at, earlier), "utf-8")
    assert run("import", again, "--database", sqlite_url)[0] == 0
    assert (count(sqlite_url, "infusion_session"), count(sqlite_url, "patient")) == (2, 1)


@pytest.mark.parametrize("corrected", [False, True], ids=["as it was", "one value corrected"])
def test_a_copied_folder_is_no_second_session(
    run: Run, sqlite_url: str, folder: Path, corrected: bool
) -> None:
    run("import", SAMPLE, "--database", sqlite_url)
    stored = read_folder(SAMPLE).session.id
    copy = Path(shutil.copytree(folder, folder.with_name("copy")))
    if corrected:
        path = copy / "observations.csv"
        path.write_text(path.read_text("utf-8").replace(",hr,74,", ",hr,75,", 1), "utf-8")
    tables = ("observation", "dose_step", "alert", "audit", "infusion_session")
    before = {table: count(sqlite_url, table) for table in tables}
    status, out, err = run("import", copy, "--database", sqlite_url)
    assert (status, out) == (1, "")
    assert err.startswith(f"{copy}/session.toml:1:id: this patient's session of ")
    assert f"is stored already as {stored}" in err
    assert len(err.splitlines()) == 1
    assert {table: count(sqlite_url, table) for table in tables} == before
    # What the sentence advises: the same id makes it the same session.
    header = copy / "session.toml"
    header.write_text(f'id = "{stored}"\n{header.read_text("utf-8")}', "utf-8")
    status, out, err = run("import", copy, "--database", sqlite_url)
    assert ("nothing changed" in out) is not corrected
    assert ("stored already and differs" in err) is corrected
    assert {table: count(sqlite_url, table) for table in tables} == before


def test_an_answer_to_no_alert_is_refused_with_its_line(
    run: Run, sqlite_url: str, folder: Path
) -> None:
    path = folder / "answers.csv"
    path.write_text(path.read_text("utf-8").replace(",spo2,", ",nausea,", 1), "utf-8")
    status, _, err = run("import", folder, "--database", sqlite_url)
    assert status == 1
    assert "answers.csv:2:group: no alert of nausea is open" in err
    assert count(sqlite_url, "infusion_session") == 0


def test_what_is_exported_is_what_was_imported(run: Run, sqlite_url: str, tmp_path: Path) -> None:
    run("import", SAMPLE, "--database", sqlite_url)
    first = read_folder(SAMPLE)
    out = tmp_path / "out"
    status, _, err = run("export-session", first.session.id, "--out", out, "--database", sqlite_url)
    assert (status, err) == (0, "")
    second = read_folder(out)
    assert second.session == first.session
    # The sample says which group was answered; the export names the alert by the row behind it, too.
    assert tuple(replace(item, trigger_id=None) for item in second.answers) == first.answers
    assert all(item.trigger_id for item in second.answers)
    # And back again, into a database that has never seen it.
    other = f"sqlite:///{tmp_path / 'other.db'}"
    db.migrate(other)
    assert run("import", out, "--database", other)[0] == 0
    assert count(other, "alert_event") == count(sqlite_url, "alert_event")


def test_an_unknown_session_is_told_in_a_sentence(
    run: Run, sqlite_url: str, tmp_path: Path
) -> None:
    status, out, err = run(
        "export-session", UUID(int=7), "--out", tmp_path / "x", "--database", sqlite_url
    )
    assert (status, out) == (1, "")
    assert len(err.splitlines()) == 1
    assert "Traceback" not in err


# -- breaches ----------------------------------------------------------------------------------------


def test_breaches_of_a_folder_agree_with_what_it_expects(run: Run) -> None:
    status, out, err = run("breaches", SAMPLE, "--check")
    assert (status, err) == (0, "")
    assert "spo2_low" in out


def test_a_difference_is_told_and_the_status_is_1(run: Run, folder: Path) -> None:
    path = folder / "expected.toml"
    path.write_text(path.read_text("utf-8").replace('"22:00"', '"22:01"', 1), "utf-8")
    status, _, err = run("breaches", folder, "--check")
    assert status == 1
    assert "breach expected but not found: rule spo2_low" in err
    assert "confirmed 22:01" in err


def test_breaches_of_a_stored_session_in_every_format(run: Run, sqlite_url: str) -> None:
    run("import", SAMPLE, "--database", sqlite_url)
    session_id = read_folder(SAMPLE).session.id
    given = ("--database", sqlite_url)
    status, table, _ = run("breaches", session_id, *given)
    assert status == 0
    assert "20:30" in table
    _, text, _ = run("breaches", session_id, "--format", "csv", *given)
    assert [row["rule"] for row in csv.DictReader(io.StringIO(text))] == [
        "spo2_low",
        "spo2_drop",
        "oxygen_new",
    ]
    _, text, _ = run("breaches", session_id, "--format", "json", *given)
    assert json.loads(text)["breach"][0]["readings"] == ["92", "88", "93"]


def test_something_that_is_neither_a_folder_nor_a_session(run: Run) -> None:
    status, _, err = run("breaches", "no-such-thing")
    assert status == 1
    assert err == '"no-such-thing" is neither a folder nor the id of a session.\n'


# -- export ------------------------------------------------------------------------------------------


@pytest.fixture
def filled(run: Run, sqlite_url: str) -> str:
    """A database with two sessions of different months, imported."""
    names = ("uneventful_titration", "chest_pain_at_normal_pressure")
    assert run("import", *(SAMPLES / name for name in names), "--database", sqlite_url)[0] == 0
    return sqlite_url


def exported(run: Run, url: str, path: Path, table: str, *more: str) -> list[dict[str, str]]:
    status, _, err = run(
        "export", table, "--clinic", DEMO_CLINIC, "--out", path, "--database", url, *more
    )
    assert (status, err) == (0, "")
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


def test_every_table_can_be_exported(run: Run, filled: str, tmp_path: Path) -> None:
    sizes = {
        table: len(exported(run, filled, tmp_path / f"{table}.csv", table)) for table in TABLES
    }
    assert sizes == {
        "sessions": 2,
        "observations": 133 + 109,
        "doses": 5 + 4,
        "side-effects": 1,
        "gate": 10 + 10,
        "breaches": 1,
        "alerts": 1,
    }


def test_days_are_those_of_the_clinic_and_both_are_included(
    run: Run, filled: str, tmp_path: Path
) -> None:
    def between(*days: str) -> int:
        return len(exported(run, filled, tmp_path / "x.csv", "sessions", *days))

    assert between("--from", "2026-09-07", "--to", "2026-09-07") == 1
    assert between("--from", "2026-09-08", "--to", "2026-10-07") == 0
    assert between("--from", "2026-09-07", "--to", "2026-10-08") == 2


def test_an_export_leaves_an_audit_event(run: Run, filled: str, tmp_path: Path) -> None:
    exported(run, filled, tmp_path / "x.csv", "sessions", "--deidentified")
    store = db.open_store(filled)
    last = list(store.audit_rows(DEMO_CLINIC))[-1].event
    store.close()
    assert last.action == "EXPORT"
    assert last.detail is not None
    assert last.detail["table"] == "sessions"
    assert last.detail["deidentified"] is True


def test_a_deidentified_export_names_nobody(run: Run, filled: str, tmp_path: Path) -> None:
    exported(run, filled, tmp_path / "x.csv", "observations", "--deidentified", "--bom")
    content = (tmp_path / "x.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    for name in (b"SYN-0001", b"Lindqvist", b"2026-09", b"ablum"):
        assert name not in content


def test_an_export_that_cannot_be_written_leaves_nothing(
    run: Run, filled: str, tmp_path: Path
) -> None:
    target = tmp_path / "no" / "such" / "x.csv"
    status, _, err = run(
        "export", "doses", "--clinic", DEMO_CLINIC, "--out", target, "--database", filled
    )
    assert status == 1
    assert "cannot be written" in err
    assert list(tmp_path.glob("**/*.csv")) == []


def test_without_a_clinic_it_is_asked_for(run: Run, filled: str, tmp_path: Path) -> None:
    status, _, err = run("export", "doses", "--out", tmp_path / "x.csv", "--database", filled)
    assert status == 1
    assert "--clinic" in err


# -- demo, serve, verify -----------------------------------------------------------------------------


def test_the_demo_has_past_sessions_and_some_under_way(run: Run, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'demo.db'}"
    status, out, err = run("demo", "--database", url)
    assert (status, err) == (0, "")
    assert DEMO_PASSWORD in out
    assert all(account[0] in out for account in DEMO_ACCOUNTS)
    store = db.open_store(url)
    assert is_demo(store)
    assert len(store.open_session_ids(DEMO_CLINIC)) == len(RUNNING) == 4
    assert store.verify() == ()
    store.close()
    folders = [path for path in SAMPLES.iterdir() if path.is_dir()]
    assert count(url, "infusion_session") == len(folders) + len(RUNNING)
    # A second time it is thrown away and made afresh.
    assert run("demo", "--database", url)[0] == 0
    assert count(url, "infusion_session") == len(folders) + len(RUNNING)
    assert run("verify", "--database", url)[0] == 0


def test_the_demo_never_takes_the_place_of_anything_else(
    run: Run, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("four plain words here\n"))
    assert run("users", "add", "rose", "--role", "admin", "--database", sqlite_url)[0] == 0
    before = Path(sqlite_url.removeprefix("sqlite:///")).stat().st_ino
    status, _, err = run("demo", "--database", sqlite_url)
    assert status == 1
    assert "not a demo database" in err
    assert Path(sqlite_url.removeprefix("sqlite:///")).stat().st_ino == before
    assert count(sqlite_url, "user_event") == 1


def test_imported_sessions_without_accounts_are_not_thrown_away(run: Run, filled: str) -> None:
    status, _, err = run("demo", "--database", filled)
    assert status == 1
    assert "not a demo database" in err
    assert count(filled, "infusion_session") == 2


def test_a_demo_that_is_being_served_is_not_pulled_away(run: Run, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'demo.db'}"
    db.migrate(url)
    held = db.open_store(url)
    held.users()
    status, _, err = run("demo", "--database", url)
    held.close()
    assert status == 1
    assert "Stop the server first" in err


def test_verify_tells_of_a_row_that_was_changed_outside(run: Run, filled: str) -> None:
    connection = sqlite3.connect(filled.removeprefix("sqlite:///"))
    (trigger,) = connection.execute(
        "SELECT name FROM sqlite_master WHERE type='trigger' AND tbl_name='observation'"
        " AND sql LIKE '%BEFORE UPDATE%'"
    ).fetchone()
    connection.execute(f"DROP TRIGGER {trigger}")
    connection.execute("UPDATE observation SET value='71' WHERE value='72' AND parameter='hr'")
    connection.commit()
    connection.close()
    status, out, err = run("verify", "--database", filled)
    assert (status, out) == (1, "")
    assert "observation" in err


def test_serve_starts_the_real_monitor_on_an_empty_database(tmp_path: Path) -> None:
    from tests.server import Server, _wait_until_ready, free_port

    port = free_port()
    url = f"sqlite:///{tmp_path / 'new' / 'monitor.db'}"
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "monitor", "serve", "--demo-if-empty", f"--port={port}"],
            cwd=ROOT,
            env={**os.environ, "MONITOR_DATABASE_URL": url},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    server = Server(port, url, None, process, log)  # type: ignore[arg-type]
    try:
        _wait_until_ready(server)
        status, _, text = server.request("GET", "/", {"Accept": "text/html"})
        assert status in (200, 303)
        assert "SYN-" not in text
    finally:
        process.terminate()
        process.wait(20)
    told = log.read_text("utf-8", "replace")
    assert f"http://127.0.0.1:{port}" in told
    assert DEMO_PASSWORD in told
    assert samples.holds_anything(url)


# -- accounts ----------------------------------------------------------------------------------------


def test_accounts_are_added_listed_disabled_and_enabled(
    run: Run, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = ("--database", sqlite_url)
    monkeypatch.setattr("sys.stdin", io.StringIO("four plain words here\n"))
    added = run("users", "add", "rose", "--role", "nurse", "--full-name", "R. Ose", *given)
    assert added == (0, "rose (nurse) added to clinic.\n", "")
    assert run("users", "disable", "rose", *given)[0] == 0
    assert "disabled" in run("users", "list", *given)[1]
    assert run("users", "enable", "rose", *given)[0] == 0
    assert "disabled" not in run("users", "list", *given)[1]
    status, out, _ = run("users", "password", "rose", "--generate", *given)
    assert status == 0
    assert out.startswith("rose has a new password")
    assert len(out.splitlines()[1]) >= len("Password: ") + 16


def test_a_password_that_is_too_short_is_refused_in_a_sentence(
    run: Run, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    status, _, err = run("users", "add", "rose", "--role", "nurse", "--database", sqlite_url)
    assert status == 1
    assert "too short" in err
    assert count(sqlite_url, "user_event") == 0


# -- arguments ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("fly",),
        ("import",),
        ("export", "everything", "--out", "x"),
        ("export", "sessions"),
        ("export", "sessions", "--out", "x", "--from", "yesterday"),
        ("export-session", "seven", "--out", "x"),
        ("users", "add"),
        ("users", "add", "rose"),
    ],
)
def test_wrong_arguments_get_a_sentence(run: Run, arguments: tuple[str, ...]) -> None:
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert err[0].isupper()
    assert "--help" in err


def test_a_database_that_is_none_is_told_in_a_sentence(run: Run, tmp_path: Path) -> None:
    for url in ("nonsense", f"sqlite:///{tmp_path}/nothing.db", "mysql://x/y"):
        status, out, err = run("verify", "--database", url)
        assert (status, out) == (1, "")
        assert len(err.splitlines()) == 1


def test_the_environment_names_the_database(
    run: Run, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONITOR_DATABASE_URL", sqlite_url)
    assert run("verify")[0] == 0


def test_a_relative_file_is_where_the_command_was_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert database_url("sqlite:///monitor.db") == f"sqlite:///{tmp_path / 'monitor.db'}"
