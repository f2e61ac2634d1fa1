"""The entry API of the bedside: every tap that saves something arrives here, once or many times.

``GET .../rows?from=6`` answers earlier rows.  ``POST /entry/<session>/<what>`` answers 200 ``{saved, recorded_at, state}``, 409 ``{questions}``
(unusual: the same entry with their codes in ``confirmed`` will be saved) or 422 ``{problems}``.
Refusals of another kind rise and become 401, 403, 404, 423 or 503 with a sentence (answers.py).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from gettext import gettext as _
from typing import Any
from uuid import UUID

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from monitor import actions, bedside, dosing
from monitor.accounts import DeviceSession
from monitor.actions import OpenSession
from monitor.actions.patients import add_allergy
from monitor.entered import EnteredItem, EnteredSet
from monitor.errors import (
    InvalidEntry,
    MonitorError,
    NeedsConfirmation,
    NotFound,
    Problem,
    WrongState,
)
from monitor.lifecycle import EventKind
from monitor.permissions import Action, User, check_may
from monitor.record import (
    Answer,
    DoseStepKind,
    DoseUnit,
    InfusionSession,
    MovementKind,
    NotTaken,
    WeightBasis,
)
from monitor.requests import (
    AmendRequest,
    AnswerRequest,
    BolusRequest,
    BothRightRequest,
    ConfirmRequest,
    EventRequest,
    GateRequest,
    MovementRequest,
    PatientLimitRequest,
    RateRequest,
    RetimeRequest,
    SideEffectChangeRequest,
    SideEffectRequest,
    SuppressRequest,
    SyringeRequest,
    UndoRequest,
    WeightRequest,
)
from monitor.store import Store
from monitor.weights import typed_weight
from pages.http.context import Gate, current_user
from pages.http.csrf import check_write
from pages.http.entry_call import BadRequest, Call, unreadable_sentence
from pages.http.grants import granted_user
from pages.http.sign_in import check_pin
from pages.http.witness import checked, make_witness, witnessed_by

_MAX_DRAFT = 8000
#: No grade is higher (clinical.md 6.1); which ones a term may have is the action's to say.
_MAX_GRADE = 9
#: How many is too many is the ledger's to say.
_MOST_AMPOULES = 999
#: More fields than any set has.
_MAX_ITEMS = 100
_MAX_GRANT = 300
#: Of the number of a row.
_MOST_DIGITS = 6


# -- what can be saved ---------------------------------------------------------------------------


def _save_set(call: Call) -> OpenSession:
    rows = call.body.get("items")
    if not isinstance(rows, list) or len(rows) > _MAX_ITEMS:
        raise BadRequest("items")
    items = tuple(_item(call.part("items", row)) for row in rows)
    entered = EnteredSet(set_id=call.id, taken_at=call.taken_at, items=items, source=call.source)
    return actions.record_observations(
        call.store, call.user, call.session_id, entered, confirmed=call.confirmed, **call.act
    )


def _item(row: Call) -> EnteredItem:
    return EnteredItem(
        id=row.id,
        parameter=row.text("parameter") or "",
        text=row.text("text"),
        unit=row.text("unit"),
        not_taken=row.member("not_taken", NotTaken) if row.text("not_taken") else None,
        really_so=row.flag("really_so"),
        note=row.text("note"),
    )


def _second_person(call: Call) -> str | None:
    """Who confirmed this entry with their PIN before it was sent."""
    seal = call.text("second_person")
    if seal is None:
        return None
    return witnessed_by(
        call.store, seal, call.user, call.device, call.session_id, call.id, call.now
    )


def _rate_request(call: Call, row: Call) -> RateRequest:
    kind = row.member("kind", DoseStepKind, DoseStepKind.RATE)
    return RateRequest(
        id=row.id,
        kind=kind,
        value=row.number("value", "rate"),
        unit=row.member("unit", DoseUnit),
        taken_at=call.taken_at,
        reason=call.text("reason"),
        ordered_by=call.text("ordered_by"),
        second_person=_second_person(call),
        already_given=call.flag("already_given"),
        source=call.source,
    )


def _change_rate(call: Call) -> OpenSession:
    return actions.change_rate(
        call.store,
        call.user,
        call.session_id,
        _rate_request(call, call),
        confirmed=call.confirmed,
        late_reason=call.late_reason,
        **call.act,
    )


def _give_bolus(call: Call) -> OpenSession:
    request = BolusRequest(
        id=call.id,
        value=call.number("value", "bolus"),
        unit=call.member("unit", DoseUnit),
        over_s=call.whole("over_s", dosing.LONGEST_BOLUS_S) or 0,
        taken_at=call.taken_at,
        reason=call.text("reason"),
        ordered_by=call.text("ordered_by"),
        second_person=_second_person(call),
        already_given=call.flag("already_given"),
        source=call.source,
    )
    return actions.give_bolus(
        call.store,
        call.user,
        call.session_id,
        request,
        confirmed=call.confirmed,
        late_reason=call.late_reason,
        **call.act,
    )


def _change_syringe(call: Call) -> OpenSession:
    rate = call.body.get("rate")
    request = SyringeRequest(
        id=call.id,
        concentration_mg_per_ml=call.number("concentration_mg_per_ml", "concentration_mg_per_ml"),
        taken_at=call.taken_at,
        rate=None if rate is None else _rate_request(call, call.part("rate", rate)),
        batch=call.text("batch"),
        reason=call.text("reason"),
        second_person=_second_person(call),
        already_given=call.flag("already_given"),
        source=call.source,
    )
    return actions.change_syringe(
        call.store,
        call.user,
        call.session_id,
        request,
        confirmed=call.confirmed,
        late_reason=call.late_reason,
        **call.act,
    )


def _record_effect(call: Call) -> OpenSession:
    request = SideEffectRequest(
        id=call.id,
        term=call.text("term") or "",
        grade=call.whole("grade", _MAX_GRADE) or 0,
        onset_at=call.taken_at,
        relation=call.text("relation"),
        action=call.text("action"),
        serious=call.flag("serious"),
        note=call.text("note"),
        source=call.source,
    )
    return actions.record_side_effect(
        call.store, call.user, call.session_id, request, confirmed=call.confirmed, **call.act
    )


def _change_effect(call: Call) -> OpenSession:
    request = SideEffectChangeRequest(
        id=call.id,
        side_effect_id=call.uuid("side_effect_id"),
        taken_at=call.taken_at,
        grade=call.whole("grade", _MAX_GRADE),
        ended=call.flag("ended"),
        action=call.text("action"),
        note=call.text("note"),
        source=call.source,
    )
    return actions.change_side_effect(
        call.store,
        call.user,
        call.session_id,
        request,
        confirmed=call.confirmed,
        late_reason=call.late_reason,
        **call.act,
    )


def _record_event(call: Call) -> OpenSession:
    request = EventRequest(
        id=call.id,
        kind=call.text("kind") or "",
        taken_at=call.taken_at,
        text=call.text("text"),
        already_happened=call.flag("already_happened"),
        linked_to=call.uuid("linked_to") if call.text("linked_to") else None,
        source=call.source,
    )
    return actions.record_event(
        call.store,
        call.user,
        call.session_id,
        request,
        confirmed=call.confirmed,
        late_reason=call.late_reason,
        **call.act,
    )


def _move_drug(call: Call) -> OpenSession:
    request = MovementRequest(
        id=call.id,
        kind=call.member("kind", MovementKind),
        amount_mg=call.number("amount_mg", "amount_mg"),
        taken_at=call.taken_at,
        ampoules=call.whole("ampoules", _MOST_AMPOULES),
        batch=call.text("batch"),
        expires_on=call.day("expires_on"),
        witness=_second_person(call),
        reason=call.text("reason"),
        source=call.source,
    )
    return actions.record_movement(
        call.store, call.user, call.session_id, request, confirmed=call.confirmed, **call.act
    )


def _set_patient_limit(call: Call) -> OpenSession:
    request = PatientLimitRequest(
        id=call.id,
        quantity=call.text("quantity") or "",
        value=call.number("value", "value"),
        taken_at=call.taken_at,
        reason=call.text("reason"),
        second_person=_second_person(call),
        source=call.source,
    )
    return actions.set_patient_limit(
        call.store, call.user, call.session_id, request, confirmed=call.confirmed, **call.act
    )


def _discharge(call: Call) -> OpenSession:
    request = EventRequest(
        id=call.id,
        kind=EventKind.DISCHARGED,
        taken_at=call.taken_at,
        text=call.text("text"),
        already_happened=call.flag("already_happened"),
        source=call.source,
    )
    return actions.record_event(
        call.store, call.user, call.session_id, request, confirmed=call.confirmed, **call.act
    )


def _answer_gate(call: Call) -> OpenSession:
    """Answers and overrides before the start and before leaving, one tap or a group at once."""
    rows = call.body.get("answers")
    if not isinstance(rows, list) or not 0 < len(rows) <= _MAX_ITEMS:
        raise BadRequest("answers")
    proved = _second_person(call)
    answers = tuple(_gate_request(call.part("answers", row), proved) for row in rows)
    return actions.answer_gate(
        call.store, call.user, call.session_id, answers, given_at=call.tapped_at, **call.act
    )


def _confirm_overrides(call: Call) -> OpenSession:
    """Who ordered something by word confirms it: signed in themselves, or with their PIN."""
    rows = call.body.get("confirms")
    if not isinstance(rows, list) or not 0 < len(rows) <= _MAX_ITEMS:
        raise BadRequest("confirms")
    confirms = tuple(call.part("confirms", {"id": row}).id for row in rows)
    request = ConfirmRequest(id=call.id, confirms=confirms, second_person=_second_person(call))
    return actions.confirm_overrides(call.store, call.user, call.session_id, request, **call.act)


def _record_weight(call: Call) -> OpenSession:
    return actions.record_weight(
        call.store,
        call.user,
        call.session_id,
        _weight_request(call),
        confirmed=call.confirmed,
        **call.act,
    )


def _weight_request(call: Call) -> WeightRequest:
    height = call.text("height_cm")
    try:
        typed = typed_weight(
            call.number("weight_kg", "weight_kg"), call.text("weight_unit") or "kg"
        )
    except ValueError:
        raise BadRequest("weight_unit") from None
    return WeightRequest(
        id=call.id,
        weight_kg=typed.weight_kg,
        typed=typed.typed,
        basis=call.member("basis", WeightBasis, WeightBasis.ACTUAL),
        measured=call.flag("measured"),
        height_cm=None if height is None else call.number("height_cm", "height_cm"),
        taken_at=call.taken_at,
        reason=call.text("reason"),
        source=call.source,
    )


def _add_allergy(call: Call) -> OpenSession:
    """What was learned about an allergy: written with the patient, shown in every session."""
    opened = actions.open_session(call.store, call.user, call.session_id, now=call.now)
    add_allergy(
        call.store,
        call.user,
        opened.session.patient.id,
        call.text("allergy") or "",
        change_id=call.id,
        reason=call.text("reason") or "",
        now=call.now,
    )
    return actions.open_session(call.store, call.user, call.session_id, now=call.now)


def _gate_request(row: Call, proved: str | None) -> GateRequest:
    return GateRequest(
        id=row.id,
        question=row.text("question") or "",
        answer=row.member("answer", Answer),
        override_reason=row.text("reason"),
        override_by=row.text("by"),
        second_person=proved,
        note=row.text("note"),
    )


def _amend(call: Call) -> OpenSession:
    row = call.body.get("replacement")
    request = AmendRequest(
        id=call.id,
        amends=call.uuid("amends"),
        reason=call.text("reason") or "",
        replacement=None if row is None else _item(call.part("replacement", row)),
        keeps=call.uuid("keeps") if call.text("keeps") else None,
    )
    return actions.amend(
        call.store, call.user, call.session_id, request, confirmed=call.confirmed, **call.act
    )


def _call_both_right(call: Call) -> OpenSession:
    rows = call.body.get("pairs")
    if not isinstance(rows, list) or not 0 < len(rows) <= _MAX_ITEMS:
        raise BadRequest("pairs")
    pairs = [
        BothRightRequest(id=row.id, first=row.uuid("first"), second=row.uuid("second"))
        for row in (call.part("pairs", row) for row in rows)
    ]
    return actions.call_both_right(call.store, call.user, call.session_id, pairs, **call.act)


def _correct_time(call: Call) -> OpenSession:
    request = RetimeRequest(
        id=call.id,
        moves=call.uuid("moves"),
        taken_at=call.taken_at,
        reason=call.text("reason") or "",
    )
    return actions.correct_time(
        call.store, call.user, call.session_id, request, confirmed=call.confirmed, **call.act
    )


def _undo(call: Call) -> OpenSession:
    request = UndoRequest(id=call.id, undoes=call.uuid("undoes"), tapped_at=call.tapped_at)
    return actions.undo(call.store, call.user, call.session_id, request, **call.act)


def _answer_alert(call: Call) -> OpenSession:
    request = AnswerRequest(
        id=call.id,
        alert_id=call.uuid("alert_id"),
        action=call.text("action") or "",
        text=call.text("text"),
    )
    return actions.answer_alert(call.store, call.user, call.session_id, request, **call.act)


def _suppress_alert(call: Call) -> OpenSession:
    request = SuppressRequest(
        id=call.id, alert_id=call.uuid("alert_id"), reason=(call.text("reason") or "").strip()
    )
    return actions.suppress_alert(call.store, call.user, call.session_id, request, **call.act)


#: What can be saved, by the last part of the address.
SAVES: Mapping[str, Callable[[Call], OpenSession]] = {
    "set": _save_set,
    "rate": _change_rate,
    "bolus": _give_bolus,
    "syringe": _change_syringe,
    "effect": _record_effect,
    "effect-change": _change_effect,
    "event": _record_event,
    "ledger": _move_drug,
    "patient-limit": _set_patient_limit,
    "discharge": _discharge,
    "gate": _answer_gate,
    "confirm": _confirm_overrides,
    "weight": _record_weight,
    "allergy": _add_allergy,
    "amend": _amend,
    "both-right": _call_both_right,
    "retime": _correct_time,
    "undo": _undo,
    "ack": _answer_alert,
    "suppress": _suppress_alert,
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

    async def witness(request: Request) -> JSONResponse:
        return await _answered(gate, request, _witnessed)

    async def draft(request: Request) -> JSONResponse:
        return await _answered(gate, request, _drafted)

    async def recorded(request: Request) -> JSONResponse:
        return await _answered(gate, request, _recorded)

    async def state(request: Request) -> JSONResponse:
        user, _device = current_user(request)
        session_id = request.path_params["session_id"]
        shown = await run_in_threadpool(_shown, gate, user, session_id)
        return JSONResponse({"state": shown}, headers=_NEVER_KEPT)

    async def rows(request: Request) -> JSONResponse:
        user, _device = current_user(request)
        first = request.query_params.get("from", "0")
        if not first.isascii() or not first.isdecimal() or len(first) > _MOST_DIGITS:
            return JSONResponse({"error": unreadable_sentence()}, 400)
        session_id = request.path_params["session_id"]
        shown = await run_in_threadpool(_earlier, gate, user, session_id, int(first))
        return JSONResponse(shown, headers=_NEVER_KEPT)

    return [
        Route("/entry/{session_id:uuid}/state", state, methods=["GET"]),
        Route("/entry/{session_id:uuid}/rows", rows, methods=["GET"]),
        Route("/entry/{session_id:uuid}/preview", preview, methods=["POST"]),
        Route("/entry/{session_id:uuid}/witness", witness, methods=["POST"]),
        Route("/entry/{session_id:uuid}/draft", draft, methods=["POST"]),
        Route("/entry/{session_id:uuid}/recorded", recorded, methods=["POST"]),
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
        # Half a character could neither be stored nor be quoted back in an answer.
        json.dumps(body, ensure_ascii=False).encode()
        session_id = request.path_params["session_id"]
        answer = await run_in_threadpool(lambda: act(_call(gate, user, device, session_id, body)))
        return JSONResponse(answer, headers=_NEVER_KEPT)
    except NeedsConfirmation as questions:
        return JSONResponse({"questions": bedside.questions(questions.problems)}, 409)
    except InvalidEntry as invalid:
        return JSONResponse({"problems": bedside.questions(invalid.problems)}, 422)
    except WrongState as wrong:
        problem = Problem("session", str(wrong), code="session.state")
        return JSONResponse({"problems": bedside.questions((problem,))}, 422)
    except ClientDisconnect:
        # Cut off while it was sent: nothing was read, so nothing saved; the queue sends it again.
        return JSONResponse({"error": unreadable_sentence()}, 400)
    except MonitorError:
        raise  # answers.py says these in their own words
    except BadRequest as bad:
        _LOG.warning("an entry could not be read: %s", bad.field)
        return JSONResponse({"error": str(bad)}, 400)
    except _UNREADABLE as unreadable:
        # The component never sends such an entry.  Nothing of it was saved, and the log names the
        # kind of fault only: its message may quote what was typed.
        _LOG.warning("an entry could not be read: %s", type(unreadable).__name__)
        return JSONResponse({"error": unreadable_sentence()}, 400)


def _call(
    gate: Gate, user: User, device: DeviceSession, session_id: UUID, body: dict[str, Any]
) -> Call:
    now = gate.clock()
    confirmed = body.get("confirmed", [])
    if not isinstance(confirmed, list) or not all(isinstance(code, str) for code in confirmed):
        raise BadRequest("confirmed")
    grant = body.get("grant") or ""
    if not isinstance(grant, str) or len(grant) > _MAX_GRANT:
        raise BadRequest("grant")
    acting = granted_user(gate.store, grant, user, device, session_id, now)
    return Call(gate, acting, device, session_id, body, now, frozenset(confirmed))


def _saved(call: Call, act: Callable[[Call], OpenSession]) -> dict[str, Any]:
    opened = act(call)
    return {
        "saved": True,
        "recorded_at": call.now.isoformat(),
        "check": _check_line(call, opened.session),
        "state": _state(call.gate, call.user, opened, call.store.version(call.user.clinic)),
    }


def _check_line(call: Call, session: InfusionSession) -> str | None:
    """A large decrease is saved at once and then said aloud (clinical.md U-30)."""
    step = next((item for item in session.dose_steps if str(item.id) == call.body.get("id")), None)
    if step is None or step.recorded_at != call.now:
        return None
    others = tuple(item for item in session.dose_steps if item is not step)
    proposed = dosing.ProposedRate(
        value=step.entered_value, unit=step.entered_unit, kind=step.kind, taken_at=step.taken_at
    )
    return dosing.large_decrease_text(replace(session, dose_steps=others), proposed)


class Previewed(StrEnum):
    """What can be looked at before it is saved; anything else is never taken for a rate."""

    RATE = "rate"
    HOLD = "hold"
    RESUME = "resume"
    STOP = "stop"
    BOLUS = "bolus"
    SYRINGE = "syringe"
    WEIGHT = "weight"


def _previewed(call: Call) -> dict[str, Any]:
    kind = call.member("kind", Previewed, Previewed.RATE)
    if kind is Previewed.WEIGHT:
        request = _weight_request(call)
        return bedside.weight_preview(
            request,
            actions.preview_weight(call.store, call.user, call.session_id, request, now=call.now),
        )
    opened = actions.open_session(call.store, call.user, call.session_id, now=call.now)
    if kind is Previewed.SYRINGE:
        return _previewed_syringe(call, opened)
    return bedside.preview(
        opened,
        kind=kind,
        value=call.number("value", "bolus" if kind is Previewed.BOLUS else "rate"),
        unit=call.member("unit", DoseUnit),
        zone=call.gate.zone,
        taken_at=call.taken_at,
        over_s=call.whole("over_s", dosing.LONGEST_BOLUS_S) or 0,
    )


def _previewed_syringe(call: Call, opened: OpenSession) -> dict[str, Any]:
    typed = call.body.get("rate")
    rate = None
    if typed is not None:
        row = call.part("rate", typed)
        rate = (row.number("value", "rate"), row.member("unit", DoseUnit))
    return bedside.syringe_preview(
        opened,
        concentration_mg_per_ml=call.number("concentration_mg_per_ml", "concentration_mg_per_ml"),
        rate=rate,
        zone=call.gate.zone,
        taken_at=call.taken_at,
    )


def _witnessed(call: Call) -> dict[str, Any]:
    """Check a second person's PIN for one entry; the answer goes into that entry."""
    actions.open_session(call.store, call.user, call.session_id, now=call.now)
    # Nobody tries another person's PIN for an entry that is not theirs to make.
    check_may(call.user, Action.RECORD_OBSERVATIONS)
    answer = check_pin(
        call.gate, call.text("username") or "", call.text("pin") or "", call.device.token_hash
    )
    person = checked(answer.user, call.user, answer.sentence)
    seal = make_witness(person, call.device, call.session_id, call.id, call.now)
    return {"second_person": seal, "name": person.name}


def _drafted(call: Call) -> dict[str, Any]:
    content = call.body.get("content", "")
    if not isinstance(content, str):
        raise BadRequest("content")
    if len(content) > _MAX_DRAFT:
        raise BadRequest("content", _("The draft is too long to be kept. Save what is typed."))
    if content and not isinstance(json.loads(content), dict):
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


def _recorded(call: Call) -> dict[str, Any]:
    """Which of these sets are in the record: what a browser kept of them is no draft any more.

    A tablet that died within the tap on SAVE may have sent the set and kept its draft.
    """
    rows = call.body.get("sets")
    if not isinstance(rows, list) or len(rows) > _MAX_ITEMS:
        raise BadRequest("sets")
    asked = {call.part("sets", {"id": row}).id for row in rows}
    opened = actions.open_session(call.store, call.user, call.session_id, now=call.now)
    found = asked & {item.set_id for item in opened.session.observations}
    return {"recorded": sorted(map(str, found))}


def _shown(gate: Gate, user: User, session_id: UUID) -> dict[str, Any]:
    """The state as it is now; the version is read first, so that it never claims too much."""
    version = gate.store.version(user.clinic)
    opened = actions.open_session(gate.store, user, session_id, now=gate.clock())
    return _state(gate, user, opened, version)


def _earlier(gate: Gate, user: User, session_id: UUID, first: int) -> dict[str, Any]:
    """Rows of the record from the ``first`` newest one on."""
    opened = actions.open_session(gate.store, user, session_id, now=gate.clock())
    names = names_of(gate.store, user)
    rows, total = bedside.recent_rows(
        opened, zone=gate.zone, names=names, first=first, count=bedside.EARLIER_ROWS
    )
    return {"rows": rows, "rows_n": total}


def _state(gate: Gate, user: User, opened: OpenSession, version: int) -> dict[str, Any]:
    names = names_of(gate.store, user)
    return bedside.state(opened, zone=gate.zone, names=names, version=version)


def names_of(store: Store, user: User) -> dict[str, str]:
    """What the people of the clinic are called, by username."""
    return {person.username: person.name for person in store.users(user.clinic)}
