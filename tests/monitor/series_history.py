"""The readings of sessions as a ``History``, made from the streams the readable evaluator reads."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from monitor.breaches import Breach, baseline, rules_end_at
from monitor.lifecycle import EventKind
from monitor.readings import session_readings
from monitor.record import InfusionSession
from monitor.series import NEVER, STATES, Episodes, History
from monitor.thresholds import LEVELS, SIGNS, ThresholdSet

_US = timedelta(microseconds=1)


def us(moment: datetime | None, start: datetime) -> int:
    return NEVER if moment is None else (moment - start) // _US


def history_of(
    sessions: Sequence[InfusionSession], sign: str, limits: ThresholdSet, as_of: datetime
) -> History:
    """One sign of started sessions, as known at that moment."""
    known = [session.known_at(as_of) for session in sessions]
    # One that has not started by then is counted from its start all the same: all before it.
    starts = [session.started_at or as_of for session in sessions]
    rows: dict[str, list[Any]] = {"session": [], "at": [], "saved": [], "entry": []}
    measures: dict[str, list[float]] = {name: [] for name in SIGNS[sign].measures}
    entries: dict[Any, int] = {}
    for index, (session, start) in enumerate(zip(known, starts, strict=True)):
        for reading in session_readings(session, limits.newest_within).of(sign):
            rows["session"].append(index)
            rows["at"].append(us(reading.at, start))
            rows["saved"].append(us(reading.known_at, start))
            entry = reading.set_id or (index, reading.at, len(entries))
            rows["entry"].append(entries.setdefault(entry, len(entries)))
            for name, column in measures.items():
                column.append(float(reading.measures.get(name, "nan")))
    key = SIGNS[sign].baseline
    baselines = [baseline(session).get(key or "") for session in known]
    columns = {
        name: np.array(column, np.float64)
        for name, column in measures.items()
        if not name.startswith(("rise", "fall"))
    }
    count = len(rows["session"])
    return History(
        session=np.array(rows["session"], np.int32),
        at_us=np.array(rows["at"], np.int64),
        value=columns.pop("value", np.full(count, np.nan)),
        baseline=np.array([np.nan if b is None else float(b) for b in baselines], np.float64),
        measures=columns,
        saved_us=np.array(rows["saved"], np.int64),
        entry=np.array(rows["entry"], np.int64),
        ends_us=np.array([us(ends_at(s), o) for s, o in zip(known, starts, strict=True)]),
        as_of_us=np.array([us(as_of, start) for start in starts]),
        spo2_scale=np.array([session.spo2_scale for session in known]),
        sedation_scale=np.array([session.sedation_scale for session in known]),
        dissociation_scale=np.array(["NRS0-10" for _ in known]),
    )


def ends_at(session: InfusionSession) -> datetime | None:
    """When a closed record ends: discharge, else its last observation (U-09, U-67)."""
    end_at = rules_end_at(session)
    if end_at is not None:
        return end_at
    closed = any(e.kind in (EventKind.COMPLETED, EventKind.SIGNED) for e in session.events)
    times = [seen.taken_at for seen in session.current_observations]
    return max(times, default=None) if closed else None


def told(breach: Breach, start: datetime) -> tuple[Any, ...]:
    """What both evaluators say of a breach."""
    return (
        us(breach.onset_at, start),
        breach.level,
        breach.state,
        breach.confirmed_level,
        us(breach.confirmed_at, start),
        breach.confirmed_by_clock,
        us(breach.ended_at, start),
        breach.retrospective,
    )


def told_of(episodes: Episodes, session: int) -> list[tuple[Any, ...]]:
    """The same of the breaches of one session."""
    return [
        (
            int(episodes.onset_us[i]),
            LEVELS[episodes.level[i] - 1],
            STATES[episodes.state[i]],
            LEVELS[episodes.confirmed_level[i] - 1] if episodes.confirmed_level[i] else None,
            int(episodes.confirmed_us[i]),
            bool(episodes.confirmed_by_clock[i]),
            int(episodes.ended_us[i]),
            bool(episodes.retrospective[i]),
        )
        for i in np.flatnonzero(episodes.session == session)
    ]
