"""The clinic's alert limits: everybody reads, a lead writes, an anaesthetist approves."""

from __future__ import annotations

from collections.abc import Sequence
from gettext import gettext as _

import streamlit as st

from monitor.accounts import DeviceSession
from monitor.actions.limit_sets import (
    approve_limits,
    limit_set_versions,
    may_approve_limits,
    may_retire_limits,
    retire_limits,
)
from monitor.actions.versions import Standing, StoredVersion
from monitor.errors import MonitorError
from monitor.limit_set_check import limit_set_problems
from monitor.limit_set_entry import limit_changes
from monitor.permissions import Action, User, may
from monitor.store import Store
from pages.clinic_lead.write_limits import begin, write_limits
from pages.widgets.clinic_time import clinic_zone
from pages.widgets.limit_sheet import limit_list_html, limit_sheet_html
from pages.widgets.look import is_dark
from pages.widgets.navigation import link_to
from pages.widgets.protocol_sheet import framed
from pages.widgets.version_page import Decisions, VersionPage

#: The address of this page, where a row of the list leads.
PAGE = "limits"
_FORM = "version"
_PAGE = VersionPage(
    name=PAGE,
    decisions=Decisions(
        may_approve=may_approve_limits,
        may_retire=may_retire_limits,
        approves=lambda user: may(user, Action.APPROVE_LIMITS),
        approve=approve_limits,
        retire=retire_limits,
    ),
    difference=limit_changes,
)


def show_limit_sets(store: Store, user: User, device: DeviceSession) -> None:
    """Draw the list, or the version named in the address, or the form for the next one."""
    try:
        versions = limit_set_versions(store, user)
    except MonitorError as error:
        st.error(str(error))
        return
    chosen = _PAGE.in_address(versions)
    if chosen is None:
        st.title(_("Alert limits"))
        _PAGE.say_done()
        st.html(framed(limit_list_html(versions, PAGE), dark=is_dark()))
        if may(user, Action.SEE_BURDEN):
            burden = _("What alerts led to: the burden by month and rule")
            link_to("burden", burden, icon=":material/bar_chart:")
            link_to(
                "try-limits", _("Try another limit on past sessions"), icon=":material/science:"
            )
    elif st.query_params.get("form", "") == _FORM and may(user, Action.MANAGE_LIMITS):
        write_limits(store, user, chosen, leave=_PAGE.go_to)
    else:
        _sheet(store, user, chosen, versions)


def _sheet(
    store: Store, user: User, item: StoredVersion, versions: Sequence[StoredVersion]
) -> None:
    with st.container(horizontal=True):
        if st.button(_("All alert limits"), key="limits.back", icon=":material/arrow_back:"):
            _PAGE.go_to(None)
        words = _("Write the next version of {code}").format(code=item.version.code)
        if may(user, Action.MANAGE_LIMITS) and st.button(words, key="limits.next"):
            begin()
            _PAGE.go_to(item.version.id, form=_FORM)
    _PAGE.say_done()
    try:
        people = store.users(user.clinic)
    except MonitorError as error:
        st.error(str(error))
        return
    draft = item.standing is Standing.DRAFT
    problems = limit_set_problems(item.content) if draft else ()
    _PAGE.compare(item, versions)
    html = limit_sheet_html(item, problems, people, clinic_zone())
    st.html(framed(html, dark=is_dark()))
    # Below the sheet: it is read first.
    _PAGE.decide(store, user, item, ready=not problems)
