"""Why an alert is there and what became of it, in words: the same at the bedside and in the review.

Every alert shows its readings, value and limit, rule and version, baseline, the source of the limit
and its history (features F80): who doubts a flag finds here what made it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta, tzinfo
from gettext import gettext as _
from itertools import groupby
from typing import NamedTuple

from monitor.alerts import MONITOR, AlertEvent, AlertEventKind, AlertView
from monitor.escalation import CALLED
from monitor.limit_words import expression_words, plain
from monitor.parameters import PARAMETERS
from monitor.record import Bolus, DoseStep, Fact, InfusionSession, Observation, SideEffect
from monitor.side_effects import term_text
from monitor.thresholds import Confirm, Level, Rule, ThresholdSet
from monitor.timeline import clock, limit_text, number_text, value_text

#: What is told of each thing that can happen to an alert; at one moment in this order.
_HISTORY = {
    AlertEventKind.CONFIRMED: _("confirmed"),
    AlertEventKind.UNCONFIRMED: _("not confirmed by the repeat"),
    AlertEventKind.LEVEL_UP: _("went up"),
    AlertEventKind.STEPPED_DOWN: _("stepped down"),
    AlertEventKind.REFIRED: _("fired again"),
    AlertEventKind.ESCALATED: _("escalated"),
    AlertEventKind.SUPPRESSED: _("suppressed"),
    AlertEventKind.ACKNOWLEDGED: _("answered"),
    AlertEventKind.CLEARED: _("cleared"),
    AlertEventKind.RESOLVED: _("resolved"),
    AlertEventKind.CLOSED: _("closed"),
    AlertEventKind.INVALIDATED: _("its value was amended"),
}
_ORDER = {kind: place for place, kind in enumerate(_HISTORY)}


class Reason(NamedTuple):
    """One line of the explanation: what it is about, and what is to be said of it."""

    about: str
    text: str


def explanation(
    view: AlertView,
    events: Iterable[AlertEvent],
    session: InfusionSession,
    threshold_set: ThresholdSet,
    zone: tzinfo,
    names: Mapping[str, str],
) -> tuple[Reason, ...]:
    """Everything an alert rests on.  ``events`` may be those of the whole session."""
    rule = next((item for item in threshold_set.rules if item.id == view.rule_ids[0]), None)
    baseline = view.alert.baseline_value
    said = [
        Reason(_("Readings"), readings_text(view, session, zone)),
        Reason(_("Beyond the limit"), limit_text(view.text)),
    ]
    if rule is not None:
        said += [
            Reason(_("Limit"), _rule_words(rule)),
            Reason(_("Rule"), f"{rule.label} ({rule.id}), {threshold_set.label}"),
        ]
    else:
        said.append(Reason(_("Rule"), view.rule_ids[0]))
    said += [
        Reason(_("Baseline"), _("none") if baseline is None else plain(baseline, 1)),
        Reason(_("Source of the limit"), view.source or (rule.source if rule else "")),
        Reason(_("What happened"), "; ".join(alert_history(view, events, zone, names))),
    ]
    return tuple(reason for reason in said if reason.text)


# -- the readings ------------------------------------------------------------------------------------


def readings_text(view: AlertView, session: InfusionSession, zone: tzinfo) -> str:
    """The exact readings outside, oldest first: ``13:21 SBP 172 mmHg, DBP 104 mmHg; 13:24 ...``.

    Of an alert whose readings were all amended, the one it was raised for and what became of it.
    """
    facts = sorted(view.readings, key=lambda fact: fact.order)
    if not facts:
        return _amended_text(view, session, zone)
    told = []
    for at, together in groupby(facts, key=lambda fact: clock(fact.taken_at, zone)):
        words = dict.fromkeys(_reading_words(fact) for fact in together)
        told.append(f"{at} {', '.join(words)}")
    return "; ".join(told)


def _amended_text(view: AlertView, session: InfusionSession, zone: tzinfo) -> str:
    trigger = session.fact(view.alert.trigger_id)
    if trigger is None:
        return ""
    words = f"{clock(trigger.taken_at, zone)} {_reading_words(trigger)}"
    amendment = next((item for item in session.amendments if item.amends == trigger.id), None)
    if amendment is None:
        return words
    replacement = session.fact(amendment.replacement) if amendment.replacement else None
    became = _("struck out")
    if isinstance(replacement, Observation):
        became = _("amended to {value}").format(value=value_text(replacement))
    return f"{words}, {became} ({amendment.reason})"


def _reading_words(fact: Fact) -> str:
    if isinstance(fact, Observation):
        return f"{PARAMETERS[fact.parameter].short} {value_text(fact)}"
    if isinstance(fact, SideEffect):
        return _("{term}, grade {grade}").format(term=term_text(fact.term), grade=fact.grade)
    if isinstance(fact, DoseStep):
        return _("rate {value} {unit}").format(
            value=number_text(fact.entered_value), unit=fact.entered_unit.value
        )
    if isinstance(fact, Bolus):
        return _("bolus {value} mg").format(value=number_text(fact.amount_mg))
    return _("entry")


# -- the limit ---------------------------------------------------------------------------------------


def _rule_words(rule: Rule) -> str:
    """Both levels of a row, when they fire and end: ``warning SBP ≥ 160, repeat 1:00 to 5:00 ...``."""
    return "; ".join(_level_words(rule, level) for level in rule.levels)


def _level_words(rule: Rule, level: Level) -> str:
    told = [f"{level.name} {expression_words(level.fires, rule.sign)}"]
    if level.counts_when:
        told.append(
            _("counts only when {what}").format(what=expression_words(level.counts_when, rule.sign))
        )
    told.append(_confirm_words(level.confirm))
    if level.at_once:
        told.append(
            _("at once when {what}").format(what=expression_words(level.at_once, rule.sign))
        )
    if level.clears:
        told.append(_("ends {what}").format(what=expression_words(level.clears, rule.sign)))
    return ", ".join(told)


def _confirm_words(confirm: Confirm | None) -> str:
    if confirm is None:
        return _("one reading is enough")
    until = _minutes(confirm.until)
    if not confirm.by_reading:
        return _("confirmed after {until}").format(until=until)
    return _("repeat {begin} to {until}").format(begin=_minutes(confirm.after), until=until)


def _minutes(time: timedelta) -> str:
    seconds = int(time.total_seconds())
    return f"{seconds // 60}:{seconds % 60:02}"


# -- the history -------------------------------------------------------------------------------------


def alert_history(
    view: AlertView, events: Iterable[AlertEvent], zone: tzinfo, names: Mapping[str, str]
) -> Iterator[str]:
    """What happened to an alert, one thing after the other, with who did it and when."""
    yield _("raised {time}").format(time=clock(view.alert.detected_at, zone))
    mine = (event for event in events if event.alert_id == view.alert.id)
    for event in sorted(mine, key=_moment):
        yield _happened(event, zone, names, is_clock=view.is_clock)


def _moment(event: AlertEvent) -> tuple[datetime, int, int]:
    return event.at, _ORDER[event.kind], event.step


def _happened(event: AlertEvent, zone: tzinfo, names: Mapping[str, str], *, is_clock: bool) -> str:
    happened = _HISTORY[event.kind]
    if is_clock and event.kind is AlertEventKind.INVALIDATED:
        happened = _("a set that was in time was entered")
    text = f"{happened} {clock(event.at, zone)}"
    if event.by == MONITOR and event.text:
        code, *late = event.text.split("; ")
        text += f" ({'; '.join([CALLED.get(code, code), *late])})"
    if event.kind in (AlertEventKind.ACKNOWLEDGED, AlertEventKind.SUPPRESSED):
        said = ": ".join(part for part in (event.action, event.text) if part)
        text += f" by {names.get(event.by or '', event.by)}" + (f" ({said})" if said else "")
    return text
