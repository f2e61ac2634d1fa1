"""What a refusal becomes over HTTP: one status per kind, the sentence for the person in JSON."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from gettext import gettext as _

from starlette.requests import Request
from starlette.responses import JSONResponse

from monitor.errors import (
    InvalidEntry,
    MonitorError,
    NeedsConfirmation,
    NotFound,
    NotPermitted,
    StoreUnavailable,
    WrongState,
)
from pages.http.context import Locked, NotSignedIn

Handler = Callable[[Request, Exception], Awaitable[JSONResponse]]

#: The most particular kind first; what is not named here is a fault of ours and stays a 500.
STATUS: tuple[tuple[type[MonitorError], int], ...] = (
    (NotSignedIn, 401),
    (Locked, 423),
    (NotPermitted, 403),
    (NotFound, 404),
    (NeedsConfirmation, 409),
    (InvalidEntry, 422),
    (WrongState, 409),
    (StoreUnavailable, 503),
)


def _handler(status: int) -> Handler:
    async def answer(request: Request, error: Exception) -> JSONResponse:
        sentence = str(error) or _("This could not be done.")
        return JSONResponse({"error": sentence}, status)

    return answer


def exception_handlers() -> dict[type[MonitorError], Handler]:
    """For ``App(exception_handlers=...)``: routes simply let a refusal rise."""
    return {kind: _handler(status) for kind, status in STATUS}
