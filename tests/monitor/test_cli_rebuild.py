"""``rebuild``: everything that only repeats the record is worked out from it again, on both engines."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import db
from db import SqlStore
from monitor import actions
from monitor.audit import AuditEvent
from tests.db.conftest import Intruder
from tests.monitor.conftest import Run

SAMPLES = Path(__file__).resolve().parents[2] / "sample_sessions"
NAMES = ("uneventful_titration", "hypertension_confirmed_by_repeat")


@pytest.fixture
def filled(run: Run, database_url: str) -> str:
    """A database with the sessions of two folders."""
    folders = [SAMPLES / name for name in NAMES]
    assert run("import", *folders, "--database", database_url)[0] == 0
    return database_url


@pytest.fixture
def intruder(filled: str) -> Any:
    """Somebody who writes past the store."""
    found = Intruder(filled)
    yield found
    found.engine.dispose()


def rows(store: SqlStore) -> dict[UUID, Mapping[str, Any]]:
    """Every summary, without the moment it was worked out at."""
    held = {session_id: store.summary(session_id) for _clinic, session_id in store.session_ids()}
    return {key: {**row, "as_of": None} if row else {} for key, row in held.items()}


def test_what_agrees_is_left_as_it_is(run: Run, filled: str) -> None:
    with_store = db.open_store(filled)
    before = [dict(with_store.summary(of) or {}) for _clinic, of in with_store.session_ids()]
    told = run("rebuild", "--database", filled)
    assert told == (0, "Sessions: 2. Summaries written anew: 0, as they were: 2.\n", "")
    after = [dict(with_store.summary(of) or {}) for _clinic, of in with_store.session_ids()]
    assert after == before
    with_store.close()


def test_every_working_row_comes_back_from_the_record(
    run: Run, filled: str, intruder: Intruder
) -> None:
    store = db.open_store(filled)
    before, links = rows(store), store.version("demo")
    for table in ("summary", "chain_head", "session_head"):
        intruder.run(f"DELETE FROM {table}")
    status, _, told = run("verify", "--database", filled)
    assert status == 1
    assert told.count("run: python -m monitor rebuild") == len(told.splitlines()) > 4
    status, out, err = run("rebuild", "--database", filled)
    assert (status, err) == (0, "")
    assert "Heads that were missing" in out
    assert "Summaries written anew: 2" in out
    assert run("verify", "--database", filled)[::2] == (0, "")
    assert rows(store) == before
    assert store.version("demo") == links, "a projection is no fact"
    store.close()


def test_a_figure_that_was_changed_outside_is_put_right(
    run: Run, filled: str, intruder: Intruder
) -> None:
    store = db.open_store(filled)
    before = rows(store)
    intruder.run("UPDATE summary SET peak_sbp = 120, aldrete_final = 3")
    assert "aldrete_final" in run("verify", "--database", filled)[2]
    assert "written anew: 2, as they were: 0" in run("rebuild", "--database", filled)[1]
    assert rows(store) == before
    store.close()


def test_a_summary_of_no_session_is_taken_away(run: Run, filled: str, intruder: Intruder) -> None:
    store = db.open_store(filled)
    (clinic, session_id), *_ = store.session_ids()
    strange = {**(store.summary(session_id) or {}), "session_id": UUID(int=7)}
    with store.write(AuditEvent(datetime.now(UTC), "x", "y"), clinic=clinic) as writer:
        writer.set_summary(UUID(int=7), strange)
    assert "there is no such session" in run("verify", "--database", filled)[2]
    assert "no session that were taken away: 1." in run("rebuild", "--database", filled)[1]
    assert run("verify", "--database", filled)[0] == 0
    store.close()


def test_a_session_that_cannot_be_worked_out_is_told_and_the_others_are_done(
    run: Run, filled: str, intruder: Intruder, monkeypatch: pytest.MonkeyPatch
) -> None:
    intruder.run("DELETE FROM summary")
    store = db.open_store(filled)
    (_, broken), (_, sound) = store.session_ids()
    rebuilt = actions.rebuild_summary

    def fails(store: SqlStore, clinic: str, session_id: UUID, now: datetime) -> bool:
        if session_id == broken:
            raise ValueError("its protocol cannot be read")
        return rebuilt(store, clinic, session_id, now)

    monkeypatch.setattr(actions, "rebuild_summary", fails)
    status, out, err = run("rebuild", "--database", filled)
    assert status == 1
    assert str(broken) in err
    assert len(err.splitlines()) == 1
    assert "written anew: 1" in out
    assert store.summary(broken) is None
    assert store.summary(sound) is not None
    store.close()


def test_an_empty_database_has_nothing_to_do(run: Run, database_url: str) -> None:
    told = run("rebuild", "--database", database_url)
    assert told == (0, "Sessions: 0. Summaries written anew: 0, as they were: 0.\n", "")


def test_on_a_terminal_a_bar_says_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from monitor.commands.output import progress

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert list(progress(list(range(50)), "sessions")) == list(range(50))
    shown = terminal.getvalue().split("\r")[1:]
    assert [line.split("] ")[1] for line in shown] == [
        "20 of 50 sessions",
        "40 of 50 sessions",
        "50 of 50 sessions\n",
    ]
    assert [line.count("#") for line in shown] == [12, 24, 30]
