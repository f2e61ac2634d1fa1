"""The banner for whom an alert is told because nobody answered it (clinical.md 7.2).

On every page but the bedside, where the card itself says it.  It goes when somebody answers, and it
is no alarm: it makes no sound and does not flash.
"""

from __future__ import annotations

from gettext import gettext as _
from html import escape
from urllib.parse import quote

import streamlit as st

from monitor.accounts import DeviceSession
from monitor.board import BoardFlag, BoardRow, board_snapshot, escalated_to
from monitor.chart_looks import ICONS
from monitor.errors import StoreUnavailable
from monitor.permissions import Action, Role, User, may
from monitor.store import Store
from pages.widgets.clinic_time import now
from pages.widgets.live.live import FALL_BACK_S, follow_record
from pages.widgets.look import colours, is_dark
from pages.widgets.presence import is_present

_CSS = """
.escalated a, .escalated div { display: block; min-height: 48px; padding: 12px 16px; margin-bottom: 8px;
  border-radius: 12px; font-size: 16px; font-weight: 700; text-decoration: none; }
.escalated .critical { background: var(--critical); color: var(--on-critical); }
.escalated .warning { background: var(--warning); color: var(--on-warning); }
"""


@st.fragment(run_every=FALL_BACK_S)
def draw_escalated(store: Store, user: User, device: DeviceSession) -> None:
    """Draw what this person is told of; nothing at all when that is nothing.

    That an alert is told to somebody is itself an entry of the record, so following it is enough.
    """
    if not may(user, Action.SEE_BOARD) or user.role is Role.WALL or not is_present(device):
        return
    try:
        # The version first: what is saved while the rows are read is then pushed, not missed.
        version = store.version(user.clinic)
        rows = board_snapshot(store, user, now())
    except StoreUnavailable:
        return  # the page itself says it
    told = escalated_to(rows, user)
    if told:
        page = "review" if may(user, Action.SEE_SESSION) else None
        st.html(banner_html(told, page=page, dark=is_dark()))
    with st.container(key="escalated-follows"):
        follow_record(version, key="escalated-follow")


def banner_html(
    told: tuple[tuple[BoardRow, BoardFlag], ...], *, page: str | None, dark: bool
) -> str:
    """One line for each alert, the way to its session behind it."""
    lines = "".join(_line(row, flag, page) for row, flag in told)
    label = escape(_("Alerts nobody answered"), quote=True)
    return (
        f"<style>{colours('.escalated', dark=dark)}{_CSS}</style>"
        f'<div class="escalated" role="alert" aria-label="{label}">{lines}</div>'
    )


def _line(row: BoardRow, flag: BoardFlag, page: str | None) -> str:
    words = _("You are told: chair {chair}, {name}: {text}").format(
        chair=row.chair, name=row.name, text=flag.text
    )
    said = f"{ICONS[flag.level]} {escape(words)}"
    if page is None:
        return f'<div class="{flag.level}">{said}</div>'
    address = f"/{quote(page)}?session={row.session_id}"
    return f'<a class="{flag.level}" href="{address}" target="_self">{said}</a>'
