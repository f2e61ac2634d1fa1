"""CSV over HTTP: who may take what away, streamed, and always on record."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from monitor.audit import AuditEvent
from monitor.ids import new_id
from monitor.permissions import Role
from monitor.record import InfusionSession
from monitor.user_admin import create_user
from pages.http import downloads
from tests import build
from tests.asgi_client import Answer, Client
from tests.build import T0
from tests.pages.http_app import PASSWORD, House, house
from tests.stored import keep

CLINIC = "north"


@dataclass
class Desk:
    """Clinic people at their desks, one session in the record."""

    home: House
    session: InfusionSession

    def client(self, username: str) -> Client:
        return self.home.signed_in(username)

    def last_event(self) -> AuditEvent:
        return list(self.home.store.audit_rows(CLINIC))[-1].event


@pytest.fixture
def desk(peopled_sqlite: Path, tmp_path: Path) -> Iterator[Desk]:
    import db

    path = tmp_path / "desk.db"
    shutil.copyfile(peopled_sqlite, path)
    store = db.open_store(f"sqlite:///{path}")
    for username, role in (("meier", Role.LEAD), ("okoye", Role.ANAESTHETIST)):
        create_user(
            store,
            username=username,
            name=username.title(),
            role=role,
            clinic=CLINIC,
            password=PASSWORD,
            by=None,
            now=T0,
        )
    session = keep(
        store,
        build.session(
            build.obs_set(-15),
            build.answer("epilepsy"),
            build.rate("0.1", 0),
            build.obs_set(10, sbp=185),
            build.obs_set(13, sbp=186),
            build.side_effect("nausea", 1, 20, note="=2+3"),
            build.stop(40),
            build.event("discharged", 55),
            build.event("completed", 58),
            clinic=CLINIC,
            patient=build.patient(family_name="Zander"),
        ),
        60,
    )
    home = house(store)
    home.clock.forward(hours=1)
    inner: Starlette = home.app.app
    routes: list[BaseRoute] = [*downloads.routes(home.app._gate), *inner.router.routes]
    inner.router.routes = routes
    yield Desk(home, session)
    home.close()
    store.close()


def rows(answer: Answer) -> list[dict[str, str]]:
    assert answer.status == 200, answer.text
    text = answer.body.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def test_the_lead_takes_the_figures_away(desk: Desk) -> None:
    answer = desk.client("meier").get("/download/summaries.csv")
    (row,) = rows(answer)
    assert row["patient_name"] == "Zander, Nora"
    assert row["peak_sbp [mm[Hg]]"] == "186"
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert "sessions-with-names-2026-03-02.csv" in answer.headers["content-disposition"]


def test_without_names_nobody_is_named(desk: Desk) -> None:
    client = desk.client("meier")
    first = client.get("/download/summaries.csv?deidentified=1")
    (row,) = rows(first)
    assert "Zander" not in first.text
    assert desk.session.patient.mrn not in first.text
    assert str(desk.session.id) not in first.text
    # Another download has another key: the two cannot be joined.
    (again,) = rows(client.get("/download/summaries.csv?deidentified=1"))
    assert row["session_key"] != again["session_key"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", 1),
        ("?from=2026-03-02&to=2026-03-02", 1),
        ("?from=2026-03-03", 0),
        ("?to=2026-03-01", 0),
        ("?protocol=P02", 1),
        ("?protocol=P17", 0),
        ("?search=zand", 1),
        ("?search=berg", 0),
        ("?status=completed", 1),
    ],
)
def test_filters_are_those_of_the_list(desk: Desk, query: str, found: int) -> None:
    assert len(rows(desk.client("meier").get(f"/download/summaries.csv{query}"))) == found


@pytest.mark.parametrize("day", ["soon", "9999-12-31", "0001-01-01"])
def test_a_day_that_is_none_is_refused_in_words(desk: Desk, day: str) -> None:
    answer = desk.client("meier").get(f"/download/summaries.csv?to={day}")
    assert answer.status == 422
    assert "is not a day" in answer.json()["error"]


@pytest.mark.parametrize("table", downloads.SESSION_TABLES)
def test_every_table_of_one_session(desk: Desk, table: str) -> None:
    answer = desk.client("blum").get(f"/download/session/{desk.session.id}/{table}.csv")
    assert rows(answer)
    assert f"session-{desk.session.id}-{table}.csv" in answer.headers["content-disposition"]


def test_a_formula_in_a_note_is_harmless(desk: Desk) -> None:
    answer = desk.client("okoye").get(f"/download/session/{desk.session.id}/side-effects.csv")
    assert rows(answer)[0]["note"] == "'=2+3"


@pytest.mark.parametrize(
    ("username", "path", "status"),
    [
        ("blum", "/download/summaries.csv", 403),
        ("keller", "/download/summaries.csv", 403),
        ("okoye", "/download/summaries.csv", 200),
        ("keller", "/download/session/{id}/doses.csv", 403),
        ("olsen", "/download/session/{id}/doses.csv", 403),
        ("meier", "/download/session/{id}/doses.csv", 200),
        ("meier", "/download/session/{other}/doses.csv", 404),
        ("meier", "/download/session/seven/doses.csv", 404),
        ("meier", "/download/session/{id}/everything.csv", 404),
    ],
)
def test_who_may_take_what_away(desk: Desk, username: str, path: str, status: int) -> None:
    """A nurse reads one session; the clinic's figures are for leads and anaesthetists; an
    administrator sees no patient; nobody sees another clinic's."""
    client = desk.client(username)
    before = len(list(desk.home.store.audit_rows(CLINIC)))
    answer = client.get(path.format(id=desk.session.id, other=new_id()))
    assert answer.status == status
    if status != 200:
        assert "Zander" not in answer.text
        assert len(list(desk.home.store.audit_rows(CLINIC))) == before


@pytest.mark.parametrize("path", ["/download/summaries.csv", "/download/session/{id}/doses.csv"])
def test_nobody_takes_anything_away_without_signing_in(desk: Desk, path: str) -> None:
    answer = desk.home.browser().get(path.format(id=desk.session.id))
    assert answer.status in (303, 401)
    assert b"Zander" not in answer.body


def test_each_download_is_on_record_with_who_and_what(desk: Desk) -> None:
    client = desk.client("meier")
    client.get("/download/summaries.csv?from=2026-03-01&deidentified=1")
    event = desk.last_event()
    assert (event.by, event.action, event.session_id) == ("meier", "EXPORT", None)
    assert event.detail is not None
    assert (event.detail["table"], event.detail["deidentified"]) == ("summaries", True)
    client.get(f"/download/session/{desk.session.id}/observations.csv")
    event = desk.last_event()
    assert (event.by, event.session_id) == ("meier", desk.session.id)
    assert event.detail == {"table": "observations"}


def test_the_audit_event_holds_no_name_that_was_searched_for(desk: Desk) -> None:
    desk.client("meier").get("/download/summaries.csv?search=Zander")
    last = list(desk.home.store.audit_rows(CLINIC))[-1]
    assert "ander" not in last.text
