"""A nurse signed in at a tablet beside a running session, speaking the entry API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from starlette.applications import Starlette
from starlette.routing import BaseRoute

from monitor.ids import new_id
from monitor.record import InfusionSession
from monitor.store import Store
from pages.http import entry
from tests import build
from tests.asgi_client import SAME_ORIGIN, Answer, Client
from tests.pages.http_app import House, house

CLINIC = "north"


@dataclass
class Bedside:
    """A nurse signed in at a tablet beside a running session."""

    home: House
    client: Client
    session_id: UUID
    token: str = ""

    def __post_init__(self) -> None:
        self.token = self.home.device_of().csrf_token

    @property
    def store(self) -> Store:
        return self.home.store

    @property
    def session(self) -> InfusionSession:
        return self.store.session(self.session_id)

    def post(
        self, what: str, body: dict[str, Any] | str, *, client: Client | None = None, **headers: str
    ) -> Answer:
        client = client or self.client
        sent = {
            "content-type": "application/json",
            "x-csrf-token": self.token,
            **SAME_ORIGIN,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        path = f"/entry/{self.session_id}/{what}"
        content = body if isinstance(body, str) else json.dumps(body)
        return client.request("POST", path, sent, content.encode())

    @contextmanager
    def signed_in_later(self, later: timedelta) -> Iterator[Client]:
        """The same nurse, signed in again after so long; the token of the page is the new one."""
        self.home.clock.now += later
        client = self.home.signed_in()
        token, self.token = self.token, self.home.device_of().csrf_token
        yield client
        self.token = token

    def values(self) -> dict[str, Decimal | None]:
        return {item.parameter: item.value for item in self.session.current_observations}


def a_set(*, taken: dict[str, Any] | None = None, **texts: str) -> dict[str, Any]:
    """What the component sends for a set; ``not_taken__hr="asleep"`` gives a reason."""
    items = []
    for name, text in texts.items():
        item: dict[str, Any] = {"id": str(new_id())}
        if name.startswith("not_taken__"):
            item |= {"parameter": name.removeprefix("not_taken__"), "not_taken": text}
        else:
            item |= {"parameter": name, "text": text}
        items.append(item)
    return {"id": str(new_id()), "items": items, "age_ms": 0, "taken": taken or {"ago": 0}}


NORMAL = {
    "hr": "68",
    "sbp": "128",
    "dbp": "76",
    "spo2": "97",
    "rr": "14",
    "sedation": "1",
    "dissociation": "3",
    "nausea": "0",
}


def with_entry_routes(home: House) -> None:
    """The house of the web tests with the entry API in it, before its catch-all page."""
    inner: Starlette = home.app.app
    gate = home.app._gate
    routes: list[BaseRoute] = [*entry.routes(gate), *inner.router.routes]
    inner.router.routes = routes


@contextmanager
def bedside_at(store: Store, *, created_min: float = -60) -> Iterator[Bedside]:
    """A nurse beside a session that runs since half an hour, in a store with people in it."""
    running = build.session(
        build.obs_set(-40),
        build.rate("0.1", -30),
        build.obs_set(-10),
        clinic=CLINIC,
        created_at=build.at(created_min),
    )
    with store.write(build.audit(), clinic=CLINIC) as writer:
        writer.add_patient(running.patient)
        writer.add_session(running)
    home = house(store)
    with_entry_routes(home)
    try:
        yield Bedside(home, home.signed_in(), running.id)
    finally:
        home.close()
