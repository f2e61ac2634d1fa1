"""The Streamlit script behind the App: resolves who is there, then draws the frame and the page.

Nothing is drawn for nobody, even if this script were reached past the front door.  Streamlit runs
it again for every interaction; ``dashboard.py`` is what starts it.
"""

from __future__ import annotations

import sys

import streamlit as st

if "dashboard" not in sys.modules:
    st.error("Start the monitor with dashboard.py: streamlit run dashboard.py")
    st.stop()

from monitor.errors import StoreUnavailable
from pages.http.context import SECURE_COOKIE, Standing, installed, visitor_from_cookies
from pages.widgets.frame import draw
from pages.widgets.guard.guard import draw_gone

gate = installed()
assert gate is not None, "dashboard.py installs the gate before it makes the App"
cookies = st.context.cookies
try:
    visitor = visitor_from_cookies(gate, cookies, secure=SECURE_COOKIE in cookies)
except StoreUnavailable as error:
    st.error(str(error))
    st.stop()

if visitor is None or visitor.standing is not Standing.OPEN:
    # The WebSocket outlived the device session by a moment; the front door closes it.
    draw_gone()
    st.stop()

draw(gate, visitor)
