"""Short builders of facts and sessions: the common case is short, the rest stays possible.

Minutes count from ``T0``.  A value may be given as an int, a string or a Decimal; a NotTaken reason
in its place makes an observation without a value, and None leaves the slot out.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import count
from typing import Any
from uuid import UUID

from monitor.alerts import Alert, AlertEvent, AlertEventKind
from monitor.audit import AuditEvent
from monitor.courses import Course
from monitor.ids import derived_id, new_id
from monitor.patients import PatientChange
from monitor.permissions import Role, User
from monitor.protocols import PinnedVersion, canonical_content, seed_versions
from monitor.record import (
    Amendment,
    Answer,
    Bolus,
    DoseStep,
    DoseStepKind,
    DoseUnit,
    DosingWeight,
    DrugForm,
    DrugMovement,
    Fact,
    GateAnswer,
    InfusionSession,
    MovementKind,
    NotTaken,
    Observation,
    Patient,
    PatientDoseLimit,
    SessionEvent,
    SideEffect,
    SideEffectChange,
    SyringeChange,
)

#: A Monday at nine: minute 0 of every test session.
T0 = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CLINIC = "main"
from monitor.store import SessionQuery

Value = int | str | Decimal | NotTaken | None
_serial = count(1)


def at(minute: float) -> datetime:
    """The instant that many minutes after T0."""
    return T0 + timedelta(minutes=minute)


def an_id() -> UUID:
    """A fresh UUIDv7 whose time part counts up, so that ids made later sort later."""
    return new_id(int(T0.timestamp() * 1000) + next(_serial))


# -- people ----------------------------------------------------------------------------------


def user(role: Role = Role.NURSE, username: str = "", **changes: Any) -> User:
    username = username or {Role.NURSE: "blum", Role.ANAESTHETIST: "okoye"}.get(role, role.value)
    values: dict[str, Any] = {"name": f"{username.title()}, A.", "role": role, "clinic": CLINIC}
    return User(username=username, **(values | changes))


def nurse(username: str = "blum", **changes: Any) -> User:
    return user(Role.NURSE, username, **changes)


def anaesthetist(username: str = "okoye", **changes: Any) -> User:
    return user(Role.ANAESTHETIST, username, **changes)


def lead(username: str = "meier", **changes: Any) -> User:
    return user(Role.LEAD, username, **changes)


def admin(username: str = "admin", **changes: Any) -> User:
    return user(Role.ADMIN, username, **changes)


def patient(**changes: Any) -> Patient:
    values: dict[str, Any] = {
        "id": an_id(),
        "mrn": f"K{next(_serial):06d}",
        "family_name": "Berg",
        "given_name": "Nora",
        "born_on": date(1979, 5, 17),
        "sex": "female",
    }
    return Patient(**(values | changes))


# -- facts -----------------------------------------------------------------------------------


def fact(minute: float, changes: dict[str, Any]) -> dict[str, Any]:
    """What every fact carries; ``recorded`` gives the minute it was saved, the same by default."""
    recorded = changes.pop("recorded", minute)
    values = {
        "id": an_id(),
        "taken_at": at(minute),
        "recorded_at": at(recorded),
        "recorded_by": "blum",
    }
    return values | changes


def observation(parameter: str, value: Value, minute: float = 0, **changes: Any) -> Observation:
    """One observation; a NotTaken in place of the value is a reason why there is none."""
    if isinstance(value, NotTaken):
        changes["not_taken"] = value
    elif value is not None:
        changes["value"] = Decimal(value)
    changes.setdefault("set_id", an_id())
    return Observation(parameter=parameter, **fact(minute, changes))


def observations(
    parameter: str, *values: Value, start: float = 0, every: float = 5, **changes: Any
) -> tuple[Observation, ...]:
    """One parameter at ``start`` and every ``every`` minutes; None leaves a slot out."""
    return tuple(
        observation(parameter, value, start + index * every, **dict(changes))
        for index, value in enumerate(values)
        if value is not None
    )


def hr(*values: Value, **changes: Any) -> tuple[Observation, ...]:
    return observations("hr", *values, **changes)


def sbp(*values: Value, **changes: Any) -> tuple[Observation, ...]:
    return observations("sbp", *values, **changes)


def dbp(*values: Value, **changes: Any) -> tuple[Observation, ...]:
    return observations("dbp", *values, **changes)


def spo2(*values: Value, **changes: Any) -> tuple[Observation, ...]:
    return observations("spo2", *values, **changes)


def rr(*values: Value, **changes: Any) -> tuple[Observation, ...]:
    return observations("rr", *values, **changes)


def sedation(*values: Value, **changes: Any) -> tuple[Observation, ...]:
    return observations("sedation", *values, **changes)


def obs_set(
    minute: float = 0,
    *,
    changes: dict[str, Any] | None = None,
    normal: bool = True,
    **values: Value,
) -> tuple[Observation, ...]:
    """One set taken together: a normal complete one, with the given values in place.

    A value of None leaves that parameter out; ``normal=False`` takes only the given ones.
    """
    usual: dict[str, Value] = {"hr": 68, "sbp": 128, "dbp": 76, "spo2": 97, "rr": 14}
    usual |= {"sedation": 0, "dissociation": 0, "nausea": 0}
    set_id = an_id()
    return tuple(
        observation(parameter, value, minute, **{"set_id": set_id, **(changes or {})})
        for parameter, value in ((usual if normal else {}) | values).items()
        if value is not None
    )


def rate(
    value: int | str | Decimal,
    minute: float = 0,
    unit: DoseUnit = DoseUnit.MG_PER_KG_PER_H,
    *,
    weight_kg: int | str = 70,
    concentration_mg_per_ml: int | str = 2,
    kind: DoseStepKind = DoseStepKind.RATE,
    **changes: Any,
) -> DoseStep:
    """A constant rate from that minute on, typed in any unit of rate."""
    entered, weight = Decimal(value), Decimal(weight_kg)
    mg_per_h = {
        DoseUnit.MG_PER_KG_PER_H: entered * weight,
        DoseUnit.MCG_PER_KG_PER_MIN: entered * weight * 60 / 1000,
        DoseUnit.MG_PER_H: entered,
        DoseUnit.ML_PER_H: entered * Decimal(concentration_mg_per_ml),
    }[unit]
    return DoseStep(
        kind=kind,
        rate_mg_per_h=mg_per_h,
        entered_value=entered,
        entered_unit=unit,
        **fact(minute, changes),
    )


def hold(minute: float, **changes: Any) -> DoseStep:
    return rate(0, minute, kind=DoseStepKind.HOLD, **changes)


def resume(value: int | str, minute: float, **changes: Any) -> DoseStep:
    return rate(value, minute, kind=DoseStepKind.RESUME, **changes)


def stop(minute: float, **changes: Any) -> DoseStep:
    return rate(0, minute, kind=DoseStepKind.STOP, **changes)


def bolus(amount_mg: int | str, minute: float = 0, over_s: int = 0, **changes: Any) -> Bolus:
    values: dict[str, Any] = {"entered_value": Decimal(amount_mg), "entered_unit": DoseUnit.MG}
    return Bolus(amount_mg=Decimal(amount_mg), over_s=over_s, **(values | fact(minute, changes)))


def syringe(concentration_mg_per_ml: int | str, minute: float = 0, **changes: Any) -> SyringeChange:
    return SyringeChange(
        concentration_mg_per_ml=Decimal(concentration_mg_per_ml), **fact(minute, changes)
    )


def weight(weight_kg: int | str, minute: float = -30, **changes: Any) -> DosingWeight:
    return DosingWeight(weight_kg=Decimal(weight_kg), **fact(minute, changes))


def side_effect(term: str, grade: int = 1, minute: float = 0, **changes: Any) -> SideEffect:
    return SideEffect(term=term, grade=grade, **fact(minute, changes))


def side_effect_change(of: SideEffect, minute: float, **changes: Any) -> SideEffectChange:
    return SideEffectChange(side_effect_id=of.id, **fact(minute, changes))


def event(kind: str, minute: float = 0, **changes: Any) -> SessionEvent:
    return SessionEvent(kind=kind, **fact(minute, changes))


def answer(question: str, given: Answer = Answer.NO, minute: float = -20, **changes: Any) -> Any:
    return GateAnswer(question=question, answer=given, **fact(minute, changes))


def movement(
    kind: MovementKind, amount_mg: int | str, minute: float = 0, **changes: Any
) -> DrugMovement:
    """A line of the drug ledger; an issued one with batch and expiry, witnessed."""
    values: dict[str, Any] = {"witness": "diaz"}
    if kind is MovementKind.ISSUED:
        values |= {"batch": "K 4711", "expires_on": date(2027, 6, 30), "ampoules": 1}
    return DrugMovement(kind=kind, amount_mg=Decimal(amount_mg), **fact(minute, values | changes))


def patient_limit(quantity: str, value: int | str, minute: float = 0, **changes: Any) -> Any:
    """A dose limit for the patient, approved by the anaesthetist."""
    values: dict[str, Any] = {"approved_by": "okoye", "reason": "heavy patient"}
    return PatientDoseLimit(
        quantity=quantity, value=Decimal(value), **fact(minute, values | changes)
    )


def course(patient: Patient, **changes: Any) -> Course:
    """Six infusions, three weeks apart, planned a week before T0."""
    values: dict[str, Any] = {
        "id": an_id(),
        "course_id": an_id(),
        "patient_id": patient.id,
        "number": 1,
        "planned_infusions": 6,
        "interval_days": 21,
        "review_on": date(2026, 6, 1),
        "indication": "CRPS",
        "recorded_at": at(-7 * 24 * 60),
        "recorded_by": "okoye",
    }
    return Course(**(values | changes))


def patient_change(patient: Patient, number: int = 1, **changes: Any) -> PatientChange:
    """The patient as now known; fields of the patient and of the change alike."""
    meta: dict[str, Any] = {
        "id": an_id(),
        "number": number,
        "reason": "asked again",
        "recorded_at": at(0),
        "recorded_by": "blum",
    }
    meta |= {name: changes.pop(name) for name in list(changes) if name in meta}
    return PatientChange(patient=replace(patient, **changes), **meta)


def amendment(
    of: Fact,
    minute: float,
    replacement: Fact | None = None,
    reason: str = "typing slip",
    **changes: Any,
) -> Amendment:
    """A correction made at that minute; without a replacement the fact is struck out."""
    return Amendment(
        amends=of.id,
        replacement=replacement.id if replacement else None,
        reason=reason,
        **fact(minute, changes),
    )


# -- configuration and sessions ----------------------------------------------------------------


@cache
def seeded(kind: str, code: str) -> PinnedVersion:
    """The packaged version of a protocol or threshold set, as db.migrate stores it."""
    return next(
        version for version in seed_versions() if (version.kind, version.code) == (kind, code)
    )


def seeded_id(kind: str, code: str) -> UUID:
    """The id of a packaged version."""
    return seeded(kind, code).id


def version(kind: str, code: str, number: int, toml: str, **changes: Any) -> PinnedVersion:
    """A version of a protocol or threshold set with this TOML text as its content."""
    content = {"code": code, "version": number, **tomllib.loads(toml)}
    text, sha256 = canonical_content(content)
    values: dict[str, Any] = {"id": derived_id(kind, code, number, sha256), "status": "draft"}
    return PinnedVersion(
        kind=kind, code=code, version=number, text=text, sha256=sha256, **(values | changes)
    )


def _flat(facts: Iterable[Fact | Iterable[Fact]]) -> Iterator[Fact]:
    for item in facts:
        if isinstance(item, Fact):
            yield item
        else:
            yield from item


def session(
    *facts: Fact | Iterable[Fact], weight_kg: int | str | None = 70, **changes: Any
) -> InfusionSession:
    """A session under protocol P02 v1 with these facts; ``weight_kg=None`` leaves the weight out.

    Facts may be given singly or as the tuples the other builders return.  ``protocol`` and
    ``threshold_set`` may be given by code.
    """
    protocol = seeded("protocol", changes.pop("protocol", "P02"))
    threshold_set_id = seeded_id("threshold_set", changes.pop("threshold_set", "ADULT-CLINIC-1"))
    values: dict[str, Any] = {
        "id": an_id(),
        "clinic": CLINIC,
        "patient": changes.pop("patient", None) or patient(),
        "chair": "1",
        "protocol_id": protocol.id,
        "threshold_set_id": threshold_set_id,
        "drug_form": DrugForm.RACEMIC,
        "route": "IV",
        "concentration_mg_per_ml": Decimal(2),
        "sedation_scale": "UK03",
        "spo2_scale": 1,
        "created_at": at(-45),
        "created_by": "blum",
        "indication": "chronic pain",
    }
    header = InfusionSession(**(values | changes))
    weights = () if weight_kg is None else (weight(weight_kg),)
    return header.with_facts([*weights, *_flat(facts)])


def six_hours(every: float = 5, **changes: Any) -> InfusionSession:
    """Six hours of complete sets, one rate step an hour: the size a save is measured on."""
    sets = (obs_set(index * every) for index in range(int(360 / every) + 1))
    steps = (rate(Decimal(10 + 5 * hour) / 100, 60 * hour) for hour in range(6))
    return session(*sets, steps, **changes)


# -- alerts and audit --------------------------------------------------------------------------


def alert(of: InfusionSession, trigger: Observation, **changes: Any) -> Alert:
    values: dict[str, Any] = {
        "id": derived_id("alert", of.id, trigger.parameter, trigger.id),
        "session_id": of.id,
        "group": f"{trigger.parameter}-low",
        "rule_id": f"{trigger.parameter}.low",
        "threshold_set_id": of.threshold_set_id,
        "level": "warning",
        "pending": True,
        "onset_at": trigger.taken_at,
        "detected_at": trigger.recorded_at,
        "trigger_id": trigger.id,
        "parameter": trigger.parameter,
        "trigger_value": trigger.value,
        "threshold_text": "SpO2 90 <= 93",
        "baseline_value": Decimal("97.5"),
        "text": "SpO2 low",
    }
    return Alert(**(values | changes))


def alert_event(of: Alert, kind: AlertEventKind, minute: float = 0, **changes: Any) -> AlertEvent:
    step = changes.pop("step", 1)
    values: dict[str, Any] = {
        "id": derived_id("alert_event", of.id, kind, step),
        "at": at(minute),
        "recorded_at": at(minute),
        "by": "blum",
    }
    return AlertEvent(alert_id=of.id, kind=kind, step=step, **(values | changes))


def query(**changes: Any) -> SessionQuery:
    """A question to the sessions list of the test clinic."""
    return SessionQuery(**({"clinic": CLINIC} | changes))


def audit(action: str = "record observations", minute: float = 0, **changes: Any) -> AuditEvent:
    values: dict[str, Any] = {"at": at(minute), "by": "blum", "device": "tablet 1"}
    return AuditEvent(action=action, **(values | changes))
