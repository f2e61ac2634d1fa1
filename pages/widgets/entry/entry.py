"""The bedside component: one screen of plain JavaScript that enters, saves and shows a session."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from pages.http.scripts import served

_HERE = Path(__file__).parent
#: One module made of small files, in the order they need each other.
_SCRIPTS = (
    *("shelf.js", "outbox.js", "text.js", "taps.js", "check.js", "news2.js"),
    "controls.js",
    *("drafts.js", "visits.js", "ask_panel.js", "form.js", "questions.js", "tone.js"),
    *("sheet_frame.js", "second_person.js", "dose_sheets.js", "ledger_sheets.js"),
    *("symptom_sheets.js", "oxygen_sheet.js", "row_sheets.js"),
    *("record_sheets.js", "effect_sheets.js", "sheets.js", "leaving_sheets.js"),
    *("person_sheets.js", "queue_sheets.js"),
    "bedside.js",
)
#: What the guard of every page needs of it: entries go on being sent when the bedside is left.
OUTBOX_SCRIPT = "\n".join((_HERE / name).read_text("utf-8") for name in ("shelf.js", "outbox.js"))

#: Read once at import: a component must not change under an open page.
_mount = st.components.v2.component(
    "monitor.entry",
    js=served("entry", "\n".join((_HERE / name).read_text("utf-8") for name in _SCRIPTS)),
    css=(_HERE / "entry.css").read_text("utf-8"),
)


def entry_screen(config: Mapping[str, Any], state: Mapping[str, Any], *, key: str) -> str | None:
    """Draw the screen; gives back ``"leave"`` when the person wants to go to the board.

    Entries go over HTTP, never through here: the only other trigger says that something was saved,
    and its effect is the re-run itself, which draws the chart anew.
    """
    result = _mount(
        key=key,
        data={"config": config, "state": state},
        on_leave_change=_nothing,
        on_saved_change=_nothing,
    )
    return "leave" if result.leave else None


def _nothing() -> None:
    """The trigger's only effect is the re-run."""
