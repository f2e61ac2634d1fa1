"""The gate on the start page: questions in groups, answered one by one or a group at once.

Every answer is recorded for itself.  Nothing here keeps anybody from opening the session: what is
in the way of the drug is listed and has to be settled before its start.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from gettext import gettext as _
from gettext import ngettext
from uuid import UUID

import streamlit as st

from monitor.gate import GateItem, GateState, ItemState
from monitor.gate_library import GATE, GateGroup, GateQuestion, Handling
from monitor.permissions import Role, User
from monitor.protocols import InfusionProtocol
from monitor.record import Answer
from monitor.requests import GateRequest
from pages.widgets.plain import plain

#: Widget keys of the gate; what ends in ``.button`` is a button.
KEY = "start_session.gate."
#: Behind the heading of a block that is complete.
TICK = "  ✓"
_LABELS = {Answer.YES: "Yes", Answer.NO: "No", Answer.UNKNOWN: "Unknown"}

NewId = Callable[[str], UUID]


def gate_block(
    protocol: InfusionProtocol, user: User, people: Sequence[User], new_id: NewId
) -> tuple[GateRequest, ...]:
    """Draw the questions of the protocol; the answers given so far.

    ``people`` are those of the clinic, of whom the anaesthetists may override a block.
    """
    deciders = [person for person in people if person.active and person.role is Role.ANAESTHETIST]
    questions = GATE.questions_for(protocol)
    with st.container(border=True, key="start-gate"):
        st.subheader(_("4  Gate: contraindications, consent, preparation") + _tick(questions))
        columns = st.columns(2, gap="medium")
        heights = [0, 0]
        for group in GATE.groups.values():
            asked = [question for question in questions if question.group == group.id]
            shorter = heights.index(min(heights))
            heights[shorter] += len(asked) + 1
            with columns[shorter]:
                _group(group, asked)
                for question in asked:
                    _question(question, user, deciders)
    return tuple(_request(question, user, new_id) for question in questions if _given(question))


def _tick(questions: Sequence[GateQuestion]) -> str:
    return TICK if all(_is_answered(question) for question in questions) else ""


def _is_answered(question: GateQuestion) -> bool:
    given = _given(question)
    return given is not None and not question.lacks_note(given, _note(question))


def _given(question: GateQuestion) -> Answer | None:
    given = st.session_state.get(KEY + question.id)
    return given if isinstance(given, Answer) else None


def _group(group: GateGroup, questions: Sequence[GateQuestion]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{_(group.label)}**", width="stretch")
        if group.all_answer is None:
            return
        st.button(
            _("All yes") if group.all_answer is Answer.YES else _("All no"),
            key=f"{KEY}{group.id}.button",
            on_click=_answer_open,
            args=(tuple(question.id for question in questions), group.all_answer),
        )


def _answer_open(questions: tuple[str, ...], answer: Answer) -> None:
    """Answer what is open; an answer that was given stays."""
    for question in questions:
        if st.session_state.get(KEY + question) is None:
            st.session_state[KEY + question] = answer


def _question(question: GateQuestion, user: User, deciders: Sequence[User]) -> None:
    st.segmented_control(
        _(question.text),
        list(Answer),
        format_func=lambda answer: _(_LABELS[answer]),
        key=KEY + question.id,
    )
    given = _given(question)
    if question.note is not None and given is Answer.YES:
        st.text_area(
            _(question.note),
            key=f"{KEY}{question.id}.note",
            placeholder=_("one on a line; without it the question stays open"),
            height=120,
        )
    if given not in question.concern:
        return
    st.text_input(
        _("Details"), key=f"{KEY}{question.id}.details", placeholder=_("which, since when")
    )
    if question.handling is Handling.CAUTION:
        st.text_input(
            _("Reason to go on ({name})").format(name=plain(user.name)),
            key=f"{KEY}{question.id}.reason",
            placeholder=_("without one the start asks for it"),
        )
        return
    reason, by = st.columns([3, 2], vertical_alignment="bottom")
    reason.text_input(
        _("Why it is overridden"),
        key=f"{KEY}{question.id}.reason",
        placeholder=_("empty: the start waits"),
    )
    key = f"{KEY}{question.id}.by"
    names = {person.username: person.name for person in deciders}
    if st.session_state.get(key) not in names:
        st.session_state.pop(key, None)
    by.selectbox(
        _("Anaesthetist who decided"),
        list(names),
        index=None,
        format_func=lambda username: plain(names[username]),
        key=key,
        placeholder=_("choose"),
    )
    decided = st.session_state.get(key)
    if decided in names and decided != user.username:
        # No PIN is typed on this page: a keypad would come too late to be tied to the entry.
        words = _(
            "⚑ A verbal order of {name}, marked as not confirmed until they confirm it with their "
            "PIN at the bedside."
        )
        st.markdown(words.format(name=plain(names[decided])))


def _request(question: GateQuestion, user: User, new_id: NewId) -> GateRequest:
    answer = _given(question)
    assert answer is not None
    reason = by = None
    if answer in question.concern:
        reason = str(st.session_state.get(f"{KEY}{question.id}.reason") or "").strip() or None
        by = st.session_state.get(f"{KEY}{question.id}.by")
        if question.handling is Handling.CAUTION:
            by = user.username if reason else None
    return GateRequest(
        id=new_id(f"gate.{question.id}"),
        question=question.id,
        answer=answer,
        override_reason=reason,
        override_by=by,
        note=_note(question),
    )


def _note(question: GateQuestion) -> str | None:
    """What is written beside the answer that is given now, nothing of another one."""
    field = "details" if _given(question) in question.concern else "note"
    return str(st.session_state.get(f"{KEY}{question.id}.{field}") or "").strip() or None


def gate_lines(state: GateState, left_out: frozenset[str]) -> list[str]:
    """What is in the way of the drug, one line each; open questions are counted by group."""
    items = [item for item in state.in_the_way if item.id not in left_out]
    asked = [item for item in items if item.group in GATE.groups and item.state is ItemState.OPEN]
    lines = [plain(item.sentence) for item in items if item not in asked]
    counted: dict[str, list[GateItem]] = {}
    for item in asked:
        counted.setdefault(item.group, []).append(item)
    for group, opened in counted.items():
        words = ngettext("{n} question is open", "{n} questions are open", len(opened))
        lines.append(f"{_(GATE.groups[group].label)}: {words.format(n=len(opened))}.")
    return lines
