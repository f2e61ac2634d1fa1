"""What is typed into a form outlives a reload of the page: kept in memory, for this device only.

A form is nothing of the record yet.  It is dropped when it is saved, when its device signs out
(the device then has another token) and after twelve hours.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

import streamlit as st

from monitor.accounts import DeviceSession

#: Forms kept at once, the oldest go first; a ward has far fewer devices.
MOST_FORMS = 64
KEPT_FOR = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class _Kept:
    values: dict[str, Any]
    at: datetime


_forms: OrderedDict[tuple[str, str], _Kept] = OrderedDict()
_lock = Lock()


def restore(prefix: str, device: DeviceSession | None, now: datetime) -> None:
    """Fill an empty form with what was typed on this device; to be called before its widgets."""
    if device is None or st.session_state.setdefault(f"{prefix}.is_restored", False):
        return
    st.session_state[f"{prefix}.is_restored"] = True
    with _lock:
        kept = _forms.get((device.token_hash, prefix))
    if kept is None or now - kept.at > KEPT_FOR:
        return
    for key, value in kept.values.items():
        st.session_state.setdefault(key, value)


def keep(
    prefix: str, device: DeviceSession | None, buttons: tuple[str, ...], now: datetime
) -> None:
    """Keep what the form holds now; ``buttons`` are how the keys of its buttons end.

    A button is no entry, and Streamlit refuses to be told that one was pressed.
    """
    if device is None:
        return
    values = {
        str(key): value
        for key, value in st.session_state.items()
        if str(key).startswith(f"{prefix}.") and not str(key).endswith(buttons)
    }
    with _lock:
        _forms[device.token_hash, prefix] = _Kept(values, now)
        _forms.move_to_end((device.token_hash, prefix))
        while len(_forms) > MOST_FORMS:
            _forms.popitem(last=False)


def drop(prefix: str, device: DeviceSession | None) -> None:
    """Forget the form: it was saved."""
    for key in [key for key in st.session_state if str(key).startswith(f"{prefix}.")]:
        del st.session_state[key]
    if device is not None:
        with _lock:
            _forms.pop((device.token_hash, prefix), None)
