"""The front door: no Streamlit code runs and no WebSocket opens for someone who is not signed in.

A WebSocket outlives sign-out, expiry, lock and revocation, so it is checked again on every inbound
message and by a timer, and closed (rulings 1, 4, 5).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from gettext import gettext as _
from typing import Any
from urllib.parse import quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from monitor.errors import MonitorError
from pages.http.context import Gate, Standing, Visitor, visitor_from_cookies
from pages.http.csrf import check_same_origin
from pages.http.device import is_secure
from pages.http.headers import public_files, security_headers
from pages.http.scripts import is_script
from pages.http.watch import Follower, State, Watch, state_of

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

#: Answered without a device session.  Nothing else is, but Streamlit's own static files.
PUBLIC = frozenset({"/sign-in", "/healthz", "/readyz", "/_stcore/health", "/favicon.png"})
#: Answered to a device that is signed in but locked.
WHILE_LOCKED = frozenset({"/unlock", "/sign-out", "/device/watch"})
#: Asked by load balancers, which know the server by its address only.
ANY_HOST = frozenset({"/healthz", "/readyz", "/_stcore/health"})

#: Questions that are held open until something happens; ended when nobody waits any more and when
#: the server stops, which would otherwise wait for them.
HELD = frozenset({"/device/watch", "/live"})

#: WebSocket close codes: sign in again, unlock, reload because somebody else took over.
CLOSE_SIGNED_OUT, CLOSE_LOCKED, CLOSE_TAKEN_OVER = 4401, 4423, 4409

#: No request of ours is larger; Streamlit's own upload route is not used.
MAX_BODY_BYTES = 1 << 20


class FrontDoor:
    """ASGI middleware in front of everything, Streamlit's own routes included."""

    def __init__(
        self, app: ASGIApp, *, gate: Gate, watch: Watch, allowed_hosts: tuple[str, ...]
    ) -> None:
        self.app = app
        self._gate = gate
        self._watch = watch
        self._allowed_hosts = allowed_hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = HTTPConnection(scope)
        sending = _with_headers(send, security_headers(scope["path"], secure=is_secure(connection)))
        refusal = await self._refusal(connection)
        if refusal is not None:
            await refusal(scope, receive, sending)
            return
        if scope["path"] in HELD:
            await self._held(scope, receive, sending)
        else:
            await self.app(scope, _limited(receive), sending)

    async def _held(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def nothing_more() -> Message:
            await asyncio.Event().wait()
            raise AssertionError("cancelled while waiting")

        async def sending(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        work = asyncio.ensure_future(self.app(scope, nothing_more, sending))
        left = asyncio.ensure_future(_disconnected(receive))
        stopping = asyncio.ensure_future(self._watch.stopping.wait())
        everything = (work, left, stopping)
        try:
            await asyncio.wait(everything, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended = work.done()
            for task in everything:
                task.cancel()
            await asyncio.gather(*everything, return_exceptions=True)
        if ended:
            work.result()
        elif stopping.done() and not stopping.cancelled() and not started:
            sentence = _("The server is being restarted.")
            await JSONResponse({"error": sentence}, 503)(scope, receive, send)

    async def _refusal(self, connection: HTTPConnection) -> Response | None:
        """What is answered instead of the app, or None when the request may go on."""
        scope, path = connection.scope, connection.scope["path"]
        if path not in ANY_HOST and not host_allowed(
            connection.headers.get("host"), self._allowed_hosts
        ):
            return PlainTextResponse(
                _(
                    "The monitor is not known under this address. Whoever runs it adds the name "
                    "to server.allowedHosts in .streamlit/config.toml."
                ),
                400,
            )
        if _declared_length(connection.headers) > MAX_BODY_BYTES:
            return JSONResponse({"error": _("This request is too large.")}, 413)
        if path in public_files() or is_script(path):
            return None
        try:
            visitor = await self._visitor(connection)
        except MonitorError as error:
            return None if path in PUBLIC else JSONResponse({"error": str(error)}, 503)
        scope["state"] = {**scope.get("state", {}), "visitor": visitor}
        if path in PUBLIC:
            return None
        if visitor is None or visitor.standing is Standing.ENDED:
            return _go_to("/sign-in", connection, 401, _("Nobody is signed in on this device."))
        if visitor.standing is Standing.LOCKED and path not in WHILE_LOCKED:
            return _go_to("/unlock", connection, 423, _("This device is locked."))
        return None

    async def _visitor(self, connection: HTTPConnection) -> Visitor | None:
        return await run_in_threadpool(
            visitor_from_cookies, self._gate, connection.cookies, secure=is_secure(connection)
        )

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = HTTPConnection(scope)
        visitor = await self._websocket_visitor(connection)
        if visitor is None:
            # Closed before it was accepted: the server answers the upgrade with 403.
            await receive()
            await send({"type": "websocket.close", "code": CLOSE_SIGNED_OUT})
            return
        scope["state"] = {**scope.get("state", {}), "visitor": visitor}
        with self._watch.follow(visitor.device.token_hash, state_of(visitor)) as follower:
            await _Guarded(self._watch, visitor, follower, receive, send).run(self.app, scope)

    async def _websocket_visitor(self, connection: HTTPConnection) -> Visitor | None:
        if not host_allowed(connection.headers.get("host"), self._allowed_hosts):
            return None
        try:
            if "origin" in connection.headers:
                check_same_origin(connection)
            visitor = await self._visitor(connection)
        except MonitorError:
            return None
        return visitor if visitor and visitor.standing is Standing.OPEN else None


class _Guarded:
    """One accepted WebSocket: passes messages on while its device may still see what it sees."""

    def __init__(
        self, watch: Watch, visitor: Visitor, follower: Follower, receive: Receive, send: Send
    ) -> None:
        self._watch = watch
        self._token_hash = visitor.device.token_hash
        self._opened_as = state_of(visitor)
        self._follower = follower
        self._receive = receive
        self._send = send
        self._closed = False

    async def run(self, app: ASGIApp, scope: Scope) -> None:
        timer = asyncio.create_task(self._close_on_change(), name="websocket-guard")
        try:
            await app(scope, self.receive, self.send)
        finally:
            self._closed = True
            timer.cancel()
            await asyncio.gather(timer, return_exceptions=True)

    async def _close_on_change(self) -> None:
        await self._follower.changed.wait()
        await self._close(self._follower.state)

    async def _close(self, state: State) -> None:
        if not self._closed:
            self._closed = True
            await self._send({"type": "websocket.close", "code": close_code(state)})

    async def receive(self) -> Message:
        """The next message, if the device may still act when it arrives."""
        message = await self._receive()
        if message["type"] != "websocket.receive":
            return message
        try:
            state = state_of(await self._watch.look(self._token_hash))
        except MonitorError:
            # Unknown is not allowed: the page reconnects when the database answers again.
            state = self._opened_as
            if not self._closed:
                self._closed = True
                await self._send({"type": "websocket.close", "code": 1013})
        if self._closed or state != self._opened_as:
            await self._close(state)
            return {"type": "websocket.disconnect", "code": close_code(state)}
        return message

    async def send(self, message: Message) -> None:
        """Pass on what the app sends; nothing leaves after the door was closed."""
        if not self._closed:
            await self._send(message)


def close_code(state: State) -> int:
    """Why a WebSocket is closed, as the guard on the page understands it."""
    if state[0] is Standing.ENDED:
        return CLOSE_SIGNED_OUT
    return CLOSE_LOCKED if state[0] is Standing.LOCKED else CLOSE_TAKEN_OVER


def host_allowed(host: str | None, allowed: tuple[str, ...]) -> bool:
    """Whether the Host header names this server (``*.ward.example`` allows sub-domains).

    Without this check a page of another site could reach the monitor under a name of its own.
    """
    try:
        name = urlsplit(f"//{host}").hostname if host else None
    except ValueError:
        return False
    if not name or "@" in (host or ""):
        return False
    name = name.rstrip(".")
    return any(
        pattern == "*"
        or name == pattern.strip("[]")
        or (pattern.startswith("*.") and name.endswith(pattern[1:]))
        for pattern in (item.strip().lower() for item in allowed)
    )


def _declared_length(headers: Headers) -> int:
    value = headers.get("content-length", "0")
    return int(value) if value.isascii() and value.isdigit() else 0


def _limited(receive: Receive) -> Receive:
    """Stop reading a body that says it is small and is not."""
    seen = 0

    async def limited() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b"")) if message["type"] == "http.request" else 0
        if seen > MAX_BODY_BYTES:
            raise HTTPException(413, _("This request is too large."))
        return message

    return limited


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _with_headers(send: Send, headers: dict[str, str]) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            present = MutableHeaders(scope=message)
            for name, value in headers.items():
                present[name] = value
        await send(message)

    return sending


def _go_to(path: str, connection: HTTPConnection, status: int, sentence: str) -> Response:
    """Send a person's browser to a page, and tell a script what is the matter."""
    if connection.scope["method"] in ("GET", "HEAD") and _is_navigation(connection.headers):
        asked = connection.scope["path"]
        if connection.url.query:
            asked += f"?{connection.url.query}"
        return RedirectResponse(f"{path}?next={quote(asked)}", 303)
    return JSONResponse({"error": sentence, "go_to": path}, status)


def _is_navigation(headers: Headers) -> bool:
    mode = headers.get("sec-fetch-mode")
    return mode == "navigate" if mode else "text/html" in headers.get("accept", "")
