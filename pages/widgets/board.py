"""The live board as HTML: one row per session, columns lined up, every text escaped."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime, tzinfo
from gettext import gettext as _
from gettext import ngettext
from html import escape
from pathlib import Path
from urllib.parse import quote

from monitor.board import BoardCell, BoardDue, BoardFlag, BoardRow, NurseLoad, minutes_text
from monitor.chart_looks import ICONS
from monitor.parameters import PARAMETERS
from monitor.timeline import clock
from pages.widgets.look import colour_of, colours

_CSS = (Path(__file__).parent / "board.css").read_text("utf-8")
#: So many flags stand in a row in full; the others are counted.
_FLAGS_SHOWN = 2
_TREND_WIDTH, _TREND_HEIGHT = 100, 40


def board_html(
    rows: Sequence[BoardRow],
    loads: Sequence[NurseLoad],
    at: datetime,
    zone: tzinfo,
    *,
    page: str | None,
    dark: bool,
) -> str:
    """The whole board.  ``page`` is where a row leads to, None where rows lead nowhere (wall)."""
    count = ngettext("{n} session", "{n} sessions", len(rows)).format(n=len(rows))
    sorted_by = _("sorted by need")
    head = (
        f"<header><h1>{escape(_('Running now'))}</h1>"
        f"<span>{escape(count)} · {escape(sorted_by)}</span>"
        f"<time>{escape(clock(at, zone, seconds=True))}</time></header>"
    )
    body = "".join(_row_html(row, page, dark=dark) for row in rows)
    if not rows:
        body = f'<p class="nothing">{escape(_("No session is open."))}</p>'
    return (
        f"<style>{colours('.board', dark=dark)}{_CSS}</style>"
        f'<div class="board">{head}<div role="list">{body}</div>{_loads_html(loads)}</div>'
    )


def _row_html(row: BoardRow, page: str | None, *, dark: bool) -> str:
    inside = "".join(
        (
            f'<div class="chair"><b>{escape(row.chair)}</b><small>{escape(_("chair"))}</small></div>',
            f'<div class="who"><b>{escape(row.name)}</b><small>{escape(_standing(row))}</small></div>',
            f'<div class="what"><b>{escape(row.rate)}</b>{_flags_html(row)}</div>',
            *(_cell_html(cell) for cell in row.cells),
            f'<div class="trend">{_trend_html(row, dark=dark)}</div>',
            _due_html(row),
        )
    )
    kind = f"row {row.level or 'quiet'}"
    if page is None:
        return f'<div role="listitem" class="{kind}">{inside}</div>'
    address = f"/{quote(page)}?session={row.session_id}"
    name = escape(
        _("Open chair {chair}, {name}").format(chair=row.chair, name=row.name), quote=True
    )
    return (
        f'<div role="listitem"><a class="{kind}" href="{address}" target="_self" '
        f'aria-label="{name}">{inside}</a></div>'
    )


def _standing(row: BoardRow) -> str:
    parts = [row.phase]
    if row.elapsed_s is not None:
        hours, minutes = divmod(row.elapsed_s // 60, 60)
        parts.insert(0, f"{hours}:{minutes:02d} h")
    if row.nurse:
        parts.append(row.nurse)
    return " · ".join(parts)


def _flags_html(row: BoardRow) -> str:
    if not row.flags:
        return f"<small>{escape(_('no open flags'))}</small>"
    shown = "".join(_flag_html(flag) for flag in row.flags[:_FLAGS_SHOWN])
    more = len(row.flags) - _FLAGS_SHOWN
    if more > 0:
        shown += f"<small>{escape(_('{n} more').format(n=more))}</small>"
    return shown


def _flag_html(flag: BoardFlag) -> str:
    return f'<span class="flag {flag.level}">{ICONS[flag.level]} {escape(flag.text)}</span>'


def _cell_html(cell: BoardCell) -> str:
    kinds = ["cell", cell.parameter, cell.freshness, cell.level]
    icon = f"{ICONS[cell.level]} " if cell.level else ""
    long = " long" if len(cell.text) > 7 else ""
    return (
        f'<div class="{" ".join(kind for kind in kinds if kind)}{long}">'
        f"<small>{icon}{escape(cell.label)}</small><b>{escape(cell.text)}</b></div>"
    )


def _due_html(row: BoardRow) -> str:
    ages = [cell.age_s for cell in row.cells if cell.age_s is not None]
    last = _("{time} ago").format(time=minutes_text(min(ages))) if ages else ""
    label, value, kind = _("next set"), "–", ""
    if row.due is not None:
        value, kind = _due_text(row.due)
    return (
        f'<div class="due {kind}"><small>{escape(label)}</small><b>{escape(value)}</b>'
        f"<small>{escape(last)}</small></div>"
    )


def _due_text(due: BoardDue) -> tuple[str, str]:
    time = minutes_text(due.in_s)
    if due.state == "missed":
        return _("MISSED {time}").format(time=time), "late"
    if due.state == "late":
        return _("LATE {time}").format(time=time), "late"
    if due.in_s <= 0:
        return _("now"), "now"
    return time, ""


def _trend_html(row: BoardRow, *, dark: bool) -> str:
    """The last hour of one sign as a small picture: its course, not its height."""
    points = [point for run in row.trend for point in run]
    if len(points) < 2:
        return ""
    left, right = points[0][0], points[-1][0]
    low, high = min(y for _x, y in points), max(y for _x, y in points)
    # At least 20 units high, so that 97, 98, 97 looks as flat as it is.
    middle, span = (low + high) / 2, max(high - low, 20.0)

    def place(x: float, y: float) -> tuple[float, float]:
        across = 4 + (_TREND_WIDTH - 10) * (x - left) / max(right - left, 1)
        down = _TREND_HEIGHT / 2 - (_TREND_HEIGHT - 10) * (y - middle) / span
        return round(across, 1), round(down, 1)

    colour = colour_of(row.trend_parameter, dark=dark)
    lines = "".join(
        '<polyline fill="none" stroke-width="2.5" points="'
        f'{" ".join("{},{}".format(*place(x, y)) for x, y in run)}"/>'
        for run in row.trend
    )
    end_x, end_y = place(*points[-1])
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_TREND_WIDTH} {_TREND_HEIGHT}" '
        f'stroke="{colour}">{lines}<circle cx="{end_x}" cy="{end_y}" r="3" fill="{colour}"/></svg>'
    )
    # As an image: st.html takes drawings out of the page, and an image runs no script.
    data = b64encode(svg.encode()).decode()
    label = _("{sign}, last hour").format(sign=PARAMETERS[row.trend_parameter].label)
    return f'<img alt="{escape(label, quote=True)}" src="data:image/svg+xml;base64,{data}">'


def _loads_html(loads: Sequence[NurseLoad]) -> str:
    parts = []
    for load in loads:
        said = []
        if load.due:
            said.append(ngettext("{n} set", "{n} sets", load.due).format(n=load.due))
        if load.late:
            said.append(_("{n} late").format(n=load.late))
        if said:
            parts.append(f"<span>{escape(load.nurse)} <b>{escape(', '.join(said))}</b></span>")
    nothing = f"<span>{escape(_('nothing due'))}</span>"
    return (
        f"<footer><b>{escape(_('Next five minutes'))}</b>{''.join(parts) or nothing}"
        f"<i>{escape(_('A value turns grey once its next set is late, then disappears.'))}</i></footer>"
    )
