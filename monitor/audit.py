"""Audit events and the hash chain: who did what, when, to which session, provably in this order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

#: The hash before the first event of a clinic.
GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One action by one person.  ``detail`` never holds free text about the patient."""

    at: datetime
    by: str
    action: str
    session_id: UUID | None = None
    device: str | None = None
    detail: Mapping[str, Any] | None = None


def canonical_value(value: Any) -> Any:
    """A JSON value that is the same on every machine: decimals as entered, UTC microseconds."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal | UUID):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple | list):
        return [canonical_value(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): canonical_value(item) for key, item in value.items()}
    if value is None or isinstance(value, str | int | bool):
        return value
    raise TypeError(f"{type(value).__name__} has no canonical form; the record holds none")


def canonical_row(instance: Any) -> dict[str, Any]:
    """A dataclass as a flat canonical mapping of its fields."""
    return {item.name: canonical_value(getattr(instance, item.name)) for item in fields(instance)}


def canonical_text(content: Mapping[str, Any]) -> str:
    """The exact text that is hashed and stored: sorted keys, no spaces, non-ASCII kept."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def chain_hash(previous: str, text: str) -> str:
    """SHA-256 over the previous hash and the canonical text: one changed letter breaks all after."""
    return hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()
