"""Writes come from our own pages only: Origin / Sec-Fetch-Site, and a token the page was given."""

from __future__ import annotations

import hmac
from gettext import gettext as _

from starlette.requests import HTTPConnection, Request

from monitor.errors import NotPermitted
from pages.http.context import visitor

#: The request header that carries ``DeviceSession.csrf_token`` (the page gets it in its data).
HEADER = "X-CSRF-Token"


def check_same_origin(connection: HTTPConnection) -> None:
    """Refuse what another site's page sent.

    Browsers add both headers by themselves and no page can change them.  A request with neither
    is not from a browser form of ours, so it is refused too.

    Raises:
        NotPermitted: in a sentence.
    """
    origin = connection.headers.get("origin")
    site = connection.headers.get("sec-fetch-site")
    refused = NotPermitted(_("This did not come from a page of the monitor. Reload the page."))
    if origin is None and site is None:
        raise refused
    if origin is not None and origin.partition("://")[2] != connection.headers.get("host", ""):
        raise refused
    if site is not None and site != "same-origin":
        raise refused


def check_token(connection: HTTPConnection, token: str) -> None:
    """Refuse a token that is not the one of this device and person (it changes at a PIN switch).

    Raises:
        NotSignedIn: nobody is signed in.
        NotPermitted: the page is from before somebody else took over the device.
    """
    expected = visitor(connection).device.csrf_token
    if not expected or not hmac.compare_digest(token.encode(), expected.encode()):
        raise NotPermitted(_("This page is out of date. Reload it and try again."))


def check_write(request: Request) -> None:
    """What every writing route calls first.

    Raises:
        NotSignedIn, NotPermitted: see ``check_same_origin`` and ``check_token``.
    """
    check_same_origin(request)
    check_token(request, request.headers.get(HEADER, ""))
