"""What the gate says of a session that is not opened yet, and the weight doses are calculated on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, tzinfo
from decimal import Decimal
from gettext import gettext as _
from typing import Any
from uuid import UUID, uuid4

from monitor.dose_units import plain as number
from monitor.gate import GateState, gate_state
from monitor.permissions import User
from monitor.protocols import InfusionProtocol
from monitor.record import (
    Answer,
    DosingWeight,
    GateAnswer,
    InfusionSession,
    Observation,
    Patient,
    WeightBasis,
)
from monitor.requests import GateRequest
from monitor.weights import basis_must_be_chosen, basis_problems, bmi, recorded_weight_kg

_NOBODY = UUID(int=0)
#: Nobody's birthday: an adult of no age that has a limit of its own.
_BORN_ON = date(1985, 1, 1)
_TENTH = Decimal("0.1")


def gate_preview(
    user: User,
    protocol: InfusionProtocol,
    patient: Patient | None,
    *,
    weight_kg: Decimal | None,
    height_cm: Decimal | None,
    basis: WeightBasis | None,
    spo2_scale: int,
    sedation_scale: str,
    baseline: Mapping[str, Decimal | None],
    born_on: date | None,
    answers: tuple[GateRequest, ...],
    now: datetime,
    zone: tzinfo,
) -> GateState:
    """The gate as if the session were opened with what is filled in so far; nothing is saved."""
    told: dict[str, Any] = {"taken_at": now, "recorded_at": now, "recorded_by": user.username}
    person = patient or Patient(
        id=_NOBODY, mrn="", family_name="", given_name="", born_on=born_on or _BORN_ON
    )
    session = InfusionSession(
        id=uuid4(),
        clinic=user.clinic,
        patient=person,
        chair="",
        protocol_id=_NOBODY,
        threshold_set_id=_NOBODY,
        drug_form=protocol.form,
        route=protocol.route,
        concentration_mg_per_ml=Decimal(1),
        sedation_scale=sedation_scale,
        spo2_scale=spo2_scale,
        created_at=now,
        created_by=user.username,
    )
    set_id = uuid4()
    facts: list[DosingWeight | GateAnswer | Observation] = [
        Observation(id=uuid4(), set_id=set_id, parameter=key, value=value, **told)
        for key, value in baseline.items()
        if value is not None
    ]
    facts += [
        GateAnswer(
            id=item.id,
            question=item.question,
            answer=item.answer,
            override_reason=item.override_reason,
            override_by=item.override_by,
            note=item.note,
            **told,
        )
        for item in answers
    ]
    if weight_kg is not None and weight_kg > 0:
        facts.append(
            DosingWeight(
                id=uuid4(),
                weight_kg=weight_kg,
                basis=basis or WeightBasis.ACTUAL,
                height_cm=height_cm if _can_be(height_cm) else None,
                **told,
            )
        )
        if basis is WeightBasis.ACTUAL:
            chosen = GateAnswer(id=uuid4(), question="weight_basis", answer=Answer.NO, **told)
            facts.append(chosen)
    return gate_state(session.with_facts(facts), protocol, now, zone=zone)


def _can_be(height_cm: Decimal | None) -> bool:
    return height_cm is not None and not basis_problems(
        WeightBasis.ACTUAL, sex="", height_cm=height_cm
    )


def weight_line(
    weight_kg: Decimal | None, height_cm: Decimal | None, sex: str, basis: WeightBasis | None
) -> str:
    """Which weight doses are calculated on, with the BMI and what else there is to choose."""
    if weight_kg is None or weight_kg <= 0:
        return _("Doses are calculated on the weight entered here.")
    used = basis or WeightBasis.ACTUAL
    parts = []
    if height_cm is not None and _can_be(height_cm):
        index = number(bmi(weight_kg, height_cm).quantize(_TENTH))
        parts.append(_("BMI {bmi}").format(bmi=index))
        if basis is None and basis_must_be_chosen(weight_kg, height_cm):
            parts.append(_("the prescriber chooses the basis"))
    if basis_problems(used, sex=sex, height_cm=height_cm):
        parts.append(_("this basis cannot be calculated"))
        return " · ".join(parts)
    kg = {
        item: number(recorded_weight_kg(item, actual_kg=weight_kg, sex=sex, height_cm=height_cm))
        for item in WeightBasis
        if not basis_problems(item, sex=sex, height_cm=height_cm)
    }
    words = {
        WeightBasis.ACTUAL: _("actual {kg} kg"),
        WeightBasis.IDEAL: _("ideal {kg} kg"),
        WeightBasis.ADJUSTED: _("adjusted {kg} kg"),
    }
    parts += [words[item].format(kg=kg[item]) for item in kg]
    parts.append(_("**doses on {kg} kg**").format(kg=kg[used]))
    return " · ".join(parts)
