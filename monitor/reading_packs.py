"""The readings of a closed session, packed: what a question about 100,000 sessions can read in seconds.

The record keeps each observation as a row with a decimal text; to read 15 million of them for one
question takes minutes.  So for each closed session and sign the stream the rules read (readings.py)
is kept once more as plain arrays.  A projection: it may be emptied, and is made anew from the record.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import nan
from uuid import UUID

from monitor.breaches import rules_end_at
from monitor.lifecycle import EventKind
from monitor.readings import baseline, session_readings
from monitor.record import InfusionSession
from monitor.thresholds import RELATIVE, SIGNS, ThresholdSet

_MICROSECOND = timedelta(microseconds=1)

#: Signs whose readings are one stream for a session; a side effect has a stream of its own each.
PACKED_SIGNS = tuple(sign for sign in SIGNS if sign != "side_effect")


@dataclass(frozen=True, slots=True)
class ReadingPack:
    """One sign of one session.

    ``packed`` holds, little-endian and one after the other, for all readings: microseconds since the
    first dose and of saving (int64), the number of the set (int64), then a float64 for each of
    ``pack_columns(sign)``, NaN where a reading does not say it.  ``baseline`` is the nearest float to
    the exact one as text, ``ends_us`` when the rules or the record end (U-09, U-67); None: neither.
    """

    session_id: UUID
    sign: str
    clinic: str
    started_at: datetime
    readings: int
    baseline: str | None
    ends_us: int | None
    packed: bytes


def pack_columns(sign: str) -> tuple[str, ...]:
    """What is kept of each reading of a sign: its measures, those relative to baseline left out."""
    measures = (name for name in SIGNS[sign].measures if name not in RELATIVE and name != "value")
    return ("value", *measures)


def reading_packs(session: InfusionSession, limits: ThresholdSet) -> Iterator[ReadingPack]:
    """The packs of a session that was started, one for each sign that was read at all."""
    started_at = session.started_at
    if started_at is None:
        return
    streams, ends = session_readings(session, limits.newest_within), _ends_at(session)
    usual = baseline(session)
    ends_us = None if ends is None else (ends - started_at) // _MICROSECOND
    for sign in PACKED_SIGNS:
        stream = streams.of(sign)
        if not stream:
            continue
        times, saved, entry = array("q"), array("q"), array("q")
        columns = {name: array("d") for name in pack_columns(sign)}
        entries: dict[object, int] = {}
        for reading in stream:
            times.append((reading.at - started_at) // _MICROSECOND)
            saved.append((reading.known_at - started_at) // _MICROSECOND)
            of = reading.set_id or len(entries)
            entry.append(entries.setdefault(of, len(entries)))
            for name, column in columns.items():
                value = reading.measures.get(name)
                column.append(nan if value is None else float(value))
        known = usual.get(SIGNS[sign].baseline or "")
        parts: list[array[int] | array[float]] = [times, saved, entry, *columns.values()]
        yield ReadingPack(
            session_id=session.id,
            sign=sign,
            clinic=session.clinic,
            started_at=started_at,
            readings=len(stream),
            baseline=None if known is None else repr(float(known)),
            ends_us=ends_us,
            packed=b"".join(_little_endian(part) for part in parts),
        )


def _little_endian(part: array[int] | array[float]) -> bytes:
    if sys.byteorder == "big":
        part = part[:]
        part.byteswap()
    return part.tobytes()


def _ends_at(session: InfusionSession) -> datetime | None:
    """When a closed record ends: discharge, else its last observation (U-09, U-67)."""
    end_at = rules_end_at(session)
    if end_at is not None:
        return end_at
    events = session.current(session.events)
    closed = any(event.kind in (EventKind.COMPLETED, EventKind.SIGNED) for event in events)
    times = [seen.taken_at for seen in session.current_observations]
    return max(times, default=None) if closed else None
