"""What happened the last times, to be read before the drug is given again."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from gettext import gettext as _

import streamlit as st

from monitor.days import day_text
from monitor.last_time import LastTime
from monitor.timeline import number_text
from pages.widgets.clinic_time import clinic_zone


def draw_last_times(told: Iterable[LastTime]) -> None:
    """One box for each earlier session, the newest first."""
    for item in told:
        day = item.started_at.astimezone(clinic_zone()).date()
        reached = _("up to {rate} mg/kg/h").format(rate=_short(item.max_rate_mg_per_kg_h))
        total = _("{total} mg/kg in all").format(total=_short(item.total_mg_per_kg))
        with st.container(border=True, gap="small"):
            st.markdown(f"**{day_text(day)}** · {reached} · {total}")
            st.text("; ".join(item.lines) or _("nothing to remember"))


def _short(value: Decimal | None) -> str:
    return "–" if value is None else number_text(round(value, 3))
