"""The paper of the chart: its lanes from top to bottom, and how points, bands and words get on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import nan
from typing import Any

from monitor.chart_content import ChartContent, dose_top
from monitor.chart_looks import Palette
from monitor.timeline import Reading


@dataclass(frozen=True, slots=True)
class Lane:
    """A strip of the chart: where it lies (px from the top of the plot), its axis and its range."""

    top_px: int
    height_px: int
    number: int
    low: float
    high: float

    @property
    def axis(self) -> str:
        """How traces and shapes name its y axis."""
        return "y" if self.number == 1 else f"y{self.number}"

    @property
    def key(self) -> str:
        """How the layout names its y axis."""
        return "yaxis" if self.number == 1 else f"yaxis{self.number}"


@dataclass(slots=True)
class Drawing:
    """What has been drawn so far."""

    content: ChartContent
    lanes: dict[str, Lane]
    plot_px: int
    traces: list[dict[str, Any]] = field(default_factory=list)
    shapes: list[dict[str, Any]] = field(default_factory=list)
    annotations: list[dict[str, Any]] = field(default_factory=list)

    @property
    def palette(self) -> Palette:
        """The colours of the theme."""
        return self.content.palette

    def points(self, name: str, lane: str, x: Any, y: Any, **look: Any) -> None:
        """Add a scatter trace to a lane."""
        trace: dict[str, Any] = {
            "type": "scatter",
            "name": name,
            "x": x,
            "y": y,
            "yaxis": self.lanes[lane].axis,
            "showlegend": False,
            "cliponaxis": False,
        }
        if "text" in look or "hovertext" in look:
            key = "hovertext" if "hovertext" in look else "text"
            trace["hovertemplate"] = "%{" + key + "}<extra></extra>"
        else:
            trace["hoverinfo"] = "skip"
        if "marker" in look:
            # Without it plotly makes markers of several sizes see-through.
            look["marker"] = {"opacity": 1, **look["marker"]}
        self.traces.append(trace | look)

    def band(self, lane: str, low: float, high: float, colour: str, name: str) -> None:
        """Shade a range of values for as long as its limit was in force."""
        content = self.content
        assert content.limits_from_min is not None
        self.shapes.append(
            {
                "type": "rect",
                "name": name,
                "layer": "below",
                "yref": self.lanes[lane].axis,
                "xref": "x",
                "x0": content.limits_from_min,
                "x1": content.limits_to_min,
                "y0": low,
                "y1": high,
                "fillcolor": colour,
                "line": {"width": 0},
            }
        )

    def level_line(self, lane: str, value: float, name: str, **line: Any) -> None:
        """A horizontal line across the whole lane."""
        self.shapes.append(
            {
                "type": "line",
                "name": name,
                "layer": "below",
                "yref": self.lanes[lane].axis,
                "xref": "x",
                "x0": self.content.start_min,
                "x1": self.content.end_min,
                "y0": value,
                "y1": value,
                "line": line,
            }
        )

    def title(self, lane: str, text: str, unit: str) -> None:
        """The name of a lane with its unit below, left of the lane's ticks."""
        shift = -34 if self.content.compact else -40
        self.label(lane, f"<b>{text}</b>", at_px=9, xshift=shift)
        small = {"size": 12, "color": self.palette.soft}
        self.label(lane, unit, at_px=26, xshift=shift, font=small)

    def label(self, lane: str, text: str, *, at_px: float, **look: Any) -> None:
        """Text in the left margin, ``at_px`` below the top of a lane."""
        top = self.lanes[lane].top_px + at_px
        self.annotations.append(
            {
                "text": text,
                "xref": "paper",
                "yref": "paper",
                "x": 0,
                "y": 1 - top / self.plot_px,
                "xanchor": "right",
                "yanchor": "middle",
                "xshift": -8,
                "showarrow": False,
                "align": "right",
                "font": {"size": self.content.font_px, "color": self.palette.ink},
            }
            | look
        )


def placed(content: ChartContent) -> Drawing:
    compact = content.compact
    row_px = 22 if compact else 25
    bar_px = 22 if compact else 24
    heights: dict[str, int] = {"dose": 64 if compact else 96}
    heights["bp"] = 184 if compact else 290
    heights["spo2"] = 56 if compact else 78
    heights["rows"] = row_px * len(content.rows)
    for name, bars in (
        ("effects", content.effects),
        ("notes", content.notes),
        ("alerts", content.alerts),
    ):
        if (name == "notes" and not bars) or (compact and name == "alerts"):
            continue
        heights[name] = bar_px * (1 + max((bar.row for bar in bars), default=0))
    heights["events"] = 26 if compact else 28
    gap = 8 if compact else 12
    ranges = _ranges(content, heights)
    lanes: dict[str, Lane] = {}
    top = 0
    for number, (name, height) in enumerate(heights.items(), start=1):
        lanes[name] = Lane(top, height, number, *ranges[name])
        top += height + gap
    return Drawing(content, lanes, plot_px=top - gap)


def _ranges(content: ChartContent, heights: Mapping[str, int]) -> dict[str, tuple[float, float]]:
    """What each lane spans; a value outside the usual range widens it rather than vanish."""

    def values(*keys: str) -> list[float]:
        return [
            float(reading.value)
            for key in keys
            for reading in content.by_parameter.get(key, ())
            if reading.value is not None
        ]

    pressures = values("sbp", "dbp", "map", "hr")
    low, high = (35.0, 205.0) if content.compact else (0.0, 240.0)
    saturations = values("spo2")
    ranges = {
        "bp": (min([low, *(v - 5 for v in pressures)]), max([high, *(v + 8 for v in pressures)])),
        "spo2": (min([85.0 if content.compact else 70.0, *(v - 2 for v in saturations)]), 101.0),
        "rows": (len(content.rows) - 0.5, -0.5),
        "events": (-1.0, 1.0),
        "dose": (0.0, dose_top(content) * (1.7 if content.compact else 1.4)),
    }
    bar_px = 22 if content.compact else 24
    for name in ("effects", "notes", "alerts"):
        if name in heights:
            ranges[name] = (heights[name] / bar_px - 0.5, -0.5)
    return ranges


def xy(shown: Sequence[Reading]) -> tuple[list[float], list[float]]:
    return (
        [reading.minute for reading in shown],
        [float(reading.value or 0) for reading in shown],
    )


def line_through(
    runs: Sequence[Sequence[Reading]],
) -> tuple[list[float], list[float]]:
    """The runs as one line with a nan, which plotly leaves open, between them."""
    x: list[float] = []
    y: list[float] = []
    for run in runs:
        if x:
            x.append(nan)
            y.append(nan)
        x += [reading.minute for reading in run]
        y += [float(reading.value or 0) for reading in run]
    return x, y


def each(chosen: Sequence[bool], yes: Any, no: Any) -> list[Any]:
    """One of two looks for each point."""
    return [yes if item else no for item in chosen]
