"""Slows down guessing without letting anybody lock a ward out.

Refused is only the pair (account, address) or (account, device) that guessed wrong too often: the
same person gets in from any other device, and everybody else from this one.  Guessing spread over
many accounts or addresses is answered slowly, never refused.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.store import Store

#: How long a wrong guess counts.
WINDOW = timedelta(minutes=15)
#: Wrong passwords for one account from one address before this pair is refused.
PAIR_LIMIT = 5
#: Wrong guesses for one account, or from one address, before answers take ``SLOW_S`` longer.
SLOW_LIMIT = 30
SLOW_S = 2.0
#: Wrong PINs for one account on one device, and for all accounts on it, before a password is asked.
PIN_LIMIT = 5
PIN_DEVICE_LIMIT = 10


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a guess is looked at at all, and how much later it is answered."""

    refused: bool
    delay_s: float = 0.0


def _key(*parts: str) -> str:
    """A key without the text itself: people type passwords into the name field."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:40]


def password_verdict(store: Store, username: str, address: str, now: datetime) -> Verdict:
    """What to do with a password typed for this account from this address."""
    since = now - WINDOW
    if store.failed_attempts(_key("pair", username, address), since) >= PAIR_LIMIT:
        return Verdict(refused=True)
    slow = any(
        store.failed_attempts(key, since) >= SLOW_LIMIT
        for key in (_key("account", username), _key("address", address))
    )
    return Verdict(refused=False, delay_s=SLOW_S if slow else 0.0)


def password_wrong(store: Store, username: str, address: str, now: datetime) -> bool:
    """Count a wrong password; True when the pair is refused from now on."""
    for key in (_key("account", username), _key("address", address)):
        store.add_failed_attempt(key, now)
    pair = _key("pair", username, address)
    store.add_failed_attempt(pair, now)
    return store.failed_attempts(pair, now - WINDOW) >= PAIR_LIMIT


def password_right(store: Store, username: str, address: str) -> None:
    """Forget this pair's wrong guesses; the account's and the address's stay counted."""
    store.clear_failed_attempts(_key("pair", username, address))


def pin_verdict(store: Store, username: str, device_token_hash: str, now: datetime) -> Verdict:
    """What to do with a PIN typed for this account on this device."""
    since = now - WINDOW
    pair = store.failed_attempts(_key("pin", username, device_token_hash), since)
    device = store.failed_attempts(_key("pin-device", device_token_hash), since)
    return Verdict(refused=pair >= PIN_LIMIT or device >= PIN_DEVICE_LIMIT)


def pin_wrong(store: Store, username: str, device_token_hash: str, now: datetime) -> None:
    """Count a wrong PIN."""
    store.add_failed_attempt(_key("pin", username, device_token_hash), now)
    store.add_failed_attempt(_key("pin-device", device_token_hash), now)


def pin_right(store: Store, username: str, device_token_hash: str) -> None:
    """Forget this person's wrong PINs here; a colleague's own PIN does not wipe out guesses."""
    store.clear_failed_attempts(_key("pin", username, device_token_hash))
