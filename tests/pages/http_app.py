"""The front door and our own routes in this process, before a stand-in for Streamlit."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from monitor.permissions import Role
from monitor.store import Store
from monitor.user_admin import create_user
from pages.http import device_routes, health, scripts, sign_in
from pages.http.answers import exception_handlers
from pages.http.context import Gate, current_user
from pages.http.csrf import check_write
from pages.http.middleware import FrontDoor
from pages.http.watch import Watch
from tests.asgi_client import Client
from tests.build import T0

PASSWORD = "correct horse battery"
PIN = "2846"
HOST = "monitor.test"
#: How often the watch looks in these tests.
LOOK_S = 0.02


@dataclass
class Clock:
    """Now, as the test says."""

    now: datetime = T0

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **amount: float) -> None:
        self.now += timedelta(**amount)


#: Who is in the house: user name, role, clinic.
PEOPLE = (
    ("blum", Role.NURSE, "north"),
    ("diaz", Role.NURSE, "north"),
    ("keller", Role.ADMIN, "north"),
    ("olsen", Role.NURSE, "south"),
)


def people(store: Store) -> None:
    """Make the accounts of the house."""
    for username, role, clinic in PEOPLE:
        create_user(
            store,
            username=username,
            name=username.title(),
            role=role,
            clinic=clinic,
            password=PASSWORD,
            pin=PIN,
            by=None,
            now=T0,
        )


@dataclass
class House:
    """A store with people in it, a clock and the app."""

    store: Store
    clock: Clock
    app: Any
    runner: asyncio.Runner = field(default_factory=asyncio.Runner)

    def browser(self, **settings: Any) -> Client:
        return Client(self.app, self.runner, **settings)

    def close(self) -> None:
        self.runner.close()

    def signed_in(self, username: str = "blum", **settings: Any) -> Client:
        """A browser in which this person has just signed in."""
        client = self.browser(**settings)
        origin = {"origin": f"{client.scheme}://{client.host}"}
        answer = client.post("/sign-in", {"username": username, "password": PASSWORD}, origin)
        assert answer.status == 303, answer.text
        return client

    def device_of(self, username: str = "blum") -> Any:
        return self.store.device_sessions(username)[0]


def house(store: Store) -> House:
    """Everything between people and the record."""
    clock = Clock()
    gate = Gate(store=store, zone=ZoneInfo("Europe/London"), clock=clock)
    watch = Watch(gate, interval_s=LOOK_S)

    async def page(request: Request) -> PlainTextResponse:
        return PlainTextResponse("the whole record")

    async def write(request: Request) -> JSONResponse:
        user, _device = current_user(request)
        check_write(request)
        size = len(await request.body())
        return JSONResponse({"written_by": user.username, "size": size})

    async def stream(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_bytes(b"the whole record")
        async for message in websocket.iter_bytes():
            await websocket.send_bytes(b"ran " + message)

    inner = Starlette(
        routes=[
            *sign_in.routes(gate, watch),
            *device_routes.routes(gate, watch),
            *health.routes(store),
            *scripts.routes,
            Route("/write", write, methods=["POST"]),
            Route("/{path:path}", page),
            WebSocketRoute("/_stcore/stream", stream),
        ],
        exception_handlers=exception_handlers(),  # type: ignore[arg-type]
    )
    app = FrontDoor(inner, gate=gate, watch=watch, allowed_hosts=(HOST,))
    return House(store, clock, app)
