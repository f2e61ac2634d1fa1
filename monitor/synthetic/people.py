"""Who comes when: invented patients with their courses, spread over the days of a clinic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from random import Random
from uuid import UUID

from monitor.courses import Course
from monitor.ids import derived_id
from monitor.record import NONE_KNOWN, Patient
from monitor.synthetic.expectations import between, expectations, happens, one_of

#: Family names that say what they are: nobody takes one of these for a person.
_FAMILY = ("Synthetic", "Invented", "Example", "Specimen", "Sample", "Madeup")
_GIVEN = ("Alex", "Bo", "Chris", "Dana", "Eli", "Fran", "Gael", "Hadi", "Ira", "Jo", "Kim", "Lee")
_INDICATIONS = {
    "P02": ("CRPS", "neuropathic pain", "fibromyalgia", "post-herpetic neuralgia"),
    "P17": ("depression",),
}
#: Days between two infusions of a course, and how many a course has (P02; P17: clinical.md 2.1).
_COURSES = {"P02": (28, (1, 6)), "P17": (3, (4, 6))}
_NURSES = ("syn-nurse-1", "syn-nurse-2", "syn-nurse-3", "syn-nurse-4")
_OPENS, _LAST_START = time(8, 20), time(14, 10)
_CHAIRS = 12


@dataclass(frozen=True, slots=True)
class Invented:
    """An invented patient: who, what is usual for them, what they are prone to."""

    patient: Patient
    usual: Mapping[str, float]
    weight_kg: Decimal
    height_cm: Decimal
    prone_to: frozenset[str]
    protocol: str
    indication: str


@dataclass(frozen=True, slots=True)
class Visit:
    """One planned infusion: of whom, when, in which course.  ``seed`` draws everything in it."""

    seed: str
    clinic: str
    person: Invented
    start_at: datetime
    chair: str
    nurse: str
    second: str
    course: Course
    infusion_number: int


def visits(
    *, sessions: int, seed: int, clinic: str, since: date, until: date, zone: tzinfo
) -> list[Visit]:
    """So many visits between two days (the last one not included), in order of time.

    The same arguments give the same visits.
    """
    rng = Random(f"visits:{seed}:{clinic}")
    days = _working_days(since, until)
    planned: list[tuple[int, int, int, Course, Invented]] = []
    number = 0
    while len(planned) < sessions:
        number += 1
        person = _person(f"{seed}", clinic, number, since)
        every, (fewest, most) = _COURSES[person.protocol]
        count = min(rng.randint(fewest, most), sessions - len(planned))
        first = rng.randrange(len(days))
        course = _course(person, clinic, count, every, days[first], zone)
        place = float(first)
        for infusion in range(1, count + 1):
            if int(place) >= len(days):
                break  # the course goes on after the last day of this history
            planned.append((int(place), number, infusion, course, person))
            place += every * 5 / 7 + rng.choice((-1, 0, 0, 1))
    planned.sort(key=lambda item: item[:3])
    return list(_with_times(planned, days, clinic, seed, zone))


def _working_days(since: date, until: date) -> list[date]:
    every = (since + timedelta(days=n) for n in range((until - since).days))
    days = [day for day in every if day.weekday() < 5]
    if not days:
        raise ValueError("there is no working day between the two days")
    return days


def _with_times(
    planned: list[tuple[int, int, int, Course, Invented]],
    days: list[date],
    clinic: str,
    seed: int,
    zone: tzinfo,
) -> Iterator[Visit]:
    """Spread the visits of a day over its hours and chairs."""
    rng = Random(f"times:{seed}:{clinic}")
    opens = _OPENS.hour * 60 + _OPENS.minute
    span = _LAST_START.hour * 60 + _LAST_START.minute - opens
    by_day: dict[int, list[tuple[int, int, int, Course, Invented]]] = {}
    for item in planned:
        by_day.setdefault(item[0], []).append(item)
    for day, items in by_day.items():
        minutes = sorted(rng.randint(0, span) for _ in items)
        for place, (minute, (_, number, infusion, course, person)) in enumerate(
            zip(minutes, items, strict=True)
        ):
            local = datetime.combine(days[day], time(), tzinfo=zone) + timedelta(
                minutes=opens + minute, seconds=rng.randint(0, 59)
            )
            nurse, second = rng.sample(_NURSES, 2)
            yield Visit(
                seed=f"{seed}:{clinic}:{number}:{infusion}",
                clinic=clinic,
                person=person,
                start_at=local.astimezone(UTC),
                chair=str(place % _CHAIRS + 1),
                nurse=nurse,
                second=second,
                course=course,
                infusion_number=infusion,
            )


def mrn_prefix(seed: int | str) -> str:
    """How the record numbers of one seed begin."""
    return f"SYN-{seed}-"


def _person(seed: str, clinic: str, number: int, since: date) -> Invented:
    rng = Random(f"person:{seed}:{clinic}:{number}")
    figures, effects = expectations()["patient"], expectations()["side_effects"]
    age = between(rng, figures["age_mean"], figures["age_sd"], 19, 84)
    sbp = between(
        rng,
        figures["sbp_at_40_years"] + figures["sbp_per_year"] * (age - 40),
        figures["sbp_sd"],
        107,
        148,
    )
    usual = {
        "sbp": sbp,
        "dbp": between(
            rng, figures["dbp_offset"] + figures["dbp_of_sbp"] * sbp, figures["dbp_sd"], 55, 92
        ),
        "hr": between(rng, figures["hr_mean"], figures["hr_sd"], 54, 98),
        "spo2": between(rng, figures["spo2_mean"], figures["spo2_sd"], 95.2, 99.4),
        "rr": between(rng, figures["rr_mean"], figures["rr_sd"], 12, 18),
    }
    protocol = one_of(rng, expectations()["protocols"])
    sex = rng.choice(("female", "male"))
    born_on = since - timedelta(days=int(age * 365.25) + rng.randint(0, 364))
    mrn = f"{mrn_prefix(seed)}{number:06d}"
    return Invented(
        patient=Patient(
            id=derived_id("patient", clinic, mrn),
            mrn=mrn,
            family_name=f"{rng.choice(_FAMILY)}-{number}",
            given_name=rng.choice(_GIVEN),
            born_on=born_on,
            sex=sex,
            allergies=NONE_KNOWN if happens(rng, 85) else "penicillin",
        ),
        usual=usual,
        weight_kg=_tenths(
            between(rng, figures["weight_kg_mean"], figures["weight_kg_sd"], 46, 130)
        ),
        height_cm=Decimal(round(between(rng, 178 if sex == "male" else 165, 7, 150, 200))),
        prone_to=frozenset(
            term
            for term in ("drowsy", "dizzy", "dissociation", "nausea")
            if happens(rng, effects[term])
        ),
        protocol=protocol,
        indication=rng.choice(_INDICATIONS[protocol]),
    )


def _tenths(value: float) -> Decimal:
    return Decimal(round(value * 10)).scaleb(-1)


def _course(
    person: Invented, clinic: str, count: int, every: int, first: date, zone: tzinfo
) -> Course:
    course_id: UUID = derived_id("course", clinic, person.patient.mrn)
    made = datetime.combine(first, time(8), tzinfo=zone).astimezone(UTC) - timedelta(days=7)
    return Course(
        id=derived_id("course version", course_id, 1),
        course_id=course_id,
        patient_id=person.patient.id,
        number=1,
        planned_infusions=count,
        interval_days=every,
        review_on=first + timedelta(days=every * count + 14),
        indication=person.indication,
        protocol_code=person.protocol,
        recorded_at=made,
        recorded_by="syn-doctor-1",
    )
