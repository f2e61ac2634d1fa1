"""The clinic's clock and zone, as the pages need them: the zone exists only at this edge."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from pages.http.context import installed, utc_now


def clinic_zone() -> tzinfo:
    """The clinic's time zone; UTC when a page runs outside the App (page tests)."""
    gate = installed()
    return gate.zone if gate else UTC


def now() -> datetime:
    """The moment of this run, aware UTC."""
    gate = installed()
    return gate.clock() if gate else utc_now()
