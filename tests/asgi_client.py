"""A browser without a screen: speaks ASGI to an app in this process, keeps cookies, follows nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urlsplit

#: An app that has not answered by then hangs.
ANSWER_S = 10.0
SAME_ORIGIN = {"origin": "http://monitor.test", "sec-fetch-site": "same-origin"}
NAVIGATE = {"accept": "text/html", "sec-fetch-mode": "navigate"}


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    set_cookies: list[str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Client:
    """One browser.  ``scheme`` https makes the connection secure."""

    app: Any
    runner: asyncio.Runner
    scheme: str = "http"
    host: str = "monitor.test"
    address: str = "10.0.0.7"
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        return self.request("GET", path, headers or {})

    def post(
        self,
        path: str,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        body = urlencode(form or {}).encode()
        sent = {"content-type": "application/x-www-form-urlencoded", **SAME_ORIGIN}
        if headers is not None:
            sent = {"content-type": "application/x-www-form-urlencoded", **headers}
        return self.request("POST", path, sent, body)

    def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Answer:
        return self.runner.run(self.send(method, path, headers, body))

    async def send(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Answer:
        """One request; may be awaited beside others inside ``runner.run``."""
        answer = Answer(0, {}, [], b"")
        sent = False

        async def receive() -> dict[str, Any]:
            nonlocal sent
            if sent:
                await asyncio.sleep(3600)
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                for name, value in message["headers"]:
                    if name == b"set-cookie":
                        answer.set_cookies.append(value.decode("latin-1"))
                    answer.headers[name.decode()] = value.decode("latin-1")
            else:
                answer.body += message.get("body", b"")

        await self.app(self._scope("http", method, path, headers), receive, send)
        for text in answer.set_cookies:
            for name, morsel in SimpleCookie(text).items():
                if morsel["max-age"] == "0":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value
        return answer

    def _scope(
        self, kind: str, method: str, path: str, headers: Mapping[str, str]
    ) -> dict[str, Any]:
        parts = urlsplit(path)
        names = {"host": self.host, **headers}
        if self.cookies:
            names["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        scheme = self.scheme.replace("http", "ws") if kind == "websocket" else self.scheme
        return {
            "type": kind,
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": scheme,
            "path": parts.path,
            "raw_path": parts.path.encode(),
            "query_string": parts.query.encode(),
            "root_path": "",
            "headers": [(k.lower().encode(), v.encode("latin-1")) for k, v in names.items()],
            "client": (self.address, 50000),
            "server": (self.host, 443 if self.scheme == "https" else 80),
            "state": {},
        }

    @contextmanager
    def websocket(
        self, path: str = "/_stcore/stream", headers: Mapping[str, str] | None = None
    ) -> Iterator[Socket]:
        """An open WebSocket; what the app does with it shows in ``Socket``."""
        socket = Socket(self, self._scope("websocket", "GET", path, headers or {}))
        self.runner.run(socket.open())
        try:
            yield socket
        finally:
            self.runner.run(socket.leave())


class Socket:
    """The browser's end of a WebSocket."""

    def __init__(self, client: Client, scope: dict[str, Any]) -> None:
        self._client = client
        self._scope = scope
        self._inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.received: list[Any] = []
        self.accepted = False
        self.close_code: int | None = None
        self._answered = asyncio.Event()

    async def open(self) -> None:
        """Connect, and come back when the app has accepted, refused or ended."""
        self._inbox.put_nowait({"type": "websocket.connect"})
        self._task = asyncio.create_task(self._client.app(self._scope, self._inbox.get, self._take))
        answered = asyncio.create_task(self._answered.wait())
        await asyncio.wait(
            [self._task, answered], timeout=ANSWER_S, return_when=asyncio.FIRST_COMPLETED
        )
        answered.cancel()

    async def _take(self, message: Any) -> None:
        self._answered.set()
        if message["type"] == "websocket.accept":
            self.accepted = True
        elif message["type"] == "websocket.close":
            self.close_code = message["code"]
            self._inbox.put_nowait({"type": "websocket.disconnect", "code": message["code"]})
        else:
            self.received.append(message["bytes"])

    def say(self, data: bytes) -> None:
        """Send a message, and come back when the app has taken it and had a moment to answer."""
        self._inbox.put_nowait({"type": "websocket.receive", "bytes": data})
        self._client.runner.run(self._until_taken())
        self.wait(0.1)

    async def _until_taken(self) -> None:
        async with asyncio.timeout(ANSWER_S):
            while not self._inbox.empty() and not self._task.done():
                await asyncio.sleep(0.01)

    def wait(self, seconds: float) -> None:
        """Let the app's timers run."""
        self._client.runner.run(asyncio.sleep(seconds))

    async def leave(self) -> None:
        self._inbox.put_nowait({"type": "websocket.disconnect", "code": 1001})
        await asyncio.wait_for(self._task, 5)
