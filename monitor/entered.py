"""What was filled in, as it comes from a form, and what could be read of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from monitor.parameters import Parameter
from monitor.record import NotTaken, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class EnteredItem:
    """One field as it was filled in: a text or a reason, with an id made by the client.

    ``unit`` None means the canonical unit.  ``really_so`` with a ``note`` records a value beyond a
    hard limit that was truly measured (heart rate 0).
    """

    id: UUID
    parameter: str
    text: str | None = None
    unit: str | None = None
    not_taken: NotTaken | None = None
    really_so: bool = False
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnteredSet:
    """What was filled in together, taken at one moment (aware UTC)."""

    set_id: UUID
    taken_at: datetime
    items: tuple[EnteredItem, ...]
    source: Source = Source.KEYED


@dataclass(frozen=True, slots=True)
class ReadItem:
    """An item that could be read: its canonical value, and whether it is S or beyond a limit."""

    item: EnteredItem
    parameter: Parameter
    value: Decimal | None = None
    entered_value: Decimal | None = None
    beyond: bool = False
    sleep: bool = False


def value_of(reads: Mapping[str, ReadItem], key: str) -> Decimal | None:
    read = reads.get(key)
    return None if read is None else read.value
