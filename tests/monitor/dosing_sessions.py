"""Short builders of sessions that consist of doses, for the tests of dosing.

Moments are minutes after 09:00 UTC; a fact is recorded when it was taken unless said otherwise.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from monitor.dosing import ProposedBolus, ProposedRate
from monitor.errors import Problem
from monitor.ids import new_id
from monitor.protocols import InfusionProtocol, VersionStatus, seed_versions
from monitor.record import (
    Amendment,
    Bolus,
    DoseStep,
    DoseStepKind,
    DoseUnit,
    DosingWeight,
    DrugForm,
    Fact,
    InfusionSession,
    Patient,
    SyringeChange,
)

T0 = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
D = Decimal

MG_PER_KG_PER_H = DoseUnit.MG_PER_KG_PER_H
MCG_PER_KG_PER_MIN = DoseUnit.MCG_PER_KG_PER_MIN
MG_PER_H = DoseUnit.MG_PER_H
ML_PER_H = DoseUnit.ML_PER_H
MG = DoseUnit.MG
MG_PER_KG = DoseUnit.MG_PER_KG

PROTOCOLS = {
    version.code: version.protocol()
    for version in seed_versions()
    if version.kind == "protocol" and version.status is VersionStatus.APPROVED
}
P02 = PROTOCOLS["P02"]
P17 = PROTOCOLS["P17"]


def at(minutes: float | str) -> datetime:
    """A moment so many minutes, or at such a clock time, on the day of the session."""
    if isinstance(minutes, str):
        hour, minute = minutes.split(":")
        return T0.replace(hour=int(hour), minute=int(minute))
    return T0 + timedelta(minutes=minutes)


def step(
    when: float | str,
    mg_per_h: str | Decimal,
    kind: DoseStepKind = DoseStepKind.RATE,
    *,
    unit: DoseUnit = MG_PER_H,
    recorded_at: datetime | None = None,
    fact_id: UUID | None = None,
    mg_per_ml: str = "1",
) -> DoseStep:
    """A rate of so many mg/h; one set in mL/h was typed as that of a syringe of ``mg_per_ml``."""
    entered = D(mg_per_h) / D(mg_per_ml) if unit is ML_PER_H else D(mg_per_h)
    return DoseStep(
        id=fact_id or new_id(),
        taken_at=at(when),
        recorded_at=recorded_at or at(when),
        recorded_by="blum",
        kind=kind,
        rate_mg_per_h=D(mg_per_h),
        entered_value=entered,
        entered_unit=unit,
    )


def hold(when: float | str, **more: object) -> DoseStep:
    return step(when, "0", DoseStepKind.HOLD, **more)  # type: ignore[arg-type]


def stop(when: float | str, **more: object) -> DoseStep:
    return step(when, "0", DoseStepKind.STOP, **more)  # type: ignore[arg-type]


def bolus(
    when: float | str,
    mg: str | Decimal,
    over_s: int = 0,
    *,
    fully_given: bool = False,
    recorded_at: datetime | None = None,
) -> Bolus:
    return Bolus(
        id=new_id(),
        taken_at=at(when),
        recorded_at=recorded_at or at(when),
        recorded_by="blum",
        amount_mg=D(mg),
        over_s=over_s,
        entered_value=D(mg),
        entered_unit=MG,
        fully_given=fully_given,
    )


def syringe(
    when: float | str, mg_per_ml: str, *, recorded_at: datetime | None = None
) -> SyringeChange:
    return SyringeChange(
        id=new_id(),
        taken_at=at(when),
        recorded_at=recorded_at or at(when),
        recorded_by="blum",
        concentration_mg_per_ml=D(mg_per_ml),
    )


def weight(
    kg: str, when: float | str = -30, *, recorded_at: datetime | None = None
) -> DosingWeight:
    return DosingWeight(
        id=new_id(),
        taken_at=at(when),
        recorded_at=recorded_at or at(when),
        recorded_by="blum",
        weight_kg=D(kg),
    )


def amendment(fact: Fact, replacement: Fact | None, when: float | str) -> Amendment:
    return Amendment(
        id=new_id(),
        taken_at=at(when),
        recorded_at=at(when),
        recorded_by="blum",
        amends=fact.id,
        replacement=replacement.id if replacement else None,
        reason="typed wrongly",
    )


def session(
    *facts: Fact,
    kg: str | None = "80",
    mg_per_ml: str = "2",
    form: DrugForm = DrugForm.RACEMIC,
) -> InfusionSession:
    empty = InfusionSession(
        id=new_id(),
        clinic="north",
        patient=Patient(
            id=new_id(), mrn="1", family_name="Okafor", given_name="Ada", born_on=date(1971, 3, 12)
        ),
        chair="3",
        protocol_id=new_id(),
        threshold_set_id=new_id(),
        drug_form=form,
        route="IV",
        concentration_mg_per_ml=D(mg_per_ml),
        sedation_scale="UK03",
        spo2_scale=1,
        created_at=at(-60),
        created_by="blum",
    )
    weights = [weight(kg)] if kg else []
    return empty.with_facts([*weights, *facts])


def rate(
    value: str,
    unit: DoseUnit = MG_PER_KG_PER_H,
    when: float | str = 0,
    kind: DoseStepKind = DoseStepKind.RATE,
) -> ProposedRate:
    return ProposedRate(value=D(value), unit=unit, kind=kind, taken_at=at(when))


def push(
    value: str, unit: DoseUnit = MG_PER_KG, when: float | str = 0, over_s: int = 0
) -> ProposedBolus:
    return ProposedBolus(value=D(value), unit=unit, over_s=over_s, taken_at=at(when))


def limits(protocol: InfusionProtocol, **changes: object) -> InfusionProtocol:
    """The protocol with some of its dose limits changed."""
    return replace(protocol, limits=replace(protocol.limits, **changes))  # type: ignore[arg-type]


def codes(problems: tuple[Problem, ...]) -> list[str]:
    return [problem.code for problem in problems]
