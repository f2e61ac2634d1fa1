"""Health for machines: is the process there, and does its database answer.  No clinical data."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from monitor.errors import MonitorError
from monitor.store import Store


def routes(store: Store) -> list[Route]:
    """``/healthz``: the process answers.  ``/readyz``: the database answers too (else 503)."""

    async def healthz(request: Request) -> PlainTextResponse:
        return PlainTextResponse("ok")

    async def readyz(request: Request) -> JSONResponse:
        try:
            await run_in_threadpool(store.users)
        except MonitorError:
            return JSONResponse({"ready": False}, 503)
        return JSONResponse({"ready": True})

    return [Route("/healthz", healthz), Route("/readyz", readyz)]
