"""The clinic's accounts: who has one, adding, disabling, new passwords and PINs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from gettext import gettext as _

import streamlit as st

from monitor import user_admin
from monitor.accounts import DeviceSession
from monitor.errors import InvalidEntry, MonitorError
from monitor.permissions import Action, Role, User, check_may
from monitor.store import Store
from pages.widgets.guard.guard import role_name

#: The roles of people; a wall screen is a device and is enrolled, not added here.
PEOPLE = tuple(role for role in Role if role is not Role.WALL)
_DONE = "manage_users.done"


def manage_users(store: Store, user: User, device: DeviceSession) -> None:
    """Draw the list and the forms; every change is a recorded event under the person's name."""
    st.title(_("Users"))
    try:
        check_may(user, Action.MANAGE_USERS)
        accounts = store.users(user.clinic)
    except MonitorError as error:
        st.error(str(error))
        return
    if done := st.session_state.pop(_DONE, None):
        st.success(done)
    _list(accounts)
    left, right = st.columns(2, gap="large")
    with left:
        _add(store, user)
    with right:
        _change(store, user, accounts)


def _list(accounts: tuple[User, ...]) -> None:
    st.table(
        [
            {
                _("Name"): account.name,
                _("User name"): account.username,
                _("Role"): role_name(account.role),
                _("Shift lead"): _("yes") if account.shift_lead else "",
                _("State"): _("in use") if account.active else _("disabled"),
            }
            for account in accounts
        ]
    )


def _add(store: Store, user: User) -> None:
    st.subheader(_("Add an account"))
    with st.form("manage_users.add", enter_to_submit=False):
        name = st.text_input(_("Name people know this person by"))
        username = st.text_input(_("User name"))
        role = st.selectbox(_("Role"), PEOPLE, index=None, format_func=role_name)
        shift_lead = st.checkbox(_("May be shift lead"))
        password = st.text_input(_("First password"), type="password", autocomplete="new-password")
        pin = st.text_input(_("PIN (may stay empty)"), type="password", autocomplete="off")
        if not st.form_submit_button(_("Add account"), type="primary"):
            return
    if role is None:
        st.error(_("Choose a role."))
        return
    _do(
        lambda: user_admin.create_user(
            store,
            username=username,
            name=name,
            role=role,
            clinic=user.clinic,
            password=password,
            pin=pin or None,
            shift_lead=shift_lead,
            by=user,
            now=datetime.now(UTC),
        ),
        _("Account added."),
    )


def _change(store: Store, user: User, accounts: tuple[User, ...]) -> None:
    st.subheader(_("Change an account"))
    chosen = st.selectbox(
        _("Account"),
        accounts,
        index=None,
        format_func=lambda account: f"{account.name} ({account.username})",
    )
    if chosen is None:
        return
    _change_secret(store, user, chosen)
    if chosen.active:
        if st.button(_("Disable this account"), disabled=chosen.username == user.username):
            _do(
                lambda: user_admin.disable_user(
                    store, chosen.username, by=user, now=datetime.now(UTC)
                ),
                _("Account disabled and signed out everywhere."),
            )
    elif st.button(_("Put this account back into use")):
        _do(
            lambda: user_admin.enable_user(store, chosen.username, by=user, now=datetime.now(UTC)),
            _("Account is in use again."),
        )


def _change_secret(store: Store, user: User, chosen: User) -> None:
    with st.form("manage_users.secret", enter_to_submit=False, clear_on_submit=True):
        kind = st.radio(_("New"), ("password", "PIN"), horizontal=True, key="manage_users.kind")
        secret = st.text_input(_("New password or PIN"), type="password", autocomplete="off")
        if not st.form_submit_button(_("Set it")):
            return
    change = user_admin.set_password if kind == "password" else user_admin.set_pin
    _do(
        lambda: change(store, chosen.username, secret, by=user, now=datetime.now(UTC)),
        _("Set. With a new password the account is signed out everywhere."),
    )


def _do(change: Callable[[], object], done: str) -> None:
    """Make one change, then draw the page afresh; a refusal is said beside the form."""
    try:
        change()
    except InvalidEntry as error:
        for problem in error.problems:
            st.error(problem.message)
        return
    except MonitorError as error:
        st.error(str(error))
        return
    st.session_state[_DONE] = done
    st.rerun()
