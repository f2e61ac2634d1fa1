"""May this infusion start: what was answered, what is of concern, what is missing, who decides.

clinical.md 1.4 and 3.4.  A block stops the start button, never the record of a start that really
happened (U-45).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum

from monitor.errors import Problem
from monitor.gate_baseline import Finding, findings
from monitor.gate_library import GATE, GateQuestion, Handling
from monitor.permissions import Role
from monitor.protocols import InfusionProtocol
from monitor.record import Answer, GateAnswer, InfusionSession

#: Group of the checks the monitor works out itself.
CHECKS = "checks"


class ItemState(StrEnum):
    """Where one question or check stands; ``OPEN`` is not answered or still to be done."""

    ANSWERED = "answered"
    OPEN = "open"
    CONCERN = "concern"
    OVERRIDDEN = "overridden"


class MayStart(StrEnum):
    """The result: start, start with a reason, or wait."""

    YES = "yes"
    ASKS = "asks"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateItem:
    """One question or check as it stands.

    ``sentence`` says what is in the way and what to do, ``what`` the first alone, empty when nothing is.  ``override_by`` is
    the least role that may override it, None when there is nothing to override.
    """

    id: str
    group: str
    label: str
    handling: Handling
    state: ItemState
    source: str
    sentence: str = ""
    what: str = ""
    answer: Answer | None = None
    note: str | None = None
    override: GateAnswer | None = None
    override_by: Role | None = None

    @property
    def stops(self) -> bool:
        """Whether it is in the way of the start."""
        return self.state in (ItemState.OPEN, ItemState.CONCERN)


@dataclass(frozen=True, slots=True)
class GateState:
    """Every question and check of a session before its start."""

    items: tuple[GateItem, ...]

    @property
    def in_the_way(self) -> tuple[GateItem, ...]:
        """What blocks first, then what asks."""
        return tuple(
            item
            for handling in Handling
            for item in self.items
            if item.stops and item.handling is handling
        )

    @property
    def overridden(self) -> tuple[GateItem, ...]:
        """What somebody decided to go on in spite of."""
        return tuple(item for item in self.items if item.state is ItemState.OVERRIDDEN)

    @property
    def may_start(self) -> MayStart:
        """Whether the infusion may start now."""
        stops = {item.handling for item in self.items if item.stops}
        if Handling.BLOCK in stops:
            return MayStart.BLOCKED
        return MayStart.ASKS if stops else MayStart.YES

    def start_problems(self) -> tuple[Problem, ...]:
        """The same in at most two sentences, for the button: how many points, the first of them."""
        found: list[Problem] = []
        for handling, kind, code in (
            (Handling.BLOCK, "hard", "gate.block"),
            (Handling.CAUTION, "soft", "gate.caution"),
        ):
            items = [item for item in self.in_the_way if item.handling is handling]
            if not items:
                continue
            more = f" and {len(items) - 1} more" if len(items) > 1 else ""
            does = "block the start" if kind == "hard" else "ask for a reason"
            if len(items) == 1:
                does = does.replace("block", "blocks").replace("ask ", "asks ")
            points = "point" if len(items) == 1 else "points"
            message = f"{len(items)} {points} of the gate {does}: {items[0].label}{more}."
            found.append(Problem("gate", message, kind=kind, code=code))
        return tuple(found)

    def problems(self) -> tuple[Problem, ...]:
        """The same for a start that is about to be saved: blocks are hard, cautions are asked."""
        return tuple(
            Problem(
                "gate",
                item.sentence,
                kind="hard" if item.handling is Handling.BLOCK else "soft",
                code=f"gate.{item.id}",
            )
            for item in self.in_the_way
        )


def gate_state(
    session: InfusionSession, protocol: InfusionProtocol, as_of: datetime, *, zone: tzinfo
) -> GateState:
    """Where the gate stands at ``as_of``, from what was saved by then.

    Readings are those before the start, once there was one.  ``zone`` is the clinic's.
    """
    known = session.known_at(as_of)
    started_at = known.started_at
    judged_at = as_of if started_at is None else min(as_of, started_at)
    answers = newest_answers(known, as_of)
    happened = {event.kind for event in known.current(known.events) if event.taken_at <= as_of}
    items = [_answered(question, answers, happened) for question in GATE.questions_for(protocol)]
    items += [
        _found(finding, answers.get(finding.check))
        for finding in findings(known, protocol, judged_at, zone)
    ]
    return GateState(tuple(items))


def newest_answers(session: InfusionSession, as_of: datetime) -> dict[str, GateAnswer]:
    """The answer in force to every question that has one."""
    return {
        answer.question: answer
        for answer in session.current(session.answers)
        if answer.taken_at <= as_of
    }


def is_override(answer: GateAnswer | None) -> bool:
    """Whether the answer carries an override: a reason and the name of who decided."""
    return answer is not None and answer.is_override


def _answered(
    question: GateQuestion, answers: Mapping[str, GateAnswer], happened: set[str]
) -> GateItem:
    given = answers.get(question.id)
    state = ItemState.ANSWERED
    sentence = what = ""
    if question.event in happened and (given is None or given.answer is Answer.UNKNOWN):
        given = None
    elif given is None:
        state = ItemState.OPEN
        what = f"{question.text}: not answered."
        sentence = f"{what} Answer yes, no or unknown."
    elif given.answer in question.concern:
        state = ItemState.OVERRIDDEN if is_override(given) else ItemState.CONCERN
        what = f"{question.text}: {given.answer.value}."
        sentence = f"{what} {_who(question.handling)}"
    elif question.lacks_note(given.answer, given.note):
        state = ItemState.OPEN
        what = f"{question.text}: yes, but it is not written down."
        sentence = f"{what} {question.note}"
    return GateItem(
        id=question.id,
        group=question.group,
        label=question.text,
        handling=question.handling,
        state=state,
        source=question.source,
        sentence=sentence,
        what=what,
        answer=None if given is None else given.answer,
        note=None if given is None else given.note,
        override=given if state is ItemState.OVERRIDDEN else None,
        override_by=question.handling.override_by if state is ItemState.CONCERN else None,
    )


def _found(finding: Finding, given: GateAnswer | None) -> GateItem:
    check = GATE.checks[finding.check]
    covered = (
        given is not None
        and is_override(given)
        and (finding.since is None or given.taken_at >= finding.since)
        and not finding.must_be_done
    )
    words = [finding.what, finding.to_do]
    state = ItemState.OVERRIDDEN if covered else ItemState.CONCERN
    if finding.must_be_done:
        state = ItemState.OPEN
    else:
        words.append(_who(check.handling, instead=bool(finding.to_do)))
    return GateItem(
        id=check.id,
        group=CHECKS,
        label=check.label,
        handling=check.handling,
        state=state,
        source=check.source,
        sentence=" ".join(word for word in words if word),
        what=finding.what,
        override=given if covered else None,
        override_by=check.handling.override_by if state is ItemState.CONCERN else None,
    )


def _who(handling: Handling, *, instead: bool = False) -> str:
    """Who can go on in spite of it; ``instead`` of something that was just said to be done."""
    if handling is Handling.BLOCK:
        return "Only an anaesthetist can go on, with name and reason."
    return "Or go on with a reason." if instead else "Go on with a reason, or wait."


def answer_problems(
    answers: Iterable[tuple[str, str | None, str | None]], roles: Mapping[str, Role]
) -> tuple[Problem, ...]:
    """What is wrong with answers about to be saved: question, override reason, override name each.

    ``roles`` are the active people of the clinic by username.  A question nobody asks, an override
    without a reason or a name, and one by somebody who may not decide it are refused.
    """
    problems: list[Problem] = []
    for question, reason, name in answers:
        least = GATE.override_by(question)
        if least is None:
            problems.append(_problem(question, f"The gate has no question “{question}”."))
            continue
        label = label_of(question)
        if not (reason or "").strip() and not (name or "").strip():
            continue
        if not (reason or "").strip():
            problems.append(_problem(question, f"{label}: write why it is overridden."))
        if not (name or "").strip():
            problems.append(_problem(question, f"{label}: name who overrides it."))
        elif roles.get(str(name)) not in _may_override(least):
            who = "an anaesthetist" if least is Role.ANAESTHETIST else "a nurse or an anaesthetist"
            problems.append(_problem(question, f"{label}: only {who} may override it."))
    return tuple(problems)


def label_of(question: str) -> str:
    """How people call a question, check or criterion."""
    known = GATE.questions.get(question)
    if known is not None:
        return known.text
    named = GATE.checks.get(question) or GATE.criteria.get(question)
    return question if named is None else named.label


def _may_override(least: Role) -> tuple[Role, ...]:
    if least is Role.NURSE:
        return (Role.NURSE, Role.ANAESTHETIST)
    return (Role.ANAESTHETIST,)


def _problem(question: str, message: str) -> Problem:
    return Problem(f"gate.{question}", message)
