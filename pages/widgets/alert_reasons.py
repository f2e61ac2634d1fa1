"""What each alert of a session rests on, one to open at a time, below the table of alerts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from gettext import gettext as _
from html import escape

import streamlit as st

from monitor.actions import OpenSession
from monitor.alert_story import Reason, explanation
from monitor.alerts import AlertView
from monitor.chart_looks import ICONS
from monitor.timeline import clock, limit_text
from pages.widgets.look import colours, is_dark

_CSS = """
.reasons { background: var(--card); border: 1px solid var(--line); border-radius: 12px;
  padding: 10px 14px; color: var(--ink); }
.reasons h3 { font-size: 16px; font-weight: 700; margin: 0; padding: 0; color: var(--ink); }
.reasons summary { min-height: 48px; line-height: 48px; cursor: pointer; }
.reasons details + details { border-top: 1px solid var(--line); }
.reasons dl { display: grid; grid-template-columns: minmax(110px, max-content) minmax(0, 1fr);
  gap: 6px 16px; margin: 0 0 12px; line-height: 1.4; }
.reasons dt { font-weight: 600; color: var(--soft); }
.reasons dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
"""


def alert_headline(view: AlertView, zone: tzinfo) -> str:
    """One line that tells an alert from the others of its session."""
    return f"{ICONS[view.level]} {limit_text(view.text)} · {clock(view.onset_at, zone)}"


def draw_alert_reasons(opened: OpenSession, zone: tzinfo, names: Mapping[str, str]) -> None:
    """Draw them in the order the alerts began; nothing when there was none."""
    views = sorted(opened.views, key=lambda item: (item.onset_at, item.alert.detected_at))
    if not views:
        return
    told = [
        (
            view,
            explanation(
                view, opened.alert_events, opened.session, opened.threshold_set, zone, names
            ),
        )
        for view in views
    ]
    st.html(reasons_html(told, zone, dark=is_dark()))


def reasons_html(
    told: list[tuple[AlertView, tuple[Reason, ...]]], zone: tzinfo, *, dark: bool
) -> str:
    """The alerts as HTML, every text escaped."""
    parts = "".join(_alert_html(view, reasons, zone) for view, reasons in told)
    style = f"<style>{colours('.reasons', dark=dark)}{_CSS}</style>"
    return f'{style}<div class="reasons"><h3>{escape(_("Why each alert was raised"))}</h3>{parts}</div>'


def _alert_html(view: AlertView, reasons: tuple[Reason, ...], zone: tzinfo) -> str:
    headline = alert_headline(view, zone)
    lines = "".join(
        f"<dt>{escape(reason.about)}</dt><dd>{escape(reason.text)}</dd>" for reason in reasons
    )
    return f"<details><summary>{escape(headline)}</summary><dl>{lines}</dl></details>"
