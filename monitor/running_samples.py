"""Invented sessions that are under way at this very moment, for the demo's board and bedside.

Written by hand like the folders of sample_sessions/, but in minutes before now, so that one patient
waits for a second blood pressure, one set is late, one patient recovers and one is simply well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from monitor.ids import derived_id, new_id
from monitor.lifecycle import EventKind
from monitor.protocols import PinnedVersion
from monitor.record import (
    Answer,
    DoseStep,
    DoseStepKind,
    DoseUnit,
    DosingWeight,
    DrugForm,
    Fact,
    GateAnswer,
    InfusionSession,
    Observation,
    Patient,
    SessionEvent,
    SideEffect,
)

#: Minutes and seconds from the first dose, HR, BP, SpO2, RR, sedation, dissociation, nausea, pain
#: ("-" = not asked in this set).
Line = tuple[str, str]
_COLUMNS = ("hr", "sbp", "dbp", "spo2", "rr", "sedation", "dissociation", "nausea", "pain")

_GATE_YES = ("consent_signed", "fasting", "escort_named", "no_driving_told")
_GATE_NO = ("uncontrolled_hypertension", "heart_disease", "psychosis", "allergy_ketamine")


@dataclass(frozen=True, slots=True)
class RunningSample:
    """One session under way: who, since when, which rates and which sets."""

    family_name: str
    given_name: str
    born_on: date
    sex: str
    mrn: str
    chair: str
    nurse: str
    second: str
    indication: str
    weight_kg: str
    height_cm: str
    started: str
    rates: tuple[Line, ...]
    sets: tuple[Line, ...]
    allergies: str = ""
    effects: tuple[tuple[str, str, int], ...] = ()


RUNNING = (
    RunningSample(
        "Okafor",
        "Ada",
        date(1971, 3, 12),
        "female",
        "SYN-0101",
        "3",
        "ablum",
        "cdiaz",
        "CRPS",
        "72.0",
        "168",
        "46:40",
        rates=(("0:00", "0.1"), ("15:20", "0.15"), ("31:00", "0.2")),
        sets=(
            ("-21:00", "66 147/85 98 14 0 0 0 7"),
            ("-9:00", "66 149/87 98 14 0 0 0 7"),
            ("5:00", "66 149/87 98 14 0 0 0 -"),
            ("14:50", "66 150/87 98 14 0 1 0 6"),
            ("20:20", "67 150/88 98 14 0 1 0 -"),
            ("30:20", "67 151/88 97 14 1 2 0 5"),
            ("36:00", "68 154/89 97 14 1 2 0 -"),
            ("43:30", "68 172/94 97 14 1 2 0 5"),
        ),
        allergies="ondansetron",
    ),
    RunningSample(
        "Roy",
        "Sam",
        date(1986, 9, 2),
        "male",
        "SYN-0102",
        "5",
        "cdiaz",
        "ablum",
        "neuropathic pain",
        "84.0",
        "182",
        "72:00",
        rates=(("0:00", "0.1"), ("15:10", "0.2"), ("37:00", "0.3")),
        sets=(
            ("-22:00", "72 127/78 98 13 0 0 0 6"),
            ("-10:00", "74 129/80 98 13 0 0 0 6"),
            ("5:00", "73 128/79 98 13 0 0 0 -"),
            ("15:00", "74 129/80 98 13 0 1 0 5"),
            ("20:10", "74 130/80 98 13 0 2 0 -"),
            ("30:10", "75 131/81 98 13 0 2 0 5"),
            ("42:00", "75 132/81 97 13 0 3 0 -"),
            ("52:50", "74 131/80 98 13 0 3 0 4"),
        ),
    ),
    RunningSample(
        "Lind",
        "Petra",
        date(1964, 12, 5),
        "female",
        "SYN-0103",
        "1",
        "cdiaz",
        "ablum",
        "post-herpetic neuralgia",
        "79.0",
        "177",
        "112:00",
        rates=(("0:00", "0.1"), ("15:20", "0.15"), ("31:00", "0.2"), ("90:00", "0")),
        sets=(
            ("-20:00", "70 125/77 98 14 0 0 0 6"),
            ("-8:00", "70 127/79 98 14 0 0 0 6"),
            ("5:00", "70 127/78 98 14 0 0 0 -"),
            ("15:00", "71 129/79 98 14 0 1 0 6"),
            ("20:20", "72 130/80 97 14 0 1 0 -"),
            ("30:20", "73 132/81 97 14 1 2 0 5"),
            ("36:00", "73 133/82 97 13 1 2 0 -"),
            ("46:00", "74 134/82 97 13 1 3 1 4"),
            ("60:50", "74 133/82 97 14 1 3 0 4"),
            ("88:00", "73 131/81 97 14 1 2 0 3"),
            ("103:00", "71 128/80 98 14 0 0 0 3"),
        ),
        effects=(("46:00", "nausea", 1),),
    ),
    RunningSample(
        "Holm",
        "Per",
        date(1979, 6, 27),
        "male",
        "SYN-0104",
        "2",
        "ablum",
        "cdiaz",
        "fibromyalgia",
        "61.0",
        "165",
        "27:00",
        rates=(("0:00", "0.1"), ("15:20", "0.15")),
        sets=(
            ("-21:00", "64 117/71 99 14 0 0 0 7"),
            ("-9:00", "62 115/69 99 14 0 0 0 7"),
            ("5:00", "62 116/70 99 14 0 0 0 -"),
            ("15:00", "61 117/70 98 14 0 1 0 6"),
            ("20:20", "61 118/70 98 14 0 1 0 -"),
        ),
    ),
)


def running_sessions(
    now: datetime, clinic: str, protocol: PinnedVersion, thresholds: PinnedVersion
) -> Iterator[InfusionSession]:
    """The sessions under way at ``now``, each under these versions."""
    for sample in RUNNING:
        yield _session(sample, now, clinic, protocol, thresholds)


def _since(text: str) -> timedelta:
    minutes, _, seconds = text.lstrip("-").partition(":")
    span = timedelta(minutes=int(minutes), seconds=int(seconds))
    return -span if text.startswith("-") else span


def _session(
    sample: RunningSample,
    now: datetime,
    clinic: str,
    protocol: PinnedVersion,
    thresholds: PinnedVersion,
) -> InfusionSession:
    start_at = now - _since(sample.started)
    plan = protocol.protocol()
    session = InfusionSession(
        id=new_id(int(start_at.timestamp() * 1000)),
        clinic=clinic,
        patient=Patient(
            id=derived_id("patient", clinic, sample.mrn),
            mrn=sample.mrn,
            family_name=sample.family_name,
            given_name=sample.given_name,
            born_on=sample.born_on,
            sex=sample.sex,
            allergies=sample.allergies,
        ),
        chair=sample.chair,
        protocol_id=protocol.id,
        threshold_set_id=thresholds.id,
        drug_form=DrugForm.RACEMIC,
        route="IV",
        concentration_mg_per_ml=Decimal(2),
        sedation_scale=plan.sedation_scale,
        spo2_scale=1,
        created_at=start_at - timedelta(minutes=38),
        created_by=sample.nurse,
        indication=sample.indication,
    )
    return session.with_facts(_facts(sample, start_at))


def _facts(sample: RunningSample, start_at: datetime) -> Iterator[Fact]:
    yield from _opening(sample, start_at)
    for number, (at, text) in enumerate(sample.rates):
        yield _rate(sample, start_at + _since(at), text, first=number == 0)
    for number, (at, text) in enumerate(sample.sets):
        yield from _set(sample, start_at + _since(at), (31, 38, 27, 44)[number % 4], text)
    for at, term, grade in sample.effects:
        yield SideEffect(term=term, grade=grade, **_common(sample, start_at + _since(at), 50))


def _common(sample: RunningSample, taken_at: datetime, after_s: int) -> dict[str, Any]:
    return {
        "id": new_id(int(taken_at.timestamp() * 1000)),
        "taken_at": taken_at,
        "recorded_at": taken_at + timedelta(seconds=after_s),
        "recorded_by": sample.nurse,
    }


def _opening(sample: RunningSample, start_at: datetime) -> Iterator[Fact]:
    """Arrival, weight, gate and the check by a second person."""
    for kind, minute in ((EventKind.ARRIVED, -36), (EventKind.READY, -5)):
        common = _common(sample, start_at + timedelta(minutes=minute), 12)
        yield SessionEvent(kind=kind.value, **common)
    check = _common(sample, start_at - timedelta(minutes=4), 15) | {"recorded_by": sample.second}
    yield SessionEvent(
        kind=EventKind.SECOND_CHECK.value, text="syringe, pump and patient checked", **check
    )
    yield DosingWeight(
        weight_kg=Decimal(sample.weight_kg),
        height_cm=Decimal(sample.height_cm),
        **_common(sample, start_at - timedelta(minutes=35), 20),
    )
    for questions, answer in ((_GATE_YES, Answer.YES), (_GATE_NO, Answer.NO)):
        for number, question in enumerate(questions):
            at = start_at - timedelta(minutes=32) + timedelta(seconds=10 * number)
            yield GateAnswer(question=question, answer=answer, **_common(sample, at, 0))


def _rate(sample: RunningSample, at: datetime, text: str, *, first: bool) -> DoseStep:
    rate = Decimal(text)
    return DoseStep(
        kind=DoseStepKind.RATE if rate else DoseStepKind.STOP,
        rate_mg_per_h=rate * Decimal(sample.weight_kg),
        entered_value=rate,
        entered_unit=DoseUnit.MG_PER_KG_PER_H,
        second_person=sample.second if first else None,
        **_common(sample, at, 8),
    )


def _set(
    sample: RunningSample, taken_at: datetime, after_s: int, text: str
) -> Iterator[Observation]:
    set_id = new_id(int(taken_at.timestamp() * 1000))
    for parameter, value in zip(_COLUMNS, text.replace("/", " ").split(), strict=True):
        if value != "-":
            yield Observation(
                set_id=set_id,
                parameter=parameter,
                value=Decimal(value),
                **_common(sample, taken_at, after_s),
            )
