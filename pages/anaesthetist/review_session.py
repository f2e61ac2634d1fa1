"""The review of one session: the whole record on one page, for whoever reads, files or signs it."""

from __future__ import annotations

from collections.abc import Mapping
from gettext import gettext as _
from gettext import ngettext
from uuid import UUID

import streamlit as st

from monitor import frames
from monitor.accounts import DeviceSession
from monitor.actions import OpenSession, confirm_overrides, open_session
from monitor.alerts import open_alerts
from monitor.errors import MonitorError, NotFound, NotPermitted, StoreUnavailable
from monitor.gate import label_of
from monitor.ids import new_id
from monitor.lifecycle import SessionStatus
from monitor.permissions import Action, User, check_may, may
from monitor.requests import ConfirmRequest
from monitor.store import SessionQuery, Store
from monitor.timeline import marks
from monitor.verbal_orders import override_words, verbal_orders
from pages.widgets.alert_reasons import draw_alert_reasons
from pages.widgets.chart import draw_session_chart, draw_tables
from pages.widgets.clinic_time import clinic_zone, now
from pages.widgets.live.live import FALL_BACK_S, follow_record
from pages.widgets.look import is_dark
from pages.widgets.navigation import go_to
from pages.widgets.plain import plain
from pages.widgets.presence import is_present
from pages.widgets.session_head import head_html, session_label
from pages.widgets.unanswered import draw_unanswered

#: How many of the newest sessions the picker offers; older ones are found on the sessions page.
_OFFERED = 50
#: Which opening of which session this browser tab has already left an audit event for.
_OPENED = "review.opened"


def review_session(store: Store, user: User, device: DeviceSession) -> None:
    """Draw the session named in the address, or let one be picked."""
    try:
        check_may(user, Action.SEE_SESSION)
        session_id = _picked(store, user)
    except (NotPermitted, StoreUnavailable) as error:
        st.error(str(error))
        return
    if session_id is None:
        st.info(_("Pick a session to see its record."))
        return
    _draw(store, user, device, session_id)


def _picked(store: Store, user: User) -> UUID | None:
    """The session in the address; the picker changes the address."""
    named = _named_in_address()
    rows = store.summaries(SessionQuery(clinic=user.clinic, limit=_OFFERED))
    zone = clinic_zone()
    labels = {str(row["session_id"]): session_label(row, zone) for row in rows}
    if named is not None:
        labels.setdefault(str(named), _("the session in the address"))
    options = list(labels)
    picked = st.selectbox(
        _("Session"),
        options,
        index=options.index(str(named)) if named else None,
        format_func=lambda key: labels[key],
        placeholder=_("chair, patient or date"),
        key="review-picker",
        label_visibility="collapsed",
    )
    if picked is None:
        return None
    if picked != str(named):
        st.query_params["session"] = picked
    return UUID(picked)


def _named_in_address() -> UUID | None:
    text = st.query_params.get("session", "")
    try:
        return UUID(text)
    except ValueError:
        return None


@st.fragment(run_every=FALL_BACK_S)
def _draw(store: Store, user: User, device: DeviceSession, session_id: UUID) -> None:
    if not is_present(device):
        return
    try:
        version = store.version(user.clinic)
        names = {person.username: person.name for person in store.users(user.clinic)}
        opened = open_session(
            store,
            user,
            session_id,
            now=now(),
            audit=_is_first_look(session_id),
            device=device.label,
        )
    except (NotFound, NotPermitted, StoreUnavailable) as error:
        st.error(str(error))
        return
    _draw_record(store, user, device, opened, names)
    if opened.status.is_open:
        follow_record(version, key="review-follows")


def _is_first_look(session_id: UUID) -> bool:
    """Whether this tab opens the session now; looking on, tick after tick, is one opening."""
    if st.session_state.get(_OPENED) == session_id:
        return False
    st.session_state[_OPENED] = session_id
    return True


def _draw_record(
    store: Store, user: User, device: DeviceSession, opened: OpenSession, names: Mapping[str, str]
) -> None:
    zone = clinic_zone()
    st.html(head_html(opened, zone, dark=is_dark()))
    _draw_verbal_orders(store, user, device, opened, names)
    _draw_way_to_bedside(user, opened)
    draw_session_chart(opened, zone, key="review-chart", names=names)
    session = opened.session
    draw_tables(
        [
            (
                _("Alerts and what was done about them"),
                frames.alert_table(
                    opened.all_views,
                    opened.alert_events,
                    zone,
                    names=names,
                    limits=_limits_label(opened),
                ),
                _("No alert was raised."),
            ),
        ],
        names,
    )
    draw_unanswered(store, user, device, opened, zone)
    draw_alert_reasons(opened, zone, names)
    draw_tables(
        [
            (
                _("Events and doses, numbered as on the chart"),
                frames.event_table(session, zone, names, opened.alerts),
                _("Nothing was recorded yet."),
            ),
            (
                _("Gate: before the start and before leaving"),
                frames.gate_table(session, opened.protocol, opened.as_of, zone, names),
                _("Nothing was asked."),
            ),
            (
                _("Side effects"),
                frames.side_effect_table(session, zone),
                _("None was recorded, and nobody recorded that there are none."),
            ),
            (
                _("Observations"),
                frames.observation_table(
                    session,
                    zone,
                    marks(opened.breaches, opened.threshold_set),
                    with_news2=opened.threshold_set.has_news2,
                ),
                _("No observation was recorded yet."),
            ),
            (
                _("Dose"),
                frames.dose_table(session, zone, names),
                _("No dose was recorded yet."),
            ),
            (
                _("What each dose did: before it, 5 and 15 minutes after"),
                frames.response_table(session, zone, names),
                _("No dose was recorded yet."),
            ),
            (
                _("Amendments"),
                frames.amendment_table(session, zone),
                _("Nothing was amended."),
            ),
        ],
        names,
    )
    if may(user, Action.EXPORT):
        _draw_downloads(opened)


def _draw_verbal_orders(
    store: Store, user: User, device: DeviceSession, opened: OpenSession, names: Mapping[str, str]
) -> None:
    """What was ordered by word and is not confirmed; who ordered it confirms it here, as signed in."""
    orders = verbal_orders(opened.session, opened.as_of)
    if not orders:
        return
    with st.container(border=True, key="review-verbal"):
        count = ngettext(
            "⚑ {n} verbal order is not confirmed",
            "⚑ {n} verbal orders are not confirmed",
            len(orders),
        )
        st.markdown(f"**{count.format(n=len(orders))}**")
        for order in orders:
            words = f"{label_of(order.question)}: {override_words(order, names)}"
            st.markdown(f"- {plain(words)}")
        mine = tuple(order.id for order in orders if order.override_by == user.username)
        if not mine or opened.status is SessionStatus.SIGNED:
            return
        label = ngettext("I confirm my order", "I confirm my {n} orders", len(mine))
        if st.button(label.format(n=len(mine)), key="review-confirm", type="primary"):
            request = ConfirmRequest(id=new_id(), confirms=mine)
            try:
                confirm_overrides(
                    store, user, opened.session.id, request, now=now(), device=device.label
                )
            except MonitorError as refused:
                st.error(str(refused))
                return
            st.rerun()


def _limits_label(opened: OpenSession) -> str:
    """Which limit set watched the session, as people call it."""
    return _("Limit set {name} (clinic default)").format(name=opened.threshold_set.label)


def _draw_way_to_bedside(user: User, opened: OpenSession) -> None:
    """The way to where alerts are answered and entries made, for whoever may do that."""
    if not opened.status.is_open or not may(user, Action.RECORD_OBSERVATIONS):
        return
    unanswered = any(view.acknowledged_at is None for view in open_alerts(opened.all_views))
    answer = unanswered and may(user, Action.ANSWER_ALERT)
    if st.button(
        _("Answer at the bedside page") if answer else _("Open bedside"),
        key="review-bedside",
        type="primary" if answer else "secondary",
    ):
        go_to("bedside", session=opened.session.id)


def _draw_downloads(opened: OpenSession) -> None:
    """Links, not buttons: the files are streamed by our own route, which asks and audits."""
    names = {
        "observations": _("Observations (CSV)"),
        "doses": _("Doses (CSV)"),
        "side-effects": _("Side effects (CSV)"),
        "gate": _("Gate (CSV)"),
        "breaches": _("Breaches (CSV)"),
        "alerts": _("Alerts (CSV)"),
    }
    columns = st.columns(len(names))
    for column, (name, label) in zip(columns, names.items(), strict=True):
        column.link_button(
            label, f"/download/session/{opened.session.id}/{name}.csv", width="stretch"
        )
