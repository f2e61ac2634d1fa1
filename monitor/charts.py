"""A session as one anaesthetic record on one time axis: plain plotly dicts, numpy arrays inside.

Dicts, because plotly's objects cost a hundred times more than drawing; tests validate the same dict
with ``plotly.graph_objects.Figure``.  Symbols, axes and colours are those of clinical.md 8.  A
hollow symbol always and only means "entered late", a delta always and only "amended".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, tzinfo
from typing import Any

import numpy as np

from monitor.alerts import AlertView
from monitor.chart_canvas import Drawing, Lane, placed
from monitor.chart_content import DELTA, chart_content
from monitor.chart_lanes import draw_bars, draw_doses, draw_events, draw_now
from monitor.chart_looks import DARK, FONT, LIGHT, Palette
from monitor.chart_signs import (
    draw_amended,
    draw_dots,
    draw_limits,
    draw_numbers,
    draw_pressures,
    draw_rings,
)
from monitor.protocols import InfusionProtocol
from monitor.record import InfusionSession
from monitor.thresholds import ThresholdSet
from monitor.timeline import clock, clock_ticks


def session_chart(
    session: InfusionSession,
    protocol: InfusionProtocol,
    threshold_set: ThresholdSet,
    views: tuple[AlertView, ...],
    now: datetime,
    zone: tzinfo,
    *,
    dark: bool = False,
    compact: bool = False,
    narrow: bool = False,
    names: Mapping[str, str] | None = None,
    last_min: int | None = None,
) -> dict[str, Any]:
    """The whole record as a plotly figure dict; ``compact`` is the bedside's small static one.

    ``narrow`` is the whole record on a phone: its limits and legend stand beside it on the page.
    ``names`` maps usernames to what people are called.
    ``last_min`` shows only that many minutes up to now.  ``x`` is minutes since the first dose;
    tick text is the time of day in ``zone``.
    """
    session = session.known_at(now)
    content = chart_content(
        session,
        protocol,
        threshold_set,
        views,
        now,
        zone,
        dark=dark,
        compact=compact,
        narrow=narrow,
        names=names,
    )
    if last_min is not None:
        content = replace(content, start_min=max(content.start_min, content.end_min - last_min))
    drawing = placed(content)
    draw_limits(drawing)
    draw_doses(drawing)
    draw_pressures(drawing)
    draw_dots(drawing)
    draw_numbers(drawing)
    draw_bars(drawing, "effects", "Effects", content.effects)
    draw_bars(drawing, "notes", "Notes", content.notes)
    draw_events(drawing)
    if not compact:
        draw_bars(drawing, "alerts", "Alerts", content.alerts)
    draw_amended(drawing)
    draw_rings(drawing)
    if content.running:
        draw_now(drawing)
    return {"data": [_with_arrays(trace) for trace in drawing.traces], "layout": _layout(drawing)}


def _with_arrays(part: dict[str, Any]) -> dict[str, Any]:
    """The same with numpy arrays for lists: plotly takes those twelve times faster."""
    found: dict[str, Any] = {}
    for key, value in part.items():
        if isinstance(value, dict):
            found[key] = _with_arrays(value)
        elif isinstance(value, list):
            found[key] = np.array(value, dtype=float) if key in ("x", "y") else np.array(value)
        else:
            found[key] = value
    return found


def _layout(drawing: Drawing) -> dict[str, Any]:
    content, palette = drawing.content, drawing.palette
    margin = (
        {"l": 112, "r": 14, "t": 8, "b": 26}
        if content.compact
        else {"l": 116, "r": 14, "t": 12, "b": 44}
        if content.narrow
        else {"l": 124, "r": 156, "t": 50, "b": 44}
    )
    if not (content.compact or content.narrow):
        drawing.annotations.append(_legend(palette))
    layout: dict[str, Any] = {
        "height": drawing.plot_px + margin["t"] + margin["b"],
        "margin": {**margin, "pad": 0},
        "paper_bgcolor": palette.card,
        "plot_bgcolor": palette.card,
        "font": {"family": FONT, "size": content.font_px, "color": palette.ink},
        "showlegend": False,
        "hovermode": "closest",
        "hoverlabel": {
            "bgcolor": palette.card,
            "bordercolor": palette.line,
            "font": {"family": FONT, "size": 14, "color": palette.ink},
            "align": "left",
        },
        "barmode": "overlay",
        "dragmode": False if content.compact else "zoom",
        "uirevision": str(content.session.id),
        "xaxis": _time_axis(drawing),
        "shapes": drawing.shapes,
        "annotations": drawing.annotations,
    }
    for name, lane in drawing.lanes.items():
        layout[lane.key] = _value_axis(drawing, name, lane)
    return layout


def _time_axis(drawing: Drawing) -> dict[str, Any]:
    content, palette = drawing.content, drawing.palette
    ticks = clock_ticks(
        content.session,
        content.start_min,
        content.end_min,
        content.zone,
        at_most=4 if content.narrow else 5 if content.compact else 12,
    )
    texts = []
    for minute, instant in ticks:
        text = clock(instant, content.zone)
        if not content.compact:
            hours, minutes = divmod(abs(round(minute)), 60)
            sign = "−" if round(minute) < 0 else "+"
            text += f"<br>{sign}{hours}:{minutes:02d}"
        texts.append(text)
    lowest = max(drawing.lanes.values(), key=lambda lane: lane.top_px)
    return {
        "range": [content.start_min, content.end_min],
        "anchor": lowest.axis,
        "tickmode": "array",
        "tickvals": np.array([minute for minute, _instant in ticks]),
        "ticktext": texts,
        "tickfont": {"size": content.font_px, "color": palette.ink},
        "tickangle": 0,
        "gridcolor": palette.grid,
        "gridwidth": 1,
        "zeroline": False,
        "showline": False,
        "minor": {"tickmode": "linear", "tick0": 0, "dtick": 5, "showgrid": False},
        "fixedrange": content.compact,
    }


def _value_axis(drawing: Drawing, name: str, lane: Lane) -> dict[str, Any]:
    palette = drawing.palette
    top = 1 - lane.top_px / drawing.plot_px
    axis: dict[str, Any] = {
        "domain": [max(0.0, top - lane.height_px / drawing.plot_px), top],
        "range": [lane.low, lane.high],
        "anchor": "x",
        "fixedrange": True,
        "zeroline": False,
        "showgrid": False,
        "showticklabels": False,
        "ticks": "",
    }
    ticks = {"bp": _bp_ticks(lane), "spo2": _spo2_ticks(lane)}.get(name)
    if ticks:
        axis |= {
            "tickvals": np.array(ticks, dtype=float),
            "showticklabels": True,
            "showgrid": True,
            "gridcolor": palette.grid,
            "tickfont": {"size": 12, "color": palette.soft},
        }
    return axis


def _bp_ticks(lane: Lane) -> list[int]:
    return [value for value in range(0, 321, 40) if lane.low <= value <= lane.high]


def _spo2_ticks(lane: Lane) -> list[int]:
    step = 5 if lane.high - lane.low < 20 else 10
    return [value for value in range(0, 101, step) if lane.low <= value <= 100]


def legend_items(*, dark: bool) -> tuple[str, ...]:
    """Every symbol with its meaning, as HTML (symbols are not standardised)."""
    palette = DARK if dark else LIGHT
    return (*_signs_legend(palette), *_states_legend(palette))


def _signs_legend(palette: Palette) -> tuple[str, ...]:
    return (
        f"{_ink(palette.sbp, '∨')} systolic",
        f"{_ink(palette.dbp, '∧')} diastolic",
        "‒ mean",
        f"{_ink(palette.hr, '●')} heart rate",
        f"{_ink(palette.spo2, '■')} SpO₂",
        f"{_ink(palette.dose, '▬')} rate",
        "┄ planned rate",
        "↓ bolus",
        "▨ paused",
        "··· baseline",
        "• number without room (point at it)",
    )


def _states_legend(palette: Palette) -> tuple[str, ...]:
    return (
        f"{_ink(palette.warning_line, '◯')} beyond a warning limit",
        f"{_ink(palette.critical, '◇')} beyond a critical limit",
        "hollow: entered more than 10 min late",
        f"{DELTA} amended",
        "× value before the amendment",
        "▸ goes on",
    )


def _ink(colour: str, text: str) -> str:
    return f'<span style="color:{colour}"><b>{text}</b></span>'


def _legend(palette: Palette) -> dict[str, Any]:
    """The legend on the page, in two lines above the plot."""
    first = "   ".join(_signs_legend(palette))
    second = "   ".join(_states_legend(palette))
    return {
        "name": "legend",
        "text": f"{first}<br>{second}",
        "xref": "paper",
        "yref": "paper",
        "x": 0,
        "y": 1,
        "xanchor": "left",
        "yanchor": "bottom",
        "xshift": -114,
        "yshift": 8,
        "align": "left",
        "showarrow": False,
        "font": {"size": 12, "color": palette.soft},
    }
