"""What was done and what happened: the dose, side effects, notes, alerts and events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from math import nan

from monitor import dosing
from monitor.chart_canvas import Drawing, each
from monitor.chart_content import NUMBER_GAP_PX, ChartContent, dose_scale, plain, text_px
from monitor.record import DoseUnit, InfusionSession
from monitor.timeline import Bar, clock, disc_groups, minute_of, origin


def draw_doses(drawing: Drawing) -> None:
    content, palette = drawing.content, drawing.palette
    session = content.session
    divisor, unit = dose_scale(session)
    if content.compact:
        small = f'<span style="font-size:12px;color:{palette.soft}">{unit}</span>'
        drawing.label("dose", f"<b>Dose</b> {small}", at_px=9)
    else:
        drawing.title("dose", "Dose", unit)
    _draw_plan(drawing, unit)
    until = _dose_until(content)
    segments = dosing.rate_segments(session, until)
    x: list[float] = []
    y: list[float] = []
    said: list[str] = []
    for segment in segments:
        rate = float(segment.rate_mg_per_h) / divisor
        start, end = minute_of(session, segment.start_at), minute_of(session, segment.end_at)
        x += [start, end]
        y += [rate, rate]
        text = _rate_hover(session, segment, content.zone)
        said += [text, text]
    if x:
        drawing.points(
            "Rate",
            "dose",
            [x[0], *x, x[-1]],
            [0, *y, 0],
            mode="lines",
            fill="tozeroy",
            fillcolor=palette.dose_fill,
            line={"color": palette.dose, "width": 2.5},
            text=[said[0], *said, said[-1]],
        )
    _draw_dose_labels(drawing, segments, divisor, unit)
    _draw_pauses(drawing, segments, until)
    _draw_boluses(drawing)
    _draw_total(drawing, until)


@dataclass(frozen=True, slots=True)
class _DoseLabel:
    """A number in the dose lane, its lower left corner at (minute, y)."""

    name: str
    text: str
    minute: float
    y: float


def _draw_dose_labels(
    drawing: Drawing, segments: Sequence[dosing.RateSegment], divisor: float, unit: str
) -> None:
    """Rates and boluses in numbers; of those that would touch each other only the newest."""
    content = drawing.content
    labels = [*_rate_labels(content, segments, divisor, unit), *_bolus_labels(drawing)]
    labels.sort(key=lambda label: label.minute, reverse=True)
    lane = drawing.lanes["dose"]
    px_per_unit = lane.height_px / (lane.high - lane.low)
    end = content.end_min * content.px_per_min
    kept: list[tuple[float, float, float, _DoseLabel]] = []
    for label in labels:
        width = text_px(label.text) + NUMBER_GAP_PX
        # A rate that began a moment ago is written before the edge, not beyond it.
        left = min(label.minute * content.px_per_min, end - width)
        right = left + width
        bottom = label.y * px_per_unit
        if all(
            right <= other[0] or other[1] <= left or abs(bottom - other[2]) >= 1.5 * content.font_px
            for other in kept
        ):
            kept.append((left, right, bottom, label))
    for _left, right, _bottom, label in kept:
        at_edge = right >= end
        drawing.annotations.append(
            {
                "name": label.name,
                "text": f"<b>{label.text}</b>",
                "x": content.end_min if at_edge else label.minute,
                "y": label.y,
                "yref": lane.axis,
                "showarrow": False,
                "xanchor": "right" if at_edge else "left",
                "yanchor": "bottom",
                "xshift": -2 if at_edge else 2,
                "borderpad": 0,
                "bgcolor": drawing.palette.card,
                "opacity": 0.9,
                "font": {"size": content.font_px, "color": drawing.palette.ink},
            }
        )


def _bolus_labels(drawing: Drawing) -> list[_DoseLabel]:
    session = drawing.content.session
    return [
        _DoseLabel(
            "bolus",
            dosing.format_dose(bolus.amount_mg, DoseUnit.MG),
            minute_of(session, bolus.taken_at),
            drawing.lanes["dose"].high * 0.72,
        )
        for bolus in session.current(session.boluses)
    ]


def _dose_until(content: ChartContent) -> datetime:
    last = origin(content.session) + timedelta(minutes=content.end_min)
    return min(content.now, last)


def _rate_hover(session: InfusionSession, segment: dosing.RateSegment, zone: tzinfo) -> str:
    rate = segment.rate_mg_per_h
    said = [f"{clock(segment.start_at, zone)} to {clock(segment.end_at, zone)}"]
    if session.weight_kg:
        said.append(dosing.format_dose(rate / session.weight_kg, DoseUnit.MG_PER_KG_PER_H))
    said.append(dosing.format_dose(rate, DoseUnit.MG_PER_H))
    given = dosing.cumulative_mg(session, segment.end_at)
    said.append(f"given by then {dosing.format_dose(given, DoseUnit.MG)}")
    return plain("\n".join(said))


def _draw_plan(drawing: Drawing, unit: str) -> None:
    """The planned steps as a ghost line, to the planned end or the edge of the chart."""
    content = drawing.content
    if unit != "mg/kg/h" or not content.session.started_at:
        return
    last = min(content.end_min, float(content.protocol.planned_duration_min))
    ended_at = dosing.infusion_ended_at(content.session)
    if ended_at is not None:
        # Nothing is planned any more once the infusion was stopped.
        last = min(last, minute_of(content.session, ended_at))
    x: list[float] = []
    y: list[float] = []
    if last <= 0:
        return
    steps = [step for step in content.protocol.steps if step.after_min < last]
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        rate = float(step.rate_mg_per_kg_h)
        x += [float(step.after_min), float(following.after_min) if following else last]
        y += [rate, rate]
    drawing.points(
        "Plan",
        "dose",
        x,
        y,
        mode="lines",
        line={"color": drawing.palette.soft, "width": 1.3, "dash": "dash"},
    )


def _rate_labels(
    content: ChartContent, segments: Sequence[dosing.RateSegment], divisor: float, unit: str
) -> list[_DoseLabel]:
    weight = content.session.weight_kg if unit == "mg/kg/h" else None
    found = []
    for before, segment in zip([None, *segments], segments, strict=False):
        rate = segment.rate_mg_per_h
        if rate == 0 or (before is not None and before.rate_mg_per_h == rate):
            continue
        text = dosing.format_dose(
            rate / weight if weight else rate,
            DoseUnit.MG_PER_KG_PER_H if weight else DoseUnit.MG_PER_H,
        )
        found.append(
            _DoseLabel(
                "rate step",
                text.removesuffix(unit).strip(),
                minute_of(content.session, segment.start_at),
                float(rate) / divisor,
            )
        )
    return found


def _draw_pauses(drawing: Drawing, segments: Sequence[dosing.RateSegment], until: datetime) -> None:
    """Hatch the pauses, also the one that lasts."""
    session, lane = drawing.content.session, drawing.lanes["dose"]
    pauses = [
        (minute_of(session, item.start_at), minute_of(session, item.end_at))
        for item in segments
        if item.rate_mg_per_h == 0
    ]
    if segments and dosing.is_paused(session, until):
        pauses.append((minute_of(session, segments[-1].end_at), minute_of(session, until)))
    if not pauses:
        return
    drawing.traces.append(
        {
            "type": "bar",
            "name": "Paused",
            "x": [(start + end) / 2 for start, end in pauses],
            "y": [lane.high * 0.75] * len(pauses),
            "width": [end - start for start, end in pauses],
            "yaxis": lane.axis,
            "showlegend": False,
            "marker": {
                "color": "rgba(0,0,0,0)",
                "line": {"color": drawing.palette.soft, "width": 1},
                "pattern": {"shape": "/", "fgcolor": drawing.palette.soft, "size": 7},
            },
            "hovertext": [f"paused {end - start:.0f} min" for start, end in pauses],
            "hovertemplate": "%{hovertext}<extra></extra>",
        }
    )


def _draw_boluses(drawing: Drawing) -> None:
    content, palette = drawing.content, drawing.palette
    boluses = content.session.current(content.session.boluses)
    if not boluses:
        return
    top = drawing.lanes["dose"].high
    x = [minute_of(content.session, bolus.taken_at) for bolus in boluses]
    stems_x = [value for minute in x for value in (minute, minute, nan)]
    stems_y = [0.0, top * 0.72, nan] * len(x)
    drawing.points(
        "Bolus stem",
        "dose",
        stems_x,
        stems_y,
        mode="lines",
        line={"color": palette.ink, "width": 2.5},
    )
    drawing.points(
        "Bolus",
        "dose",
        x,
        [0.0] * len(x),
        mode="markers",
        marker={"symbol": "arrow", "angle": 180, "size": 11, "color": palette.ink},
        text=[
            plain(
                f"{clock(item.taken_at, content.zone)}  bolus "
                f"{dosing.format_dose(item.amount_mg, DoseUnit.MG)}"
                + (f" over {item.over_s} s" if item.over_s else "")
            )
            for item in boluses
        ],
    )


def _draw_total(drawing: Drawing, until: datetime) -> None:
    """What was given so far: at the right edge, in the left margin when compact."""
    content, palette = drawing.content, drawing.palette
    totals = dosing.totals(content.session, until)
    given = f"<b>{dosing.format_dose(totals.total_mg, DoseUnit.MG)}</b>"
    if totals.mg_per_kg is not None:
        given += f"<br>{dosing.format_dose(totals.mg_per_kg, DoseUnit.MG_PER_KG)}"
    if content.compact or content.narrow:
        # The margin is too narrow for the word.
        given = given.replace("under ", "&lt; ")
        drawing.label("dose", given, at_px=42 if content.compact else 58, name="total given")
        return
    lane = drawing.lanes["dose"]
    drawing.annotations.append(
        {
            "name": "total given",
            "text": given,
            "xref": "paper",
            "yref": "paper",
            "x": 1,
            "y": 1 - lane.top_px / drawing.plot_px,
            "xanchor": "left",
            "yanchor": "top",
            "xshift": 10,
            "align": "left",
            "showarrow": False,
            "font": {"size": content.font_px, "color": palette.ink},
        }
    )


def draw_bars(drawing: Drawing, lane: str, label: str, bars: Sequence[Bar]) -> None:
    """Bars from onset to end with their words beside them; what goes on is open at the right."""
    if lane not in drawing.lanes:
        return
    content, palette = drawing.content, drawing.palette
    drawing.label(lane, label, at_px=12)
    if not bars:
        return
    fills = {
        "": palette.effect,
        "warning": palette.warning,
        "critical": palette.critical,
    }
    least = 4 / content.px_per_min
    lengths = [max(bar.end_min - bar.start_min, least) for bar in bars]
    said = [plain(bar.detail) for bar in bars]
    drawing.traces.append(
        {
            "type": "bar",
            "orientation": "h",
            "name": label,
            "x": lengths,
            "base": [bar.start_min for bar in bars],
            "y": [bar.row for bar in bars],
            "width": [0.78] * len(bars),
            "yaxis": drawing.lanes[lane].axis,
            "showlegend": False,
            "marker": {
                "color": [fills[bar.level] for bar in bars],
                "opacity": 0.55,
                "line": {"color": palette.ink, "width": 0.8},
            },
            "hovertext": said,
            "hovertemplate": "%{hovertext}<extra></extra>",
        }
    )
    gap = 3 / content.px_per_min
    starts = {
        "inside": [bar.start_min + gap for bar in bars],
        "right": [max(bar.end_min, bar.start_min + least) + gap for bar in bars],
        "left": [bar.start_min - gap for bar in bars],
    }
    drawing.points(
        f"{label} words",
        lane,
        [starts[bar.words][index] for index, bar in enumerate(bars)],
        [bar.row for bar in bars],
        mode="text",
        textposition=["middle left" if bar.words == "left" else "middle right" for bar in bars],
        text=[plain(bar.label + (" ▸" if bar.ongoing else "")) for bar in bars],
        textfont={"size": content.font_px, "color": palette.ink},
        hoverinfo="skip",
    )
    drawing.traces[-1].pop("hovertemplate", None)


def draw_events(drawing: Drawing) -> None:
    """Numbered discs keyed to the list beside the chart; neighbours share one disc."""
    content, palette = drawing.content, drawing.palette
    drawing.label("events", "Events", at_px=drawing.lanes["events"].height_px / 2)
    if not content.events:
        return
    disc_px = 23 if content.compact else 26
    shared = disc_groups(
        [event.minute for event in content.events], disc_min=disc_px / content.px_per_min
    )
    groups = [[content.events[index] for index in members] for members, _minute in shared]
    texts = [
        f"<b>{group[0].number}</b>"
        if len(group) == 1
        else f"<b>{group[0].number}–{group[-1].number}</b>"
        for group in groups
    ]
    said = [
        plain(
            "\n".join(
                f"{item.number}  {clock(item.at, content.zone)}  {item.text}" for item in group
            )
        )
        for group in groups
    ]
    wide = [len(group) > 1 for group in groups]
    drawing.points(
        "Events",
        "events",
        [minute for _members, minute in shared],
        [0.0] * len(groups),
        mode="markers+text",
        marker={
            "symbol": each(wide, "square", "circle"),
            "size": each(wide, 21, 19) if content.compact else each(wide, 23, 21),
            "color": palette.ink,
        },
        text=texts,
        textfont={
            "size": [
                9 if len(text) > len("<b>9–9</b>") else 10 if "–" in text else 12 for text in texts
            ],
            "color": palette.card,
        },
        hovertext=said,
    )


def draw_now(drawing: Drawing) -> None:
    content = drawing.content
    minute = minute_of(content.session, content.now)
    drawing.shapes.append(
        {
            "type": "line",
            "name": "now",
            "layer": "below",
            "xref": "x",
            "yref": "paper",
            "x0": minute,
            "x1": minute,
            "y0": 0,
            "y1": 1,
            "line": {"color": drawing.palette.accent, "width": 1.6},
        }
    )
