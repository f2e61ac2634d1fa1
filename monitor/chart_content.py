"""What there is to draw of a session, worked out before anything is placed on the chart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from decimal import Decimal
from html import escape
from uuid import UUID

from monitor import schedule
from monitor.alerts import AlertEvent, AlertState, AlertView, confirmed_spans
from monitor.breaches import baseline, find_breaches, rule_applies, rules_end_at
from monitor.chart_looks import DARK, ICONS, LIGHT, Palette
from monitor.dose_timeline import dose_timeline
from monitor.oxygen import device_text
from monitor.parameters import PARAMETERS
from monitor.protocols import InfusionProtocol
from monitor.record import InfusionSession
from monitor.thresholds import Condition, ThresholdSet
from monitor.timeline import (
    FINDINGS,
    REASON_TEXT,
    Bar,
    Mark,
    NumberedEvent,
    Reading,
    clock,
    effect_bars,
    interval_at,
    limit_text,
    marks,
    mean_marks,
    minute_of,
    number_text,
    numbered_events,
    origin,
    packed,
    readings,
    value_text,
)

#: Rows of numbers that always have a lane, so that what nobody asked about is seen to be missing.
SCORE_ROWS = ("rr", "sedation", "dissociation", "nausea", "pain")


#: Rows that appear when something of them was recorded.
EXTRA_ROWS = ("o2_flow", "etco2", "temp", "acvpu")


_LABELS = {"dissociation": "Dissociation", "nausea": "Nausea", "pain": "Pain", "rr": "RR /min"}


_LABELS |= {"sedation": "Sedation", "o2_flow": "O₂ L/min", "etco2": "EtCO₂", "temp": "Temp °C"}


_LABELS |= {"acvpu": "ACVPU"}


_SHORT = {"dissociation": "Dissoc.", "rr": "RR"}


DELTA = "Δ"

#: Free space between two numbers that stand side by side.
NUMBER_GAP_PX = 4


def text_px(text: str) -> float:
    """How wide a bold number is at most (13 or 14 px high)."""
    return 9.0 * len(text)


@dataclass(frozen=True, slots=True)
class Limit:
    """One absolute limit pair of one parameter, as it held in this session."""

    parameter: str
    direction: str
    warning: Condition | None
    critical: Condition | None


@dataclass(frozen=True, slots=True)
class ChartContent:
    """Everything to be drawn, worked out before anything is placed."""

    session: InfusionSession
    protocol: InfusionProtocol
    zone: tzinfo
    now: datetime
    compact: bool
    narrow: bool
    names: Mapping[str, str]
    palette: Palette
    start_min: float
    end_min: float
    running: bool
    by_parameter: Mapping[str, tuple[Reading, ...]]
    mean_marked: Mapping[UUID, Mark]
    limits: tuple[Limit, ...]
    limits_from_min: float | None
    limits_to_min: float
    baselines: Mapping[str, Decimal]
    interval_min: Callable[[float], float]
    missed_min: tuple[float, ...]
    rows: tuple[str, ...]
    effects: tuple[Bar, ...]
    notes: tuple[Bar, ...]
    alerts: tuple[Bar, ...]
    events: tuple[NumberedEvent, ...]

    @property
    def px_per_min(self) -> float:
        """Width of a minute where the chart is narrowest; only decides what would overlap.

        That is 200 px of plot for the bedside's small chart and on a phone, 680 px on the smallest
        tablet (1024 px).
        """
        return (200 if self.compact or self.narrow else 680) / (self.end_min - self.start_min)

    @property
    def font_px(self) -> int:
        """Size of all text in the chart."""
        return 13 if self.compact else 14

    def person(self, username: str) -> str:
        """What the person is called; a username nobody has stands as it is."""
        return self.names.get(username, username)

    def row_label(self, parameter: str) -> str:
        """The name of a row of numbers."""
        if self.compact and parameter in _SHORT:
            return _SHORT[parameter]
        return _LABELS[parameter]


def chart_content(
    session: InfusionSession,
    protocol: InfusionProtocol,
    threshold_set: ThresholdSet,
    views: tuple[AlertView, ...],
    now: datetime,
    zone: tzinfo,
    *,
    dark: bool,
    compact: bool,
    narrow: bool = False,
    names: Mapping[str, str] | None = None,
) -> ChartContent:
    breaches = find_breaches(session, threshold_set, now, protocol=protocol)
    marked = marks(breaches, threshold_set)
    spans = confirmed_spans(breaches, threshold_set)
    keys = {item.parameter for item in session.current_observations}
    by_parameter = {key: readings(session, key, marked) for key in PARAMETERS if key in keys}
    over_at = rules_end_at(session)
    running = over_at is None
    start_min, end_min = _span(session, now if running else over_at)
    until = over_at or now
    content = ChartContent(
        session=session,
        protocol=protocol,
        zone=zone,
        now=now,
        compact=compact,
        narrow=narrow,
        names=names or {},
        palette=DARK if dark else LIGHT,
        start_min=start_min,
        end_min=end_min,
        running=running,
        by_parameter=by_parameter,
        mean_marked=mean_marks(breaches, threshold_set),
        limits=limits_in_force(threshold_set, session),
        limits_from_min=0.0 if session.started_at else None,
        limits_to_min=minute_of(session, over_at) if over_at else end_min,
        baselines=baseline(session),
        interval_min=interval_at(session, protocol),
        missed_min=tuple(
            minute_of(session, due.due_at)
            for due in schedule.dues(session, protocol, spans, now)
            if due.state == "missed" and due.kind == "interval"
        ),
        rows=(*SCORE_ROWS, *(key for key in EXTRA_ROWS if key in keys)),
        effects=effect_bars(session, until, zone),
        notes=_notes(session, by_parameter, compact=compact),
        alerts=_alert_bars(session, views, until, zone, names or {}),
        events=numbered_events(session, zone, names, [view.alert for view in views]),
    )
    return replace(
        content,
        effects=_pack(content, content.effects),
        notes=_pack(content, content.notes),
        alerts=_pack(content, content.alerts),
    )


def _pack(content: ChartContent, bars: Sequence[Bar]) -> tuple[Bar, ...]:
    px_per_char = 0.58 * content.font_px
    if content.narrow:
        # Half of a phone's plot; the words in full are in the hover and in the tables.
        most = int(100 / px_per_char)
        bars = [
            replace(bar, label=f"{bar.label[: most - 1]}…") if len(bar.label) > most else bar
            for bar in bars
        ]
    return packed(
        bars,
        px_per_min=content.px_per_min,
        px_per_char=px_per_char,
        end_min=content.end_min,
        start_min=content.start_min,
    )


def _span(session: InfusionSession, until: datetime | None) -> tuple[float, float]:
    """The range of the time axis in minutes: everything recorded, and at least an hour."""
    moments = [
        fact.taken_at
        for facts in (
            session.current_observations,
            session.dose_steps,
            session.boluses,
            session.side_effects,
            session.events,
        )
        for fact in facts
    ]
    moments += [origin(session), *([until] if until else [])]
    start = minute_of(session, min(moments))
    end = minute_of(session, max(moments))
    pad = max(3.0, (end - start) * 0.03)
    return start - pad, max(end + pad, start + 60)


def _notes(
    session: InfusionSession, by_parameter: Mapping[str, tuple[Reading, ...]], *, compact: bool
) -> tuple[Bar, ...]:
    """What was not taken and why, and ticks that were set: said in words at their time."""
    at: dict[float, dict[str, str]] = {}
    for key, shown in by_parameter.items():
        for reading in shown:
            said = _note(reading, compact=compact)
            if said:
                level = "critical" if reading.observation.not_taken in FINDINGS else ""
                level = reading.mark.level if reading.mark else level
                words = at.setdefault(reading.minute, {})
                name = "BP" if key in ("sbp", "dbp") else PARAMETERS[key].short
                words[f"{name} {said}".strip()] = level
    found = []
    for minute, words in sorted(at.items()):
        level = next((name for name in ("critical", "warning") if name in words.values()), "")
        label = ", ".join(words)
        found.append(Bar(minute, minute, False, label, label, level))
    return tuple(found)


def _note(reading: Reading, *, compact: bool) -> str:
    """What to say about this reading beyond its number; nothing for most."""
    observation = reading.observation
    if observation.not_taken is not None:
        if compact and observation.not_taken not in FINDINGS:
            return ""
        return REASON_TEXT[observation.not_taken]
    quiet = observation.parameter in ("asleep", "roused_to_voice")
    if PARAMETERS[observation.parameter].kind == "tick" and observation.value and not quiet:
        return "yes"
    return "really so" if observation.really_so and not compact else ""


def _alert_bars(
    session: InfusionSession,
    views: Iterable[AlertView],
    until: datetime,
    zone: tzinfo,
    names: Mapping[str, str],
) -> tuple[Bar, ...]:
    found = []
    for view in sorted(views, key=lambda item: (item.onset_at, item.detected_at)):
        ended_at = view.cleared_at
        text = limit_text(view.text)
        label = f"{ICONS[view.level]} {text}"
        said = [label, f"from {clock(view.onset_at, zone)}"]
        if view.acknowledged_at is not None:
            by = view.acknowledged_by or ""
            answered = f"{names.get(by, by)} {clock(view.acknowledged_at, zone)}"
            label += f" ✓ {answered}"
            said += [f"answered by {answered}", *(_answer(answer) for answer in view.answers)]
        elif view.state is AlertState.INVALIDATED:
            label += " (amended)"
        elif view.unconfirmed:
            label += " (not confirmed)"
        elif view.state is AlertState.PENDING:
            label += " recheck"
        elif view.level == "critical" or view.is_open:
            label += " unanswered"
        said.append(f"inside again {clock(ended_at, zone)}" if ended_at else "not inside again")
        found.append(
            Bar(
                start_min=minute_of(session, view.onset_at),
                end_min=minute_of(session, max(ended_at or until, view.onset_at)),
                ongoing=ended_at is None,
                label=label,
                detail="\n".join(part for part in (*said, limit_text(view.detail)) if part),
                level="" if view.state is AlertState.INVALIDATED else view.level,
            )
        )
    return tuple(found)


def _answer(event: AlertEvent) -> str:
    return ": ".join(part for part in (event.action, event.text) if part)


def limits_in_force(
    threshold_set: ThresholdSet,
    session: InfusionSession,
    signs: Sequence[str] = ("sbp", "dbp", "hr", "spo2"),
) -> tuple[Limit, ...]:
    """The absolute limits of these signs of a session, in the order of the threshold set.

    Rows for another scale or another baseline are left out, so that what is shaded is what counts;
    of several rows of one sign the limit that is reached first is in force.
    """
    values = baseline(session)
    found: dict[tuple[str, str], dict[str, Condition]] = {}
    for rule in threshold_set.rules:
        if rule.sign not in signs or not rule_applies(rule, session, values):
            continue
        for level in rule.levels:
            for clause in level.fires:
                if len(clause) == 1 and clause[0].measure == "value":
                    levels = found.setdefault((rule.sign, _direction(clause[0])), {})
                    levels[level.name] = _first_reached(levels.get(level.name), clause[0])
    return tuple(
        Limit(sign, direction, levels.get("warning"), levels.get("critical"))
        for (sign, direction), levels in found.items()
    )


def _direction(condition: Condition) -> str:
    return "high" if ">" in condition.operator else "low"


def _first_reached(before: Condition | None, condition: Condition) -> Condition:
    if before is None:
        return condition
    first = min if _direction(condition) == "high" else max
    return first(before, condition, key=lambda item: item.limit)


def dose_scale(session: InfusionSession) -> tuple[float, str]:
    """What a rate in mg/h is divided by to be drawn, and its unit: mg/kg/h when weight is known."""
    weight = session.weight_kg
    return (float(weight), "mg/kg/h") if weight else (1.0, "mg/h")


def dose_top(content: ChartContent) -> float:
    divisor, unit = dose_scale(content.session)
    points = dose_timeline(content.session).points
    rates = [float(point.rate_mg_per_h) / divisor for point in points]
    if unit == "mg/kg/h":
        rates += [
            float(step.rate_mg_per_kg_h)
            for step in content.protocol.steps
            if step.after_min <= content.end_min
        ]
    return max([0.05, *rates])


def plain(text: str) -> str:
    """Text of people as plotly shows it: no mark-up of theirs, line ends kept."""
    return escape(text, quote=False).replace("\n", "<br>")


def hover(reading: Reading, content: ChartContent) -> str:
    """What a reading says of itself: time, value, limit crossed, lateness, what it said before."""
    observation, zone = reading.observation, content.zone
    name = PARAMETERS[observation.parameter].short
    said = [f"{clock(observation.taken_at, zone)}  {name} {value_text(observation)}"]
    if device := device_text(observation):
        said.append(f"by {device}")
    if observation.entered_unit and observation.entered_value is not None:
        said.append(f"entered {number_text(observation.entered_value)} {observation.entered_unit}")
    if reading.mark:
        said += [f"{ICONS[reading.mark.level]} {text}" for text in reading.mark.texts]
    if reading.late:
        first = reading.was[0] if reading.was else observation
        said.append(f"entered late, at {clock(first.recorded_at, zone)}")
    for before in reading.was:
        said.append(f"{DELTA} amended, was {value_text(before)}")
    if reading.amendment:
        said.append(
            f"by {content.person(reading.amendment.recorded_by)} {clock(reading.amendment.taken_at, zone)}: "
            f"{reading.amendment.reason}"
        )
    if observation.really_so:
        said.append(f"confirmed as really so{': ' + observation.note if observation.note else ''}")
    source = f" {observation.source.words}" if observation.source.words else ""
    said.append(f"entered{source} by {content.person(observation.recorded_by)}")
    return plain("\n".join(said))


def valued(shown: Iterable[Reading]) -> list[Reading]:
    return [reading for reading in shown if reading.value is not None]
