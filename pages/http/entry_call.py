"""One entry as it arrived over HTTP, read field by field: what is not as it should be is refused."""

from __future__ import annotations

import re
from calendar import IllegalMonthError, monthrange
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from gettext import gettext as _
from typing import Any, TypeVar
from uuid import UUID

from monitor.accounts import DeviceSession
from monitor.clock import instant_on, latest_instant
from monitor.errors import InvalidEntry, Problem
from monitor.numbers import parse_number
from monitor.permissions import User
from monitor.record import Source
from monitor.store import Store
from monitor.texts import echoed
from pages.http.context import Gate
from pages.http.device_clock import ahead_s, noting_clock

#: An entry is never refused because it waited long (ruling 15); beyond this the clock is broken.
OLDEST = timedelta(days=3653)
_LONGEST_AGO_MIN = 24 * 60

#: ``2027-06``, ``202706`` (no key of the keypad makes a dash) and ``2027-06-30``.
_DAY = re.compile(r"(?P<year>[0-9]{4})-?(?P<month>[0-9]{2})(-?(?P<day>[0-9]{2}))?")

KindT = TypeVar("KindT", bound=StrEnum)


def unreadable_sentence() -> str:
    return _("This entry could not be read. Reload the page and enter it again.")


class BadRequest(ValueError):
    """The request is not one that the component makes; ``field`` is for the log."""

    def __init__(self, field: str, sentence: str = "") -> None:
        self.field = field
        super().__init__(sentence or unreadable_sentence())


@dataclass(frozen=True, slots=True)
class Call:
    """One entry as it arrived: who tapped it, when it was true, what it says.

    Every reader takes the name of a field of ``body`` and raises BadRequest when the field has a
    shape the component never sends, InvalidEntry when a person could have typed it.
    """

    gate: Gate
    user: User
    device: DeviceSession
    session_id: UUID
    body: Mapping[str, Any]
    now: datetime
    confirmed: frozenset[str]

    @property
    def store(self) -> Store:
        """The store; what is written for this entry says how wrong the clock of the device is."""
        try:
            ahead = ahead_s(self.body.get("sent_wall_ms"), self.now)
        except ValueError:
            raise BadRequest("sent_wall_ms") from None
        return noting_clock(self.gate.store, ahead)

    @property
    def act(self) -> dict[str, Any]:
        """What every action is handed besides its request."""
        return {"now": self.now, "device": self.device.token_hash[:12]}

    def part(self, name: str, row: object) -> Call:
        """The same entry with one part of it as its body."""
        if not isinstance(row, Mapping):
            raise BadRequest(name)
        return replace(self, body=row)

    # -- when ------------------------------------------------------------------------------

    @property
    def tapped_at(self) -> datetime:
        """When SAVE was tapped, by the server's clock: its own time less the age of the tap."""
        age_ms = self.body.get("age_ms", 0)
        if (
            not isinstance(age_ms, int | float)
            or isinstance(age_ms, bool)
            or not 0 <= age_ms <= OLDEST.total_seconds() * 1000
        ):
            raise BadRequest(
                "age_ms",
                _("The time of this entry cannot be right. Check the clock of this device."),
            )
        return self.now - timedelta(milliseconds=age_ms)

    @property
    def taken_at(self) -> datetime:
        """When it was true: at the tap, some minutes before, or at a clock time that was typed."""
        taken = self.part("taken", self.body.get("taken") or {})
        clock = taken.text("clock")
        if clock is not None:
            return self._clock_time(clock, taken.text("day"))
        return self.tapped_at - timedelta(minutes=taken.whole("ago", _LONGEST_AGO_MIN) or 0)

    @property
    def late_reason(self) -> str | None:
        """Why it is entered so long after it was true, when somebody said it beside the time."""
        return self.part("taken", self.body.get("taken") or {}).text("late")

    def _clock_time(self, text: str, day: str | None) -> datetime:
        second = None
        if "taken_at.repeated" in self.confirmed:
            second = "taken_at.second" in self.confirmed
        if day is not None:
            return instant_on(day, text, self.gate.zone, second_time=second)
        return latest_instant(text, self.gate.zone, self.tapped_at, second_time=second)

    @property
    def source(self) -> Source:
        """Keyed at the bedside, or afterwards from a sheet of paper; a browser says no other."""
        found = self.member("source", Source, Source.KEYED)
        if found not in (Source.KEYED, Source.PAPER):
            raise BadRequest("source")
        return found

    # -- what ------------------------------------------------------------------------------

    @property
    def id(self) -> UUID:
        return self.uuid("id")

    def uuid(self, name: str) -> UUID:
        value = self.body.get(name)
        if not isinstance(value, str):
            raise BadRequest(name)
        try:
            return UUID(value)
        except ValueError:
            raise BadRequest(name) from None

    def text(self, name: str) -> str | None:
        value = self.body.get(name)
        if value is not None and not isinstance(value, str):
            raise BadRequest(name)
        return value.strip() or None if value else None

    def flag(self, name: str) -> bool:
        value = self.body.get(name)
        if value is not None and not isinstance(value, bool):
            raise BadRequest(name)
        return value is True

    def whole(self, name: str, most: int) -> int | None:
        """A whole number from 0 to ``most``."""
        value = self.body.get(name)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
            raise BadRequest(name)
        return value

    def number(self, name: str, field: str) -> Decimal:
        """A number as it was typed; ``field`` is where the form shows what is wrong with it."""
        value = self.body.get(name)
        if not isinstance(value, str):
            raise BadRequest(name)
        try:
            return parse_number(value)
        except ValueError as error:
            problem = Problem(field, str(error), code=f"{field}.not_a_number")
            raise InvalidEntry([problem]) from None

    def day(self, name: str) -> date | None:
        """A date as typed on an ampoule: ``2027-06`` means the last day of that month."""
        value = self.text(name)
        if value is None:
            return None
        found = _DAY.fullmatch(value)
        try:
            if found is None:
                raise ValueError
            year, month = int(found["year"]), int(found["month"])
            last = monthrange(year, month)[1]
            return date(year, month, int(found["day"] or last))
        except (ValueError, IllegalMonthError):
            sentence = _("“{value}” is not a date. Type it like 2027-06-30 or 2027-06.").format(
                value=echoed(value)
            )
            raise InvalidEntry([Problem(name, sentence, code=f"{name}.not_a_date")]) from None

    def member(self, name: str, kind: type[KindT], default: KindT | None = None) -> KindT:
        """One word of a list, for example a unit."""
        value = self.text(name)
        if value is None and default is not None:
            return default
        if value is None:
            raise BadRequest(name)
        try:
            return kind(value)
        except ValueError:
            sentence = _("There is no {name} “{value}”. Choose one of: {known}.").format(
                name=name.replace("_", " "), value=echoed(value), known=", ".join(kind)
            )
            raise InvalidEntry([Problem(name, sentence, code=f"{name}.unknown")]) from None
