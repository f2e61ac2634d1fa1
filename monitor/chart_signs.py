"""What the patient showed: pressures, heart rate, SpO2, the rows of numbers, and their limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import nan
from typing import Any

from monitor.chart_canvas import Drawing, each, line_through, xy
from monitor.chart_content import (
    DELTA,
    NUMBER_GAP_PX,
    ChartContent,
    Limit,
    hover,
    plain,
    text_px,
    valued,
)
from monitor.chart_looks import ICONS, Palette
from monitor.parameters import PARAMETERS
from monitor.record import Observation
from monitor.timeline import (
    SIGNS,
    Mark,
    Reading,
    bare_text,
    clock,
    joined,
    number_text,
    shortest_interval_min,
    struck,
    thinned,
    value_text,
)


def draw_limits(drawing: Drawing) -> None:
    content, palette = drawing.content, drawing.palette
    drawing.title("bp", "BP, HR", "mmHg, /min")
    drawing.title("spo2", "SpO₂", "%")
    if content.limits_from_min is not None:
        for limit in content.limits:
            _shade(drawing, limit)
        if not (content.compact or content.narrow):
            _list_limits(drawing)
    for parameter, lane, colour in (
        ("sbp", "bp", palette.sbp),
        ("dbp", "bp", palette.dbp),
        ("hr", "bp", palette.hr),
        ("spo2", "spo2", palette.spo2),
    ):
        value = content.baselines.get(parameter)
        if value is not None and (not content.compact or parameter in ("sbp", "spo2")):
            name = f"baseline {parameter} {number_text(value)}"
            drawing.level_line(lane, float(value), name, color=colour, width=1.2, dash="dot")


def _shade(drawing: Drawing, limit: Limit) -> None:
    """Shade SBP above and SpO2 below their limits; low SBP and heart rate share the axis with
    diastolic values, so a band there would mark normal readings: they are listed and ringed."""
    lanes = {("sbp", "high"): "bp", ("spo2", "low"): "spo2"}
    lane_name = lanes.get((limit.parameter, limit.direction))
    if lane_name is None:
        return
    lane, palette = drawing.lanes[lane_name], drawing.palette
    edge = lane.high if limit.direction == "high" else lane.low
    outer = edge
    for level, condition, colour in (
        ("critical", limit.critical, palette.critical_band),
        ("warning", limit.warning, palette.warning_band),
    ):
        if condition is None:
            continue
        value = condition.limit
        name = f"limit {limit.parameter} {limit.direction} {level} {number_text(value)}"
        low, high = sorted((float(value), outer))
        drawing.band(lane_name, low, high, colour, name)
        outer = float(value)


def limit_lines(limits: Sequence[Limit]) -> list[str]:
    """The limits in words, a line for each sign and direction."""
    lines = []
    for limit in limits:
        levels = [
            f"{SIGNS[condition.operator]}{number_text(condition.limit)} {ICONS[level]}"
            for level, condition in (("warning", limit.warning), ("critical", limit.critical))
            if condition is not None
        ]
        lines.append(f"{PARAMETERS[limit.parameter].short} {'  '.join(levels)}")
    return lines


def _list_limits(drawing: Drawing) -> None:
    lane, palette = drawing.lanes["bp"], drawing.palette
    lines = ["<b>Limits</b>", *(plain(line) for line in limit_lines(drawing.content.limits))]
    drawing.annotations.append(
        {
            "name": "limits in force",
            "text": "<br>".join(lines),
            "xref": "paper",
            "yref": "paper",
            "x": 1,
            "y": 1 - lane.top_px / drawing.plot_px,
            "xanchor": "left",
            "yanchor": "top",
            "xshift": 10,
            "align": "left",
            "showarrow": False,
            "font": {"size": 12, "color": palette.soft},
        }
    )


def draw_pressures(drawing: Drawing) -> None:
    content, palette = drawing.content, drawing.palette
    sbp = valued(content.by_parameter.get("sbp", ()))
    dbp = valued(content.by_parameter.get("dbp", ()))
    pairs = _pairs(sbp, dbp)
    if pairs:
        drawing.points(
            "BP pair",
            "bp",
            [value for upper, _lower in pairs for value in (upper.minute, upper.minute, nan)],
            [
                value
                for upper, lower in pairs
                for value in (float(upper.value or 0), float(lower.value or 0), nan)
            ],
            mode="lines",
            line={"color": palette.soft, "width": 1.2},
        )
    _draw_means(drawing, pairs)
    _draw_chevrons(drawing, "SBP", sbp, palette.sbp, down=True)
    _draw_chevrons(drawing, "DBP", dbp, palette.dbp, down=False)


def _pairs(
    upper: Sequence[Reading], lower: Sequence[Reading]
) -> tuple[tuple[Reading, Reading], ...]:
    """Systolic and diastolic values of the same set at the same moment."""
    by_set = {(item.observation.set_id, item.minute): item for item in lower}
    return tuple(
        (item, by_set[item.observation.set_id, item.minute])
        for item in upper
        if (item.observation.set_id, item.minute) in by_set
    )


def _draw_means(drawing: Drawing, pairs: Sequence[tuple[Reading, Reading]]) -> None:
    """Mean pressure as a short dash: as measured, else calculated from the pair (U-58).

    The bedside's small chart shows a calculated mean only when it crossed a limit.
    """
    content, palette = drawing.content, drawing.palette
    measured = valued(content.by_parameter.get("map", ()))
    measured_at = {(item.observation.set_id, item.minute) for item in measured}
    x = [item.minute for item in measured]
    y = [float(item.value or 0) for item in measured]
    said = [hover(item, content) for item in measured]
    ringed: list[tuple[float, float, Mark, str]] = []
    for upper, lower in pairs:
        if (upper.observation.set_id, upper.minute) in measured_at:
            continue
        mean = (Decimal(upper.value or 0) + 2 * Decimal(lower.value or 0)) / 3
        mark = content.mean_marked.get(upper.observation.set_id)
        if content.compact and mark is None:
            continue
        text = f"{clock(upper.observation.taken_at, content.zone)}  MAP {mean:.1f} mmHg, calculated"
        if mark is not None:
            text = "\n".join([text, *(f"{ICONS[mark.level]} {words}" for words in mark.texts)])
            ringed.append((upper.minute, float(mean), mark, plain(text)))
        x.append(upper.minute)
        y.append(float(mean))
        said.append(plain(text))
    if x:
        drawing.points(
            "MAP",
            "bp",
            x,
            y,
            mode="markers",
            marker={
                "symbol": "line-ew-open",
                "size": 9,
                "color": palette.ink,
                "line": {"width": 1.6},
            },
            text=said,
        )
    if ringed:
        _rings(
            drawing,
            "Breach mean",
            "bp",
            [item[0] for item in ringed],
            [item[1] for item in ringed],
            [item[2].level for item in ringed],
            [""] * len(ringed),
            [item[3] for item in ringed],
        )


def _draw_chevrons(
    drawing: Drawing, name: str, shown: Sequence[Reading], colour: str, *, down: bool
) -> None:
    """Chevrons with the tip on the value: two arms of fixed size on screen; late ones hollow."""
    if not shown:
        return
    content = drawing.content
    size = 9 if content.compact else 11
    x, y = xy(shown)
    late = [reading.late for reading in shown]
    middle = 180 if down else 0
    # The arm is a line of 1.4 x size px; pushed half its length away, its end lies on the value.
    push = 0.7 * size
    line = {"width": 2.6, "color": colour}
    drawing.points(
        name,
        "bp",
        x,
        y,
        mode="markers",
        marker={
            "symbol": each(late, "arrow-wide-open", "line-ns-open"),
            "size": each(late, size + 2, size),
            "angle": each(late, middle, middle - 38),
            "standoff": each(late, 0, push),
            "color": colour,
            "line": {"width": each(late, 1.6, 2.6), "color": colour},
        },
        text=[hover(reading, content) for reading in shown],
    )
    on_time = [reading for reading in shown if not reading.late]
    if on_time:
        drawing.points(
            f"{name} arm",
            "bp",
            *xy(on_time),
            mode="markers",
            marker={
                "symbol": "line-ns-open",
                "size": size,
                "angle": middle + 38,
                "standoff": push,
                "color": colour,
                "line": line,
            },
        )


def draw_dots(drawing: Drawing) -> None:
    """Heart rate as dots and SpO2 as squares, joined only where a line may join them."""
    content, palette = drawing.content, drawing.palette
    for parameter, lane, symbol, size, colour in (
        ("hr", "bp", "circle", 7, palette.hr),
        ("spo2", "spo2", "square", 7, palette.spo2),
    ):
        shown = content.by_parameter.get(parameter, ())
        points = valued(shown)
        if not points:
            continue
        runs = joined(
            shown,
            interval_min=content.interval_min,
            shortest_min=shortest_interval_min(content.protocol),
            missed_min=content.missed_min,
        )
        name = PARAMETERS[parameter].short
        drawing.points(
            f"{name} line",
            lane,
            *line_through(runs),
            mode="lines",
            connectgaps=False,
            line={"color": colour, "width": 1.3},
        )
        late = [reading.late for reading in points]
        drawing.points(
            name,
            lane,
            *xy(points),
            mode="markers",
            marker={
                "symbol": each(late, f"{symbol}-open", symbol),
                "size": each(late, size + 2, size),
                "color": colour,
                "line": {"width": each(late, 2, 0), "color": colour},
            },
            text=[hover(reading, content) for reading in points],
        )


@dataclass(frozen=True, slots=True)
class _Cell:
    """A number in its row, or the dot that says "taken, the same as before"."""

    reading: Reading
    row: int
    full: bool


def draw_numbers(drawing: Drawing) -> None:
    """The rows of numbers as cells: a number per set, filled when it crossed a limit."""
    content, palette = drawing.content, drawing.palette
    row_px = drawing.lanes["rows"].height_px / len(content.rows)
    cell_px = row_px - 3
    for row, parameter in enumerate(content.rows):
        drawing.label("rows", content.row_label(parameter), at_px=(row + 0.5) * row_px)
    cells = _cells(content, cell_px=cell_px)
    if not cells:
        return
    looks = [_cell_look(cell.reading, palette) for cell in cells]
    drawing.points(
        "Numbers",
        "rows",
        [cell.reading.minute for cell in cells],
        [float(cell.row) for cell in cells],
        mode="markers+text",
        marker={
            "symbol": ["square" if cell.full else "circle" for cell in cells],
            "size": [cell_px if cell.full else 9 if cell.reading.mark else 5 for cell in cells],
            "color": [
                look[0] if cell.full or cell.reading.mark else palette.soft
                for cell, look in zip(cells, looks, strict=True)
            ],
            "line": {
                "width": [1.5 if cell.full else 0 for cell in cells],
                "color": [look[1] for look in looks],
            },
        },
        text=[f"<b>{_cell_text(content, cell.reading)}</b>" if cell.full else "" for cell in cells],
        textfont={"size": content.font_px, "color": [look[2] for look in looks]},
        hovertext=[hover(cell.reading, content) for cell in cells],
    )


def _cells(content: ChartContent, *, cell_px: float) -> list[_Cell]:
    """The cells of all rows; the written ones last, so that no dot lies on a number."""
    found = []
    for row, parameter in enumerate(content.rows):
        shown = valued(content.by_parameter.get(parameter, ()))
        widths = [
            max(cell_px, text_px(_cell_text(content, reading))) + NUMBER_GAP_PX for reading in shown
        ]
        written = thinned(shown, px_per_min=content.px_per_min, widths_px=widths)
        for reading, full in zip(shown, written, strict=True):
            found.append(_Cell(reading, row, full))
    return sorted(found, key=lambda cell: (cell.full, cell.reading.mark is not None))


def _cell_look(reading: Reading, palette: Palette) -> tuple[str, str, str]:
    if reading.mark is not None:
        critical = reading.mark.level == "critical"
        fill = palette.critical if critical else palette.warning
        ink = palette.critical_ink if critical else palette.warning_ink
        return (fill, palette.ink, ink) if not reading.late else (palette.card, fill, palette.ink)
    if reading.late:
        return palette.card, palette.soft, palette.ink
    return palette.cell, palette.cell, palette.ink


def _cell_text(content: ChartContent, reading: Reading) -> str:
    observation = reading.observation
    text = bare_text(observation)
    if observation.parameter == "sedation" and _asleep(content, observation):
        text = "S"
    return text + (DELTA if reading.was else "")


def _asleep(content: ChartContent, sedation: Observation) -> bool:
    """Whether the same set says the patient slept (clinical.md U-50)."""
    return any(
        item.observation.set_id == sedation.set_id and item.value == 1
        for item in content.by_parameter.get("asleep", ())
    )


def draw_amended(drawing: Drawing) -> None:
    """A delta at every amended vital sign, and a cross where the wrong value stood."""
    content, palette = drawing.content, drawing.palette
    lanes = {"sbp": "bp", "dbp": "bp", "hr": "bp", "map": "bp", "spo2": "spo2"}
    for lane in ("bp", "spo2"):
        amended = [
            reading
            for parameter, where in lanes.items()
            if where == lane
            for reading in valued(content.by_parameter.get(parameter, ()))
            if reading.was
        ]
        if amended:
            x, y = xy(amended)
            drawing.points(
                f"Amended {lane}",
                lane,
                x,
                y,
                mode="text",
                text=[f"<b>  {DELTA}</b>"] * len(amended),
                textposition="middle right",
                textfont={"size": content.font_px, "color": palette.ink},
                hovertext=[hover(reading, content) for reading in amended],
            )
        crossed = [
            item
            for item in struck(content.session)
            if lanes.get(item.observation.parameter) == lane and item.observation.value is not None
        ]
        # A wrong value far outside the axis would squeeze everything else: it stays at the edge.
        if crossed:
            low, high = drawing.lanes[lane].low, drawing.lanes[lane].high
            drawing.points(
                f"Struck out {lane}",
                lane,
                [item.minute for item in crossed],
                [min(max(float(item.observation.value or 0), low), high) for item in crossed],
                mode="markers",
                marker={
                    "symbol": "x-thin-open",
                    "size": 8,
                    "color": palette.soft,
                    "line": {"width": 1.6},
                },
                text=[
                    plain(
                        f"{clock(item.observation.taken_at, content.zone)}  "
                        f"{PARAMETERS[item.observation.parameter].short} "
                        f"{value_text(item.observation)}\n"
                        f"{'replaced' if item.amendment.replacement else 'struck out'} "
                        f"{clock(item.amendment.taken_at, content.zone)} "
                        f"by {content.person(item.amendment.recorded_by)}: {item.amendment.reason}"
                    )
                    for item in crossed
                ],
            )


def draw_rings(drawing: Drawing) -> None:
    """A ring around every reading beyond a limit: circle = warning, diamond = critical."""
    content = drawing.content
    lanes = {"sbp": "bp", "dbp": "bp", "hr": "bp", "map": "bp", "spo2": "spo2"}
    for lane in ("bp", "spo2"):
        ringed = [
            reading
            for parameter, where in lanes.items()
            if where == lane
            for reading in valued(content.by_parameter.get(parameter, ()))
            if reading.mark is not None
        ]
        if not ringed:
            continue
        x, y = xy(ringed)
        _rings(
            drawing,
            f"Breach {lane}",
            lane,
            x,
            y,
            [reading.mark.level for reading in ringed if reading.mark],
            [
                f"<b>{number_text(reading.value or Decimal(0))}</b>"
                if _named(ringed, index, content)
                else ""
                for index, reading in enumerate(ringed)
            ],
            [hover(reading, content) for reading in ringed],
        )


def _rings(
    drawing: Drawing,
    name: str,
    lane: str,
    x: Any,
    y: Any,
    levels: Sequence[str],
    texts: Sequence[str],
    said: Sequence[str],
) -> None:
    palette = drawing.palette
    critical = [level == "critical" for level in levels]
    drawing.points(
        name,
        lane,
        x,
        y,
        mode="markers+text",
        marker={
            "symbol": each(critical, "diamond-open", "circle-open"),
            "size": each(critical, 25, 21),
            "color": each(critical, palette.critical, palette.warning_line),
            "line": {"width": each(critical, 3, 2)},
        },
        text=texts,
        textposition="middle right",
        textfont={"size": drawing.content.font_px, "color": palette.ink},
        hovertext=said,
    )


def _named(ringed: Sequence[Reading], index: int, content: ChartContent) -> bool:
    """Whether the number fits beside the ring; the highest of a crowd is always in the hover."""
    room_min = 44 / content.px_per_min
    reading = ringed[index]
    return not any(
        other.observation.parameter == reading.observation.parameter
        and 0 < other.minute - reading.minute < room_min
        for other in ringed
    )
