"""The monitor's own colours for what it draws as HTML, in both themes (screens.md)."""

from __future__ import annotations

import streamlit as st

_LIGHT = {
    "page": "#f4f5f7",
    "card": "#ffffff",
    "ink": "#14181f",
    "soft": "#5b6472",
    "line": "#d9dde3",
    "key": "#eef0f3",
    "accent": "#0b5cad",
    "warning": "#ffd54a",
    "on-warning": "#1d1600",
    "critical": "#b3261e",
    "on-critical": "#ffffff",
    "sbp": "#D55E00",
    "spo2": "#009E73",
}
_DARK = {
    "page": "#0f1318",
    "card": "#181e26",
    "ink": "#eef2f6",
    "soft": "#9aa6b4",
    "line": "#2c3541",
    "key": "#232b35",
    "accent": "#5aa9f0",
    "warning": "#ffd54a",
    "on-warning": "#1d1600",
    "critical": "#ff6b61",
    "on-critical": "#1a0503",
    "sbp": "#ff8f45",
    "spo2": "#3fcf9f",
}


def is_dark() -> bool:
    """Whether the person's screen is in the dark theme."""
    return st.context.theme.type == "dark"


def colours(selector: str, *, dark: bool) -> str:
    """A CSS rule that names the colours of the theme for everything inside the selector."""
    chosen = _DARK if dark else _LIGHT
    return f"{selector}{{{''.join(f'--{name}:{value};' for name, value in chosen.items())}}}"


def colour_of(sign: str, *, dark: bool) -> str:
    """The colour a sign has on every chart; the soft ink for signs without one."""
    chosen = _DARK if dark else _LIGHT
    return chosen.get(sign, chosen["soft"])
