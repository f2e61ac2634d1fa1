"""What the guard on every page asks: is this device still mine, here is a sign of life, lock it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from pages.http.context import Gate, Standing, current_user, visitor
from pages.http.csrf import HEADER, check_write
from pages.http.device import lock_device, note_input
from pages.http.watch import State, Watch, state_of

#: How long one question of the guard is held open when nothing changes.
HOLD_S = 25.0


def routes(gate: Gate, watch: Watch) -> list[Route]:
    """``GET /device/watch``, ``POST /device/activity``, ``POST /device/lock``."""

    async def wait_for_change(request: Request) -> JSONResponse:
        """Answers at once when the page's token is not the device's, else when that changes."""
        seen = visitor(request)
        state = state_of(seen)
        if state == (Standing.OPEN, request.headers.get(HEADER, "")):
            with watch.follow(seen.device.token_hash, state) as follower:
                with suppress(TimeoutError):
                    await asyncio.wait_for(follower.changed.wait(), HOLD_S)
                state = follower.state
        return _state_answer(state)

    async def note_activity(request: Request) -> JSONResponse:
        """Somebody touched the device ``age_ms`` ago; only the guard's listeners send this."""
        _user, device = current_user(request)
        check_write(request)
        age = timedelta(milliseconds=_milliseconds(request.query_params.get("age_ms", "")))
        await run_in_threadpool(note_input, gate, device.token_hash, age, gate.clock())
        return JSONResponse({"noted": True})

    async def lock(request: Request) -> JSONResponse:
        """Lock now; the draft stays where it is."""
        device = visitor(request).device
        check_write(request)
        await run_in_threadpool(lock_device, gate, device.token_hash, gate.clock())
        return _state_answer(state_of(await watch.look(device.token_hash)))

    return [
        Route("/device/watch", wait_for_change, methods=["GET"]),
        Route("/device/activity", note_activity, methods=["POST"]),
        Route("/device/lock", lock, methods=["POST"]),
    ]


def _state_answer(state: State) -> JSONResponse:
    """401 signed out, 423 locked, 200 with the token that writes now have to carry."""
    standing, token = state
    status = {Standing.ENDED: 401, Standing.LOCKED: 423, Standing.OPEN: 200}[standing]
    return JSONResponse(
        {"standing": standing.value, "token": token if status == 200 else ""}, status
    )


def _milliseconds(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
