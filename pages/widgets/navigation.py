"""How one page leads to another: by the name of the page, with the session in the address."""

from __future__ import annotations

from gettext import gettext as _
from typing import Any, NoReturn

import streamlit as st

#: Where the shell keeps the pages of this person, by name, for this browser tab.
_PAGES = "navigation.pages"
#: Where a page wanted to go when it runs outside the shell (page tests look here).
WENT_TO = "navigation.went_to"


def register(pages: dict[str, Any]) -> None:
    """The shell's part: which pages can be gone to, as ``st.Page`` objects by name."""
    st.session_state[_PAGES] = pages


def go_to(name: str, **query: object) -> NoReturn:
    """Leave for another page.  Call it last: nothing after it runs."""
    parameters = {key: str(value) for key, value in query.items() if value is not None}
    page = st.session_state.get(_PAGES, {}).get(name)
    if page is not None:
        st.switch_page(page, query_params=parameters)
    if st.session_state.get(_PAGES):
        st.error(_("This page is not open to you."))
    st.session_state[WENT_TO] = (name, parameters)
    st.stop()


def link_to(name: str, label: str, *, icon: str | None = None, **query: object) -> None:
    """A link to another page of this person; nothing when they are not offered it."""
    page = st.session_state.get(_PAGES, {}).get(name)
    if page is not None:
        parameters = {key: str(value) for key, value in query.items() if value is not None}
        st.page_link(page, label=label, icon=icon, query_params=parameters)
