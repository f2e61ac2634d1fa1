"""Where a dose leads: the total at the planned end, and when each limit is reached (U-25)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from monitor.dose_limits import total_limits_mg
from monitor.dose_plan import planned_end_at
from monitor.dose_timeline import DoseTimeline
from monitor.dose_units import US_PER_HOUR, US_PER_MIN, ZERO, microseconds, plain
from monitor.limit_rows import Severity, binding
from monitor.protocols import InfusionProtocol


@dataclass(frozen=True, slots=True)
class LimitTime:
    """A limit and the minutes until it is reached; 0 when it is passed already."""

    limit: str
    kind: Severity
    words: str
    minutes: Decimal


@dataclass(frozen=True, slots=True)
class DoseOutlook:
    """The total at the planned end, and every limit that is reached, were all to go on as it is."""

    total_mg: Decimal
    limit_times: tuple[LimitTime, ...]


def dose_outlook(
    timeline: DoseTimeline, protocol: InfusionProtocol, weight_kg: Decimal, at: datetime
) -> DoseOutlook:
    """What follows from the timeline from that moment on; call inside ``exact``."""
    times = []
    for row in total_limits_mg(protocol, weight_kg):
        us = timeline.us_to_above(row.mg, at)
        if us is not None:
            times.append(LimitTime(row.limit, row.kind, row.words, max(ZERO, us) / US_PER_MIN))
    started_at = timeline.started_at
    if started_at is not None and timeline.rate_at(at) > 0:
        for kind, hours, _whose in binding(protocol, "duration_h"):
            ends_at = started_at + timedelta(microseconds=int(hours * US_PER_HOUR))
            us = Decimal(microseconds(at, ends_at))
            words = f"{plain(hours)} h of infusion"
            times.append(LimitTime("duration_h", kind, words, max(ZERO, us) / US_PER_MIN))
    end_at = max([at, *(bolus.end_at for bolus in timeline.boluses)])
    if timeline.rate_at(at) > 0:
        end_at = max(end_at, planned_end_at(timeline, protocol, at))
    return DoseOutlook(timeline.total_mg(end_at), tuple(times))
