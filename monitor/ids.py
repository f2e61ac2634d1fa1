"""Identifiers: UUIDv7 from one place, and UUIDv5 for what must come out the same twice."""

from __future__ import annotations

import os
import time
from random import Random
from uuid import UUID, uuid5

#: Namespace of identifiers derived from content (sample folders, alerts): never change it.
NAMESPACE = UUID("6f0b6c1e-2a35-5d0e-9f0a-3c1f2b7f8a11")


def new_id(unix_ms: int | None = None) -> UUID:
    """A new UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, then 74 random bits.

    Identity only: the order of the record is taken_at, recorded_at and the chain sequence.
    """
    milliseconds = time.time_ns() // 1_000_000 if unix_ms is None else unix_ms
    value = (milliseconds & ((1 << 48) - 1)) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


def drawn_id(unix_ms: int, random: Random) -> UUID:
    """A UUIDv7 whose random bits are drawn: for invented data that come out the same twice."""
    value = (unix_ms & ((1 << 48) - 1)) << 80 | random.getrandbits(80)
    return UUID(int=value & ~(0xF << 76) & ~(0x3 << 62) | 0x7 << 76 | 0x2 << 62)


def derived_id(*parts: object) -> UUID:
    """The same UUIDv5 for the same parts, on every machine: makes a repeated act a no-op."""
    return uuid5(NAMESPACE, "\x1f".join(str(part) for part in parts))
