"""Draws the session chart and the tables beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from functools import partial
from gettext import gettext as _
from html import escape

import pandas as pd
import streamlit as st

from monitor.actions import OpenSession
from monitor.chart_content import limits_in_force
from monitor.chart_signs import limit_lines
from monitor.charts import legend_items, session_chart
from pages.widgets.look import colours, is_dark

#: Buttons of plotly's mode bar that stay: zoom, back to the whole session, save as a picture.
_REMOVED_BUTTONS = [
    "zoom2d",
    "pan2d",
    "select2d",
    "lasso2d",
    "autoScale2d",
    "zoomIn2d",
    "zoomOut2d",
    "toImage",
]


def draw_session_chart(
    opened: OpenSession,
    zone: tzinfo,
    *,
    key: str,
    names: Mapping[str, str] | None = None,
    compact: bool = False,
    last_min: int | None = None,
) -> None:
    """Draw the record of a session; ``compact`` is the small static one of the bedside.

    The whole record is drawn twice, for a desk and for a phone, and the page's width decides
    which one is seen: how wide a window is only the browser knows.  ``names`` maps usernames to
    what people are called.
    """
    draw = partial(_draw_figure, opened, zone, names=names, last_min=last_min)
    if compact:
        draw(key=key, compact=True)
        return
    st.html(f"<style>{_WIDTHS_CSS.replace('KEY', key)}</style>")
    with st.container(key=f"{key}-wide"):
        draw(key=key)
    with st.container(key=f"{key}-narrow"):
        draw(key=f"{key}-phone", narrow=True)
        st.html(_legend_html(opened))


def _draw_figure(
    opened: OpenSession,
    zone: tzinfo,
    *,
    key: str,
    names: Mapping[str, str] | None,
    last_min: int | None,
    compact: bool = False,
    narrow: bool = False,
) -> None:
    figure = session_chart(
        opened.session,
        opened.protocol,
        opened.threshold_set,
        opened.views,
        opened.as_of,
        zone,
        dark=is_dark(),
        compact=compact,
        narrow=narrow,
        names=names,
        last_min=last_min,
    )
    if compact:
        # The bedside gives it a place of its own size; its lanes are shares of the height.
        figure["layout"].pop("height")
    st.plotly_chart(
        figure,
        theme=None,
        key=key,
        height="stretch" if compact else "content",
        config={
            "staticPlot": compact,
            "displaylogo": False,
            "displayModeBar": False if compact else "hover",
            "modeBarButtonsToRemove": _REMOVED_BUTTONS,
            "doubleClick": "reset",
        },
        alt=_(
            "Chart of the session: dose, blood pressure, heart rate, SpO2, scores, side effects, "
            "events and alerts over time. The same data stand in the tables below."
        ),
    )


def _legend_html(opened: OpenSession) -> str:
    """The limits in force and the meaning of the symbols, below the chart of a phone."""
    dark = is_dark()
    items = [
        *(
            escape(text)
            for text in limit_lines(limits_in_force(opened.threshold_set, opened.session))
        ),
        *legend_items(dark=dark),
    ]
    style = f"<style>{colours('.legend', dark=dark)}{_LEGEND_CSS}</style>"
    body = "".join(f"<li>{item}</li>" for item in items)
    return f'{style}<details class="legend"><summary>{escape(_("Limits and symbols"))}</summary><ul>{body}</ul></details>'


_WIDTHS_CSS = """
@media (max-width: 760px) { .st-key-KEY-wide { display: none; } }
@media (min-width: 761px) { .st-key-KEY-narrow { display: none; } }
"""

_LEGEND_CSS = """
.legend { color: var(--soft); font-size: 14px; }
.legend summary { min-height: 48px; line-height: 48px; cursor: pointer; }
.legend ul { margin: 0; padding: 0 0 0 18px; }
"""

_TABLE_CSS = """
.record { overflow-x: auto; background: var(--card);
  border: 1px solid var(--line); border-radius: 12px; }
.record table { border-collapse: collapse; width: 100%; font-size: 16px; margin: 0; }
.record caption { text-align: left; font-weight: 700; padding: 10px 14px; caption-side: top;
  color: var(--ink); }
.record th, .record td { text-align: left; padding: 7px 14px; vertical-align: top;
  border: 0; border-top: 1px solid var(--line); color: var(--ink); }
.record th { font-weight: 600; font-size: 14px; white-space: nowrap; }
.record td { font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.record td.short { white-space: nowrap; overflow-wrap: normal; }
.record p { margin: 0; padding: 0 14px 12px; color: var(--ink); opacity: 0.75; }
"""

#: Cells up to this many characters are kept on one line.
_SHORT = 18


def table_html(frame: pd.DataFrame, caption: str, empty: str, *, dark: bool) -> str:
    """The table as HTML that a screen reader can walk, every text escaped.

    ``empty`` is the sentence that stands in its place when there is no row.  What
    ``frame.attrs["titles"]`` holds for a column, a text for each row, is shown on hover.
    """
    style = f"<style>{colours('.record', dark=dark)}{_TABLE_CSS}</style>"
    if frame.empty:
        body = f"<table><caption>{escape(caption)}</caption></table><p>{escape(empty)}</p>"
        return f'{style}<div class="record">{body}</div>'
    head = "".join(f'<th scope="col">{escape(str(name))}</th>' for name in frame.columns)
    titles: Mapping[str, Sequence[str]] = frame.attrs.get("titles", {})
    columns = [str(name) for name in frame.columns]
    rows = "".join(
        "<tr>"
        + "".join(
            _cell_html(str(value), titles[name][index] if name in titles else "")
            for name, value in zip(columns, row, strict=True)
        )
        + "</tr>"
        for index, row in enumerate(frame.itertuples(index=False, name=None))
    )
    return (
        f'{style}<div class="record" role="region" tabindex="0" '
        f'aria-label="{escape(caption, quote=True)}"><table><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _cell_html(text: str, title: str) -> str:
    kind = ' class="short"' if len(text) <= _SHORT else ""
    said = f' title="{escape(title, quote=True)}"' if title else ""
    return f"<td{kind}{said}>{escape(text)}</td>"


def draw_tables(tables: Sequence[tuple[str, pd.DataFrame, str]], names: Mapping[str, str]) -> None:
    """Draw tables one below the other: (caption, table, what to say when it is empty).

    ``names`` maps usernames to what people are called; a username without one stands as it is.
    """
    for caption, frame, empty in tables:
        if "By" in frame:
            frame["By"] = frame["By"].map(lambda by: names.get(by, by))
        st.html(table_html(frame, caption, empty, dark=is_dark()))
