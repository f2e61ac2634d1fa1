"""A database that goes away under the bedside: said in a sentence, nothing half-saved, and back."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

import db
from db import SqlStore
from monitor.actions import saving
from monitor.ids import new_id
from tests.build import T0
from tests.pages.bedside_api import NORMAL, Bedside, a_set, bedside_at
from tests.pages.http_app import people
from tests.postgres_server import OwnServer, programs_of


@pytest.fixture
def server(postgres_server: str) -> Iterator[OwnServer]:
    """A PostgreSQL server of this test alone, running."""
    folder = Path(tempfile.mkdtemp(prefix="monitor-pg-"))
    own = OwnServer(programs_of(postgres_server), folder)
    own.start()
    yield own
    own.stop()
    shutil.rmtree(folder, ignore_errors=True)


def test_a_server_stopped_in_the_middle_of_a_save_and_started_again(
    server: OwnServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    db.migrate(server.url, now=T0)
    store = db.open_store(server.url)
    people(store)
    with bedside_at(store) as bedside:
        bedside.post("set", a_set(hr="69"))
        before, version = bedside.session, store.version("north")
        body = a_set(**NORMAL)
        rate = {"id": str(new_id()), "kind": "stop", "value": "0", "unit": "mg/h"}
        summary = saving.summary

        def summary_of_a_stopped_server(*arguments: object) -> dict[str, object]:
            """The facts are written and not yet committed: now the server goes."""
            server.stop()
            return summary(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(saving, "summary", summary_of_a_stopped_server)
        cut = bedside.post("set", body)
        monkeypatch.setattr(saving, "summary", summary)
        while_down = [bedside.post("set", body), bedside.post("rate", rate)]
        shown = bedside.client.get(f"/entry/{bedside.session_id}/state")

        server.start()
        assert (bedside.session, store.version("north")) == (before, version), "half-saved"
        assert store.verify() == ()
        saved = [bedside.post("set", body), bedside.post("set", body), bedside.post("rate", rate)]
        after = bedside.session

    for answer in (cut, *while_down, shown):
        assert answer.status == 503, answer.text
        assert "The database cannot be reached." in answer.json()["error"]
    assert "Nothing was saved." in cut.json()["error"]
    assert [answer.status for answer in saved] == [200, 200, 200]
    assert len(after.observations) == len(before.observations) + len(NORMAL)
    assert len(after.dose_steps) == len(before.dose_steps) + 1
    assert store.verify() == ()
    store.close()


def test_a_database_file_that_became_read_only_is_said_so_and_can_come_back(
    bedside: Bedside,
) -> None:
    store = bedside.store
    assert isinstance(store, SqlStore)
    before = bedside.session
    body = a_set(**NORMAL)

    def only_read(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA query_only = ON")

    sa.event.listen(store._engine, "connect", only_read)
    store._engine.dispose()
    refused = bedside.post("set", body)
    shown = bedside.client.get(f"/entry/{bedside.session_id}/state")
    sa.event.remove(store._engine, "connect", only_read)
    store._engine.dispose()

    assert refused.status == 503, refused.text
    assert "The database is read-only. Nothing was saved." in refused.json()["error"]
    assert shown.status == 200, "what is recorded can still be read"
    assert bedside.session == before
    assert bedside.post("set", body).status == 200
    assert len(bedside.session.observations) == len(before.observations) + len(NORMAL)
