"""Whether the device behind a page is still signed in and open: asked at every fragment run."""

from __future__ import annotations

from monitor.accounts import DeviceSession
from monitor.errors import StoreUnavailable
from pages.http.context import Standing, installed, visitor_for


def is_present(device: DeviceSession) -> bool:
    """Whether a live page may go on drawing; the guard deals with the rest of the page.

    A database that does not answer hides nothing by itself: the page says so where it reads.
    """
    gate = installed()
    if gate is None:
        return True
    try:
        visitor = visitor_for(gate, device.token_hash)
    except StoreUnavailable:
        return True
    return visitor is not None and visitor.standing is Standing.OPEN
