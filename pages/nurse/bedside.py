"""The nurse's screen of one infusion session: the entry component with the chart behind it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from gettext import gettext as _
from pathlib import Path
from typing import Any
from uuid import UUID

import streamlit as st

from monitor import actions
from monitor import bedside as screen
from monitor.accounts import DeviceSession
from monitor.actions import OpenSession
from monitor.alerts import CALLS_NOBODY
from monitor.conflicts import REASON as CONFLICT
from monitor.errors import MonitorError
from monitor.late_notes import LATE_AFTER, LATE_NOTE
from monitor.one_tap import OneTap, packaged
from monitor.permissions import Action, Role, User, may
from monitor.record import InfusionSession
from monitor.store import Draft, Store
from pages.http.context import installed
from pages.http.entry import names_of
from pages.http.grants import make_grant
from pages.http.plain_page import BANNER, INTENDED_USE
from pages.http.witness import witnesses
from pages.nurse.reasons import (
    alert_answers,
    allergy_reasons,
    dose_reasons,
    hide_reasons,
    left_reasons,
    nobody_reasons,
    override_reasons,
    weight_reasons,
)
from pages.widgets.chart import draw_session_chart
from pages.widgets.clinic_time import clinic_zone, now
from pages.widgets.entry.entry import entry_screen
from pages.widgets.entry.words import words
from pages.widgets.live.live import FALL_BACK_S, follow_record
from pages.widgets.navigation import go_to

_CSS = (Path(__file__).parent / "bedside.css").read_text("utf-8")
#: Which opening of the page was already written to the audit trail (one event per opening).
_OPENED = "bedside.opened"


def bedside(store: Store, user: User, device: DeviceSession) -> None:
    """Draw the bedside of the session named in the address."""
    session_id = _asked_for()
    if session_id is None:
        st.error(_("Choose a session on the live board."))
        return
    st.html(f"<style>{_CSS}</style>")
    _screen(store, user, device, session_id)


@st.fragment(run_every=FALL_BACK_S)
def _screen(store: Store, user: User, device: DeviceSession, session_id: UUID) -> None:
    """What follows the record: the component is told, the chart is drawn anew."""
    version = store.version(user.clinic)
    opening = (str(session_id), user.username)
    try:
        opened = actions.open_session(
            store,
            user,
            session_id,
            now=now(),
            audit=st.session_state.get(_OPENED) != opening,
            device=device.token_hash[:12],
        )
    except MonitorError as error:
        st.error(str(error))
        return
    st.session_state[_OPENED] = opening
    names = names_of(store, user)
    with st.container(key="bedside_entry"):
        asked = entry_screen(
            _config(store, user, device, opened, names),
            screen.state(opened, zone=clinic_zone(), names=names, version=version),
            key=f"entry-{session_id}",
        )
    with st.container(key="bedside_chart"):
        draw_session_chart(opened, clinic_zone(), key="bedside-chart", compact=True, names=names)
    with st.container(key="bedside_live"):
        follow_record(version, key="bedside-live")
    if asked == "leave":
        go_to("board")


def _asked_for() -> UUID | None:
    try:
        return UUID(st.query_params.get("session", ""))
    except ValueError:
        return None


def _unsaved(drafts: Iterable[Draft], session: InfusionSession) -> Iterator[Draft]:
    """Drafts of what is not in the record: a tablet that lost its server could not take one back.

    Offered again, such a set would be saved a second time.
    """
    saved = {str(item.set_id) for item in session.observations}
    for draft in drafts:
        try:
            entry = json.loads(draft.content).get("entry")
        except (ValueError, AttributeError):
            entry = None  # the component says that it cannot be read
        if entry not in saved:
            yield draft


def _config(
    store: Store,
    user: User,
    device: DeviceSession,
    opened: OpenSession,
    names: Mapping[str, str],
) -> dict[str, Any]:
    """What the component is told once: addresses, secrets of this page, words and choices."""
    session_id = opened.session.id
    here = device.token_hash[:12]
    drafts = {draft.device: draft for draft in _unsaved(store.drafts(session_id), opened.session)}
    mine = drafts.get(here)
    return {
        **screen.fixed_part(opened, _one_tap()),
        "base": f"/entry/{session_id}/",
        "lock_url": "/device/lock",
        "blank_chart_url": f"/blank-chart/session/{session_id}",
        "csrf": device.csrf_token,
        "grant": make_grant(user, device, session_id, opened.as_of),
        "person": user.username,
        "person_name": user.name,
        "zone": str(clinic_zone()),
        "strings": words(),
        "draft": mine.content if mine else None,
        "other_drafts": [
            {
                "by": names.get(draft.username, draft.username),
                "saved_at": draft.saved_at.isoformat(),
                "content": draft.content,
            }
            for key, draft in drafts.items()
            if key != here
        ],
        "orderers": [
            {"code": person.username, "label": person.name}
            for person in store.users(user.clinic)
            if person.role is Role.ANAESTHETIST and person.active
        ],
        "witnesses": [
            {"code": person.username, "label": person.name} for person in witnesses(store, user)
        ],
        "limit_second": None
        if may(user, Action.CHANGE_LIMITS)
        else _("An anaesthetist approves a limit for one patient with their PIN."),
        "ledger_second": _("A second person witnesses this with their PIN."),
        "ampoules": _choices({str(mg): f"{mg} mg" for mg in (50, 200, 500)}),
        "left_reasons": left_reasons(),
        "weight_reasons": weight_reasons(),
        "allergy_reasons": allergy_reasons(),
        "intended_use": [_(INTENDED_USE), _(BANNER)],
        "answers": _choices(alert_answers()),
        "calls_nobody": sorted(CALLS_NOBODY),
        "nobody_reasons": nobody_reasons(),
        "hide_reasons": hide_reasons(),
        "dose_reasons": dose_reasons(),
        "really_reasons": _choices({text: text for text in _confirmations()}),
        "conflict_reason": CONFLICT,
        "same_note": _("same as before"),
        "unit_labels": {"[degF]": "°F"},
        "wrong_time": _("wrong time"),
        "late_after_min": LATE_AFTER // timedelta(minutes=1),
        "late_note": LATE_NOTE,
        "late_reasons": _choices({text: text for text in _late_reasons()}),
        "amend_reasons": _choices({text: text for text in _amend_reasons()}),
        "override_reasons": override_reasons(),
    }


def _one_tap() -> OneTap:
    """The clinic's own buttons; the packaged ones when a page runs outside the App (page tests)."""
    gate = installed()
    return gate.one_tap if gate else packaged()


def _choices(labels: dict[str, str]) -> list[dict[str, str]]:
    return [{"code": code, "label": label} for code, label in labels.items()]


def _confirmations() -> tuple[str, ...]:
    return (_("emergency, as seen"), _("measured twice"), _("checked by hand"))


def _late_reasons() -> tuple[str, ...]:
    return (_("patient first"), _("another patient"), _("network down"), _("taken over"))


def _amend_reasons() -> tuple[str, ...]:
    return (
        _("typing slip"),
        _("artefact"),
        _("wrong field"),
        _("wrong patient"),
    )
