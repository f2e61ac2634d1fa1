"""Checking what was typed before it becomes part of the record: every problem at once, in words.

Three kinds of answer: impossible (refused), unusual (asked once), fine.  What was really measured
can always be recorded: beyond a hard limit the entry says so (``really_so``) and gives a note.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from uuid import UUID

from monitor import lifecycle
from monitor.clock import FUTURE_TOLERANCE
from monitor.errors import InvalidEntry, NeedsConfirmation, Problem
from monitor.ids import derived_id
from monitor.numbers import parse_number, plain_text
from monitor.parameters import CROSS_CHECKS, PARAMETERS, PARAMETERS_VERSION, Parameter
from monitor.record import InfusionSession, NotTaken, Observation, Source
from monitor.scales import SCALES, SCALES_VERSION, SEDATION_SCALES, Scale
from monitor.swapped import swapped_pairs
from monitor.texts import echoed

#: A set this much older than the opening of its session is asked about, and refused beyond a day:
#: the commonest cause is a wrong day or hour, and pre-infusion sets count for 60 minutes (U-44).
ASKED_BEFORE_SESSION = timedelta(minutes=60)
REFUSED_BEFORE_SESSION = timedelta(hours=24)
#: The last things are often written down while the patient leaves; later ones are asked about.
ASKED_AFTER_END = timedelta(minutes=10)
#: The code of that question.
AFTER_END = "taken_at.after_end"

#: The sentences, shared word for word with the bedside component.
SENTENCES: Mapping[str, str] = MappingProxyType(
    {
        "hard_below": "{name} of {value} is not possible ({range}). Check the number.",
        "hard_above": "{name} of {value} is not possible ({range}). Check the number.",
        "soft_below": "{name} of {value} is unusual (usually {range}). Is it right?",
        "soft_above": "{name} of {value} is unusual (usually {range}). Is it right?",
        "decimals_0": "{name} is a whole number, not {value}. Check the number.",
        "decimals_1": "{name} has one decimal place, not {value}. Check the number.",
        "step": "{name} is read in steps of {step}, not {value}. Check the number.",
        "jump": "{name} of {value} is {change} {direction} than {previous} {minutes} min before. "
        "Is it right?",
        "swapped": "{one} and {other} are {now}; before they were {before}. Were they swapped? "
        "Is it right as it stands?",
        "no_reading": "{name} of 0 is not a reading. Choose “{finding}” instead.",
        "fahrenheit": "{name} of {value} looks like °F. Did you mean {value} °F ({celsius} °C)?",
        "not_a_code": "{name} has no {value}. Choose one of: {codes}.",
        "empty": "{name}: enter a value, or say why there is none.",
        "both": "{name} has a value and a reason for having none. Keep one of them.",
        "twice": "{name} stands twice in this set. Keep one of them.",
        "reason": "“{reason}” cannot be given for {name}. Choose another reason.",
        "note_missing": "{name} of {value} is beyond what is possible ({range}). To record it as "
        "really so, write a note that says how it was confirmed.",
        "roused_missing": "S counts only if the patient rouses to voice. Call the patient, then "
        "answer “roused to voice”, or record sedation as not assessed.",
        "roused_no": "The patient did not rouse to voice: this is not normal sleep. Score the "
        "sedation instead of S.",
        "asleep_no": "Sedation is S, but “asleep” is not answered with yes. Keep one of them.",
        "dbp.not_below_sbp": "Diastolic {dbp} is not below systolic {sbp}. Were they swapped?",
        "sbp.pulse_pressure_below": "Systolic {sbp} and diastolic {dbp} are only {change} apart. "
        "Is it right?",
        "sbp.pulse_pressure_above": "Systolic {sbp} and diastolic {dbp} are {change} apart. "
        "Is it right?",
        "map.not_between": "Mean pressure {map} is not between diastolic {dbp} and systolic {sbp}. "
        "Check the three numbers.",
        "map.difference": "Mean pressure {map} is {change} away from {derived}, which follows from "
        "{sbp}/{dbp}. Is it right?",
        "taken_at.future": "The time is {minutes} min in the future. Check the clock time.",
        "taken_at.before_session_asked": "The time is {minutes} min before this session was "
        "opened. Is it right?",
        "taken_at.before_session": "The time is more than a day before this session was opened. "
        "Check the date and the time.",
        "taken_at.long_before_session": "The time on paper is {span} before this session was "
        "opened. Is the date right?",
        AFTER_END: "The time is {span} after the end of this session. Is it right?",
        "set.empty": "Nothing was entered yet.",
    }
)

_REASON_WORDS: Mapping[NotTaken, str] = MappingProxyType(
    {
        NotTaken.ASLEEP: "asleep",
        NotTaken.REFUSED: "refused",
        NotTaken.CUFF_OFF: "cuff off",
        NotTaken.ARTEFACT: "artefact",
        NotTaken.EQUIPMENT: "equipment fault",
        NotTaken.UNRECORDABLE: "unrecordable",
        NotTaken.NO_TRACE: "no trace",
        NotTaken.NOT_ASSESSED: "not assessed",
    }
)
#: More codes than this are named by their first and last.
_MOST_NAMED = 11
_TICKS: Mapping[str, Decimal] = MappingProxyType(
    {"yes": Decimal(1), "true": Decimal(1), "no": Decimal(0), "false": Decimal(0)}
)
#: What cannot be, however it was confirmed: the database refuses it too (ruling 13).
_ABSOLUTE: Mapping[str, Decimal] = MappingProxyType({"spo2": Decimal(100)})


@dataclass(frozen=True, slots=True, kw_only=True)
class EnteredItem:
    """One field as it was filled in: a text or a reason, with an id made by the client.

    ``unit`` None means the canonical unit.  ``really_so`` with a ``note`` records a value beyond a
    hard limit that was truly measured (heart rate 0).
    """

    id: UUID
    parameter: str
    text: str | None = None
    unit: str | None = None
    not_taken: NotTaken | None = None
    really_so: bool = False
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnteredSet:
    """What was filled in together, taken at one moment (aware UTC)."""

    set_id: UUID
    taken_at: datetime
    items: tuple[EnteredItem, ...]
    source: Source = Source.KEYED


@dataclass(frozen=True, slots=True)
class _Read:
    """An item that could be read: its canonical value, and whether it is S or beyond a limit."""

    item: EnteredItem
    parameter: Parameter
    value: Decimal | None = None
    entered_value: Decimal | None = None
    beyond: bool = False
    sleep: bool = False


def observations_from_entry(
    entered: EnteredSet,
    session: InfusionSession,
    *,
    recorded_at: datetime,
    recorded_by: str,
    confirmed: frozenset[str] = frozenset(),
    dissociation_scale: str | None = None,
) -> tuple[Observation, ...]:
    """The observations of a set that was typed, checked against clinical.md 3.1 and the session.

    ``confirmed`` holds the codes of questions already answered with yes, ``dissociation_scale`` is
    the protocol's.

    Raises:
        InvalidEntry: something cannot be saved as it stands; carries the questions as well.
        NeedsConfirmation: everything is possible, but something is unusual and was not confirmed.
    """
    reads, problems = _read_all(entered, session, dissociation_scale)
    problems += time_problems(entered.taken_at, session, recorded_at, entered.source)
    problems += _cross_problems(reads)
    swapped = _swap_problems(entered, reads, session)
    problems += swapped or _jump_problems(entered, reads, session)
    problems += _sleep_problems(reads, session)
    open_problems = [
        problem for problem in problems if problem.kind == "hard" or problem.code not in confirmed
    ]
    if any(problem.kind == "hard" for problem in open_problems):
        raise InvalidEntry(open_problems)
    if open_problems:
        raise NeedsConfirmation(open_problems)
    return tuple(_observations(entered, reads.values(), recorded_at, recorded_by))


def observations_as_typed(
    entered: EnteredSet, session: InfusionSession, *, recorded_at: datetime, recorded_by: str
) -> tuple[Observation, ...]:
    """What the set says, not yet judged against the session; empty when an item is unreadable."""
    reads, problems = _read_all(entered, session)
    if any(problem.kind == "hard" for problem in problems):
        return ()
    return tuple(_observations(entered, reads.values(), recorded_at, recorded_by))


def _observations(
    entered: EnteredSet, reads: Iterable[_Read], recorded_at: datetime, recorded_by: str
) -> Iterator[Observation]:
    common: dict[str, Any] = {
        "taken_at": entered.taken_at,
        "recorded_at": recorded_at,
        "recorded_by": recorded_by,
        "source": entered.source,
        "set_id": entered.set_id,
    }
    reads = list(reads)
    ticked = any(read.parameter.key == "asleep" for read in reads)
    for read in reads:
        yield Observation(
            id=read.item.id,
            parameter=read.parameter.key,
            value=read.value,
            not_taken=read.item.not_taken,
            entered_value=read.entered_value,
            entered_unit=None if read.entered_value is None else read.item.unit,
            really_so=read.beyond,
            note=read.item.note or None,
            **common,
        )
        if read.sleep and not ticked:
            # S is stored as code 0 with the tick "asleep" (clinical.md 5.2).
            yield Observation(
                id=derived_id(read.item.id, "asleep"),
                parameter="asleep",
                value=Decimal(1),
                **common,
            )


# -- one field ------------------------------------------------------------------------------------


def _read_all(
    entered: EnteredSet, session: InfusionSession, dissociation_scale: str | None = None
) -> tuple[dict[str, _Read], list[Problem]]:
    """Every item that could be read by parameter key, and what was wrong with any of them."""
    reads: dict[str, _Read] = {}
    problems: list[Problem] = []
    if not entered.items:
        problems.append(_problem("set", "set.empty"))
    for item in entered.items:
        parameter = PARAMETERS.get(item.parameter)
        if parameter is None:
            message = f"There is no parameter “{echoed(item.parameter)}”."
            problems.append(Problem(item.parameter, message, code="set.unknown"))
        elif parameter.key in reads:
            problems.append(_parameter_problem(parameter, "twice"))
        else:
            scale = _scale(parameter, session, dissociation_scale)
            read, found = _read(item, parameter, scale)
            reads[parameter.key] = read
            problems += found
    return reads, problems


def _read(
    item: EnteredItem, parameter: Parameter, scale: Scale | None
) -> tuple[_Read, list[Problem]]:
    nothing = _Read(item, parameter)
    text = (item.text or "").strip()
    if item.not_taken is not None:
        return nothing, _reason_problems(item.not_taken, text, parameter)
    if not text:
        return nothing, [_parameter_problem(parameter, "empty")]
    if scale is not None and scale.has_sleep and text.casefold() == "s":
        return _Read(item, parameter, value=Decimal(0), sleep=True), []
    try:
        typed = _typed_value(text, parameter)
        value = parameter.to_canonical(typed, item.unit or "")
    except ValueError as error:
        message = f"{_name(parameter)}: {error}"
        return nothing, [Problem(parameter.key, message, code=f"{parameter.key}.not_a_number")]
    problem, beyond = _value_problem(item, parameter, typed, value, scale)
    converted = _in_other_unit(item, parameter)
    kept = value if converted else _at_precision(value, parameter)
    read = _Read(item, parameter, kept, typed if converted else None, beyond)
    return read, [problem] if problem else []


def _in_other_unit(item: EnteredItem, parameter: Parameter) -> bool:
    return (item.unit or "") not in ("", parameter.unit, parameter.unit_label)


def _typed_value(text: str, parameter: Parameter) -> Decimal:
    if parameter.kind == "tick" and text.casefold() in _TICKS:
        return _TICKS[text.casefold()]
    return parse_number(text)


def _reason_problems(reason: NotTaken, text: str, parameter: Parameter) -> list[Problem]:
    if text:
        return [_parameter_problem(parameter, "both")]
    if reason not in parameter.reasons:
        return [_parameter_problem(parameter, "reason", reason=_REASON_WORDS[reason])]
    return []


def _value_problem(
    item: EnteredItem, parameter: Parameter, typed: Decimal, value: Decimal, scale: Scale | None
) -> tuple[Problem | None, bool]:
    """The one thing wrong with a value, and whether it stands although beyond a limit."""
    converted = _in_other_unit(item, parameter)
    shown = f"{plain_text(typed)} {item.unit}" if converted else plain_text(typed)
    if parameter.kind in ("score", "tick"):
        return _code_problem(parameter, value, scale), False
    limit = _hard_limit(parameter, value)
    if limit is None and not converted:
        limit = _too_fine(value, parameter)
    if limit is not None:
        problem = _hard_problem(item, parameter, value, shown, limit)
        return problem, problem is None
    soft = _soft_limit(parameter, value)
    if soft is None:
        return None, False
    return _parameter_problem(parameter, soft, value=shown, range=_range(parameter, "soft")), False


def _hard_problem(
    item: EnteredItem, parameter: Parameter, value: Decimal, shown: str, limit: str
) -> Problem | None:
    """Why a value beyond a limit cannot stand, or None when it is said to be really so."""
    if _looks_like_fahrenheit(item, parameter, value):
        celsius = plain_text(parameter.to_canonical(value, "°F").quantize(Decimal("0.1")))
        return _parameter_problem(parameter, "fahrenheit", value=shown, celsius=celsius)
    if value == 0 and parameter.findings:
        finding = _REASON_WORDS[parameter.findings[0]]
        return _parameter_problem(parameter, "no_reading", finding=finding)
    words = {"value": shown, "range": _range(parameter, "hard"), "step": str(parameter.step)}
    if not item.really_so or value < 0 or value > _ABSOLUTE.get(parameter.key, value):
        return _parameter_problem(parameter, limit, **words)
    if not (item.note or "").strip():
        return _parameter_problem(parameter, "note_missing", **words)
    return None


def _looks_like_fahrenheit(item: EnteredItem, parameter: Parameter, value: Decimal) -> bool:
    return (
        "fahrenheit" in dict(parameter.accepts).values()
        and not _in_other_unit(item, parameter)
        and CROSS_CHECKS.fahrenheit_low <= value <= CROSS_CHECKS.fahrenheit_high
    )


def _code_problem(parameter: Parameter, value: Decimal, scale: Scale | None) -> Problem | None:
    """A score or a tick has a few codes and nothing between or beyond them."""
    if parameter.kind == "tick":
        codes = {Decimal(1): "yes", Decimal(0): "no"}
    elif scale is not None:
        codes = {Decimal(answer.code): answer.short for answer in scale.codes}
    else:
        codes = {Decimal(code): str(code) for code in _score_codes(parameter)}
    if value in codes:
        return None
    if scale is not None:
        return _scale_problem(scale, value)
    named = list(codes.values())
    told = ", ".join(named) if len(named) <= _MOST_NAMED else f"{named[0]} to {named[-1]}"
    return _parameter_problem(parameter, "not_a_code", value=plain_text(value), codes=told)


def _scale_problem(scale: Scale, value: Decimal) -> Problem:
    codes = ", ".join(answer.short for answer in scale.codes)
    return _problem(
        scale.parameter, "not_a_code", name=scale.label, value=plain_text(value), codes=codes
    )


def _score_codes(parameter: Parameter) -> range:
    assert parameter.hard_below is not None, f"{parameter.key}: a score has two limits"
    assert parameter.hard_above is not None, f"{parameter.key}: a score has two limits"
    return range(int(parameter.hard_below), int(parameter.hard_above) + 1)


def _scale(
    parameter: Parameter, session: InfusionSession, dissociation_scale: str | None
) -> Scale | None:
    """The scale that narrows a parameter's codes: the session's for sedation, the protocol's."""
    if parameter.key == "sedation":
        return SCALES[session.sedation_scale]
    if parameter.key == "dissociation" and dissociation_scale is not None:
        return SCALES[dissociation_scale]
    return None


def _hard_limit(parameter: Parameter, value: Decimal) -> str | None:
    if parameter.hard_below is not None and value < parameter.hard_below:
        return "hard_below"
    if parameter.hard_above is not None and value > parameter.hard_above:
        return "hard_above"
    return None


def _soft_limit(parameter: Parameter, value: Decimal) -> str | None:
    if parameter.soft_below is not None and value < parameter.soft_below:
        return "soft_below"
    if parameter.soft_above is not None and value > parameter.soft_above:
        return "soft_above"
    return None


def _too_fine(value: Decimal, parameter: Parameter) -> str | None:
    """The sentence about digits nobody could have read, None when there are none."""
    if value != round(value, parameter.decimals):
        return f"decimals_{parameter.decimals}"
    return "step" if parameter.step is not None and value % parameter.step else None


def stored_value_problem(
    parameter: Parameter,
    value: Decimal,
    session: InfusionSession,
    *,
    dissociation_scale: str | None,
    converted: bool,
) -> Problem | None:
    """Why no form would have saved a value inside its limits: no such code, or too many digits.

    For values that come from elsewhere.  A ``converted`` one has the digits of its conversion.
    """
    if parameter.kind in ("score", "tick"):
        return _code_problem(parameter, value, _scale(parameter, session, dissociation_scale))
    sentence = None if converted else _too_fine(value, parameter)
    if sentence is None:
        return None
    words = {"value": plain_text(value), "step": str(parameter.step)}
    return _parameter_problem(parameter, sentence, **words)


def _at_precision(value: Decimal, parameter: Parameter) -> Decimal:
    """``98.0`` for a whole number is 98; digits that say something, and missing ones, are kept."""
    rounded = round(value, parameter.decimals)
    return rounded if rounded == value and len(str(rounded)) < len(str(value)) else value


# -- the set as a whole ---------------------------------------------------------------------------


def time_problems(
    taken_at: datetime,
    session: InfusionSession,
    recorded_at: datetime,
    source: Source = Source.KEYED,
) -> list[Problem]:
    """What is wrong or unusual with a time: in the future, before the session or after its end."""
    ahead = taken_at - recorded_at
    if ahead > FUTURE_TOLERANCE:
        return [_problem("taken_at", "taken_at.future", minutes=_minutes(ahead))]
    before = session.created_at - taken_at
    if before > REFUSED_BEFORE_SESSION:
        # Paper of a long downtime is typed in days later: the date is asked about, not refused.
        if source is Source.PAPER:
            words = {"span": _span(before)}
            return [_problem("taken_at", "taken_at.long_before_session", "soft", **words)]
        return [_problem("taken_at", "taken_at.before_session")]
    if before > ASKED_BEFORE_SESSION and source is not Source.PAPER:
        return [
            _problem("taken_at", "taken_at.before_session_asked", "soft", minutes=_minutes(before))
        ]
    ended_at = lifecycle.ended_at(session, recorded_at)
    if ended_at is not None and taken_at - ended_at > ASKED_AFTER_END:
        return [_problem("taken_at", AFTER_END, "soft", span=_span(taken_at - ended_at))]
    return []


def _cross_problems(reads: Mapping[str, _Read]) -> list[Problem]:
    """What two pressures of one set say about each other (clinical.md 3.1)."""
    sbp, dbp, mean = (_value(reads, key) for key in ("sbp", "dbp", "map"))
    if sbp is None or dbp is None:
        return []
    words = {"sbp": plain_text(round(sbp, 0)), "dbp": plain_text(round(dbp, 0))}
    problems: list[Problem] = []
    pulse = sbp - dbp
    if pulse <= 0:
        if not _stands(reads, "sbp", "dbp"):
            problems.append(_problem("dbp", "dbp.not_below_sbp", **words))
        return problems
    words["change"] = plain_text(round(pulse, 0))
    if pulse < CROSS_CHECKS.pulse_pressure_soft_below:
        problems.append(_problem("sbp", "sbp.pulse_pressure_below", "soft", **words))
    if pulse > CROSS_CHECKS.pulse_pressure_soft_above:
        problems.append(_problem("sbp", "sbp.pulse_pressure_above", "soft", **words))
    if mean is not None:
        problems += _mean_problems(reads, sbp, dbp, mean)
    return problems


def _mean_problems(
    reads: Mapping[str, _Read], sbp: Decimal, dbp: Decimal, mean: Decimal
) -> list[Problem]:
    derived = (sbp + 2 * dbp) / 3
    words = {
        "sbp": plain_text(round(sbp, 0)),
        "dbp": plain_text(round(dbp, 0)),
        "map": plain_text(round(mean, 0)),
        "derived": plain_text(round(derived, 0)),
        "change": plain_text(round(abs(mean - derived), 0)),
    }
    if not dbp <= mean <= sbp:
        if _stands(reads, "map", "sbp", "dbp"):
            return []
        return [_problem("map", "map.not_between", **words)]
    if abs(mean - derived) > CROSS_CHECKS.map_difference_soft_above:
        return [_problem("map", "map.difference", "soft", **words)]
    return []


def _stands(reads: Mapping[str, _Read], *keys: str) -> bool:
    """Whether one of these was said to be really so, with a note."""
    return any(reads[key].item.really_so and (reads[key].item.note or "").strip() for key in keys)


def _jump_problems(
    entered: EnteredSet, reads: Mapping[str, _Read], session: InfusionSession
) -> list[Problem]:
    problems = []
    for key, read in reads.items():
        previous = _previous(entered, key, session)
        if read.value is None or previous is None or previous.value is None:
            continue
        change = read.value - previous.value
        parameter = read.parameter
        rises = parameter.jump is not None and abs(change) > parameter.jump
        falls = parameter.jump_fall is not None and -change > parameter.jump_fall
        if rises or falls:
            problems.append(_jump_problem(parameter, read.value, previous, entered.taken_at))
    return problems


def _swap_problems(
    entered: EnteredSet, reads: Mapping[str, _Read], session: InfusionSession
) -> list[Problem]:
    """One question for two values that were exchanged, in place of a jump of each."""
    found = {key: _previous(entered, key, session) for key in reads}
    before = {key: last.value for key, last in found.items() if last and last.value is not None}
    now = {key: read.value for key, read in reads.items() if read.value is not None}
    return [
        _problem(
            one,
            "swapped",
            "soft",
            one=_name(PARAMETERS[one]),
            other=_name(PARAMETERS[other]),
            now=f"{plain_text(now[one])} and {plain_text(now[other])}",
            before=f"{plain_text(before[one])} and {plain_text(before[other])}",
        )
        for one, other in swapped_pairs(now, before)
    ]


def _jump_problem(
    parameter: Parameter, value: Decimal, previous: Observation, taken_at: datetime
) -> Problem:
    assert previous.value is not None
    change = value - previous.value
    return _parameter_problem(
        parameter,
        "jump",
        value=plain_text(round(value, parameter.decimals)),
        previous=plain_text(round(previous.value, parameter.decimals)),
        change=plain_text(round(abs(change), parameter.decimals)),
        direction="higher" if change > 0 else "lower",
        minutes=_minutes(taken_at - previous.taken_at),
    )


def _previous(entered: EnteredSet, key: str, session: InfusionSession) -> Observation | None:
    """The last value of the parameter at most 20 min before, not counting this very set."""
    since = entered.taken_at - timedelta(minutes=CROSS_CHECKS.jump_window_min)
    found = [
        observation
        for observation in session.current_observations
        if observation.parameter == key
        and observation.value is not None
        and observation.set_id != entered.set_id
        and since <= observation.taken_at <= entered.taken_at
    ]
    return found[-1] if found else None


def _sleep_problems(reads: Mapping[str, _Read], session: InfusionSession) -> list[Problem]:
    """S needs "roused to voice: yes" in the same entry (U-50)."""
    sedation = reads.get("sedation")
    scale = SCALES[session.sedation_scale]
    if sedation is None or sedation.value != 0 or not scale.has_sleep:
        return []
    if sedation.sleep and "asleep" in reads and _value(reads, "asleep") != 1:
        return [_problem("sedation", "asleep_no")]
    if not sedation.sleep and _value(reads, "asleep") != 1:
        # Without sleep, code 0 means awake; on a scale that has 0 only as S it means nothing.
        return [] if scale.answer(0) else [_scale_problem(scale, sedation.value)]
    roused = _value(reads, "roused_to_voice")
    if roused is None:
        return [_problem("sedation", "roused_missing")]
    return [] if roused == 1 else [_problem("sedation", "roused_no")]


# -- words ----------------------------------------------------------------------------------------


def _value(reads: Mapping[str, _Read], key: str) -> Decimal | None:
    read = reads.get(key)
    return None if read is None else read.value


def _minutes(span: timedelta) -> str:
    return str(int(span.total_seconds() // 60))


def _span(span: timedelta) -> str:
    """``25 min``, ``5 h``, ``16 days``: the largest whole unit that fits."""
    if span >= timedelta(days=2):
        return f"{span.days} days"
    minutes = int(span.total_seconds() // 60)
    return f"{minutes // 60} h" if minutes >= 120 else f"{minutes} min"


def _name(parameter: Parameter) -> str:
    """Vital signs are called by their short name, as on the screen."""
    return parameter.short if parameter.kind == "vital" else parameter.label


def _parameter_problem(parameter: Parameter, sentence: str, **words: str) -> Problem:
    kind = "soft" if sentence in ("soft_below", "soft_above", "jump") else "hard"
    return _problem(parameter.key, sentence, kind, name=_name(parameter), **words)


def _problem(field: str, sentence: str, kind: str = "hard", **words: str) -> Problem:
    """A problem in the shared words; its code is ``<field>.<sentence>``."""
    code = sentence if "." in sentence else f"{field}.{sentence}"
    return Problem(field, SENTENCES[sentence].format(**words), kind, code)


def _range(parameter: Parameter, which: str) -> str:
    """``30 to 100 %``, ``85 % or more``, ``15 L/min or less``."""
    low = getattr(parameter, f"{which}_below")
    high = getattr(parameter, f"{which}_above")
    unit = f" {parameter.unit_label}" if parameter.unit_label else ""
    if low is not None and high is not None:
        return f"{plain_text(low)} to {plain_text(high)}{unit}"
    if low is not None:
        return f"{plain_text(low)}{unit} or more"
    return f"{plain_text(high)}{unit} or less" if high is not None else ""


# -- for the bedside component --------------------------------------------------------------------


def limits_for_client() -> dict[str, Any]:
    """The same limits, codes and sentences as JSON, for checking while someone types.

    Numbers are decimal strings, an absent limit is null.  ``sentences`` hold ``{placeholders}``;
    a problem's code is ``<parameter>.<sentence>`` unless the sentence's key has a point itself.
    """
    return {
        "version": PARAMETERS_VERSION,
        "scales_version": SCALES_VERSION,
        "sentences": dict(SENTENCES),
        "parameters": {key: _client_limits(parameter) for key, parameter in PARAMETERS.items()},
        "cross": {
            "pulse_pressure_soft_below": plain_text(CROSS_CHECKS.pulse_pressure_soft_below),
            "pulse_pressure_soft_above": plain_text(CROSS_CHECKS.pulse_pressure_soft_above),
            "map_difference_soft_above": plain_text(CROSS_CHECKS.map_difference_soft_above),
            "jump_window_min": CROSS_CHECKS.jump_window_min,
            "fahrenheit_low": plain_text(CROSS_CHECKS.fahrenheit_low),
            "fahrenheit_high": plain_text(CROSS_CHECKS.fahrenheit_high),
        },
        "scales": {scale_id: _client_scale(SCALES[scale_id]) for scale_id in SEDATION_SCALES},
        "reasons": {reason.value: words for reason, words in _REASON_WORDS.items()},
    }


def _client_limits(parameter: Parameter) -> dict[str, Any]:
    limits: dict[str, Any] = {
        "label": parameter.label,
        "name": _name(parameter),
        "unit": parameter.unit_label,
        "kind": parameter.kind,
        "decimals": parameter.decimals,
        "minimum_set": parameter.minimum_set,
        "reasons": [reason.value for reason in parameter.reasons],
        "findings": [reason.value for reason in parameter.findings],
        "accepts": dict(parameter.accepts),
        "hard_range": _range(parameter, "hard"),
        "soft_range": _range(parameter, "soft"),
    }
    names = ("hard_below", "hard_above", "soft_below", "soft_above", "jump", "jump_fall", "step")
    for name in names:
        limit: Decimal | None = getattr(parameter, name)
        limits[name] = None if limit is None else plain_text(limit)
    return limits


def _client_scale(scale: Scale) -> dict[str, Any]:
    return {
        "label": scale.label,
        "direction": scale.direction,
        "codes": [
            {
                "code": answer.code,
                "short": answer.short,
                "label": answer.label,
                "grade": answer.grade,
                "asleep": answer.asleep,
            }
            for answer in scale.codes
        ],
    }
