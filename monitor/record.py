"""The facts of an infusion session: frozen, never edited, corrected only by an amendment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from operator import attrgetter
from typing import Any, TypeVar
from uuid import UUID


class Source(StrEnum):
    """How a fact reached the record."""

    KEYED = "keyed"
    DEVICE = "device"
    IMPORTED = "import"
    PAPER = "paper"

    @property
    def words(self) -> str:
        """How it is said beside an entry; what was keyed at the bedside needs no word."""
        return {Source.DEVICE: "from a device", Source.PAPER: "from paper"}.get(self, "")


class NotTaken(StrEnum):
    """Why a value is absent.  Three different things: a value of 0, one of these, and nothing.

    ``UNRECORDABLE`` (no blood pressure obtainable) and ``NO_TRACE`` (no SpO2 signal) are findings
    and can raise alerts (clinical.md U-05); the others only say why there is no value.
    """

    ASLEEP = "asleep"
    REFUSED = "refused"
    CUFF_OFF = "cuff_off"
    ARTEFACT = "artefact"
    EQUIPMENT = "equipment_fault"
    UNRECORDABLE = "unrecordable"
    NO_TRACE = "no_trace"
    NOT_ASSESSED = "not_assessed"


class DoseUnit(StrEnum):
    """Units in which a dose or a rate may be typed."""

    MG_PER_KG_PER_H = "mg/kg/h"
    MCG_PER_KG_PER_MIN = "mcg/kg/min"
    MG_PER_H = "mg/h"
    ML_PER_H = "mL/h"
    MG = "mg"
    MG_PER_KG = "mg/kg"


class DoseStepKind(StrEnum):
    """What a change of rate was.  ``HOLD`` and ``STOP`` have rate 0."""

    RATE = "rate"
    HOLD = "hold"
    RESUME = "resume"
    STOP = "stop"


class DrugForm(StrEnum):
    """Racemic or S-ketamine.  The monitor never converts between them (clinical.md 2.1, U-01)."""

    RACEMIC = "R"
    S_KETAMINE = "S"


class WeightBasis(StrEnum):
    """Which weight the dose is calculated on (clinical.md 2.4)."""

    ACTUAL = "ABW"
    IDEAL = "IBW"
    ADJUSTED = "ADJ"


class Answer(StrEnum):
    """The answer to a question of the pre-infusion gate."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


#: The answer "asked, there are none" as the monitor writes it; never translated, it is kept.
NONE_KNOWN = "none known"
#: What people write when they asked for allergies and there are none.
_NO_ALLERGIES = frozenset(
    {"none", NONE_KNOWN, "nil", "nil known", "no known allergies", "no allergies", "nka", "nkda"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """Who is treated.  ``mrn`` and name + birth date are the two identifiers."""

    id: UUID
    mrn: str
    family_name: str
    given_name: str
    born_on: date
    sex: str = "unknown"
    allergies: str = ""

    @property
    def has_allergies(self) -> bool:
        """Whether an allergy is recorded; "none known" is an answer, nothing is not asked."""
        text = self.allergies.strip().casefold().rstrip(".")
        return bool(text) and text not in _NO_ALLERGIES

    @property
    def allergy_text(self) -> str:
        """The allergies as they are shown beside the name, on every screen alike."""
        if self.has_allergies:
            return f"ALLERGY {self.allergies.strip()}"
        return "no known allergies" if self.allergies.strip() else "allergies not asked"

    def age_on(self, day: date) -> int:
        """Completed years on that day."""
        before_birthday = (day.month, day.day) < (self.born_on.month, self.born_on.day)
        return day.year - self.born_on.year - before_birthday


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What every fact carries: ``taken_at`` (when it was true), ``recorded_at`` (when it was saved).

    Both are aware UTC.  ``recorded_by`` is a username.
    """

    id: UUID
    taken_at: datetime
    recorded_at: datetime
    recorded_by: str
    source: Source = Source.KEYED

    def __post_init__(self) -> None:
        for name in ("taken_at", "recorded_at"):
            if getattr(self, name).tzinfo is None:
                raise ValueError(f"{name} has no time zone; the record keeps aware UTC only")

    @property
    def order(self) -> tuple[datetime, datetime, UUID]:
        """The order of the record (clinical.md U-73)."""
        return (self.taken_at, self.recorded_at, self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation(Fact):
    """One parameter at one moment: exactly one of a value or a reason why there is none.

    ``value`` is in the parameter's canonical unit (parameters.py); ``entered_value`` and
    ``entered_unit`` keep what was typed when that differs.  ``set_id`` groups what was taken
    together.  ``really_so`` marks a value beyond a hard limit that staff confirmed, with ``note``.
    """

    set_id: UUID
    parameter: str
    value: Decimal | None = None
    not_taken: NotTaken | None = None
    entered_value: Decimal | None = None
    entered_unit: str | None = None
    really_so: bool = False
    note: str | None = None

    def __post_init__(self) -> None:
        # slots=True replaces the class, so zero-argument super() does not work here.
        Fact.__post_init__(self)
        if (self.value is None) == (self.not_taken is None):
            raise ValueError("an observation has exactly one of value and not_taken")
        if self.value is not None and not self.value.is_finite():
            raise ValueError("an observation's value is a finite number")


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseStep(Fact):
    """A constant rate from ``taken_at`` until the next dose step; rate 0 is a hold or a stop."""

    kind: DoseStepKind
    rate_mg_per_h: Decimal
    entered_value: Decimal
    entered_unit: DoseUnit
    reason: str | None = None
    ordered_by: str | None = None
    second_person: str | None = None
    overrides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bolus(Fact):
    """An amount given at once (``over_s`` = 0) or spread evenly over a window of at most 1800 s."""

    amount_mg: Decimal
    over_s: int
    entered_value: Decimal
    entered_unit: DoseUnit
    fully_given: bool = False
    reason: str | None = None
    ordered_by: str | None = None
    second_person: str | None = None
    overrides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SyringeChange(Fact):
    """A new syringe or bag; another concentration ends the running rate (clinical.md U-28)."""

    concentration_mg_per_ml: Decimal
    batch: str | None = None
    second_person: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DosingWeight(Fact):
    """The weight doses are calculated on; a later one replaces it and recomputes mg/kg.

    ``reason`` says why another one was recorded once the drug had begun.  ``measured_on`` is the day
    somebody was weighed (clinical.md 2.4), None where nobody said.  ``typed`` is the weight as it was
    typed where that was not in kg: "160 lb".
    """

    weight_kg: Decimal
    basis: WeightBasis = WeightBasis.ACTUAL
    measured: bool = True
    measured_on: date | None = None
    height_cm: Decimal | None = None
    reason: str | None = None
    typed: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SideEffect(Fact):
    """What the patient suffered, from its onset (``taken_at``).

    ``term`` is a key of side_effects.py; the term ``none`` with grade 0 means "asked, none".
    """

    term: str
    grade: int
    relation: str | None = None
    action: str | None = None
    serious: bool = False
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SideEffectChange(Fact):
    """A side effect changed grade, was treated, or ended at ``taken_at``."""

    side_effect_id: UUID
    grade: int | None = None
    ended: bool = False
    action: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEvent(Fact):
    """Something that happened: a life-cycle event (lifecycle.py) or a one-tap clinical event."""

    kind: str
    text: str | None = None
    linked_to: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GateAnswer(Fact):
    """An answer of the pre-infusion gate; an override carries its reason and its name.

    ``second_person`` confirmed it with their PIN.  An override in the name of somebody else than
    ``recorded_by`` that they did not confirm is a verbal order.  ``note`` is what was said beside
    yes and no (clinical.md 1.4): which medicines, which disease.
    """

    question: str
    answer: Answer
    override_reason: str | None = None
    override_by: str | None = None
    second_person: str | None = None
    note: str | None = None

    @property
    def is_override(self) -> bool:
        """Whether it carries an override: a reason and the name of who decided."""
        return bool((self.override_reason or "").strip() and (self.override_by or "").strip())

    @property
    def is_verbal_order(self) -> bool:
        """Whether who decided neither recorded nor confirmed it themselves."""
        return self.is_override and self.override_by not in (self.recorded_by, self.second_person)


class MovementKind(StrEnum):
    """What happened to an amount of the controlled drug, other than being given to the patient."""

    ISSUED = "issued"
    WASTED = "wasted"
    RETURNED = "returned"
    UNACCOUNTED = "unaccounted"


@dataclass(frozen=True, slots=True, kw_only=True)
class DrugMovement(Fact):
    """A line of the controlled-drug ledger (clinical.md 9): milligrams issued, wasted, returned.

    What was given is never entered here: the dose record says it.  ``UNACCOUNTED`` closes a gap
    with a reason; it alone may be negative (more was found than the lines explain).  ``witness`` is
    the second person's username.
    """

    kind: MovementKind
    amount_mg: Decimal
    ampoules: int | None = None
    batch: str | None = None
    expires_on: date | None = None
    witness: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientDoseLimit(Fact):
    """A hard dose limit for this patient alone, from ``taken_at`` on (clinical.md U-21, U-24, U-66).

    ``quantity`` is a field of the dose limits, ``value`` is in its unit.  ``approved_by`` is the
    anaesthetist: who recorded it, or who confirmed it with their PIN.
    """

    quantity: str
    value: Decimal
    approved_by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment(Fact):
    """A statement that a fact was wrong.  Without a replacement the fact is struck out.

    ``taken_at`` is when the correction was made.  The amended fact stays for ever and stays
    visible, struck through.
    """

    amends: UUID
    replacement: UUID | None
    reason: str


FactT = TypeVar("FactT", bound=Fact)
DerivedT = TypeVar("DerivedT")

#: Where a session keeps what was worked out from it: never part of what it is, and only ever the
#: answer to a question about facts that do not change any more.
_DERIVED = "_derived"
#: The same for its streams of readings, and for those of the session it grew from (readings.py).
STREAMS = "_streams"
STREAMS_BEFORE = "_streams_before"

#: Every kind of fact, with the field of InfusionSession that holds it.  Storage, folders and
#: exports walk this table, so that a new kind cannot be forgotten in one of them.
FACT_FIELDS: dict[type[Fact], str] = {
    Observation: "observations",
    DoseStep: "dose_steps",
    Bolus: "boluses",
    SyringeChange: "syringe_changes",
    DosingWeight: "weights",
    SideEffect: "side_effects",
    SideEffectChange: "side_effect_changes",
    SessionEvent: "events",
    GateAnswer: "answers",
    DrugMovement: "drug_movements",
    PatientDoseLimit: "patient_dose_limits",
    Amendment: "amendments",
}


def _merged(held: tuple[Fact, ...], new: Iterable[Fact]) -> tuple[Fact, ...]:
    """Both in the order of the record, each fact once.

    What arrives is nearly always the newest, so the long held part is sorted again only when it
    is not.
    """
    known = {fact.id for fact in held}
    added: dict[UUID, Fact] = {fact.id: fact for fact in new if fact.id not in known}
    fresh = sorted(added.values(), key=lambda fact: fact.order)
    if not held or not fresh or held[-1].order <= fresh[0].order:
        return (*held, *fresh)
    return tuple(sorted((*held, *fresh), key=lambda fact: fact.order))


@dataclass(frozen=True, kw_only=True)
class InfusionSession:
    """One patient's infusion from arrival to sign-off: a header that never changes, and its facts.

    Facts are kept in the order of the record, amended ones included; ``current`` leaves out what
    was amended.  ``protocol_id`` and ``threshold_set_id`` pin the versions it started under.
    ``series_number`` counts the patient's courses, ``infusion_number`` the infusions of this one.
    """

    id: UUID
    clinic: str
    patient: Patient
    chair: str
    protocol_id: UUID
    threshold_set_id: UUID
    drug_form: DrugForm
    route: str
    concentration_mg_per_ml: Decimal
    sedation_scale: str
    spo2_scale: int
    created_at: datetime
    created_by: str
    indication: str = ""
    setting: str = "outpatient"
    course_id: UUID | None = None
    series_number: int | None = None
    infusion_number: int | None = None
    observations: tuple[Observation, ...] = ()
    dose_steps: tuple[DoseStep, ...] = ()
    boluses: tuple[Bolus, ...] = ()
    syringe_changes: tuple[SyringeChange, ...] = ()
    weights: tuple[DosingWeight, ...] = ()
    side_effects: tuple[SideEffect, ...] = ()
    side_effect_changes: tuple[SideEffectChange, ...] = ()
    events: tuple[SessionEvent, ...] = ()
    answers: tuple[GateAnswer, ...] = ()
    drug_movements: tuple[DrugMovement, ...] = ()
    patient_dose_limits: tuple[PatientDoseLimit, ...] = ()
    amendments: tuple[Amendment, ...] = field(default=())

    def with_facts(self, facts: Iterable[Fact]) -> InfusionSession:
        """The same session with these facts added, each kind in the order of the record.

        A fact whose id is already there is left out: adding twice changes nothing.
        """
        arriving: dict[str, list[Fact]] = {}
        for fact in facts:
            arriving.setdefault(FACT_FIELDS[type(fact)], []).append(fact)
        return self.grown(
            {name: _merged(getattr(self, name), new) for name, new in arriving.items()}
        )

    def grown(self, merged: Mapping[str, tuple[Fact, ...]]) -> InfusionSession:
        """The same session with longer tuples of facts, by the name of their field.

        What was worked out from facts that stay as they are goes on to the new object, and the
        streams of readings may be continued there (readings.py).
        """
        changed: dict[str, Any] = dict(merged)
        after = replace(self, **changed)
        kept, handed_on = vars(self), vars(after)
        handed_on[_DERIVED] = {
            name: entry
            for name, entry in list(kept.get(_DERIVED, {}).items())
            if merged.keys().isdisjoint(entry[0])
        }
        streams = kept.get(STREAMS) or kept.get(STREAMS_BEFORE)
        if streams:
            handed_on[STREAMS_BEFORE] = dict(streams)
        return after

    def derived(
        self, name: str, kinds: tuple[str, ...], build: Callable[[InfusionSession], DerivedT]
    ) -> DerivedT:
        """What ``build`` makes of the header and of these kinds of facts alone, worked out once.

        A session that grew in other kinds takes it over; so ``build`` must read nothing else.
        """
        kept: dict[str, tuple[tuple[str, ...], Any]] = vars(self).setdefault(_DERIVED, {})
        if name not in kept:
            kept[name] = (kinds, build(self))
        value: DerivedT = kept[name][1]
        return value

    @cached_property
    def amended_ids(self) -> frozenset[UUID]:
        """Ids of every fact that an amendment replaced or struck out."""
        return self.derived("amended_ids", ("amendments",), _amended_ids)

    def current(self, facts: tuple[FactT, ...]) -> tuple[FactT, ...]:
        """Those of the facts that no amendment replaced or struck out."""
        if not self.amended_ids:
            return facts
        return tuple(fact for fact in facts if fact.id not in self.amended_ids)

    @cached_property
    def current_observations(self) -> tuple[Observation, ...]:
        """Observations in force, in the order of the record."""
        return self.current(self.observations)

    @property
    def weight_kg(self) -> Decimal | None:
        """The dosing weight in force, or None while none was recorded."""
        weights = self.current(self.weights)
        return weights[-1].weight_kg if weights else None

    def weight_kg_at(self, moment: datetime) -> Decimal | None:
        """The dosing weight in force then; before the first one, the first."""
        weights = self.current(self.weights)
        until = [weight for weight in weights if weight.taken_at <= moment]
        return until[-1].weight_kg if until else weights[0].weight_kg if weights else None

    @cached_property
    def started_at(self) -> datetime | None:
        """The first dose: the first rate above 0 or the first bolus (clinical.md U-68)."""
        return self.derived("started_at", ("dose_steps", "boluses", "amendments"), _started_at)

    def known_at(self, as_of: datetime) -> InfusionSession:
        """The session as the record stood then: facts saved later are left out (ruling 14)."""
        if self._last_saved_at is None or self._last_saved_at <= as_of:
            return self
        kept = {
            name: tuple(fact for fact in getattr(self, name) if fact.recorded_at <= as_of)
            for name in FACT_FIELDS.values()
        }
        changed: dict[str, Any] = {
            name: facts for name, facts in kept.items() if len(facts) != len(getattr(self, name))
        }
        return replace(self, **changed) if changed else self

    @cached_property
    def _last_saved_at(self) -> datetime | None:
        """When the last fact of any kind was saved; asked several times for one judgement."""
        saved = (
            self.derived(f"last saved {name}", (name,), last_saved)
            for name, last_saved in _LAST_SAVED.items()
        )
        return max((at for at in saved if at is not None), default=None)

    def facts(self) -> tuple[Fact, ...]:
        """Every fact of every kind, in the order of the record."""
        return tuple(
            sorted(
                (fact for name in FACT_FIELDS.values() for fact in getattr(self, name)),
                key=lambda fact: fact.order,
            )
        )

    def fact(self, fact_id: UUID) -> Fact | None:
        """The fact with this id, amended or not."""
        everything = (fact for name in FACT_FIELDS.values() for fact in getattr(self, name))
        return next((fact for fact in everything if fact.id == fact_id), None)


def _amended_ids(session: InfusionSession) -> frozenset[UUID]:
    return frozenset(amendment.amends for amendment in session.amendments)


def _started_at(session: InfusionSession) -> datetime | None:
    steps, boluses = session.current(session.dose_steps), session.current(session.boluses)
    firsts = [step.taken_at for step in steps if step.rate_mg_per_h > 0]
    firsts += [bolus.taken_at for bolus in boluses]
    return min(firsts, default=None)


def _last_saved(name: str) -> Callable[[InfusionSession], datetime | None]:
    def last_saved(session: InfusionSession) -> datetime | None:
        facts: tuple[Fact, ...] = getattr(session, name)
        return max(map(attrgetter("recorded_at"), facts), default=None)

    return last_saved


_LAST_SAVED = {name: _last_saved(name) for name in FACT_FIELDS.values()}
