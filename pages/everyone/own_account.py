"""One's own account: a new PIN or password, with the present password."""

from __future__ import annotations

from gettext import gettext as _

import streamlit as st

from monitor import user_admin
from monitor.accounts import DeviceSession
from monitor.errors import InvalidEntry, MonitorError
from monitor.passwords import MAX_PIN_LENGTH, MIN_PASSWORD_LENGTH, MIN_PIN_LENGTH, verify_secret
from monitor.permissions import User
from monitor.store import Store
from pages.http import throttle
from pages.widgets.clinic_time import now

_DONE = "own_account.done"


def own_account(store: Store, user: User, device: DeviceSession) -> None:
    """Draw the two forms; a change is a recorded event under the person's own name."""
    st.title(_("My account"))
    st.markdown(f"**{user.name}** · {user.username}")
    if done := st.session_state.pop(_DONE, None):
        st.success(done)
    left, right = st.columns(2, gap="large")
    with left:
        _new_pin(store, user, device)
    with right:
        _new_password(store, user, device)


def _new_pin(store: Store, user: User, device: DeviceSession) -> None:
    with st.form("own_account.pin", enter_to_submit=False, clear_on_submit=True):
        st.subheader(_("New PIN"))
        st.caption(
            _(
                "{least} to {most} digits. It unlocks a device somebody has signed in on and "
                "counts as your signature there."
            ).format(least=MIN_PIN_LENGTH, most=MAX_PIN_LENGTH)
        )
        present = st.text_input(
            _("Present password"), type="password", key="own_account.pin.present"
        )
        pin = st.text_input(_("New PIN"), type="password", autocomplete="off")
        if not st.form_submit_button(_("Set PIN")):
            return
    if _is_right(store, user, device, present):
        try:
            user_admin.set_pin(store, user.username, pin, by=user, now=now())
        except MonitorError as error:
            _tell(error)
            return
        st.session_state[_DONE] = _("Your PIN is set.")
        st.rerun()


def _new_password(store: Store, user: User, device: DeviceSession) -> None:
    with st.form("own_account.password", enter_to_submit=False, clear_on_submit=True):
        st.subheader(_("New password"))
        st.caption(
            _(
                "At least {least} characters, for example four words. You are then signed out on "
                "every device, here too."
            ).format(least=MIN_PASSWORD_LENGTH)
        )
        present = st.text_input(
            _("Present password"), type="password", key="own_account.password.present"
        )
        password = st.text_input(_("New password"), type="password", autocomplete="new-password")
        again = st.text_input(_("New password again"), type="password", autocomplete="new-password")
        if not st.form_submit_button(_("Set password")):
            return
    if password != again:
        st.error(_("The two new passwords are not the same."))
    elif _is_right(store, user, device, present):
        try:
            user_admin.set_password(store, user.username, password, by=user, now=now())
        except MonitorError as error:
            _tell(error)


def _is_right(store: Store, user: User, device: DeviceSession, password: str) -> bool:
    """Whether this is the person's password; a device left open is no way to guess it."""
    try:
        place = device.token_hash
        if throttle.password_verdict(store, user.username, place, now()).refused:
            st.error(_("Too many wrong passwords. Wait 15 minutes, or ask an administrator."))
            return False
        if verify_secret(store.credential(user.username).password_hash, password):
            throttle.password_right(store, user.username, place)
            return True
        throttle.password_wrong(store, user.username, place, now())
        st.error(_("The present password is not right."))
    except MonitorError as error:
        st.error(str(error))
    return False


def _tell(error: MonitorError) -> None:
    problems = error.problems if isinstance(error, InvalidEntry) else ()
    for sentence in [problem.message for problem in problems] or [str(error)]:
        st.error(sentence)
