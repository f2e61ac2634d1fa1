"""The wire between browser and server: a proxy that can cut, lose, hold and double one request."""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from collections import defaultdict
from contextlib import suppress

from tests.server import free_port

_ENTRY = re.compile(rb"POST /entry/([0-9a-f-]{36})/(?!draft|preview|recorded)")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CONNECTION = re.compile(rb"\r\nconnection: *[^\r\n]*", re.IGNORECASE)
#: Charts, and being told at once of what others save, take most of the time of many beds in one
#: browser and have no part in saving: both are left out.
_CHART = re.compile(rb"GET /\S*PlotlyChart")
_LIVE = re.compile(rb"GET /live\b")
_LIVE_HELD_S = 20.0
_NOT_HERE = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
#: Longer than the component waits for an answer.
_HELD_S = 11.0
_LATE_S = 1.5
_LOST = (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError)


class Wire:
    """Listens on ``ports`` and passes everything on; ``strike`` names what goes wrong for whom.

    A port for each bed: a browser has few connections to one address, and beds share one browser.
    """

    def __init__(self, server_port: int, beds: int) -> None:
        self.ports = [free_port() for _ in range(beds)]
        self._server_port = server_port
        self._faults: dict[str, str] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        #: What has struck, as (session, kind).
        self.struck: list[tuple[str, str]] = []
        #: What was sent of each session's entries and answered: the last lines tell of a loss.
        self.heard: dict[str, list[str]] = defaultdict(list)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._listeners = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    def strike(self, session_id: str, kind: str) -> None:
        """The next entry of this session meets this fault."""
        self._faults[session_id] = kind

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _listen(self) -> list[asyncio.Server]:
        return [
            await asyncio.start_server(self._client, "127.0.0.1", port, limit=1 << 20)
            for port in self.ports
        ]

    async def _end(self) -> None:
        for listener in self._listeners:
            listener.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        # The loop itself holds its tasks but weakly.
        self._tasks.add(task)
        with suppress(*_LOST):
            await self._request(reader, writer)
        writer.close()
        self._tasks.discard(task)

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request a connection: the answer ends where the server closes."""
        head = await reader.readuntil(b"\r\n\r\n")
        if re.search(rb"\r\nupgrade: *websocket", head, re.IGNORECASE):
            await self._socket(head, reader, writer)
            return
        if _CHART.match(head):
            writer.write(_NOT_HERE)
            return
        if _LIVE.match(head):
            await asyncio.sleep(_LIVE_HELD_S)
            writer.write(_NOT_HERE)
            return
        length = _LENGTH.search(head)
        body = await reader.readexactly(int(length[1])) if length else b""
        head = _CONNECTION.sub(b"", head).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        entry = _ENTRY.match(head)
        if entry is None:
            await self._pass(head + body, writer)
            return
        sent = self.heard[entry[1].decode()]
        sent.append(f"{time.time():.2f} sent {json.loads(body)['id']}")
        kind = self._faults.pop(entry[1].decode(), None)
        if kind is None:
            status = await self._pass(head + body, writer)
            sent.append(f"{time.time():.2f} answered {status[:15]!r}")
            return
        self.struck.append((entry[1].decode(), kind))
        await getattr(self, f"_{kind}")(head, body, writer)

    async def _pass(self, request: bytes, writer: asyncio.StreamWriter | None) -> bytes:
        """Send a request and give the client the answer as it comes; the answer, or its head."""
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self._server_port)
        answer = b""
        try:
            to_server.write(request)
            await to_server.drain()
            while chunk := await from_server.read(1 << 16):
                answer += chunk if writer is None or not answer else b""
                if writer is not None:
                    writer.write(chunk)
                    await writer.drain()
        finally:
            to_server.close()
        return answer

    async def _socket(
        self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self._server_port)
        to_server.write(head)

        async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            with suppress(*_LOST):
                while chunk := await source.read(1 << 16):
                    target.write(chunk)
                    await target.drain()
            target.close()

        await asyncio.gather(copy(reader, to_server), copy(from_server, writer))

    # -- faults of one request -------------------------------------------------------------------
    async def _cut_before(self, head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        """The server never hears of it."""
        writer.transport.abort()

    async def _cut_in_body(self, head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        """The server hears half of it."""
        _from_server, to_server = await asyncio.open_connection("127.0.0.1", self._server_port)
        to_server.write(head + body[: len(body) // 2])
        await to_server.drain()
        to_server.close()
        writer.transport.abort()

    async def _cut_after(self, head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        """The server heard all of it, the client is cut off before the answer."""
        answer = asyncio.ensure_future(self._pass(head + body, None))
        await asyncio.sleep(0)
        writer.transport.abort()
        await answer

    async def _answer_lost(self, head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        """The server has answered, and the answer gets lost."""
        await self._pass(head + body, None)
        writer.transport.abort()

    async def _answer_held(self, head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        """The answer comes when the client has given up waiting."""
        answer = await self._pass(head + body, None)
        await asyncio.sleep(_HELD_S)
        writer.write(answer)

    async def _doubled(self, head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        """The server hears it twice at the same moment."""
        await asyncio.gather(self._pass(head + body, None), self._pass(head + body, writer))

    async def _doubled_late(self, head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        """The server hears it again after it has answered."""
        await self._pass(head + body, writer)
        writer.close()
        await asyncio.sleep(_LATE_S)
        await self._pass(head + body, None)
