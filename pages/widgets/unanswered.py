"""Alerts that ended before anybody answered: whoever knows what was done says so, and they close.

At the bedside only what is open is asked about; these have to be answerable somewhere, or they would
stay open questions of the record for ever (clinical.md 7.2: resolved becomes closed by an action).
"""

from __future__ import annotations

from datetime import tzinfo
from gettext import gettext as _
from gettext import ngettext

import streamlit as st

from monitor.accounts import DeviceSession
from monitor.actions import OpenSession, answer_alert
from monitor.alerts import AlertState, AlertView, acknowledge
from monitor.errors import MonitorError
from monitor.ids import derived_id
from monitor.lifecycle import SessionStatus
from monitor.permissions import Action, User, may
from monitor.requests import AnswerRequest
from monitor.store import Store
from pages.nurse.reasons import alert_answers
from pages.widgets.alert_reasons import alert_headline
from pages.widgets.clinic_time import now
from pages.widgets.plain import plain

_SAID = "review-unanswered-said"


def unanswered(opened: OpenSession) -> tuple[AlertView, ...]:
    """Those that are over and have no answer, the first one first; what no repeat confirmed asks none."""
    over = (
        view
        for view in opened.all_views
        if view.state is AlertState.RESOLVED
        and view.acknowledged_at is None
        and not view.unconfirmed
    )
    return tuple(sorted(over, key=lambda view: view.onset_at))


def draw_unanswered(
    store: Store, user: User, device: DeviceSession, opened: OpenSession, zone: tzinfo
) -> None:
    """Draw what ended unanswered, with one answer for as many of them as it fits."""
    views = unanswered(opened)
    if not views or not may(user, Action.ANSWER_ALERT) or opened.status is SessionStatus.SIGNED:
        return
    labels = {view.alert.id: alert_headline(view, zone) for view in views}
    with st.container(border=True, key="review-unanswered"):
        heading = ngettext(
            "{n} alert ended before anybody answered",
            "{n} alerts ended before anybody answered",
            len(views),
        )
        st.markdown(f"**{heading.format(n=len(views))}**")
        if said := st.session_state.pop(_SAID, ""):
            st.error(said)
        with st.form("review-unanswered-form", border=False, clear_on_submit=False):
            chosen = st.multiselect(
                _("Alerts"),
                list(labels),
                default=list(labels) if len(labels) == 1 else None,
                format_func=lambda alert_id: plain(labels.get(alert_id, "")),
                placeholder=_("those this answer is about"),
                # Another list is another field: one that was answered cannot stay chosen.
                key=f"review-unanswered-{'-'.join(map(str, labels))}",
            )
            answers = alert_answers()
            first, second = st.columns(2)
            action = first.selectbox(
                _("What was done"),
                list(answers),
                index=None,
                format_func=lambda code: answers[code],
                placeholder=_("choose"),
                key="review-unanswered-action",
            )
            note = second.text_input(
                _("Note, and for a critical one why nobody was called"),
                key="review-unanswered-note",
            )
            if st.form_submit_button(_("Record the answer"), type="primary"):
                _answer(store, user, device, opened, tuple(chosen), action, note)
                st.rerun()


def _answer(
    store: Store,
    user: User,
    device: DeviceSession,
    opened: OpenSession,
    chosen: tuple[object, ...],
    action: str | None,
    note: str,
) -> None:
    """Record it for every chosen alert, or say what is wrong and record none."""
    asked = [view for view in unanswered(opened) if view.alert.id in chosen]
    if not asked or action is None:
        st.session_state[_SAID] = _("Choose the alerts and what was done about them.")
        return
    text = note.strip() or None
    try:
        for view in asked:
            acknowledge(view, by=user.username, action=action, text=text, now=now())
        for view in asked:
            # The same id however often the button is pressed.
            answer_id = derived_id("answer on review", view.alert.id, len(view.answers))
            request = AnswerRequest(id=answer_id, alert_id=view.alert.id, action=action, text=text)
            answer_alert(store, user, opened.session.id, request, now=now(), device=device.label)
    except MonitorError as refused:
        st.session_state[_SAID] = plain(str(refused))
