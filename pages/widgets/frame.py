"""The frame around every page: which pages a person is offered, and how all of them look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from gettext import gettext as _
from pathlib import Path

import streamlit as st

from monitor.accounts import DeviceSession
from monitor.permissions import Action, Role, User, may
from monitor.store import Store
from pages.anaesthetist.review_session import review_session
from pages.clinic_lead.find_sessions import find_sessions
from pages.clinic_lead.manage_users import manage_users
from pages.clinic_lead.see_burden import see_burden
from pages.clinic_lead.try_limits import try_limits
from pages.everyone.intended_use import intended_use
from pages.everyone.limit_sets import show_limit_sets
from pages.everyone.live_board import show_board
from pages.everyone.own_account import own_account
from pages.everyone.protocols import show_protocols
from pages.http.context import Gate, Visitor
from pages.http.plain_page import BANNER
from pages.nurse.bedside import bedside
from pages.nurse.patients import patients
from pages.nurse.start_session import start_session
from pages.widgets import navigation
from pages.widgets.escalated import draw_escalated
from pages.widgets.guard.guard import draw_guard
from pages.widgets.look import is_dark

PageFunction = Callable[[Store, User, DeviceSession], None]

_CHART_CODE = "frame.chart_code"
#: On the light accent of the dark theme white text is too faint to read.
_DARK_INK = '[data-testid^="stBaseButton-primary"] * { color: #0f1318; }'
_CSS = (Path(__file__).parent / "frame.css").read_text("utf-8")


@dataclass(frozen=True, slots=True)
class Offer:
    """A page, its address, and the action a person must be allowed for it to be offered.

    ``listed`` False: it is reached from another page or the person's name, not from the menu.
    """

    name: str
    title: str
    action: Action | None
    page: PageFunction
    listed: bool = True


#: In the order of the menu; the first one a person is offered is where they land.
OFFERS: tuple[Offer, ...] = (
    Offer("board", "Live board", Action.SEE_BOARD, show_board),
    Offer("start", "Start a session", Action.START_SESSION, start_session),
    Offer("bedside", "Bedside", Action.RECORD_OBSERVATIONS, bedside, listed=False),
    Offer("review", "Session", Action.SEE_SESSION, review_session, listed=False),
    Offer("patients", "Patients", Action.KEEP_REGISTER, patients),
    Offer("sessions", "Sessions", Action.FIND_SESSIONS, find_sessions),
    Offer("protocols", "Protocols", Action.SEE_SESSION, show_protocols),
    Offer("limits", "Limits", Action.SEE_SESSION, show_limit_sets),
    Offer("burden", "Alert burden", Action.SEE_BURDEN, see_burden, listed=False),
    Offer("try-limits", "Try a limit", Action.SEE_BURDEN, try_limits, listed=False),
    Offer("users", "Users", Action.MANAGE_USERS, manage_users),
    Offer("account", "My account", None, own_account, listed=False),
    Offer("intended-use", "About", None, intended_use),
)


def offers_for(user: User) -> tuple[Offer, ...]:
    """The pages this person is offered; permission itself is checked in every action."""
    if user.role is Role.WALL:
        return OFFERS[:1]
    return tuple(offer for offer in OFFERS if offer.action is None or may(user, offer.action))


def draw(gate: Gate, visitor: Visitor) -> None:
    """Draw the frame and run the page that the address names."""
    st.set_page_config(
        page_title=_("Infusion session monitor"),
        layout="wide",
        initial_sidebar_state="collapsed",
        menu_items={"About": _(BANNER)},
    )
    with st.container(key="frame"):
        st.html(f"<style>{_CSS}{_DARK_INK if is_dark() else ''}</style>")
        draw_guard(visitor, gate.policy)
    pages = {offer.name: _page(gate, visitor, offer) for offer in offers_for(visitor.user)}
    navigation.register(pages)
    home = _page(gate, visitor, offers_for(visitor.user)[0], home=True)
    page = st.navigation([home, *pages.values()], position="top")
    if page.url_path != "bedside":
        draw_escalated(gate.store, visitor.user, visitor.device)
    page.run()
    _load_chart_code()


def _load_chart_code() -> None:
    """Draw one point nobody sees, once per tab, after the page: the first real chart is then fast.

    Streamlit loads its chart code (4.7 MB) with the first chart of a browser (ruling 22).
    """
    if st.session_state.setdefault(_CHART_CODE, False):
        return
    st.session_state[_CHART_CODE] = True
    point = {"data": [{"type": "scatter", "x": [0], "y": [0]}], "layout": {"height": 40}}
    with st.container(key="frame-chart"):
        st.plotly_chart(point, theme=None, config={"staticPlot": True}, key="frame.point")


def _page(gate: Gate, visitor: Visitor, offer: Offer, *, home: bool = False) -> st.Page:
    """One page under its own address; the first one a person is offered also under "/".

    Streamlit gives the default page no address of its own, so it is registered twice.
    """
    first = offer is offers_for(visitor.user)[0]
    return st.Page(
        partial(offer.page, gate.store, visitor.user, visitor.device),
        title=_(offer.title),
        url_path="home" if home else offer.name,
        default=home,
        visibility="visible" if offer.listed and home == first else "hidden",
    )
