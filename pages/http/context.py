"""Who is asking: the one place where a cookie becomes a device session and a person.

Every route of ours starts with::

    user, device = current_user(request)     # NotSignedIn -> 401, Locked -> 423
    check_write(request)                      # in every route that writes (pages.http.csrf)

The middleware has resolved the visitor before the route runs; these functions only read it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from gettext import gettext as _
from zoneinfo import ZoneInfo

from starlette.requests import HTTPConnection

from monitor.accounts import DeviceSession
from monitor.errors import MonitorError, NotFound
from monitor.one_tap import OneTap, packaged
from monitor.permissions import Role, User
from monitor.store import Store

#: The cookie over plain http in a ward, and over https (the prefix makes the browser insist on
#: Secure, Path=/ and no Domain).
PLAIN_COOKIE = "monitor"
SECURE_COOKIE = "__Host-monitor"


class NotSignedIn(MonitorError):
    """Nobody is signed in on this device (any more)."""


class Locked(MonitorError):
    """The device is signed in but locked: nothing of a patient is shown until it is unlocked."""


class Standing(Enum):
    """What a device may do right now."""

    OPEN = "open"
    LOCKED = "locked"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How long a device stays open.  ``idle`` counts human input only, never ticks or polls."""

    idle: timedelta = timedelta(minutes=10)
    expiry: timedelta = timedelta(hours=12)


def utc_now() -> datetime:
    """The clock of the shell; everything inside is handed its ``now``."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What the web layer needs: store, the clinic's zone and one-tap buttons, policy, a clock."""

    store: Store
    zone: ZoneInfo
    policy: Policy = field(default_factory=Policy)
    one_tap: OneTap = field(default_factory=packaged)
    clock: Callable[[], datetime] = utc_now


@dataclass(frozen=True, slots=True)
class Visitor:
    """A person acting on a device, as resolved for one request, message or script run."""

    user: User
    device: DeviceSession
    standing: Standing


def standing(device: DeviceSession, user: User, policy: Policy, now: datetime) -> Standing:
    """What the device may do now.  A wall device never idles; everything else does (ruling 5)."""
    if device.ended_at is not None or now >= device.expires_at or not user.active:
        return Standing.ENDED
    if device.wall:
        return Standing.OPEN
    if device.locked_at is not None or now - device.last_input_at >= policy.idle:
        return Standing.LOCKED
    return Standing.OPEN


def token_hash(token: str) -> str:
    """SHA-256 of the cookie's secret: what the database knows of it."""
    return hashlib.sha256(token.encode()).hexdigest()


def cookie_name(secure: bool) -> str:
    """The only cookie that is looked at on this kind of connection."""
    return SECURE_COOKIE if secure else PLAIN_COOKIE


def visitor_for(gate: Gate, device_token_hash: str) -> Visitor | None:
    """Who acts on the device with this token now; None when it was never or is no longer known.

    Raises:
        StoreUnavailable: the database does not answer; nobody is let in on a guess.
    """
    device = gate.store.device_session(device_token_hash)
    if device is None:
        return None
    try:
        user = gate.store.user(device.username)
    except NotFound:
        return None
    if device.wall and user.role is not Role.WALL:
        return None
    return Visitor(user, device, standing(device, user, gate.policy, gate.clock()))


def visitor_from_cookies(gate: Gate, cookies: Mapping[str, str], *, secure: bool) -> Visitor | None:
    """Cookie -> device -> person, for a request of ours and for a script run of Streamlit alike."""
    token = cookies.get(cookie_name(secure))
    return visitor_for(gate, token_hash(token)) if token else None


def visitor(connection: HTTPConnection) -> Visitor:
    """The visitor that the middleware resolved for this request, whatever the standing.

    Raises:
        NotSignedIn: there is none, or the device session has ended.
    """
    found = connection.scope.get("state", {}).get("visitor")
    if not isinstance(found, Visitor) or found.standing is Standing.ENDED:
        raise NotSignedIn(_("Nobody is signed in on this device. Sign in and try again."))
    return found


def current_user(connection: HTTPConnection) -> tuple[User, DeviceSession]:
    """The person who acts and the device they act on.

    Raises:
        NotSignedIn: answered with 401.
        Locked: answered with 423.
    """
    found = visitor(connection)
    if found.standing is Standing.LOCKED:
        raise Locked(_("This device is locked. Unlock it and try again."))
    return found.user, found.device


_installed: list[Gate] = []


def install(gate: Gate) -> None:
    """Called once by dashboard.py: what the Streamlit script behind the App is handed."""
    _installed[:] = [gate]


def installed() -> Gate | None:
    """The gate of this process, or None when the script was started by itself."""
    return _installed[0] if _installed else None
