"""Typing slips put into believable sets: how many are stopped before they are saved.

Every slip meets what a nurse meets: ``observations_from_entry`` for a set and ``check_rate`` for a
rate, the same rules and numbers that the screen checks while she types.  A slip is *stopped* when
it is refused or asked about.  A warning that a clinical limit is crossed stops nothing and is not
counted, and neither is the line that says a large decrease of the rate aloud after its save: a
decrease is never asked about (clinical.md U-30).  A question on a clean entry is *needless*, however
sensible it may look.

The kinds are those of the literature on number entry (Wiseman, Cairns and Cox 2011; Oladimeji,
Thimbleby and Cox 2011: digit missing, doubled, beside the right key, transposed, decimal point
missed) and of vital sign charts (value in the wrong field, wrong unit).
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

from monitor.dosing import ProposedRate, check_rate, to_mg_per_h
from monitor.entered import EnteredItem, EnteredSet
from monitor.errors import InvalidEntry, NeedsConfirmation
from monitor.folder_reading import read_folder
from monitor.protocols import InfusionProtocol, VersionStatus, seed_versions
from monitor.record import DoseStep, DoseStepKind, DoseUnit, InfusionSession
from monitor.validation import observations_from_entry
from tests import build
from tests.benchmarks.report import Figure

#: Of the reported figures: drawn by chance when limits and rules stood, and used by ``make bench``
#: alone.  Whoever works on limits or rules looks at ``python -m tests.benchmarks.slips``, which uses
#: DEVELOPMENT_SEED; who has looked at what SEED missed and then changed a rule draws a new one.
SEED = 13_264_545
DEVELOPMENT_SEED = 1
assert SEED != DEVELOPMENT_SEED
COURSES = 400
#: Change of a value that matters (design.md 10).
GROSS = 0.20
WEIGHT_KG = Decimal(70)

Values = dict[str, str]


# -- clean sessions -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Patient:
    """Resting values, and the rise at the end of the infusion (mmHg)."""

    share: float
    hr: float
    sbp: float
    dbp: float
    spo2: float
    rr: float
    rise: tuple[float, float]


#: Who comes: well, treated hypertension, marked responders (0.98 % to 3 % of sessions reach 180),
#: the elderly with a wide pulse pressure, the trained with a slow pulse, the anxious.
#: Rises: Yale 2342 infusions, +16 (SD 11) / +11 (SD 8) at 40 min (clinical.md 3.2).
_PATIENTS = (
    _Patient(0.50, 72, 122, 75, 98, 14, (14, 10)),
    _Patient(0.20, 74, 142, 86, 97, 14, (18, 11)),
    _Patient(0.08, 80, 150, 92, 97, 15, (30, 18)),
    _Patient(0.10, 68, 152, 74, 96, 16, (18, 8)),
    _Patient(0.06, 49, 114, 66, 98, 12, (12, 9)),
    _Patient(0.06, 96, 132, 82, 98, 18, (14, 9)),
)
#: Makes readings one after the other differ by (SD) 6 /min, 9.5 and 6.5 mmHg, 1 % and 2 /min.
_SPREAD = {"hr": 4.5, "sbp": 7.0, "dbp": 5.0, "spo2": 0.7, "rr": 1.3}
_HEAVY_TAIL_DF = 5
_SET_MINUTES = (-20, -5, 5, 10, 15, 20, 25, 30, 35, 40, 50, 60, 75, 90)
_END_MIN, _HALF_LIFE_MIN = 45, 25


def courses(chance: random.Random) -> Iterator[list[tuple[float, Values]]]:
    """Believable sessions as (minute, set), each reading with a little noise of its own."""
    shares = [patient.share for patient in _PATIENTS]
    for patient in chance.choices(_PATIENTS, shares, k=COURSES):
        yield list(_course(patient, chance))


def _course(patient: _Patient, chance: random.Random) -> Iterator[tuple[float, Values]]:
    usual = {
        "hr": chance.gauss(patient.hr, 7),
        "sbp": chance.gauss(patient.sbp, 8),
        "dbp": chance.gauss(patient.dbp, 6),
        "spo2": chance.gauss(patient.spo2, 0.8),
        "rr": chance.gauss(patient.rr, 1.5),
    }
    rise = chance.gauss(1, 0.5)
    drift = dict.fromkeys(usual, 0.0)
    # One in fifty faints a little: pulse and pressure fall for one set, and come back.
    faint_at = chance.choice(_SET_MINUTES[2:]) if chance.random() < 0.02 else None
    for minute in _SET_MINUTES:
        values = {}
        for key, mean in usual.items():
            drift[key] = 0.6 * drift[key] + 0.6 * _SPREAD[key] * _heavy(chance)
            values[key] = mean + drift[key] + 0.5 * _SPREAD[key] * _heavy(chance)
        effect = rise * _effect(minute)
        values["sbp"] += patient.rise[0] * effect
        values["dbp"] += patient.rise[1] * effect
        values["hr"] += 6 * effect
        values["spo2"] -= 0.7 * max(0.0, effect)
        if minute == faint_at:
            values["hr"] -= 18
            values["sbp"] -= 25
            values["dbp"] -= 12
        yield minute + chance.uniform(-1, 1), _typed(values, effect, chance)


def _effect(minute: float) -> float:
    """0 before the start, 1 at the end of the infusion, then halved every 25 min."""
    if minute <= 0:
        return 0.0
    if minute <= _END_MIN:
        return minute / _END_MIN
    return float(0.5 ** ((minute - _END_MIN) / _HALF_LIFE_MIN))


def _heavy(chance: random.Random) -> float:
    """Student's t: now and then a reading is off by more than a bell curve allows."""
    squares = sum(chance.gauss(0, 1) ** 2 for _ in range(_HEAVY_TAIL_DF))
    return float(chance.gauss(0, 1) / (squares / _HEAVY_TAIL_DF) ** 0.5)


def _typed(values: Mapping[str, float], effect: float, chance: random.Random) -> Values:
    whole = {key: round(value) for key, value in values.items()}
    whole["spo2"] = min(100, whole["spo2"])
    whole["hr"] = max(38, whole["hr"])
    whole["rr"] = max(7, whole["rr"])
    whole["dbp"] = min(whole["dbp"], whole["sbp"] - 18)
    whole["sedation"] = int(effect > 0.4 and chance.random() < 0.6)
    whole["dissociation"] = min(10, max(0, round(4 * max(0.0, effect) + chance.gauss(0, 1))))
    whole["nausea"] = int(chance.random() < 0.1 * effect)
    return {key: str(value) for key, value in whole.items()}


# -- slips ----------------------------------------------------------------------------------------

_KEYPAD = {
    "7": "48", "8": "759", "9": "86", "4": "715", "5": "8426", "6": "953",
    "1": "42", "2": "1530", "3": "26", "0": "2",
}  # fmt: skip
_FIELDS = {"hr": 25, "sbp": 25, "dbp": 20, "spo2": 15, "rr": 15}
_SWAPS = (
    (("sbp", "dbp"), 35), (("hr", "dbp"), 15), (("hr", "sbp"), 15), (("hr", "spo2"), 15),
    (("hr", "rr"), 10), (("spo2", "rr"), 10),
)  # fmt: skip


def _out_by_ten(text: str, chance: random.Random) -> str:
    return text + "0" if chance.random() < 0.5 else text[:-1]


def _digit_missing(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text))
    return text[:at] + text[at + 1 :]


def _digit_doubled(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text))
    return text[: at + 1] + text[at:]


def _transposed(text: str, chance: random.Random) -> str:
    at = chance.randrange(max(1, len(text) - 1))
    return text[:at] + text[at + 1 : at + 2] + text[at] + text[at + 2 :]


def _key_beside(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text))
    if text[at] not in _KEYPAD:
        return text
    return text[:at] + chance.choice(_KEYPAD[text[at]]) + text[at + 1 :]


_DIGIT_SLIPS: Mapping[str, Callable[[str, random.Random], str]] = {
    "out_by_ten": _out_by_ten,
    "digit_missing": _digit_missing,
    "digit_doubled": _digit_doubled,
    "transposed": _transposed,
    "key_beside": _key_beside,
}
#: Percent of the slips of sets; a wrong unit of a set is kPa typed where mmHg is read.
SHARES = {
    "out_by_ten": 20, "digit_missing": 10, "digit_doubled": 10, "transposed": 20,
    "key_beside": 15, "swapped_fields": 20, "wrong_unit": 5,
}  # fmt: skip
#: Percent of the slips of rates; out_by_ten is the decimal point, unit_swap the unit beside it.
RATE_SHARES = {
    "rate_out_by_ten": 40, "rate_unit_swap": 30, "rate_transposed": 15, "rate_key_beside": 15,
}  # fmt: skip


def slip(values: Values, kind: str, chance: random.Random) -> Values:
    """The set with one slip of this kind; the same set when the slip changes nothing."""
    if kind == "swapped_fields":
        pairs, weights = zip(*_SWAPS, strict=True)
        one, other = chance.choices(pairs, weights)[0]
        return values | {one: values[other], other: values[one]}
    if kind == "wrong_unit":
        kpa = {key: str(round(int(values[key]) * 0.1333)) for key in ("sbp", "dbp")}
        return values | kpa
    key = chance.choices(list(_FIELDS), list(_FIELDS.values()))[0]
    return values | {key: _DIGIT_SLIPS[kind](values[key], chance)}


def is_gross(meant: Values, typed: Values) -> bool:
    """Whether a value differs by more than a fifth, or is no value any more."""
    for key, text in meant.items():
        if typed[key] == text:
            continue
        if not typed[key]:
            return True
        if abs(float(typed[key]) - float(text)) > GROSS * max(float(text), 1e-9):
            return True
    return False


# -- what a nurse meets ---------------------------------------------------------------------------


def questions(session: InfusionSession, values: Values, taken_at: datetime) -> frozenset[str]:
    """Codes of what is refused or asked when this set is saved; empty when it is saved at once."""
    items = tuple(
        EnteredItem(id=build.an_id(), parameter=key, text=text)
        for key, text in values.items()
        if text
    )
    entered = EnteredSet(set_id=build.an_id(), taken_at=taken_at, items=items)
    try:
        observations_from_entry(entered, session, recorded_at=taken_at, recorded_by="blum")
    except (InvalidEntry, NeedsConfirmation) as stopped:
        return frozenset(problem.code for problem in stopped.problems)
    return frozenset()


def with_set(session: InfusionSession, values: Values, taken_at: datetime) -> InfusionSession:
    set_id = build.an_id()
    facts = [
        replace(
            build.observation(key, value, set_id=set_id), taken_at=taken_at, recorded_at=taken_at
        )
        for key, value in values.items()
    ]
    return session.with_facts(facts)


class _Tally:
    """Slips tried, gross ones and stopped gross ones by kind; clean entries and questions."""

    def __init__(self) -> None:
        self.gross: dict[str, int] = defaultdict(int)
        self.stopped: dict[str, int] = defaultdict(int)
        self.clean: dict[str, int] = defaultdict(int)
        self.asked: dict[str, int] = defaultdict(int)
        self.needless: dict[str, int] = defaultdict(int)
        self.missed: list[tuple[str, Values, Values]] = []

    def add_clean(self, where: str, codes: frozenset[str]) -> None:
        self.clean[where] += 1
        self.asked[where] += bool(codes)
        for code in codes:
            self.needless[code] += 1

    def add_slip(self, kind: str, meant: Values, typed: Values, codes: frozenset[str]) -> None:
        if not is_gross(meant, typed):
            return
        self.gross[kind] += 1
        self.stopped[kind] += bool(codes)
        if not codes:
            self.missed.append((kind, meant, typed))


def _try_sets(
    sets: list[tuple[datetime, Values]], where: str, tally: _Tally, chance: random.Random
) -> None:
    session = build.session(created_at=sets[0][0] - timedelta(minutes=10))
    for taken_at, values in sets:
        tally.add_clean(where, questions(session, values, taken_at))
        kind = chance.choices(list(SHARES), list(SHARES.values()))[0]
        # A slip that falls on two equal digits changes nothing: it is made again elsewhere.
        typed = values
        for _ in range(20):
            typed = slip(values, kind, chance)
            if typed != values:
                break
        tally.add_slip(kind, values, typed, questions(session, typed, taken_at))
        session = with_set(session, values, taken_at)


def _sample_sets() -> Iterator[list[tuple[datetime, Values]]]:
    """The sets of the sample sessions as they were typed first."""
    for folder in sorted((Path(__file__).resolve().parents[2] / "sample_sessions").iterdir()):
        if not (folder / "session.toml").exists():
            continue
        session = read_folder(folder).session
        sets: dict[UUID | None, Values] = defaultdict(dict)
        times: dict[UUID | None, datetime] = {}
        for item in session.observations:
            if item.value is not None and item.parameter in _FIELDS:
                sets[item.set_id][item.parameter] = str(item.value)
                times[item.set_id] = item.taken_at
        full = [(times[key], sets[key]) for key in sets if set(_FIELDS) <= set(sets[key])]
        if full:
            yield sorted(full, key=lambda pair: pair[0])


# -- rates ----------------------------------------------------------------------------------------

_UNITS = {
    DoseUnit.MG_PER_KG_PER_H: 60,
    DoseUnit.MCG_PER_KG_PER_MIN: 15,
    DoseUnit.ML_PER_H: 15,
    DoseUnit.MG_PER_H: 10,
}
#: The unit that stands beside the right one.
_UNIT_BESIDE = {
    DoseUnit.MG_PER_KG_PER_H: DoseUnit.MCG_PER_KG_PER_MIN,
    DoseUnit.MCG_PER_KG_PER_MIN: DoseUnit.MG_PER_KG_PER_H,
    DoseUnit.ML_PER_H: DoseUnit.MG_PER_H,
    DoseUnit.MG_PER_H: DoseUnit.ML_PER_H,
}
_MG_PER_ML = Decimal(2)
_RATE_COURSES = 120


def _mg_per_h(value: Decimal, unit: DoseUnit) -> Decimal:
    return to_mg_per_h(value, unit, weight_kg=WEIGHT_KG, concentration_mg_per_ml=_MG_PER_ML)


def _in_unit(mg_per_kg_h: Decimal, unit: DoseUnit) -> Decimal:
    """A planned rate as a nurse types it in this unit, to two places."""
    return round(mg_per_kg_h * WEIGHT_KG / _mg_per_h(Decimal(1), unit), 2).normalize()


def _rate_slip(
    value: Decimal, unit: DoseUnit, kind: str, chance: random.Random
) -> tuple[Decimal, DoseUnit]:
    if kind == "rate_unit_swap":
        return value, _UNIT_BESIDE[unit]
    if kind == "rate_out_by_ten":
        return (value * 10 if chance.random() < 0.5 else value / 10), unit
    digits = _DIGIT_SLIPS[kind.removeprefix("rate_")](f"{value:f}", chance)
    try:
        return Decimal(digits), unit
    except ArithmeticError:
        return value, unit


def _try_rates(protocol: InfusionProtocol, tally: _Tally, chance: random.Random) -> None:
    """A planned titration, one slip tried at each step; what was meant is then recorded."""
    session = build.session(weight_kg=WEIGHT_KG, concentration_mg_per_ml=_MG_PER_ML)
    unit = chance.choices(list(_UNITS), list(_UNITS.values()))[0]
    late = 0.0
    for step in protocol.steps:
        # A step is taken a little later than planned, and what follows moves with it.
        late += chance.uniform(0, 2)
        minute = step.after_min + late
        value = _in_unit(step.rate_mg_per_kg_h, unit)
        proposed = ProposedRate(value, unit, DoseStepKind.RATE, build.at(minute))
        tally.add_clean("rates", _rate_codes(session, protocol, proposed))
        kind = chance.choices(list(RATE_SHARES), list(RATE_SHARES.values()))[0]
        typed, typed_unit = _rate_slip(value, unit, kind, chance)
        meant = {"rate": f"{_mg_per_h(value, unit):f}"}
        got = {"rate": f"{_mg_per_h(typed, typed_unit):f}"}
        wrong = replace(proposed, value=typed, unit=typed_unit)
        tally.add_slip(kind, meant, got, _rate_codes(session, protocol, wrong))
        session = session.with_facts([_recorded_rate(value, unit, minute)])


def _rate_codes(
    session: InfusionSession, protocol: InfusionProtocol, proposed: ProposedRate
) -> frozenset[str]:
    return frozenset(problem.code for problem in check_rate(session, protocol, proposed))


def _recorded_rate(value: Decimal, unit: DoseUnit, minute: float) -> DoseStep:
    return DoseStep(
        id=build.an_id(),
        taken_at=build.at(minute),
        recorded_at=build.at(minute),
        recorded_by="blum",
        kind=DoseStepKind.RATE,
        rate_mg_per_h=_mg_per_h(value, unit),
        entered_value=value,
        entered_unit=unit,
    )


# -- the measurement ------------------------------------------------------------------------------


def tried(seed: int) -> _Tally:
    """Every course, sample session and titration once, with one slip beside every clean entry."""
    chance = random.Random(seed)
    tally = _Tally()
    for course in courses(chance):
        _try_sets(
            [(build.at(minute), values) for minute, values in course], "courses", tally, chance
        )
    for sets in _sample_sets():
        _try_sets(sets, "sample sessions", tally, chance)
    protocols = [
        version.protocol()
        for version in seed_versions()
        if version.kind == "protocol" and version.status is VersionStatus.APPROVED
    ]
    titrated = [protocol for protocol in protocols if len(protocol.steps) > 1]
    for _ in range(_RATE_COURSES):
        _try_rates(chance.choice(titrated), tally, chance)
    return tally


def measure(seed: int = SEED) -> list[Figure]:
    """slips_stopped_share, needless_question_share."""
    tally = tried(seed)
    gross, clean = sum(tally.gross.values()), sum(tally.clean.values())
    kinds = [kind for kind in (*SHARES, *RATE_SHARES) if tally.gross[kind]]
    by_kind = ", ".join(
        f"{kind} {tally.stopped[kind] / tally.gross[kind]:.2f} of {tally.gross[kind]}"
        for kind in kinds
    )
    by_place = ", ".join(
        f"{where} {tally.asked[where] / count:.3f} of {count}"
        for where, count in tally.clean.items()
    )
    by_code = ", ".join(
        f"{code} {n}" for code, n in sorted(tally.needless.items(), key=lambda x: -x[1])
    )
    return [
        Figure(
            "slips_stopped_share",
            round(sum(tally.stopped.values()) / gross, 3),
            "share",
            gross,
            f"slips that change a value by more than {GROSS:.0%}, refused or asked before the save",
            f"by kind: {by_kind}; {_named(seed)}; goal >= 0.8",
        ),
        Figure(
            "needless_question_share",
            round(sum(tally.asked.values()) / clean, 4),
            "share",
            clean,
            f"entries without a slip, refused or asked about: {by_place}",
            f"asked: {by_code}; {_named(seed)}; goal <= 0.03",
        ),
    ]


def _named(seed: int) -> str:
    return f"seed {seed}" + (", used in development" if seed == DEVELOPMENT_SEED else "")


def main() -> None:
    """What a change of limits does, with the seed of development; nothing is written."""
    for figure in measure(DEVELOPMENT_SEED):
        print(f"{figure.name}  {figure.value} of {figure.n}\n  {figure.beside}\n  {figure.note}")


if __name__ == "__main__":
    main()
