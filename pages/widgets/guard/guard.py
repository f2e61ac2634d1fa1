"""The guard: the bar of who is signed in, and the page's own watch over sign-out, lock and idling."""

from __future__ import annotations

from gettext import gettext as _
from pathlib import Path

import streamlit as st

from monitor.permissions import Action, Role, may
from monitor.user_admin import DEMO_CLINIC
from pages.http.context import Policy, Visitor
from pages.http.plain_page import BANNER, DEMO_BANNER
from pages.widgets.entry.entry import OUTBOX_SCRIPT

_HERE = Path(__file__).parent

#: Read once at import: a component must not change under an open page.
_guard = st.components.v2.component(
    "monitor.guard",
    js="\n".join((OUTBOX_SCRIPT, (_HERE / "guard.js").read_text("utf-8"))),
    css="\n".join((_HERE / name).read_text("utf-8") for name in ("guard.css", "unsaved.css")),
)


def role_name(role: Role) -> str:
    """What the role is called on the screen."""
    return {
        Role.NURSE: _("nurse"),
        Role.ANAESTHETIST: _("anaesthetist"),
        Role.LEAD: _("clinic lead"),
        Role.ADMIN: _("administrator"),
        Role.WALL: _("wall screen"),
    }[role]


def draw_guard(visitor: Visitor, policy: Policy) -> None:
    """Draw it first on every page, whatever the page is."""
    _guard(
        key="guard",
        data={
            "token": visitor.device.csrf_token,
            "username": visitor.user.username,
            "name": visitor.user.name,
            "role": role_name(visitor.user.role),
            "demo": _(DEMO_BANNER) if visitor.user.clinic == DEMO_CLINIC else "",
            "opens_bedside": may(visitor.user, Action.RECORD_OBSERVATIONS),
            "idle_ms": int(policy.idle.total_seconds() * 1000),
            "text": _texts(visitor),
        },
    )


def draw_gone() -> None:
    """Nobody is signed in any more: empty the page and go to sign-in."""
    _guard(key="guard", data={"gone": True})


def _texts(visitor: Visitor) -> dict[str, str]:
    return {
        "title": _("Infusion session monitor"),
        "who": _("Signed in"),
        "demo": _("Demo"),
        "account": _("my account"),
        "lock": _("Lock"),
        "sign_out": _("Sign out"),
        "locked": _("Locked"),
        "locked_by": _(
            "{name} is signed in on this device. Anyone of the clinic can go on here with their "
            "own PIN or password. What was typed is kept."
        ).format(name=visitor.user.name),
        "user_name": _("User name"),
        "secret": _("PIN or password"),
        "people": _("Who works on this device"),
        "pin_keys": _("Keys"),
        "erase": _("Erase"),
        "unlock": _("Unlock"),
        "no_answer": _("The server does not answer. Nobody can take over until it does."),
        "offline": _("No connection"),
        "offline_help": _(
            "The server does not answer, and nobody has touched this device for a while. "
            "{name} can go on here; entries are kept on this device until the server answers."
        ).format(name=visitor.user.name)
        + " "
        + _(BANNER),
        "unsaved_1": _("1 entry NOT SAVED · {chair}"),
        "unsaved_n": _("{n} entries NOT SAVED · {chair}"),
        "open_bedside": _("Open the bedside"),
        "go_on": _("Go on as {name}").format(name=visitor.user.name),
    }
