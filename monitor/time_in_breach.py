"""How long a sign was beyond a limit: straight lines between readings, crossings solved exactly.

Clinical.md 11.1 with U-70 and U-71: a line joins consecutive accepted readings unless the gap is
longer than twice the observation interval; confirmation and hysteresis play no part.  Times are
microseconds since the first dose, values are exact decimals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

#: A stretch of time: start and end in microseconds, exact.
Span = tuple[Decimal, Decimal]

US_PER_MIN = 60_000_000


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of one sign, ``at_us`` microseconds after the first dose (before it: negative)."""

    at_us: Decimal
    value: Decimal


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line between two readings."""

    left: Reading
    right: Reading

    def at(self, at_us: Decimal) -> Decimal:
        """The value on the line."""
        left, right = self.left, self.right
        if left.value == right.value or at_us == left.at_us:
            return left.value
        share = (at_us - left.at_us) / (right.at_us - left.at_us)
        return left.value + (right.value - left.value) * share

    def cut(self, start_us: Decimal, end_us: Decimal) -> Line | None:
        """The part of the line inside the window; None when nothing of it is."""
        start, end = max(self.left.at_us, start_us), min(self.right.at_us, end_us)
        if start >= end:
            return None
        if start == self.left.at_us and end == self.right.at_us:
            return self
        return Line(Reading(start, self.at(start)), Reading(end, self.at(end)))

    def beyond(self, limit: Decimal, *, above: bool) -> Span | None:
        """The stretch at or beyond the limit."""
        sign = 1 if above else -1
        left, right = sign * (self.left.value - limit), sign * (self.right.value - limit)
        if left >= 0 and right >= 0:
            return (self.left.at_us, self.right.at_us)
        if left < 0 and right < 0:
            return None
        crossing = self.left.at_us + (self.right.at_us - self.left.at_us) * left / (left - right)
        return (crossing, self.right.at_us) if right >= 0 else (self.left.at_us, crossing)


def lines(readings: Sequence[Reading], longest_us: Callable[[Decimal], int]) -> tuple[Line, ...]:
    """Lines between consecutive readings; ``longest_us`` is the longest gap after a moment.

    A gap of exactly that length is kept.  Of two readings at one moment the later one counts, so
    they are given in the order of the record (U-73).
    """
    one_each = list({reading.at_us: reading for reading in readings}.values())
    return tuple(
        Line(left, right)
        for left, right in pairwise(one_each)
        if right.at_us - left.at_us <= longest_us(left.at_us)
    )


def cut_all(drawn: Iterable[Line], window: Span) -> tuple[Line, ...]:
    """The parts of the lines inside the window."""
    return tuple(part for line in drawn if (part := line.cut(*window)) is not None)


def covered(drawn: Iterable[Line]) -> list[Span]:
    """The stretches a sign is known in."""
    return joined((line.left.at_us, line.right.at_us) for line in drawn)


def beyond(drawn: Iterable[Line], limit: Decimal, *, above: bool) -> list[Span]:
    """The stretches at or beyond a limit."""
    spans = (line.beyond(limit, above=above) for line in drawn)
    return joined(span for span in spans if span is not None)


def mean(drawn: Sequence[Line]) -> Decimal | None:
    """The time-weighted mean by trapezoids over what is covered; None when nothing is."""
    us = length_us(covered(drawn))
    if us == 0:
        return None
    area = sum(
        (
            (line.left.value + line.right.value) * (line.right.at_us - line.left.at_us)
            for line in drawn
        ),
        Decimal(0),
    )
    return area / 2 / us


def joined(spans: Iterable[Span]) -> list[Span]:
    """The same time as stretches that neither overlap nor touch, in order."""
    result: list[Span] = []
    for start, end in sorted(spans):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(result[-1][1], end))
        else:
            result.append((start, end))
    return result


def common(first: Sequence[Span], second: Sequence[Span]) -> list[Span]:
    """The time that lies in both; each is in order and free of overlaps."""
    return list(_common(first, second))


def _common(first: Sequence[Span], second: Sequence[Span]) -> Iterator[Span]:
    left = right = 0
    while left < len(first) and right < len(second):
        start = max(first[left][0], second[right][0])
        end = min(first[left][1], second[right][1])
        if start < end:
            yield (start, end)
        if first[left][1] < second[right][1]:
            left += 1
        else:
            right += 1


def length_us(spans: Iterable[Span]) -> Decimal:
    """Microseconds in all."""
    return sum((end - start for start, end in spans), Decimal(0))


def minutes(us: Decimal | int) -> Decimal:
    """Microseconds as minutes."""
    return Decimal(us) / US_PER_MIN
