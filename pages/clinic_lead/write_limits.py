"""The form a lead changes alert limits in: one limit at a time, every change listed, nothing lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from gettext import gettext as _
from typing import Any
from uuid import UUID

import streamlit as st

from monitor.actions.limit_sets import LimitSetRequest, save_limits_draft
from monitor.actions.versions import StoredVersion
from monitor.errors import InvalidEntry, MonitorError, NeedsConfirmation, Problem
from monitor.ids import new_id
from monitor.limit_set_check import limit_set_problems
from monitor.limit_set_entry import (
    LEVEL_PARTS,
    PARTS,
    SINGLE,
    LimitCells,
    LimitSetEntry,
    content_of,
    entry_of,
    limit_changes,
    times_of,
)
from monitor.permissions import User
from monitor.store import Store
from monitor.thresholds import SIGNS
from pages.clinic_lead.write_protocol import Leave
from pages.widgets.clinic_time import now
from pages.widgets.limit_sheet import confirm_words
from pages.widgets.look import is_dark
from pages.widgets.protocol_sheet import difference_html, framed, sentence

_FORM = "write_limits.form"
#: What the choice of a limit calls the times of the set.
_TIMES = "times"


@dataclass
class _Form:
    """What one filling-in keeps between runs: its id, the rows and times as changed so far."""

    id: UUID = field(default_factory=new_id)
    entry: LimitSetEntry | None = None
    questions: tuple[Problem, ...] = ()


def begin() -> None:
    """A form that is opened anew: with an id of its own and nothing changed yet."""
    for key in [key for key in st.session_state if str(key).startswith("write_limits.")]:
        del st.session_state[key]


def write_limits(store: Store, user: User, base: StoredVersion, *, leave: Leave) -> None:
    """Draw the form over a version; on the button, store a draft and show it."""
    form: _Form = st.session_state.setdefault(_FORM, _Form())
    if form.entry is None or form.entry.code != base.version.code:
        form.entry = entry_of(base.content)
    st.title(_("Next version of {code}").format(code=base.version.code))
    if st.button(_("Leave without storing"), key="write_limits.leave"):
        begin()
        leave(base.version.id)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _change_one(form, base.content)
    with right:
        _so_far(form, base.content)
        _store(store, user, base, form, leave)


# -- one limit -------------------------------------------------------------------------------


def _change_one(form: _Form, content: Mapping[str, Any]) -> None:
    assert form.entry is not None
    labels = {row.id: row.label for row in form.entry.rows} | {_TIMES: _("Times of the alerts")}
    chosen = st.selectbox(
        _("Which limit?"),
        list(labels),
        format_func=lambda key: labels[key],
        index=None,
        placeholder=_("choose a limit"),
        key="write_limits.which",
    )
    if chosen is None:
        st.caption(_("Choose a limit to see it and change it. Nothing changes for open sessions."))
    elif chosen == _TIMES:
        _times(form, content)
    else:
        _row(form, content, next(row for row in form.entry.rows if row.id == chosen))


def _row(form: _Form, content: Mapping[str, Any], cells: LimitCells) -> None:
    stored = next(row for row in content["rule"] if row["id"] == cells.id)
    measures = ", ".join(SIGNS[stored["sign"]].measures)
    st.caption(
        _("Source: {source}").format(source=stored["source"])
        + "  \n"
        + _(
            "A condition is a measure, a comparison and a number: value >= 160. "
            "“and” binds closer than “or”. Measures here: {measures}."
        ).format(measures=measures)
    )
    in_force = st.checkbox(
        _("This limit is in force"), cells.in_force, key=f"write_limits.{cells.id}.in_force"
    )
    parts: dict[tuple[str, str], str] = {}
    for place, (level, names) in zip(st.columns(2), LEVEL_PARTS.items(), strict=True):
        with place:
            st.markdown(f"**{sentence(_(level))}**")
            for part in names:
                parts[level, part] = _part(content, cells, level, part)
    changed = replace(cells, parts=parts, in_force=in_force)
    assert form.entry is not None
    rows = tuple(changed if row.id == cells.id else row for row in form.entry.rows)
    form.entry = replace(form.entry, rows=rows)


def _part(content: Mapping[str, Any], cells: LimitCells, level: str, part: str) -> str:
    key = f"write_limits.{cells.id}.{level}.{part}"
    label = sentence(_(PARTS[part]))
    value = cells.parts[level, part]
    if part == "confirm":
        ways = [SINGLE, *content["confirm"]]
        chosen = st.selectbox(
            label,
            ways,
            index=ways.index(value or SINGLE),
            format_func=lambda name: confirm_words(name, content),
            key=key,
        )
        return chosen if cells.parts[level, "fires"] or chosen != SINGLE else value
    return st.text_input(label, value, key=key)


def _times(form: _Form, content: Mapping[str, Any]) -> None:
    assert form.entry is not None
    st.caption(_("Minutes and seconds, for example 2:00."))
    typed = {
        item.label: st.text_input(
            sentence(_(item.label)),
            form.entry.times[item.label],
            key=f"write_limits.time.{item.label}",
        )
        for item in times_of(content)
    }
    form.entry = replace(form.entry, times=typed)


# -- all of them -----------------------------------------------------------------------------


def _so_far(form: _Form, base: Mapping[str, Any]) -> None:
    """What was changed so far, and what is wrong with it."""
    assert form.entry is not None
    content, problems = content_of(form.entry, base, base["version"], "")
    problems = problems or limit_set_problems(content)
    changes = limit_changes(base, content)
    st.subheader(_("Changed so far"))
    if not changes and not problems:
        st.caption(_("Nothing yet."))
    elif changes:
        st.html(framed(difference_html(changes), dark=is_dark()))
    if problems:
        lines = "\n".join(f"- {problem.message}" for problem in problems)
        st.error(_("This cannot be stored yet:") + f"\n\n{lines}")


def _store(store: Store, user: User, base: StoredVersion, form: _Form, leave: Leave) -> None:
    assert form.entry is not None
    with st.form("write_limits.store", border=False, enter_to_submit=False):
        reason = st.text_area(
            _("What does this version change, and why?"), key="write_limits.reason"
        )
        confirmed = frozenset(
            question.code
            for question in form.questions
            if st.checkbox(question.message, key=f"write_limits.ask.{question.code}")
        )
        if not st.form_submit_button(_("Store as a draft"), type="primary"):
            return
    request = LimitSetRequest(id=form.id, entry=form.entry, reason=reason, based_on=base.version.id)
    try:
        draft = save_limits_draft(store, user, request, now=now(), confirmed=confirmed)
    except NeedsConfirmation as asked:
        form.questions = asked.problems
        st.rerun()
    except InvalidEntry as refused:
        st.error("\n".join(f"- {problem.message}" for problem in refused.problems))
        return
    except MonitorError as refused:
        st.error(str(refused))
        return
    begin()
    words = _("{code} version {n} is stored as a draft. An anaesthetist has to approve it.")
    leave(draft.id, words.format(code=draft.code, n=draft.version))
