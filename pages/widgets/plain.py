"""Text that people typed, for Streamlit elements that would read it as Markdown."""

from __future__ import annotations

import re

_MARKS = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:])")


def plain(text: str) -> str:
    """The text so that it is shown exactly as typed: a name with an asterisk stays that name."""
    return _MARKS.sub(r"\\\1", text)
