"""The entry API of the bedside: every tap that saves something arrives here, once or many times.

``POST /entry/<session>/<what>`` answers 200 ``{saved, recorded_at, state}``, 409 ``{questions}``
(unusual: the same entry with their codes in ``confirmed`` will be saved) or 422 ``{problems}``.
Refusals of another kind rise and become 401, 403, 404, 423 or 503 with a sentence (answers.py).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from gettext import gettext as _
from typing import Any
from uuid import UUID

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from monitor import actions, bedside, dosing
from monitor.accounts import DeviceSession
from monitor.actions import OpenSession
from monitor.clock import latest_instant
from monitor.errors import (
    InvalidEntry,
    MonitorError,
    NeedsConfirmation,
    NotFound,
    Problem,
    WrongState,
)
from monitor.ids import derived_id
from monitor.lifecycle import EventKind
from monitor.numbers import parse_number
from monitor.permissions import User
from monitor.record import DoseStep, DoseStepKind, DoseUnit, Fact, InfusionSession, NotTaken
from monitor.requests import (
    AmendRequest,
    AnswerRequest,
    BolusRequest,
    EventRequest,
    RateRequest,
    SideEffectChangeRequest,
    SideEffectRequest,
    SyringeRequest,
)
from monitor.store import Store
from monitor.validation import EnteredItem, EnteredSet
from pages.http.context import Gate, current_user
from pages.http.csrf import check_write
from pages.http.grants import granted_user

#: An entry may have waited this long for the network; older ages are a broken clock.
LONGEST_WAIT = timedelta(days=7)
#: The undo button stands for 10 s; the server allows for a slow network.
UNDO_WITHIN = timedelta(seconds=60)
_MAX_DRAFT = 8000


class BadRequest(ValueError):
    """The request is not one that the component makes."""


@dataclass(frozen=True, slots=True)
class Call:
    """One entry as it arrived: who tapped it, when it was true, what it says."""

    gate: Gate
    user: User
    device: DeviceSession
    session_id: UUID
    body: Mapping[str, Any]
    now: datetime
    confirmed: frozenset[str]

    @property
    def store(self) -> Store:
        return self.gate.store

    @property
    def id(self) -> UUID:
        return self.uuid("id")

    @property
    def tapped_at(self) -> datetime:
        """When SAVE was tapped, by the server's clock: its own time less the age of the tap."""
        age = self.body.get("age_ms", 0)
        if not isinstance(age, int | float) or not 0 <= age <= LONGEST_WAIT.total_seconds() * 1000:
            raise BadRequest("age_ms")
        return self.now - timedelta(milliseconds=age)

    @property
    def taken_at(self) -> datetime:
        """When it was true: at the tap, some minutes before, or at a clock time that was typed."""
        taken = self.body.get("taken") or {}
        if "clock" in taken:
            return self._clock_time(str(taken["clock"]))
        ago = taken.get("ago", 0)
        if not isinstance(ago, int) or not 0 <= ago <= 24 * 60:
            raise BadRequest("taken")
        return self.tapped_at - timedelta(minutes=ago)

    def _clock_time(self, text: str) -> datetime:
        second = None
        if "taken_at.repeated" in self.confirmed:
            second = "taken_at.second" in self.confirmed
        return latest_instant(text, self.gate.zone, self.tapped_at, second_time=second)

    def uuid(self, name: str) -> UUID:
        return _uuid(self.body.get(name), name)

    def text(self, name: str) -> str | None:
        value = self.body.get(name)
        if value is not None and not isinstance(value, str):
            raise BadRequest(name)
        return value.strip() or None if value else None

    def number(self, name: str) -> Any:
        return _number(name, self.body.get(name))

    @property
    def act(self) -> dict[str, Any]:
        """What every action is handed besides its request."""
        return {"now": self.now, "device": self.device.token_hash[:12]}


def _uuid(value: object, name: str) -> UUID:
    try:
        return UUID(str(value))
    except ValueError:
        raise BadRequest(name) from None


def _number(name: str, value: object) -> Any:
    if not isinstance(value, str):
        raise BadRequest(name)
    try:
        return parse_number(value)
    except ValueError as error:
        raise InvalidEntry([Problem(name, str(error), code=f"{name}.not_a_number")]) from None


# -- what can be saved ---------------------------------------------------------------------------


def _save_set(call: Call) -> OpenSession:
    items = call.body.get("items")
    if not isinstance(items, list):
        raise BadRequest("items")
    entered = EnteredSet(
        set_id=call.id, taken_at=call.taken_at, items=tuple(_item(row) for row in items)
    )
    return actions.record_observations(
        call.store, call.user, call.session_id, entered, confirmed=call.confirmed, **call.act
    )


def _item(row: object) -> EnteredItem:
    if not isinstance(row, Mapping):
        raise BadRequest("items")
    reason = row.get("not_taken")
    return EnteredItem(
        id=_uuid(row.get("id"), "items.id"),
        parameter=str(row.get("parameter")),
        text=_optional(row.get("text")),
        unit=_optional(row.get("unit")),
        not_taken=None if reason is None else _member(NotTaken, reason),
        really_so=row.get("really_so") is True,
        note=_optional(row.get("note")),
    )


def _optional(value: object) -> str | None:
    return None if value is None else str(value)


def _member(kind: Any, value: object) -> Any:
    try:
        return kind(value)
    except ValueError:
        raise BadRequest(kind.__name__) from None


def _rate_request(call: Call, row: Mapping[str, Any]) -> RateRequest:
    return RateRequest(
        id=_uuid(row.get("id"), "rate.id"),
        kind=_member(DoseStepKind, row.get("kind", "rate")),
        value=_number("rate", row.get("value")),
        unit=_member(DoseUnit, row.get("unit")),
        taken_at=call.taken_at,
        reason=call.text("reason"),
        ordered_by=call.text("ordered_by"),
        already_given=call.body.get("already_given") is True,
    )


def _change_rate(call: Call) -> OpenSession:
    return actions.change_rate(
        call.store,
        call.user,
        call.session_id,
        _rate_request(call, call.body),
        confirmed=call.confirmed,
        **call.act,
    )


def _give_bolus(call: Call) -> OpenSession:
    over_s = call.body.get("over_s", 0)
    if not isinstance(over_s, int) or not 0 <= over_s <= dosing.LONGEST_BOLUS_S:
        raise BadRequest("over_s")
    request = BolusRequest(
        id=call.id,
        value=call.number("value"),
        unit=_member(DoseUnit, call.body.get("unit")),
        over_s=over_s,
        taken_at=call.taken_at,
        reason=call.text("reason"),
        ordered_by=call.text("ordered_by"),
        already_given=call.body.get("already_given") is True,
    )
    return actions.give_bolus(
        call.store, call.user, call.session_id, request, confirmed=call.confirmed, **call.act
    )


def _change_syringe(call: Call) -> OpenSession:
    rate = call.body.get("rate")
    request = SyringeRequest(
        id=call.id,
        concentration_mg_per_ml=call.number("concentration_mg_per_ml"),
        taken_at=call.taken_at,
        rate=_rate_request(call, rate) if isinstance(rate, Mapping) else None,
        batch=call.text("batch"),
    )
    return actions.change_syringe(
        call.store, call.user, call.session_id, request, confirmed=call.confirmed, **call.act
    )


def _record_effect(call: Call) -> OpenSession:
    request = SideEffectRequest(
        id=call.id,
        term=call.text("term") or "",
        grade=_grade(call.body.get("grade")) or 0,
        onset_at=call.taken_at,
        relation=call.text("relation"),
        action=call.text("action"),
        serious=call.body.get("serious") is True,
        note=call.text("note"),
    )
    return actions.record_side_effect(call.store, call.user, call.session_id, request, **call.act)


def _grade(value: object) -> int | None:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise BadRequest("grade")
    return value


def _change_effect(call: Call) -> OpenSession:
    request = SideEffectChangeRequest(
        id=call.id,
        side_effect_id=call.uuid("side_effect_id"),
        taken_at=call.taken_at,
        grade=_grade(call.body.get("grade")),
        ended=call.body.get("ended") is True,
        action=call.text("action"),
        note=call.text("note"),
    )
    return actions.change_side_effect(call.store, call.user, call.session_id, request, **call.act)


def _record_event(call: Call) -> OpenSession:
    request = EventRequest(
        id=call.id,
        kind=call.text("kind") or "",
        taken_at=call.taken_at,
        text=call.text("text"),
    )
    return actions.record_event(call.store, call.user, call.session_id, request, **call.act)


def _discharge(call: Call) -> OpenSession:
    request = EventRequest(id=call.id, kind=EventKind.DISCHARGED, taken_at=call.taken_at)
    return actions.record_event(call.store, call.user, call.session_id, request, **call.act)


def _amend(call: Call) -> OpenSession:
    row = call.body.get("replacement")
    request = AmendRequest(
        id=call.id,
        amends=call.uuid("amends"),
        reason=call.text("reason") or "",
        replacement=None if row is None else _item(row),
    )
    return actions.amend(
        call.store, call.user, call.session_id, request, confirmed=call.confirmed, **call.act
    )


def _undo(call: Call) -> OpenSession:
    """Strike out everything one tap saved, within its time; the record keeps it, struck through."""
    opened = actions.open_session(call.store, call.user, call.session_id, now=call.now)
    facts = _saved_by(opened.session, call.uuid("undoes"))
    if not facts:
        raise NotFound(_("What is to be undone is not in this session."))
    if any(
        fact.recorded_by != call.user.username or call.tapped_at - fact.recorded_at > UNDO_WITHIN
        for fact in facts
    ):
        raise InvalidEntry(
            [
                Problem(
                    "undo", _("The time for undo is over. Correct the entry in the list instead.")
                )
            ]
        )
    for fact in facts:
        request = AmendRequest(
            id=derived_id(call.id, fact.id), amends=fact.id, reason=_("undone at once")
        )
        if fact.id not in opened.session.amended_ids:
            opened = actions.amend(call.store, call.user, call.session_id, request, **call.act)
    return opened


def _saved_by(session: InfusionSession, entry_id: UUID) -> tuple[Fact, ...]:
    """The facts of one entry: a set's observations, or a fact with the rate saved beside it."""
    found: list[Fact] = [item for item in session.observations if item.set_id == entry_id]
    fact = session.fact(entry_id)
    if fact is not None:
        found.append(fact)
        found += [
            step
            for step in session.dose_steps
            if not isinstance(fact, DoseStep) and step.recorded_at == fact.recorded_at
        ]
    return tuple(found)


def _answer_alert(call: Call) -> OpenSession:
    request = AnswerRequest(
        id=call.id,
        alert_id=call.uuid("alert_id"),
        action=call.text("action") or "",
        text=call.text("text"),
    )
    return actions.answer_alert(call.store, call.user, call.session_id, request, **call.act)


#: What can be saved, by the last part of the address.
SAVES: Mapping[str, Callable[[Call], OpenSession]] = {
    "set": _save_set,
    "rate": _change_rate,
    "bolus": _give_bolus,
    "syringe": _change_syringe,
    "effect": _record_effect,
    "effect-change": _change_effect,
    "event": _record_event,
    "discharge": _discharge,
    "amend": _amend,
    "undo": _undo,
    "ack": _answer_alert,
}


# -- routes --------------------------------------------------------------------------------------


def routes(gate: Gate) -> list[Route]:
    """``POST /entry/<session>/<what>`` for every kind of entry, and ``GET .../state``."""

    async def save(request: Request) -> JSONResponse:
        what = request.path_params["what"]
        if what not in SAVES:
            raise NotFound(_("There is no such entry."))
        return await _answered(gate, request, lambda call: _saved(call, SAVES[what]))

    async def preview(request: Request) -> JSONResponse:
        return await _answered(gate, request, _previewed)

    async def draft(request: Request) -> JSONResponse:
        return await _answered(gate, request, _drafted)

    async def state(request: Request) -> JSONResponse:
        user, _device = current_user(request)
        session_id = request.path_params["session_id"]
        shown = await run_in_threadpool(_shown, gate, user, session_id)
        return JSONResponse({"state": shown}, headers=_NEVER_KEPT)

    return [
        Route("/entry/{session_id:uuid}/state", state, methods=["GET"]),
        Route("/entry/{session_id:uuid}/preview", preview, methods=["POST"]),
        Route("/entry/{session_id:uuid}/draft", draft, methods=["POST"]),
        Route("/entry/{session_id:uuid}/{what}", save, methods=["POST"]),
    ]


_NEVER_KEPT = {"Cache-Control": "no-store"}
_LOG = logging.getLogger(__name__)
#: What reading a body of the wrong shape ends in: wrong types, missing keys, numbers without end,
#: JSON nested without end, text that is no text.
_UNREADABLE = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RecursionError)


async def _answered(
    gate: Gate, request: Request, act: Callable[[Call], dict[str, Any]]
) -> JSONResponse:
    """Run one entry off the event loop and put what happened into a status."""
    user, device = current_user(request)
    check_write(request)
    try:
        body = await request.json()
        if not isinstance(body, dict):
            raise BadRequest("body")
        call = await run_in_threadpool(
            _call, gate, user, device, request.path_params["session_id"], body
        )
        return JSONResponse(await run_in_threadpool(act, call), headers=_NEVER_KEPT)
    except NeedsConfirmation as questions:
        return JSONResponse({"questions": bedside.questions(questions.problems)}, 409)
    except InvalidEntry as invalid:
        return JSONResponse({"problems": bedside.questions(invalid.problems)}, 422)
    except WrongState as wrong:
        problem = Problem("session", str(wrong), code="session.state")
        return JSONResponse({"problems": bedside.questions((problem,))}, 422)
    except MonitorError:
        raise  # answers.py says these in their own words
    except _UNREADABLE as unreadable:
        # The component never sends such an entry.  Nothing of it was saved, and the log names the
        # kind of fault only: its message may quote what was typed.
        _LOG.warning("an entry could not be read: %s", type(unreadable).__name__)
        return JSONResponse(
            {"error": _("This entry could not be read. Reload the page and enter it again.")}, 400
        )


def _call(
    gate: Gate, user: User, device: DeviceSession, session_id: UUID, body: dict[str, Any]
) -> Call:
    now = gate.clock()
    confirmed = body.get("confirmed", [])
    if not isinstance(confirmed, list):
        raise BadRequest("confirmed")
    grant = body.get("grant") or ""
    acting = granted_user(gate.store, str(grant), user, device, session_id, now)
    codes = frozenset(str(code) for code in confirmed)
    return Call(gate, acting, device, session_id, body, now, codes)


def _saved(call: Call, act: Callable[[Call], OpenSession]) -> dict[str, Any]:
    check = _check_line(call)
    opened = act(call)
    return {
        "saved": True,
        "recorded_at": call.now.isoformat(),
        "check": check,
        "state": _state(call.gate, call.user, opened, call.store.version(call.user.clinic)),
    }


def _check_line(call: Call) -> str | None:
    """A large decrease is saved at once and then said aloud (clinical.md U-30)."""
    if "kind" not in call.body or "unit" not in call.body:
        return None
    session = call.store.session(call.session_id)
    if session.fact(call.id):
        return None
    proposed = dosing.ProposedRate(
        value=call.number("value"),
        unit=_member(DoseUnit, call.body["unit"]),
        kind=_member(DoseStepKind, call.body["kind"]),
        taken_at=call.taken_at,
    )
    return dosing.large_decrease_text(session, proposed)


def _previewed(call: Call) -> dict[str, Any]:
    over_s = call.body.get("over_s", 0)
    opened = actions.open_session(call.store, call.user, call.session_id, now=call.now)
    return bedside.preview(
        opened,
        kind=call.text("kind") or "rate",
        value=call.number("value"),
        unit=call.text("unit") or "",
        over_s=over_s if isinstance(over_s, int) else 0,
    )


def _drafted(call: Call) -> dict[str, Any]:
    content = call.body.get("content", "")
    if not isinstance(content, str) or len(content) > _MAX_DRAFT:
        raise BadRequest("content")
    # Only who may see the session may leave a draft with it.
    actions.open_session(call.store, call.user, call.session_id, now=call.now)
    actions.save_draft(
        call.store,
        call.user,
        call.session_id,
        call.device.token_hash[:12],
        content,
        now=call.now,
    )
    return {"saved": True}


def _shown(gate: Gate, user: User, session_id: UUID) -> dict[str, Any]:
    """The state as it is now; the version is read first, so that it never claims too much."""
    version = gate.store.version(user.clinic)
    opened = actions.open_session(gate.store, user, session_id, now=gate.clock())
    return _state(gate, user, opened, version)


def _state(gate: Gate, user: User, opened: OpenSession, version: int) -> dict[str, Any]:
    names = names_of(gate.store, user)
    return bedside.state(opened, zone=gate.zone, names=names, version=version)


def names_of(store: Store, user: User) -> dict[str, str]:
    """What the people of the clinic are called, by username."""
    return {person.username: person.name for person in store.users(user.clinic)}
