"""What people ask the monitor to do: one frozen request per kind of entry, ids made by the client."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from monitor.entered import EnteredItem, EnteredSet
from monitor.record import (
    Answer,
    DoseStepKind,
    DoseUnit,
    DrugForm,
    MovementKind,
    Patient,
    Source,
    WeightBasis,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRequest:
    """An answer to a question before the infusion or before leaving, or an override of a check.

    ``second_person`` is who confirmed the override with their PIN, checked before it comes here.
    ``note`` is free text beside the answer.
    """

    id: UUID
    question: str
    answer: Answer
    override_reason: str | None = None
    override_by: str | None = None
    second_person: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmRequest:
    """Orders given by word (ids of their answers) are confirmed by who gave them.

    ``second_person`` is who confirmed with their PIN; None when who gave them is signed in.
    """

    id: UUID
    confirms: tuple[UUID, ...]
    second_person: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRequest:
    """A session to be opened for a patient: plan, weight, syringe, gate and the baseline if taken.

    ``weight_kg`` is the actual weight and exact, as is ``concentration_mg_per_ml``; doses are
    calculated on ``weight_basis``.  ``protocol_id`` names an approved stored version.
    ``sedation_scale`` None takes the protocol's.
    """

    id: UUID
    patient: Patient
    chair: str
    protocol_id: UUID
    drug_form: DrugForm
    concentration_mg_per_ml: Decimal
    weight_id: UUID
    weight_kg: Decimal
    weight_basis: WeightBasis = WeightBasis.ACTUAL
    weight_measured: bool = True
    weight_measured_on: date | None = None
    weight_typed: str | None = None
    height_cm: Decimal | None = None
    spo2_scale: int = 1
    sedation_scale: str | None = None
    indication: str = ""
    route: str = "IV"
    baseline: EnteredSet | None = None
    answers: tuple[GateRequest, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightRequest:
    """Another weight of an open session: the actual one; doses are calculated on ``basis``.

    ``measured_on`` None is when it was taken; ``height_cm`` None keeps the height of before; ``reason`` is needed once the drug has begun.
    ``typed`` is what was typed where that was not in kg.
    """

    id: UUID
    weight_kg: Decimal
    basis: WeightBasis
    measured: bool
    taken_at: datetime
    measured_on: date | None = None
    height_cm: Decimal | None = None
    reason: str | None = None
    typed: str | None = None
    source: Source = Source.KEYED


@dataclass(frozen=True, slots=True, kw_only=True)
class RateRequest:
    """A change of rate.  ``already_given`` records what happened whatever the limits say.

    ``second_person`` is who confirmed it with their PIN, checked before it comes here.
    """

    id: UUID
    kind: DoseStepKind
    value: Decimal
    unit: DoseUnit
    taken_at: datetime
    reason: str | None = None
    ordered_by: str | None = None
    second_person: str | None = None
    already_given: bool = False
    source: Source = Source.KEYED


@dataclass(frozen=True, slots=True, kw_only=True)
class BolusRequest:
    """A bolus of at most 1800 s; ``over_s`` 0 means at once."""

    id: UUID
    value: Decimal
    unit: DoseUnit
    over_s: int
    taken_at: datetime
    fully_given: bool = False
    reason: str | None = None
    ordered_by: str | None = None
    second_person: str | None = None
    already_given: bool = False
    source: Source = Source.KEYED


@dataclass(frozen=True, slots=True, kw_only=True)
class SyringeRequest:
    """A new syringe; with another concentration the running rate ends and ``rate`` says the new."""

    id: UUID
    concentration_mg_per_ml: Decimal
    taken_at: datetime
    rate: RateRequest | None = None
    batch: str | None = None
    reason: str | None = None
    second_person: str | None = None
    already_given: bool = False
    source: Source = Source.KEYED


@dataclass(frozen=True, slots=True, kw_only=True)
class MovementRequest:
    """A line of the controlled-drug ledger; ``witness`` is who confirmed it with their PIN."""

    id: UUID
    kind: MovementKind
    amount_mg: Decimal
    taken_at: datetime
    ampoules: int | None = None
    batch: str | None = None
    expires_on: date | None = None
    witness: str | None = None
    reason: str | None = None
    source: Source = Source.KEYED


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientLimitRequest:
    """A hard dose limit for this patient; ``second_person`` confirmed it with their PIN."""

    id: UUID
    quantity: str
    value: Decimal
    taken_at: datetime
    reason: str | None = None
    second_person: str | None = None
    source: Source = Source.KEYED


@dataclass(frozen=True, slots=True, kw_only=True)
class SideEffectRequest:
    """A side effect from its onset; term ``none`` with grade 0 records "asked, none"."""

    id: UUID
    term: str
    grade: int
    onset_at: datetime
    relation: str | None = None
    action: str | None = None
    serious: bool = False
    note: str | None = None
    source: Source = Source.KEYED


@dataclass(frozen=True, slots=True, kw_only=True)
class SideEffectChangeRequest:
    """A side effect changed grade, was treated or ended."""

    id: UUID
    side_effect_id: UUID
    taken_at: datetime
    grade: int | None = None
    ended: bool = False
    action: str | None = None
    note: str | None = None
    source: Source = Source.KEYED


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRequest:
    """A life-cycle or one-tap event.

    ``already_happened`` records a patient who left although something was missing; ``text`` says why.
    """

    id: UUID
    kind: str
    taken_at: datetime
    text: str | None = None
    linked_to: UUID | None = None
    already_happened: bool = False
    source: Source = Source.KEYED


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendRequest:
    """A correction with its reason: with an item the observation is replaced, without struck out.

    ``keeps`` names the observation that was chosen instead, when two stood against each other.
    """

    id: UUID
    amends: UUID
    reason: str
    replacement: EnteredItem | None = None
    taken_at: datetime | None = None
    keeps: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BothRightRequest:
    """Two values of one thing within a minute are both right: the later one was measured again."""

    id: UUID
    first: UUID
    second: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class RetimeRequest:
    """A set (its set id) or an event was taken at another time than was written, with the reason."""

    id: UUID
    moves: UUID
    taken_at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoRequest:
    """What an entry saved (a fact's or a set's id) is taken back; ``tapped_at`` is when."""

    id: UUID
    undoes: UUID
    tapped_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRequest:
    """An answer to an alert: what was done about it, by whom."""

    id: UUID
    alert_id: UUID
    action: str
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressRequest:
    """To hide the banner of an alert for a moment, and why."""

    id: UUID
    alert_id: UUID
    reason: str
