"""Makes the fragment it stands in follow the record: it re-runs when the clinic's version moves."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

#: How often a live fragment re-runs by itself when no push arrives.
FALL_BACK_S = 15

_mount = st.components.v2.component(
    "monitor.live", js=(Path(__file__).parent / "live.js").read_text("utf-8")
)


def follow_record(version: int, *, key: str) -> None:
    """Mount the waiting component in the current fragment, which showed ``version``.

    It draws nothing.  When the record moves on, this fragment alone runs again: dialogs and typed
    text elsewhere on the page stay as they are.
    """
    _mount(key=key, data={"version": version}, on_moved_change=_nothing)


def _nothing() -> None:
    """The trigger's only effect is the re-run itself."""
