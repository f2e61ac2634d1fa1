"""The sessions of the clinic: filter, search, one row each, and the figures as CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from gettext import gettext as _
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import streamlit as st

from monitor.accounts import DeviceSession
from monitor.days import moment_text
from monitor.errors import MonitorError
from monitor.lifecycle import SessionStatus
from monitor.permissions import Action, Role, User, check_may, may
from monitor.protocols import VersionStatus
from monitor.store import SessionQuery, Store
from monitor.summary_columns import status_words
from pages.widgets.clinic_time import clinic_zone
from pages.widgets.navigation import go_to

#: Rows on one page of the list.
PAGE_ROWS = 50
#: Keys of the last row of every page before this one, newest last.
_PAGES = "find_sessions.pages"
_FILTERS = "find_sessions.filters"

#: What a closed session is called in the list, beside the states of lifecycle.py.
_OUTCOMES = ("completed", "stopped_early_ae", "stopped_early_other", "cancelled")


@dataclass(frozen=True, slots=True)
class Filters:
    """What the person asked for; empty means everything."""

    search: str = ""
    status: str = ""
    protocol: str = ""
    person: str = ""
    from_day: date | None = None
    to_day: date | None = None
    in_progress: bool = True

    def query(self, clinic: str, zone: tzinfo) -> SessionQuery:
        """The same as a question to the store; days are those of the clinic, both included."""
        return SessionQuery(
            clinic=clinic,
            search=self.search,
            status=self.status,
            protocol=self.protocol,
            person=self.person,
            from_at=_start_of(self.from_day, zone),
            to_at=_start_of(self.to_day, zone, later=1),
            include_in_progress=self.in_progress,
            limit=PAGE_ROWS,
        )

    def address(self, **more: str) -> str:
        """The download of the same sessions."""
        values = {
            "search": self.search,
            "status": self.status,
            "protocol": self.protocol,
            "person": self.person,
            "from": self.from_day.isoformat() if self.from_day else "",
            "to": self.to_day.isoformat() if self.to_day else "",
            "in_progress": "1" if self.in_progress else "",
            **more,
        }
        given = {name: value for name, value in values.items() if value}
        return f"/download/summaries.csv?{urlencode(given)}"


def find_sessions(store: Store, user: User, device: DeviceSession) -> None:
    """Draw the filters, the list and the links to the CSV."""
    st.title(_("Sessions"))
    try:
        check_may(user, Action.FIND_SESSIONS)
        zone = clinic_zone()
        filters = _filters(store, user)
        query = filters.query(user.clinic, zone)
        rows = store.summaries(replace(query, after=_after(filters)))
    except MonitorError as error:
        st.error(str(error))
        return
    _list(rows, zone)
    _turn_pages(rows)
    if may(user, Action.EXPORT):
        _downloads(filters)


def _start_of(day: date | None, zone: tzinfo, *, later: int = 0) -> datetime | None:
    if day is None:
        return None
    return datetime.combine(day + timedelta(days=later), time(), tzinfo=zone).astimezone(UTC)


def _filters(store: Store, user: User) -> Filters:
    protocols = sorted(
        {
            version.code
            for version in store.versions("protocol", user.clinic)
            if version.status is not VersionStatus.DRAFT
        }
    )
    states = [state.value for state in SessionStatus if state.is_open]
    names = {
        person.username: person.name
        for person in store.users(user.clinic)
        if person.role in (Role.NURSE, Role.ANAESTHETIST)
    }
    left, middle, right, who = st.columns([2, 1, 1, 1])
    search = left.text_input(
        _("Search"),
        placeholder=_("name or number begins with, or chair"),
        key="find_sessions.search",
    )
    status = middle.selectbox(
        _("Status"),
        ["", *_OUTCOMES, *states],
        format_func=lambda value: status_words(value) or _("all"),
        key="find_sessions.status",
    )
    protocol = right.selectbox(
        _("Protocol"),
        ["", *protocols],
        format_func=lambda value: value or _("all"),
        key="find_sessions.protocol",
    )
    person = who.selectbox(
        _("Nurse or anaesthetist"),
        ["", *sorted(names, key=names.__getitem__)],
        format_func=lambda value: names.get(value) or _("all"),
        key="find_sessions.person",
    )
    one, two, three = st.columns([1, 1, 2], vertical_alignment="bottom")
    from_day = one.date_input(_("From"), value=None, format="DD/MM/YYYY", key="find_sessions.from")
    to_day = two.date_input(_("To"), value=None, format="DD/MM/YYYY", key="find_sessions.to")
    in_progress = three.checkbox(
        _("with sessions that still go on"), value=True, key="find_sessions.in_progress"
    )
    return Filters(
        search=search or "",
        status=status or "",
        protocol=protocol or "",
        person=person or "",
        from_day=from_day if isinstance(from_day, date) else None,
        to_day=to_day if isinstance(to_day, date) else None,
        in_progress=in_progress,
    )


def _after(filters: Filters) -> tuple[Any, UUID] | None:
    """Where this page of the list begins; other filters begin anew."""
    if st.session_state.get(_FILTERS) != filters:
        st.session_state[_FILTERS] = filters
        st.session_state[_PAGES] = []
    pages: list[tuple[Any, UUID]] = st.session_state[_PAGES]
    return pages[-1] if pages else None


def _list(rows: Sequence[Mapping[str, Any]], zone: tzinfo) -> None:
    if not rows:
        st.info(_("No session matches."))
        return
    chosen = st.dataframe(
        [_shown(row, zone) for row in rows],
        hide_index=True,
        width="stretch",
        on_select="rerun",
        selection_mode="single-row",
        key="find_sessions.list",
    )
    st.caption(_("Tick a row to open the session."))
    picked = chosen.selection.rows
    if picked and picked[0] < len(rows):
        go_to("review", session=rows[picked[0]]["session_id"])


def _shown(row: Mapping[str, Any], zone: tzinfo) -> dict[str, Any]:
    """One row of the list, as text: an empty cell is nothing, never 0."""
    return {
        _("Day"): moment_text(row["listed_at"], zone),
        _("Patient"): row["patient_name"],
        _("Number"): row["mrn"],
        _("Protocol"): _text(row["protocol_id"]),
        _("Status"): _status(row, zone),
        _("Minutes"): _text(row["wall_duration_min"]),
        _("Dose mg"): _text(row["dose_total_mg"]),
        _("mg/kg"): _text(row["dose_total_mg_per_kg"]),
        _("Peak SBP"): _text(row["peak_sbp"]),
        _("Lowest SpO2"): _text(row["nadir_spo2"]),
        _("Pain before"): _text(row["pain_pre"]),
        _("after"): _text(row["pain_post"]),
        _("Warnings"): _text(row["alerts_warn_n"]),
        _("Critical"): _text(row["alerts_crit_n"]),
        _("Worst effect"): _text(row["ae_max_grade"]),
        _("Sets on time %"): _text(row["pct_obs_on_time"]),
    }


def _status(row: Mapping[str, Any], zone: tzinfo) -> str:
    """A running session's figures are those of its last entry; the row says so."""
    words = status_words(row["status"])
    if not row["in_progress"]:
        return words
    at = row["as_of"].astimezone(zone).strftime("%H:%M")
    return _("{status}, as of {time}").format(status=words, time=at)


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _turn_pages(rows: Sequence[Mapping[str, Any]]) -> None:
    pages: list[tuple[Any, UUID]] = st.session_state[_PAGES]
    newer, older, _rest = st.columns([1, 1, 4])
    if pages and newer.button(_("Newer"), key="find_sessions.newer"):
        pages.pop()
        st.rerun()
    if len(rows) == PAGE_ROWS and older.button(_("Older"), key="find_sessions.older"):
        pages.append((rows[-1]["listed_at"], rows[-1]["session_id"]))
        st.rerun()


def _downloads(filters: Filters) -> None:
    st.subheader(_("Take the figures away"))
    st.markdown(
        _(
            "One row per session that matches the filters above, all columns. Each download is "
            "recorded. Without names means: no names, numbers, dates or free text; a new key "
            "each time."
        )
    )
    with st.container(horizontal=True):
        st.link_button(_("CSV with names"), filters.address())
        st.link_button(_("CSV without names"), filters.address(deidentified="1"))
        st.link_button(_("CSV with names, for a spreadsheet"), filters.address(bom="1"))
