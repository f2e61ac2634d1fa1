"""The clinic's protocols: everybody reads, a lead writes, an anaesthetist approves."""

from __future__ import annotations

from collections.abc import Sequence
from gettext import gettext as _

import streamlit as st

from monitor.accounts import DeviceSession
from monitor.actions.protocols import (
    ProtocolVersion,
    approve_protocol,
    approved_threshold_sets,
    may_approve,
    may_retire,
    protocol_versions,
    retire_protocol,
)
from monitor.actions.versions import Standing
from monitor.errors import MonitorError
from monitor.permissions import Action, User, may
from monitor.protocol_check import approval_problems
from monitor.protocol_difference import difference
from monitor.store import Store
from pages.clinic_lead.write_protocol import ANOTHER, NEXT, begin, write_protocol
from pages.widgets.clinic_time import clinic_zone
from pages.widgets.look import is_dark
from pages.widgets.protocol_sheet import framed, list_html, sheet_html
from pages.widgets.version_page import Decisions, VersionPage

#: The address of this page, where a row of the list leads.
PAGE = "protocols"
_PAGE = VersionPage(
    name=PAGE,
    decisions=Decisions(
        may_approve=may_approve,
        may_retire=may_retire,
        approves=lambda user: may(user, Action.APPROVE_PROTOCOLS),
        approve=approve_protocol,
        retire=retire_protocol,
    ),
    difference=difference,
)


def show_protocols(store: Store, user: User, device: DeviceSession) -> None:
    """Draw the list, or the version named in the address, or the form for a new one."""
    try:
        versions = protocol_versions(store, user)
    except MonitorError as error:
        st.error(str(error))
        return
    chosen = _PAGE.in_address(versions)
    if chosen is None:
        _list(versions)
    elif _form_in_address() and may(user, Action.MANAGE_PROTOCOLS):
        write_protocol(store, user, chosen, _form_in_address(), leave=_PAGE.go_to)
    else:
        _sheet(store, user, chosen, versions)


def _form_in_address() -> str:
    form = st.query_params.get("form", "")
    return form if form in (NEXT, ANOTHER) else ""


def _list(versions: Sequence[ProtocolVersion]) -> None:
    st.title(_("Protocols"))
    _PAGE.say_done()
    st.html(framed(list_html(versions, PAGE), dark=is_dark()))


def _sheet(
    store: Store, user: User, item: ProtocolVersion, versions: Sequence[ProtocolVersion]
) -> None:
    _ways(user, item)
    _PAGE.say_done()
    draft = item.standing is Standing.DRAFT
    try:
        people = store.users(user.clinic)
        limits = approved_threshold_sets(store, user.clinic)
    except MonitorError as error:
        st.error(str(error))
        return
    problems = approval_problems(item.content, limits) if draft else ()
    _PAGE.compare(item, versions)
    html = sheet_html(item, problems, people, clinic_zone(), dark=is_dark())
    st.html(framed(html, dark=is_dark()))
    # Below the sheet: it is read first.
    _PAGE.decide(store, user, item, ready=not problems)


def _ways(user: User, item: ProtocolVersion) -> None:
    """Back to the list, and for a lead on to a new version."""
    with st.container(horizontal=True):
        if st.button(_("All protocols"), key="protocols.back", icon=":material/arrow_back:"):
            _PAGE.go_to(None)
        if not may(user, Action.MANAGE_PROTOCOLS):
            return
        code = item.version.code
        if st.button(_("Write the next version of {code}").format(code=code), key="protocols.next"):
            begin()
            _PAGE.go_to(item.version.id, form=NEXT)
        if st.button(_("Write another protocol from this"), key="protocols.another"):
            begin()
            _PAGE.go_to(item.version.id, form=ANOTHER)
