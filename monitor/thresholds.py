"""Threshold sets: the limits a session is judged by, as data, each row with its source.

A row says in words a clinician can read when a reading is outside (``fires``) and when an alert ends
(``clears``).  This module reads the rows and refuses what it does not understand: a limit that can
never fire because of a slip in it would look like safety.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from functools import cached_property
from types import MappingProxyType
from typing import Any

from monitor.device_limits import DeviceLimits, parse_device_limits

LEVELS = ("warning", "critical")

_Compare = Callable[[Decimal, Decimal], bool]

OPERATORS: Mapping[str, _Compare] = MappingProxyType(
    {
        ">=": operator.ge,
        ">": operator.gt,
        "<=": operator.le,
        "<": operator.lt,
        "=": operator.eq,
    }
)
_YES_NO = {"yes": Decimal(1), "no": Decimal(0)}

#: Measures that compare a reading with the patient's baseline, in its unit or in percent of it.
RELATIVE = ("rise", "rise_percent", "fall", "fall_percent")


@dataclass(frozen=True, slots=True)
class Sign:
    """A stream of readings a rule can look at: the parameters it is made of, what it measures.

    ``baseline`` is the key of the baseline its relative measures compare with.
    """

    parameters: tuple[str, ...]
    measures: tuple[str, ...]
    baseline: str | None = None


def _vital(key: str, *extra: str) -> Sign:
    return Sign((key,), ("value", *RELATIVE, *extra), key)


#: Every sign and what may be said about it; readings.py builds exactly these.
SIGNS: Mapping[str, Sign] = MappingProxyType(
    {
        "hr": _vital("hr"),
        "sbp": _vital("sbp", "sbp", "dbp"),
        "dbp": _vital("dbp", "sbp", "dbp"),
        "bp": Sign(("sbp", "dbp"), ("value", "unrecordable")),
        "map": Sign(("map", "sbp", "dbp"), ("value", *RELATIVE), "map"),
        "spo2": _vital("spo2", "no_trace", "sedation_grade", "rr", "o2_flow"),
        "o2_flow": _vital("o2_flow"),
        "rr": _vital("rr"),
        "etco2": _vital("etco2", "no_trace"),
        "temp": _vital("temp"),
        "sedation": Sign(("sedation", "asleep", "roused_to_voice"), ("grade", "code")),
        "dissociation": Sign(
            ("dissociation", "distress", "unresponsive", "unsafe_behaviour"),
            (
                "value",
                "distress",
                "unresponsive",
                "unsafe_behaviour",
                "last_distress",
                "last_unresponsive",
                "last_unsafe_behaviour",
            ),
        ),
        "nausea": Sign(
            ("nausea", "vomited"), ("value", "vomited", "sedation_grade", "sedation_known")
        ),
        "pain": _vital("pain"),
        "symptoms": Sign(
            ("chest_pain", "neuro_deficit", "dyspnoea", "severe_headache", "visual_change"),
            (
                "chest_pain",
                "neuro_deficit",
                "dyspnoea",
                "severe_headache",
                "visual_change",
                "sbp",
                "dbp",
                "bp_known",
            ),
        ),
        "side_effect": Sign((), ("grade", "critical_term", "ended")),
        "news2": Sign(
            ("rr", "spo2", "o2_flow", "sbp", "hr", "acvpu", "temp"),
            ("value", "complete", "any_three", "single_three"),
        ),
    }
)

#: Signs that are about no one parameter: an alert of theirs is called by the sign itself.
_WHOLE_SIGNS = ("side_effect", "news2")


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison, for example ``value >= 160``; strict or not as its operator says."""

    measure: str
    operator: str
    limit: Decimal

    def holds(self, value: Decimal) -> bool:
        """Whether the comparison holds; exact, at the edge as written."""
        return OPERATORS[self.operator](value, self.limit)

    def __str__(self) -> str:
        return f"{self.measure} {self.operator} {self.limit}"


#: Conditions that must hold together, and alternatives of them.
Clause = tuple[Condition, ...]
Expression = tuple[Clause, ...]


def parse_expression(text: str) -> Expression:
    """``"rise >= 40 or rise_percent >= 30"`` as alternatives of conditions that hold together.

    Raises:
        ValueError: naming the part that is not a comparison.
    """
    return tuple(
        tuple(_condition(part) for part in clause.split(" and ")) for clause in text.split(" or ")
    )


def _condition(text: str) -> Condition:
    words = text.split()
    if len(words) != 3 or words[1] not in OPERATORS:
        raise ValueError(f"“{text.strip()}” is not a comparison such as “value >= 160”")
    measure, comparison, limit = words
    if (comparison == "=") != (limit in _YES_NO):
        raise ValueError(f"“{text.strip()}”: “=” goes with yes and no, a number with >= > <= <")
    try:
        number = _YES_NO[limit] if limit in _YES_NO else Decimal(limit)
    except InvalidOperation:
        raise ValueError(f"“{limit}” in “{text.strip()}” is not a number, yes or no") from None
    if not number.is_finite():
        raise ValueError(f"“{limit}” in “{text.strip()}” is not a finite number")
    return Condition(measure, comparison, number)


@dataclass(frozen=True, slots=True)
class Confirm:
    """When a first reading outside is confirmed (clinical.md U-06).

    A reading taken ``after`` to ``until`` later decides (both inclusive); without one the clock
    confirms at ``until``.  ``by_reading`` False: another reading outside does not confirm earlier.
    """

    after: timedelta
    until: timedelta
    by_reading: bool = True


@dataclass(frozen=True, slots=True)
class Level:
    """One level of a rule: when it fires, when it ends, and how it is confirmed.

    ``confirm`` None means that a single reading is enough.  ``at_once`` confirms whatever
    ``confirm`` says.  ``counts_when`` must hold in the same reading besides (U-19, U-20).
    ``pending_as`` is the level shown while it is not confirmed.
    """

    name: str
    fires: Expression
    clears: Expression
    confirm: Confirm | None = None
    at_once: Expression = ()
    counts_when: Expression = ()
    pending_as: str = ""
    may_suppress: bool = True

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """Everything this level asks about a reading."""
        return (self.fires, self.clears, self.at_once, self.counts_when)


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of a threshold set.  ``order`` is its place in the table and breaks ties (U-13).

    ``only_when`` and ``not_when`` look at the baseline alone and are decided once per session.
    ``spo2_scale``, ``sedation_scales`` ... restrict the row to sessions that use these scales.
    ``from_arrival`` rules also judge readings before the first dose (U-67).  ``clear_times``
    readings inside, ``clear_apart`` apart, are needed to end a level (U-51).
    """

    id: str
    group: str
    label: str
    sign: str
    source: str
    order: int
    warning: Level | None
    critical: Level | None
    only_when: Expression = ()
    not_when: Expression = ()
    spo2_scale: int | None = None
    sedation_scales: tuple[str, ...] = ()
    not_sedation_scales: tuple[str, ...] = ()
    dissociation_scales: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    critical_terms: tuple[str, ...] = ()
    baseline_if_none: Decimal | None = None
    from_arrival: bool = False
    escalates: bool = True
    shortens_schedule: bool = True
    clear_times: int = 1
    clear_apart: timedelta = timedelta(0)

    @property
    def levels(self) -> tuple[Level, ...]:
        """Its levels, the milder first."""
        return tuple(level for level in (self.warning, self.critical) if level)

    def level(self, name: str) -> Level | None:
        """The level ``"warning"`` or ``"critical"``, or None when the row has none."""
        return self.warning if name == "warning" else self.critical

    @property
    def parameters(self) -> tuple[str, ...]:
        """Keys of the parameters its readings are made of; the one it is named by first."""
        return SIGNS[self.sign].parameters

    @property
    def parameter(self) -> str:
        """The parameter an alert of this rule is about."""
        return self.sign if self.sign in _WHOLE_SIGNS else self.parameters[0]


@dataclass(frozen=True, slots=True)
class AlertPolicy:
    """What happens to an alert with time (clinical.md 7.2, U-31, U-60, U-61, U-65)."""

    refire_after: timedelta
    escalate_critical_after: tuple[timedelta, ...]
    escalate_warning_after: timedelta
    suppress_critical_at_most: timedelta
    suppress_warning_at_most: timedelta
    increase_waits_after_warning: timedelta
    source: str


@dataclass(frozen=True)
class ThresholdSet:
    """One version of the limits.  Never edited; a session keeps the version it started under.

    ``newest_within`` is how old a value of another set may be to count beside a symptom (U-02,
    U-54); different values of one sign closer than ``conflict_within`` contradict each other, and
    the worse counts until a person chooses (design.md ruling 20); saved more than ``late_after``
    after it was taken, a reading was entered late (U-42, U-43).  ``device`` is how device series
    are judged, None in a version from before there were any.
    """

    code: str
    version: int
    name: str
    source: str
    rules: tuple[Rule, ...]
    policy: AlertPolicy
    newest_within: timedelta
    conflict_within: timedelta
    late_after: timedelta
    device: DeviceLimits | None = None

    @property
    def label(self) -> str:
        """How people call it: code and version."""
        return f"{self.code} v{self.version}"

    @property
    def has_news2(self) -> bool:
        """Whether NEWS2 is used: a clinic switches it on by choosing limits that have a row for it."""
        return any(rule.sign == "news2" for rule in self.rules)

    @cached_property
    def _by_id(self) -> Mapping[str, Rule]:
        return {rule.id: rule for rule in self.rules}

    def rule(self, rule_id: str) -> Rule:
        """The row with this id.

        Raises:
            KeyError: there is none.
        """
        return self._by_id[rule_id]


def parse_threshold_set(content: Mapping[str, Any]) -> ThresholdSet:
    """A threshold set from its TOML or canonical JSON content.

    Raises:
        ValueError: naming the row and what is wrong with it.
        KeyError: something that every set or row must have is missing.
    """
    confirms = parse_confirms(content)
    rules = tuple(parse_rule(row, order, confirms) for order, row in enumerate(content["rule"]))
    ids = [rule.id for rule in rules]
    if len(set(ids)) != len(ids):
        raise ValueError("two rows have the same id")
    return ThresholdSet(
        code=content["code"],
        version=content["version"],
        name=content["name"],
        source=content["source"],
        rules=rules,
        policy=_policy(content["alerts"]),
        newest_within=_seconds(content["readings"]["newest_within_s"]),
        conflict_within=_seconds(content["readings"]["conflict_within_s"]),
        late_after=_seconds(content["readings"]["late_after_s"]),
        device=_device(content["device"]) if "device" in content else None,
    )


def parse_confirms(content: Mapping[str, Any]) -> dict[str, Confirm]:
    """The ways to confirm that the rows of a set name, by name.

    Raises:
        ValueError: one whose end lies before its begin.
    """
    return {name: _confirm(row) for name, row in content["confirm"].items()}


def _device(content: Mapping[str, Any]) -> DeviceLimits:
    limits = parse_device_limits(content)
    for name in limits.signs:
        if name not in SIGNS or "value" not in SIGNS[name].measures:
            raise ValueError(f"device: no device says “{name}” as a number")
    return limits


def _seconds(number: int) -> timedelta:
    return timedelta(seconds=number)


def _confirm(row: Mapping[str, Any]) -> Confirm:
    confirm = Confirm(
        after=_seconds(row["from_s"]),
        until=_seconds(row["until_s"]),
        by_reading=row.get("by_reading", True),
    )
    if not timedelta(0) <= confirm.after <= confirm.until:
        raise ValueError("confirm: from_s must not be later than until_s")
    return confirm


def _policy(row: Mapping[str, Any]) -> AlertPolicy:
    return AlertPolicy(
        refire_after=_seconds(row["refire_after_s"]),
        escalate_critical_after=tuple(_seconds(step) for step in row["escalate_critical_after_s"]),
        escalate_warning_after=_seconds(row["escalate_warning_after_s"]),
        suppress_critical_at_most=_seconds(row["suppress_critical_at_most_s"]),
        suppress_warning_at_most=_seconds(row["suppress_warning_at_most_s"]),
        increase_waits_after_warning=_seconds(row["increase_waits_after_warning_s"]),
        source=row["source"],
    )


_RULE_KEYS = frozenset(Rule.__dataclass_fields__) - {"order", "clear_apart"} | {
    "clear_apart_s",
    "may_suppress",
}
_LEVEL_KEYS = frozenset(Level.__dataclass_fields__) - {"name"}


def parse_rule(row: Mapping[str, Any], order: int, confirms: Mapping[str, Confirm]) -> Rule:
    """One row of a set, at its place in the table.

    Raises:
        ValueError: naming the row and what is wrong with it.
    """
    try:
        return _checked_rule(row, order, confirms)
    except ValueError as error:
        raise ValueError(f"row {row.get('id', order + 1)}: {error}") from None


def _checked_rule(row: Mapping[str, Any], order: int, confirms: Mapping[str, Confirm]) -> Rule:
    _no_others(row, _RULE_KEYS)
    if row["sign"] not in SIGNS:
        raise ValueError(f"there is no sign “{row['sign']}”; known: {', '.join(SIGNS)}")
    if not row["source"].strip():
        raise ValueError("every limit needs its source")
    levels = {
        name: _level(name, row[name], row, confirms) if name in row else None for name in LEVELS
    }
    if not any(levels.values()):
        raise ValueError("it has neither a warning nor a critical level")
    if_none = row.get("baseline_if_none")
    return Rule(
        id=row["id"],
        group=row["group"],
        label=row["label"],
        sign=row["sign"],
        source=row["source"],
        order=order,
        warning=levels["warning"],
        critical=levels["critical"],
        only_when=_expression(row.get("only_when"), ("baseline",)),
        not_when=_expression(row.get("not_when"), ("baseline",)),
        spo2_scale=row.get("spo2_scale"),
        sedation_scales=tuple(row.get("sedation_scales", ())),
        not_sedation_scales=tuple(row.get("not_sedation_scales", ())),
        dissociation_scales=tuple(row.get("dissociation_scales", ())),
        terms=tuple(row.get("terms", ())),
        critical_terms=tuple(row.get("critical_terms", ())),
        baseline_if_none=None if if_none is None else Decimal(if_none),
        from_arrival=row.get("from_arrival", False),
        escalates=row.get("escalates", True),
        shortens_schedule=row.get("shortens_schedule", True),
        clear_times=row.get("clear_times", 1),
        clear_apart=_seconds(row.get("clear_apart_s", 0)),
    )


def _no_others(row: Mapping[str, Any], known: frozenset[str]) -> None:
    unknown = sorted(set(row) - known)
    if unknown:
        raise ValueError(f"“{unknown[0]}” is not understood")


def _expression(text: str | None, measures: tuple[str, ...]) -> Expression:
    if text is None:
        return ()
    expression = parse_expression(text)
    for clause in expression:
        for condition in clause:
            if condition.measure not in measures:
                raise ValueError(f"“{condition.measure}” is not one of: {', '.join(measures)}")
    return expression


def _level(
    name: str, row: Mapping[str, Any], rule: Mapping[str, Any], confirms: Mapping[str, Confirm]
) -> Level:
    _no_others(row, _LEVEL_KEYS)
    if row["confirm"] != "single" and row["confirm"] not in confirms:
        raise ValueError(f"there is no [confirm] row “{row['confirm']}”")
    measures = SIGNS[rule["sign"]].measures
    level = Level(
        name=name,
        fires=_expression(row["fires"], measures),
        clears=_expression(row["clears"], measures),
        confirm=confirms.get(row["confirm"]),
        at_once=_expression(row.get("at_once"), measures),
        counts_when=_expression(row.get("counts_when"), measures),
        pending_as=row.get("pending_as", name),
        may_suppress=row.get("may_suppress", rule.get("may_suppress", True)),
    )
    if level.at_once and name != "critical":
        raise ValueError("at_once belongs to the critical level")
    if level.pending_as not in LEVELS:
        raise ValueError(f"pending_as is one of: {', '.join(LEVELS)}")
    _check_apart(level)
    return level


def _check_apart(level: Level) -> None:
    """Refuse a clear value beyond the limit: it would end alerts that are still outside."""
    for clause in level.fires:
        for condition in clause:
            alone = [c for clear in level.clears for c in clear if c.measure == condition.measure]
            if len(clause) == 1 and len(level.clears) == 1 and len(alone) == 1:
                clear = alone[0]
                if clear.holds(condition.limit) and condition.holds(condition.limit):
                    raise ValueError(f"“{clear}” would clear while “{condition}” holds")
