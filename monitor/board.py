"""The live board: one row per open session, sorted by need, worked out once per process and second.

Nothing here is kept across people: rows hold what everyone of the clinic with board access may
see, and a wall device gets them without names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Lock
from uuid import UUID
from weakref import WeakKeyDictionary

from monitor import dosing, schedule
from monitor.actions import OpenSession, open_sessions
from monitor.alerts import AlertState, AlertView, open_alerts
from monitor.escalation import CALLED, WARNING_TO
from monitor.lifecycle import SessionStatus, phase_text
from monitor.permissions import Action, Role, User, check_may
from monitor.record import DoseUnit, InfusionSession, Observation
from monitor.schedule import Due
from monitor.store import Store
from monitor.timeline import (
    bare_text,
    interval_at,
    joined,
    limit_text,
    marks,
    minute_of,
    readings,
    shortest_interval_min,
)

#: What the columns of the board are; BP is two parameters in one.
COLUMNS = (("hr", "HR"), ("bp", "BP"), ("spo2", "SpO₂"), ("rr", "RR"), ("sedation", "Sedation"))
#: How far ahead the load of each nurse looks.
LOAD_WINDOW = timedelta(minutes=5)
#: How much of the past the small trend shows.
TREND_WINDOW = timedelta(minutes=60)
#: Signs whose course says something in a small trend.
TREND_PARAMETERS = ("sbp", "dbp", "map", "hr", "spo2", "rr")


@dataclass(frozen=True, slots=True)
class BoardCell:
    """A value on the board.  ``age_s`` is None when there is none.

    ``freshness`` is ``"fresh"``, ``"old"`` (greyed) or ``"hidden"`` (too old to show: ``text`` is
    then a dash, the value itself is not in the row any more).
    """

    parameter: str
    label: str
    text: str
    level: str
    freshness: str
    age_s: int | None


@dataclass(frozen=True, slots=True)
class BoardFlag:
    """One open alert in words, a set that is late or missed among them.

    ``to`` are those who are told because nobody answered it; nobody while its banner is hidden.
    """

    level: str
    text: str
    to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BoardDue:
    """The next set: seconds until it is due (negative when over) and its state."""

    state: str
    in_s: int


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One session as everyone sees it."""

    session_id: UUID
    chair: str
    name: str
    status: SessionStatus
    phase: str
    elapsed_s: int | None
    nurse: str
    rate: str
    flags: tuple[BoardFlag, ...]
    open_alerts: int
    cells: tuple[BoardCell, ...]
    trend_parameter: str
    trend: tuple[tuple[tuple[float, float], ...], ...]
    due: BoardDue | None
    need: tuple[int, int]

    @property
    def level(self) -> str:
        """What the row's edge shows: critical, warning or nothing."""
        levels = {flag.level for flag in self.flags}
        return next((level for level in ("critical", "warning") if level in levels), "")


@dataclass(frozen=True, slots=True)
class NurseLoad:
    """What falls due for one nurse in the next five minutes."""

    nurse: str
    due: int
    late: int


@dataclass(slots=True)
class _Held:
    """The sessions of a clinic as read at ``version``, and the rows made of them last."""

    version: int
    sessions: tuple[OpenSession, ...]
    names: Mapping[str, str]
    second: int = -1
    rows: tuple[BoardRow, ...] = ()


class _Snapshots:
    """One reading of a clinic's open sessions per version, one set of rows per second."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._held: dict[str, _Held] = {}

    def rows(self, store: Store, user: User, now: datetime) -> tuple[BoardRow, ...]:
        version = store.version(user.clinic)
        second = int(now.timestamp())
        with self._lock:
            held = self._held.get(user.clinic)
            if held is None or held.version != version:
                names = {item.username: item.name for item in store.users(user.clinic)}
                held = _Held(version, open_sessions(store, user, now=now), names)
                self._held[user.clinic] = held
            if held.second != second:
                held.rows = board_rows(held.sessions, now, held.names)
                held.second = second
            return held.rows


_snapshots: WeakKeyDictionary[Store, _Snapshots] = WeakKeyDictionary()
_snapshots_lock = Lock()


def board_snapshot(store: Store, user: User, now: datetime) -> tuple[BoardRow, ...]:
    """The board at ``now``, sorted by need; however many look, it is worked out once a second.

    Raises:
        NotPermitted: the person may not see the board.
        StoreUnavailable: the database does not answer.
    """
    check_may(user, Action.SEE_BOARD)
    with _snapshots_lock:
        snapshots = _snapshots.setdefault(store, _Snapshots())
    rows = snapshots.rows(store, user, now)
    if user.role is Role.WALL:
        return tuple(replace(row, name="", nurse="") for row in rows)
    return rows


def board_rows(
    sessions: Iterable[OpenSession], now: datetime, names: Mapping[str, str]
) -> tuple[BoardRow, ...]:
    """A row for each session as it stands at ``now``, those that need someone first."""
    rows = [board_row(replace(opened, as_of=now), names) for opened in sessions]
    return tuple(sorted(rows, key=lambda row: (row.need, row.chair)))


def board_row(opened: OpenSession, names: Mapping[str, str]) -> BoardRow:
    """One session as it stands at its ``as_of``."""
    session, now = opened.session, opened.as_of
    views = open_alerts(opened.views)
    late = next(iter(opened.overdue), None)
    due = opened.due
    parameter, trend = _trend(opened, views)
    return BoardRow(
        session_id=session.id,
        chair=session.chair,
        name=f"{session.patient.family_name.upper()}, {session.patient.given_name}",
        status=opened.status,
        phase=phase_text(session, opened.protocol, now),
        elapsed_s=_elapsed_s(opened),
        nurse=_nurse(session, names),
        rate=_rate(opened),
        flags=_flags(views, opened.clock_view, late, now),
        open_alerts=len(views),
        cells=_cells(opened),
        trend_parameter=parameter,
        trend=trend,
        due=BoardDue(due.state, int((due.due_at - now).total_seconds())) if due else None,
        need=_need(views, late, due, opened.status, now),
    )


def escalated_to(rows: Iterable[BoardRow], user: User) -> tuple[tuple[BoardRow, BoardFlag], ...]:
    """What this person is told of because nobody answered it (clinical.md 7.2)."""
    called = {user.role.value} | ({WARNING_TO} if user.shift_lead else set())
    return tuple((row, flag) for row in rows for flag in row.flags if called & set(flag.to))


def nurse_loads(rows: Iterable[BoardRow]) -> tuple[NurseLoad, ...]:
    """How many sets fall due for whom in the next five minutes, and how many are late."""
    counts: dict[str, list[int]] = {}
    for row in rows:
        if row.due is None or not row.nurse:
            continue
        found = counts.setdefault(row.nurse, [0, 0])
        if row.due.state in ("late", "missed"):
            found[1] += 1
        elif row.due.in_s <= LOAD_WINDOW.total_seconds():
            found[0] += 1
    return tuple(NurseLoad(name, due, late) for name, (due, late) in sorted(counts.items()))


def _elapsed_s(opened: OpenSession) -> int | None:
    """Seconds since the first dose; in recovery since the infusion ended."""
    since = opened.session.started_at
    if opened.status is SessionStatus.RECOVERY:
        since = dosing.infusion_ended_at(opened.session) or since
    return int((opened.as_of - since).total_seconds()) if since else None


def _nurse(session: InfusionSession, names: Mapping[str, str]) -> str:
    """Who looks after the session: who took the last set, before it who opened the session."""
    taken = session.current_observations
    username = taken[-1].recorded_by if taken else session.created_by
    return names.get(username, username)


def _rate(opened: OpenSession) -> str:
    session, now = opened.session, opened.as_of
    if session.started_at is None:
        return "not started"
    rate = dosing.current_rate_mg_per_h(session, now)
    if rate > 0:
        weight = session.weight_kg
        if weight is None:
            return dosing.format_dose(rate, DoseUnit.MG_PER_H)
        return dosing.format_dose(rate / weight, DoseUnit.MG_PER_KG_PER_H)
    return "paused" if opened.status is SessionStatus.PAUSED else "stopped"


def minutes_text(seconds: int) -> str:
    """Minutes and seconds, or hours and minutes from one hour on: 3:20, 1 h 05."""
    seconds = abs(seconds)
    if seconds >= 3600:
        return f"{seconds // 3600} h {seconds % 3600 // 60:02d}"
    return f"{seconds // 60}:{seconds % 60:02d}"


def _flags(
    views: Sequence[AlertView], clock: AlertView | None, late: Due | None, now: datetime
) -> tuple[BoardFlag, ...]:
    """Critical before warning, the set that is waited for after what the patient shows."""
    flags = [BoardFlag(view.level, _flag_text(view, now), _told(view)) for view in views]
    if clock is not None and late is not None:
        flags.append(BoardFlag(clock.level, _late_text(clock, late, now), _told(clock)))
    return tuple(sorted(flags, key=lambda flag: flag.level != "critical"))


def _told(view: AlertView) -> tuple[str, ...]:
    return () if view.suppressed_until is not None else view.escalated_to


def _late_text(view: AlertView, late: Due, now: datetime) -> str:
    said = f"set {late.state} {minutes_text(int((now - late.due_at).total_seconds()))}"
    if view.acknowledged_at is not None:
        return f"{said} · answered"
    return f"{said} · on {CALLED[view.escalated_to[-1]]}'s screen" if view.escalated_to else said


def _flag_text(view: AlertView, now: datetime) -> str:
    text = limit_text(view.text)
    if view.state is AlertState.PENDING:
        if view.recheck_by is None:
            return f"{text} · recheck now"
        left = int((view.recheck_by - now).total_seconds())
        return f"{text} · recheck {minutes_text(left) if left > 0 else 'now'}"
    if view.acknowledged_at is not None:
        return f"{text} · answered"
    since = int((now - max(view.confirmed_at or view.onset_at, view.detected_at)).total_seconds())
    said = f"{text} · unanswered {minutes_text(since)}"
    if view.escalated_to:
        said += f" · on {CALLED[view.escalated_to[-1]]}'s screen"
    return said


def _need(
    views: Sequence[AlertView],
    late: Due | None,
    due: Due | None,
    status: SessionStatus,
    now: datetime,
) -> tuple[int, int]:
    """Sort key: the lower, the sooner somebody has to look."""
    answered = [view.acknowledged_at is not None for view in views]
    levels = [(view.level, done) for view, done in zip(views, answered, strict=True)]
    if ("critical", False) in levels:
        rank = 0
    elif ("critical", True) in levels:
        rank = 1
    elif ("warning", False) in levels:
        # An unanswered warning whose next set is missing is the worst of both.
        rank = 2 if late is not None and late.state == "missed" else 4
    elif late is not None and late.state == "missed":
        rank = 3
    elif late is not None:
        rank = 5
    elif levels:
        rank = 6
    elif status in (SessionStatus.INFUSING, SessionStatus.PAUSED):
        rank = 7
    elif status is SessionStatus.RECOVERY:
        rank = 8
    else:
        rank = 9
    return rank, int((due.due_at - now).total_seconds()) if due else 10**9


def _cells(opened: OpenSession) -> tuple[BoardCell, ...]:
    marked = marks(opened.breaches, opened.threshold_set)
    latest: dict[str, Observation] = {}
    for observation in opened.session.current_observations:
        latest[observation.parameter] = observation
    cells = []
    for key, label in COLUMNS:
        parts = [
            latest[name] for name in (("sbp", "dbp") if key == "bp" else (key,)) if name in latest
        ]
        levels = {marked[item.id].level for item in parts if item.id in marked}
        level = next((name for name in ("critical", "warning") if name in levels), "")
        cells.append(_cell(key, label, parts, level, opened))
    return tuple(cells)


def _cell(
    key: str,
    label: str,
    parts: Sequence[Observation],
    level: str,
    opened: OpenSession,
) -> BoardCell:
    if not parts:
        return BoardCell(key, label, "–", "", "fresh", None)
    taken_at = min(item.taken_at for item in parts)
    age = opened.as_of - taken_at
    freshness = _freshness(taken_at, opened)
    if freshness == "hidden":
        return BoardCell(key, label, "–", "", "hidden", int(age.total_seconds()))
    texts = [bare_text(item) for item in parts]
    if all(item.value is None for item in parts):
        # Systolic and diastolic share one reason when there is neither.
        texts = list(dict.fromkeys(texts))
    text = "/".join(texts)
    return BoardCell(key, label, text, level, freshness, int(age.total_seconds()))


def _freshness(taken_at: datetime, opened: OpenSession) -> str:
    """Old once a set is overdue by its grace, hidden once a second one would be.

    The interval is the row's own, the shorter of those in force then and now.  A set that is late
    or missed makes what was taken before it old at once, also where a change of dose or an alert
    asked for it sooner than the interval.
    """
    planned = interval_at(opened.session, opened.protocol)
    every = min(planned(minute_of(opened.session, at)) for at in (taken_at, opened.as_of))
    interval = timedelta(minutes=every)
    rules = opened.protocol.schedule_profile.rules
    grace = timedelta(seconds=schedule.grace_s(int(every), rules))
    age = opened.as_of - taken_at
    overdue = any(taken_at < due.due_at for due in opened.overdue)
    if age <= interval + grace and not overdue:
        return "fresh"
    return "old" if age <= 2 * interval + grace else "hidden"


def _trend(
    opened: OpenSession, views: Sequence[AlertView]
) -> tuple[str, tuple[tuple[tuple[float, float], ...], ...]]:
    """The last hour of the sign that needs looking at, as runs of (minute, value)."""
    session = opened.session
    flagged = [view.alert.parameter for view in views]
    parameter = next((name for name in flagged if name in TREND_PARAMETERS), "sbp")
    since = minute_of(session, opened.as_of - TREND_WINDOW)
    recent = [reading for reading in readings(session, parameter, {}) if reading.minute >= since]
    runs = joined(
        recent,
        interval_min=interval_at(session, opened.protocol),
        shortest_min=shortest_interval_min(opened.protocol),
    )
    return parameter, tuple(
        tuple((reading.minute, float(reading.value or 0)) for reading in run) for run in runs
    )
