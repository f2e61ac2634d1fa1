"""The live board: every open session of the clinic, those that need someone first."""

from __future__ import annotations

from gettext import gettext as _

import streamlit as st

from monitor.accounts import DeviceSession
from monitor.board import board_snapshot, nurse_loads
from monitor.errors import StoreUnavailable
from monitor.permissions import Action, Role, User, may
from monitor.store import Store
from pages.widgets.board import board_html
from pages.widgets.clinic_time import clinic_zone, now
from pages.widgets.live.live import FALL_BACK_S, follow_record
from pages.widgets.look import is_dark
from pages.widgets.presence import is_present


def show_board(store: Store, user: User, device: DeviceSession) -> None:
    """Draw the board; it follows the record by itself."""
    if not may(user, Action.SEE_BOARD):
        st.error(_("You may not see the live board. Ask who manages the users of the clinic."))
        return
    _draw(store, user, device)


@st.fragment(run_every=FALL_BACK_S)
def _draw(store: Store, user: User, device: DeviceSession) -> None:
    if not is_present(device):
        return
    at = now()
    try:
        # The version first: what is saved while the rows are read is then pushed, not missed.
        version = store.version(user.clinic)
        rows = board_snapshot(store, user, at)
    except StoreUnavailable as error:
        st.error(str(error))
        return
    st.html(
        board_html(
            rows,
            () if user.role is Role.WALL else nurse_loads(rows),
            at,
            clinic_zone(),
            page=_page_of_a_row(user),
            dark=is_dark(),
        )
    )
    follow_record(version, key="board-follows")


def _page_of_a_row(user: User) -> str | None:
    """Where a row leads: a nurse to the bedside, others to the review, a wall screen nowhere."""
    if user.role is Role.NURSE and may(user, Action.RECORD_OBSERVATIONS):
        return "bedside"
    return "review" if may(user, Action.SEE_SESSION) else None
