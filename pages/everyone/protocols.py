"""The clinic's protocols: everybody reads, a lead writes, an anaesthetist approves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from gettext import gettext as _
from uuid import UUID

import streamlit as st

from monitor.accounts import DeviceSession
from monitor.actions.protocols import (
    ProtocolVersion,
    Standing,
    approve_protocol,
    approved_threshold_sets,
    may_approve,
    may_retire,
    protocol_versions,
    retire_protocol,
    version_before,
)
from monitor.errors import InvalidEntry, MonitorError
from monitor.permissions import Action, User, may
from monitor.protocol_check import approval_problems
from monitor.protocol_difference import difference
from monitor.store import Store
from pages.clinic_lead.write_protocol import ANOTHER, NEXT, begin, write_protocol
from pages.widgets.clinic_time import clinic_zone, now
from pages.widgets.look import is_dark
from pages.widgets.protocol_sheet import difference_html, framed, list_html, sheet_html

#: The address of this page, where a row of the list leads.
PAGE = "protocols"
_DONE = "protocols.done"


def show_protocols(store: Store, user: User, device: DeviceSession) -> None:
    """Draw the list, or the version named in the address, or the form for a new one."""
    try:
        versions = protocol_versions(store, user)
    except MonitorError as error:
        st.error(str(error))
        return
    chosen = _named_in_address(versions)
    if chosen is None:
        _list(versions)
    elif _form_in_address() and may(user, Action.MANAGE_PROTOCOLS):
        write_protocol(store, user, chosen, _form_in_address(), leave=_go_to)
    else:
        _sheet(store, user, chosen, versions)


def _named_in_address(versions: Sequence[ProtocolVersion]) -> ProtocolVersion | None:
    named = st.query_params.get("version", "")
    return next((item for item in versions if str(item.version.id) == named), None)


def _form_in_address() -> str:
    form = st.query_params.get("form", "")
    return form if form in (NEXT, ANOTHER) else ""


def _go_to(version_id: UUID | None, done: str = "", form: str = "") -> None:
    """Draw this page anew for a version, the form for one, or the list."""
    query = {"version": str(version_id) if version_id else "", "form": form}
    st.query_params.from_dict({name: value for name, value in query.items() if value})
    if done:
        st.session_state[_DONE] = done
    st.rerun()


def _said() -> None:
    if done := st.session_state.pop(_DONE, None):
        st.success(done)
        # The button was at the end of a long page; the top of this one may be out of sight.
        st.toast(done, duration="long")


def _list(versions: Sequence[ProtocolVersion]) -> None:
    st.title(_("Protocols"))
    _said()
    st.html(framed(list_html(versions, PAGE), dark=is_dark()))


def _sheet(
    store: Store, user: User, item: ProtocolVersion, versions: Sequence[ProtocolVersion]
) -> None:
    _ways(user, item)
    _said()
    draft = item.standing is Standing.DRAFT
    try:
        people = store.users(user.clinic)
        limits = approved_threshold_sets(store, user.clinic)
    except MonitorError as error:
        st.error(str(error))
        return
    problems = approval_problems(item.content, limits) if draft else ()
    _compare(item, versions)
    html = sheet_html(item, problems, people, clinic_zone(), dark=is_dark())
    st.html(framed(html, dark=is_dark()))
    # Below the sheet: it is read first.
    _decide(store, user, item, ready=not problems)


def _ways(user: User, item: ProtocolVersion) -> None:
    """Back to the list, and for a lead on to a new version."""
    with st.container(horizontal=True):
        if st.button(_("All protocols"), key="protocols.back", icon=":material/arrow_back:"):
            _go_to(None)
        if not may(user, Action.MANAGE_PROTOCOLS):
            return
        code = item.version.code
        if st.button(_("Write the next version of {code}").format(code=code), key="protocols.next"):
            begin()
            _go_to(item.version.id, form=NEXT)
        if st.button(_("Write another protocol from this"), key="protocols.another"):
            begin()
            _go_to(item.version.id, form=ANOTHER)


def _decide(store: Store, user: User, item: ProtocolVersion, *, ready: bool) -> None:
    """Approving and taking out of use, for those who may; why not, where somebody expects it."""
    draft = item.standing is Standing.DRAFT
    if draft and may(user, Action.APPROVE_PROTOCOLS) and not may_approve(user, item):
        st.info(_("You wrote this version. Somebody else has to approve it."))
    approves = may_approve(user, item) and ready
    if not approves and not may_retire(user, item):
        return
    places = st.columns(2) if approves else [st.container()]
    if approves:
        with places[0]:
            _approve(store, user, item)
    if may_retire(user, item):
        with places[-1]:
            _retire(store, user, item, draft=draft)


def _approve(store: Store, user: User, item: ProtocolVersion) -> None:
    with st.expander(_("Approve this version"), icon=":material/verified:"):
        with st.form("protocols.approve", border=False, enter_to_submit=False):
            st.markdown(
                _(
                    "From then on sessions can be started under it, in your name; the approved "
                    "version before it goes out of use. Sessions that are open keep theirs."
                )
            )
            comment = st.text_input(_("What did you check?"), key="protocols.comment")
            if not st.form_submit_button(_("Approve"), type="primary"):
                return
        _do(
            lambda: approve_protocol(store, user, item.version.id, comment, now=now()),
            item,
            _("{name} is approved."),
        )


def _retire(store: Store, user: User, item: ProtocolVersion, *, draft: bool) -> None:
    title = _("Discard this draft") if draft else _("Take this version out of use")
    with st.expander(title, icon=":material/block:"):
        with st.form("protocols.retire", border=False, enter_to_submit=False):
            st.markdown(
                _("It stays readable, and cannot be brought back.")
                if draft
                else _(
                    "No session can be started under it any more. It stays readable and cannot be "
                    "brought back; {n} open sessions go on under it."
                ).format(n=item.running)
            )
            reason = st.text_input(_("Why?"), key="protocols.reason")
            if not st.form_submit_button(title):
                return
        _do(
            lambda: retire_protocol(store, user, item.version.id, reason, now=now()),
            item,
            _("{name} is out of use."),
        )


def _do(change: Callable[[], None], item: ProtocolVersion, done: str) -> None:
    """Make one change, then draw the page afresh; a refusal is said beside the form."""
    try:
        change()
    except InvalidEntry as refused:
        for problem in refused.problems:
            st.error(problem.message)
        return
    except MonitorError as refused:
        st.error(str(refused))
        return
    _go_to(item.version.id, done.format(name=item.label))


def _compare(item: ProtocolVersion, versions: Sequence[ProtocolVersion]) -> None:
    """What differs from the version before, or from any other."""
    others = [other for other in versions if other.version.id != item.version.id]
    before = version_before(versions, item.version)
    with st.expander(
        _("What differs from another version"),
        expanded=before is not None and item.standing is Standing.DRAFT,
        icon=":material/compare_arrows:",
    ):
        other = st.selectbox(
            _("Compared with"),
            others,
            index=others.index(before) if before else None,
            format_func=lambda choice: choice.label,
            placeholder=_("choose a version"),
            key=f"protocols.other.{item.version.id}",
        )
        if other is not None:
            changes = difference(other.content, item.content)
            st.html(framed(difference_html(changes), dark=is_dark()))
