"""The sentences about what was typed, shared word for word with the bedside component."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

from monitor.errors import Problem
from monitor.numbers import plain_text
from monitor.parameters import Parameter
from monitor.record import NotTaken

#: The code of the question about a time after the end of a session.
AFTER_END = "taken_at.after_end"

SENTENCES: Mapping[str, str] = MappingProxyType(
    {
        "hard_below": "{name} of {value} is not possible ({range}). Check the number.",
        "hard_above": "{name} of {value} is not possible ({range}). Check the number.",
        "soft_below": "{name} of {value} is unusual (usually {range}). Is it right?",
        "soft_above": "{name} of {value} is unusual (usually {range}). Is it right?",
        "decimals_0": "{name} is a whole number, not {value}. Check the number.",
        "decimals_1": "{name} has one decimal place, not {value}. Check the number.",
        "step": "{name} is read in steps of {step}, not {value}. Check the number.",
        "jump": "{name} of {value} is {change} {direction} than {previous}, {minutes} min before. "
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

REASON_WORDS: Mapping[NotTaken, str] = MappingProxyType(
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


def name_of(parameter: Parameter) -> str:
    """Vital signs are called by their short name, as on the screen."""
    return parameter.short if parameter.kind == "vital" else parameter.label


def parameter_problem(parameter: Parameter, sentence: str, **words: str) -> Problem:
    kind = "soft" if sentence in ("soft_below", "soft_above", "jump") else "hard"
    return problem_of(parameter.key, sentence, kind, name=name_of(parameter), **words)


def problem_of(field: str, sentence: str, kind: str = "hard", **words: str) -> Problem:
    """A problem in the shared words; its code is ``<field>.<sentence>``."""
    code = sentence if "." in sentence else f"{field}.{sentence}"
    return Problem(field, SENTENCES[sentence].format(**words), kind, code)


def range_of(parameter: Parameter, which: str) -> str:
    """``30 to 100 %``, ``85 % or more``, ``15 L/min or less``."""
    low = getattr(parameter, f"{which}_below")
    high = getattr(parameter, f"{which}_above")
    unit = f" {parameter.unit_label}" if parameter.unit_label else ""
    if low is not None and high is not None:
        return f"{plain_text(low)} to {plain_text(high)}{unit}"
    if low is not None:
        return f"{plain_text(low)}{unit} or more"
    return f"{plain_text(high)}{unit} or less" if high is not None else ""


def minutes_of(span: timedelta) -> str:
    return str(int(span.total_seconds() // 60))
