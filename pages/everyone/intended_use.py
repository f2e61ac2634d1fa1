"""What the monitor is for and what it is not: one click away on every page."""

from __future__ import annotations

from gettext import gettext as _

import streamlit as st

from monitor.accounts import DeviceSession
from monitor.permissions import User
from monitor.store import Store
from monitor.user_admin import is_demo
from pages.http.plain_page import BANNER, DEMO_BANNER, INTENDED_USE


def intended_use(store: Store, user: User, device: DeviceSession) -> None:
    """Draw the intended-use statement of clinical.md 13.2, word for word."""
    st.title(_("Intended use"))
    if is_demo(store):
        st.warning(_(DEMO_BANNER))
    st.markdown(_(INTENDED_USE))
    st.markdown(f"**{_(BANNER)}**")
    st.markdown(
        _(
            "Ketamine for chronic pain and intravenous ketamine for depression are off-label in "
            "the United States, the United Kingdom and Australia; consent must say so."
        )
    )
    st.markdown(
        _(
            "Limits and doses shown are reference values from the sources named beside them; "
            "the prescriber decides."
        )
    )
