"""A signed-in device from sign-in to sign-out: its cookie, its lock, and signs of human life.

Nothing here decides who may do what; it decides whether anybody is there, and who.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from starlette.requests import HTTPConnection
from starlette.responses import Response

from monitor.accounts import DeviceSession
from monitor.audit import AuditEvent
from monitor.permissions import User
from pages.http.context import (
    Gate,
    Policy,
    Standing,
    cookie_name,
    standing,
    token_hash,
    visitor_for,
)

#: Audit actions of this module (the others are ``permissions.Action`` names).
SIGN_IN, SIGN_OUT, LOCK, UNLOCK = "SIGN_IN", "SIGN_OUT", "LOCK", "UNLOCK"
#: A sign of life may say how long ago the input was, at most this long.
MAX_INPUT_AGE = timedelta(seconds=60)


def new_token() -> str:
    """A secret of 256 bits; only its hash is ever stored."""
    return secrets.token_urlsafe(32)


def is_secure(connection: HTTPConnection) -> bool:
    """Whether the browser spoke https (to us, or to a proxy this server trusts)."""
    return connection.url.scheme in ("https", "wss")


def device_label(user_agent: str) -> str:
    """What people call the device, from its user agent: "Chrome on Android"."""
    browsers = (
        ("Edg/", "Edge"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    )
    systems = (
        ("iPad", "iPad"),
        ("iPhone", "iPhone"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS", "Mac"),
        ("Linux", "Linux"),
    )
    browser = next((name for mark, name in browsers if mark in user_agent), "Browser")
    system = next((name for mark, name in systems if mark in user_agent), "")
    return f"{browser} on {system}" if system else browser


def open_device(
    gate: Gate, user: User, *, user_agent: str, now: datetime
) -> tuple[str, DeviceSession]:
    """Sign a person in on a device: the cookie's secret and the stored row.  Blocking."""
    token = new_token()
    device = DeviceSession(
        token_hash=token_hash(token),
        username=user.username,
        label=device_label(user_agent),
        wall=False,
        opened_at=now,
        last_input_at=now,
        expires_at=now + gate.policy.expiry,
        csrf_token=secrets.token_urlsafe(24),
    )
    gate.store.put_device_session(device)
    _audit(gate, user, device, SIGN_IN, now)
    return token, device


def end_device(gate: Gate, device_token_hash: str, now: datetime) -> None:
    """Sign out.  Never undone: the row stays ended whatever else arrives.  Blocking."""
    found = visitor_for(gate, device_token_hash)
    if found is None or found.device.ended_at is not None:
        return
    if _change(gate, device_token_hash, lambda device: replace(device, ended_at=now)):
        _audit(gate, found.user, found.device, SIGN_OUT, now)


def lock_device(gate: Gate, device_token_hash: str, now: datetime) -> None:
    """Lock at once; who signed in stays, nothing is shown until it is unlocked.  Blocking."""
    found = visitor_for(gate, device_token_hash)
    if found is None or found.standing is not Standing.OPEN or found.device.wall:
        return
    if _change(gate, device_token_hash, lambda device: replace(device, locked_at=now)):
        _audit(gate, found.user, found.device, LOCK, now)


def unlock_device(gate: Gate, device_token_hash: str, user: User, now: datetime) -> bool:
    """Unlock as this person, who has just proved who they are.  Blocking.

    A new token for writes goes with every unlock, so a page drawn for the person before cannot
    save anything in the name of this one (ruling 3).
    """

    def change(device: DeviceSession) -> DeviceSession | None:
        if device.ended_at is not None or now >= device.expires_at:
            return None
        return replace(
            device,
            username=user.username,
            locked_at=None,
            last_input_at=now,
            csrf_token=secrets.token_urlsafe(24),
        )

    changed = _change(gate, device_token_hash, change)
    if changed is not None:
        _audit(gate, user, changed, UNLOCK, now)
    return changed is not None


def note_input(gate: Gate, device_token_hash: str, age: timedelta, now: datetime) -> None:
    """A person touched the device ``age`` ago.  Never unlocks, never lengthens expiry.  Blocking."""
    at = now - min(max(age, timedelta(0)), MAX_INPUT_AGE)

    def change(device: DeviceSession) -> DeviceSession | None:
        user = gate.store.user(device.username)
        if standing(device, user, gate.policy, now) is not Standing.OPEN:
            return None
        return replace(device, last_input_at=at) if at > device.last_input_at else None

    _change(gate, device_token_hash, change)


def set_cookie(response: Response, token: str, *, secure: bool, policy: Policy) -> None:
    """Give the browser the device's secret until the absolute expiry (ruling 8)."""
    response.set_cookie(
        cookie_name(secure),
        token,
        max_age=int(policy.expiry.total_seconds()),
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )


def drop_cookie(response: Response, *, secure: bool) -> None:
    """Take the device's secret back from the browser."""
    response.delete_cookie(
        cookie_name(secure), path="/", secure=secure, httponly=True, samesite="lax"
    )


def _change(
    gate: Gate,
    device_token_hash: str,
    change: Callable[[DeviceSession], DeviceSession | None],
) -> DeviceSession | None:
    """Read, change and replace until nobody else came between; None when nothing is to change."""
    while True:
        seen = gate.store.device_session(device_token_hash)
        new = change(seen) if seen is not None and seen.ended_at is None else None
        if seen is None or new is None:
            return None
        if gate.store.replace_device_session(seen, new):
            return new


def _audit(gate: Gate, user: User, device: DeviceSession, action: str, now: datetime) -> None:
    """A sign-in belongs to the audit trail; the device is named by the head of its token's hash."""
    event = AuditEvent(now, user.username, action, device=device.token_hash[:12])
    with gate.store.write(event, clinic=user.clinic):
        pass
