"""The form a lead writes a protocol in: every field, every problem beside its field, nothing lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from gettext import gettext as _
from gettext import ngettext
from typing import Protocol
from uuid import UUID

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from monitor.actions.protocols import (
    DraftRequest,
    ProtocolVersion,
    approved_threshold_sets,
    save_protocol_draft,
)
from monitor.errors import InvalidEntry, MonitorError, NeedsConfirmation, Problem
from monitor.ids import new_id
from monitor.permissions import User
from monitor.protocol_entry import SOURCE_PARTS, ProtocolEntry, entry_of
from monitor.protocol_fields import FIELDS, Kind, ProtocolField, Section
from monitor.store import Store
from pages.widgets.clinic_time import now
from pages.widgets.protocol_sheet import sentence

#: Which form the address names: the next version of a protocol, or another protocol from it.
NEXT, ANOTHER = "version", "protocol"
_FORM = "write_protocol.form"
#: Empty rows for steps below those that are there.
_MORE_STEPS = 4
_MORE_INTERVALS = 2
_COLUMNS = {
    Section.PLAN: 3,
    Section.LIMITS: 2,
    Section.SECOND_PERSON: 2,
    Section.WATCHING: 3,
    Section.SCHEDULE: 2,
}


class Leave(Protocol):
    """Where to go when the form is done with."""

    def __call__(self, version_id: UUID | None, done: str = "", form: str = "") -> None: ...


@dataclass
class _Form:
    """What one filling-in of the form keeps between runs: its id, what was refused, what was asked."""

    id: UUID = field(default_factory=new_id)
    problems: tuple[Problem, ...] = ()
    questions: tuple[Problem, ...] = ()
    is_news: bool = False

    def at(self, path: str) -> list[str]:
        return [problem.message for problem in self.problems if problem.field == path]


def begin() -> None:
    """A form that is opened anew: with an id of its own and nothing refused yet."""
    st.session_state.pop(_FORM, None)


def write_protocol(
    store: Store, user: User, base: ProtocolVersion, kind: str, *, leave: Leave
) -> None:
    """Draw the form filled from a version; on the button, store a draft and show it."""
    form: _Form = st.session_state.setdefault(_FORM, _Form())
    code = base.version.code
    st.title(
        _("Next version of {code}").format(code=code)
        if kind == NEXT
        else _("Another protocol, from {label}").format(label=base.label)
    )
    if st.button(_("Leave without storing"), key="write_protocol.leave"):
        begin()
        leave(base.version.id)
    try:
        limit_sets = approved_threshold_sets(store, user.clinic)
    except MonitorError as error:
        st.error(str(error))
        return
    with st.form("write_protocol", border=False, enter_to_submit=False):
        entry, reason = _fields(form, entry_of(base.content), kind, limit_sets)
        # Beside the button: the form is longer than a screen.
        _summary(form)
        confirmed = _questions(form)
        stored = st.form_submit_button(_("Store as a draft"), type="primary")
    if stored:
        request = DraftRequest(
            id=form.id,
            entry=entry,
            reason=reason,
            based_on=base.version.id if kind == NEXT else None,
            filled_from=base.version.id,
        )
        _store(store, user, request, form, confirmed, leave)


def _summary(form: _Form) -> None:
    if form.problems:
        count = len(form.problems)
        title = ngettext(
            "{n} thing to correct. Nothing was stored, nothing typed is lost.",
            "{n} things to correct. Nothing was stored, nothing typed is lost.",
            count,
        ).format(n=count)
        st.error("\n".join([title, "", *(f"- {item.message}" for item in form.problems)]))
        if form.is_news:
            form.is_news = False
            st.toast(title, duration="long")


def _store(
    store: Store,
    user: User,
    request: DraftRequest,
    form: _Form,
    confirmed: frozenset[str],
    leave: Leave,
) -> None:
    try:
        draft = save_protocol_draft(store, user, request, now=now(), confirmed=confirmed)
    except NeedsConfirmation as asked:
        form.problems, form.questions = (), asked.problems
        st.rerun()
    except InvalidEntry as refused:
        form.problems, form.is_news = refused.problems, True
        st.rerun()
    except MonitorError as refused:
        st.error(str(refused))
        return
    begin()
    words = _("{code} version {n} is stored as a draft. An anaesthetist has to approve it.")
    leave(draft.id, words.format(code=draft.code, n=draft.version))


# -- the fields ------------------------------------------------------------------------------


def _fields(
    form: _Form, shown: ProtocolEntry, kind: str, limit_sets: Sequence[str]
) -> tuple[ProtocolEntry, str]:
    code = shown.code
    if kind == ANOTHER:
        with st.container(border=True):
            code = st.text_input(_("Code of the new protocol"), key=_key(form, "code"))
            _problems(form, "code")
    texts: dict[str, str] = {}
    with st.container(border=True):
        st.subheader(_("Plan"))
        texts |= _section(form, shown, Section.PLAN, limit_sets)
        steps = _steps(form, shown)
    with st.container(border=True):
        st.subheader(_("Limits"))
        st.markdown(
            _("Above a soft limit the nurse is asked for a reason; above a hard one it is refused.")
        )
        texts |= _section(form, shown, Section.LIMITS, limit_sets)
    with st.container(border=True):
        st.subheader(_("Second person"))
        st.markdown(
            _(
                "Where somebody else confirms with their PIN. A bolus that is not foreseen needs "
                "an anaesthetist besides, whatever is chosen here."
            )
        )
        texts |= _section(form, shown, Section.SECOND_PERSON, limit_sets)
    with st.container(border=True):
        st.subheader(_("Observation and scales"))
        texts |= _section(form, shown, Section.WATCHING, limit_sets)
    with st.container(border=True):
        st.subheader(_("Observation schedule"))
        intervals = _intervals(form, shown)
        texts |= _section(form, shown, Section.SCHEDULE, limit_sets)
    with st.container(border=True):
        st.subheader(_("Sources, notes, reason"))
        sources = st.text_area(
            _("Where the numbers come from: one line each, {parts}").format(
                parts=" | ".join(SOURCE_PARTS)
            ),
            value=shown.sources,
            height=180,
            key=_key(form, "sources"),
        )
        _problems(form, "sources")
        notes = st.text_area(
            _("To be known and decided: one line each"),
            value=shown.notes,
            height=120,
            key=_key(form, "notes"),
        )
        _problems(form, "notes")
        reason = st.text_input(
            _("What does this version change, and why?"), key=_key(form, "reason")
        )
        _problems(form, "reason")
    entry = ProtocolEntry(code, texts, steps, sources or "", notes or "", intervals)
    return entry, reason or ""


def _key(form: _Form, path: str) -> str:
    return f"write_protocol.{form.id}.{path}"


def _questions(form: _Form) -> frozenset[str]:
    if not form.questions:
        return frozenset()
    with st.container(border=True):
        st.warning(_("Look at this first. Tick it, then store again."))
        return frozenset(
            question.code
            for question in form.questions
            if st.checkbox(question.message, key=_key(form, question.code))
        )


def _problems(form: _Form, path: str) -> None:
    for message in form.at(path):
        st.markdown(f":red[**✕ {message}**]")


def _section(
    form: _Form, shown: ProtocolEntry, section: Section, limit_sets: Sequence[str]
) -> dict[str, str]:
    """The fields of a section in rows, each with what is wrong with it below."""
    fields = [row for row in FIELDS if row.section is section]
    width = _COLUMNS[section]
    texts = {}
    for first in range(0, len(fields), width):
        together = fields[first : first + width]
        # A last text of its own has the whole width.
        alone = len(together) == 1 and together[0].kind is Kind.TEXT
        for place, row in zip(st.columns(1 if alone else width), together, strict=False):
            with place:
                texts[row.path] = _field(form, row, shown.texts, limit_sets)
                _problems(form, row.path)
    return texts


def _field(
    form: _Form, row: ProtocolField, shown: Mapping[str, str], limit_sets: Sequence[str]
) -> str:
    label, value = sentence(_(row.label_with_unit)), shown.get(row.path, "")
    words = _choices(row, limit_sets)
    if words is None:
        return st.text_input(label, value=value, key=_key(form, row.path)) or ""
    options = list(dict.fromkeys(["", *words, value]))
    chosen = st.selectbox(
        label,
        options,
        index=options.index(value),
        format_func=lambda code: words.get(code, code) or _("not decided"),
        key=_key(form, row.path),
    )
    return chosen or ""


def _choices(row: ProtocolField, limit_sets: Sequence[str]) -> dict[str, str] | None:
    """Code and words of what can be chosen; None for a field that is typed."""
    if row.kind is Kind.YES_NO:
        return {"yes": _("yes"), "no": _("no")}
    if row.kind is Kind.CHOICE:
        pairs = row.choices if row.choices is not None else [(code, code) for code in limit_sets]
        return {str(code): _(words) for code, words in pairs}
    return None


def _steps(form: _Form, shown: ProtocolEntry) -> tuple[tuple[str, str], ...]:
    st.markdown(
        _(
            "**Planned steps.** Minute of the infusion, and the rate from then on, in the unit "
            "chosen above."
        )
    )
    labels = (_("Step {n}, from minute"), _("Step {n}, rate"))
    return _rows(form, "steps", ("minute", "rate"), labels, shown.steps, _MORE_STEPS)


def _intervals(form: _Form, shown: ProtocolEntry) -> tuple[tuple[str, str], ...]:
    st.markdown(
        _(
            "To change what stands here, choose “a schedule of its own” above. A high rate or a "
            "large bolus and an open alert ask for sets more often, whatever stands here."
        )
    )
    labels = (_("Row {n}, from minute"), _("Row {n}, a set every (min)"))
    return _rows(form, "intervals", ("from", "every"), labels, shown.intervals, _MORE_INTERVALS)


def _rows(
    form: _Form,
    name: str,
    parts: tuple[str, str],
    labels: tuple[str, str],
    shown: Sequence[tuple[str, str]],
    more: int,
) -> tuple[tuple[str, str], ...]:
    """Rows of two texts; empty rows are left out, and problems stand beside their row."""
    typed: list[tuple[str, str]] = []
    for number, (first, second) in enumerate([*shown, *[("", "")] * more]):
        left, right, said = st.columns([1, 1, 2], vertical_alignment="bottom")
        texts = (
            _row_text(form, left, f"{name}.{number}.{parts[0]}", number, labels[0], first),
            _row_text(form, right, f"{name}.{number}.{parts[1]}", number, labels[1], second),
        )
        if any(text.strip() for text in texts):
            with said:
                _problems(form, f"{name}.{len(typed)}")
            typed.append(texts)
    return tuple(typed)


def _row_text(
    form: _Form, place: DeltaGenerator, key: str, number: int, label: str, value: str
) -> str:
    """One text of a row; only the first row shows its labels, screen readers hear all of them."""
    return (
        place.text_input(
            label.format(n=number + 1),
            value=value,
            key=_key(form, key),
            placeholder=label.format(n=number + 1),
            label_visibility="visible" if number == 0 else "collapsed",
        )
        or ""
    )
