"""Breaches: when a sign was outside a limit, from its first reading outside until it cleared.

A breach is calculated, every time, from the facts, the threshold set and the moment; so late
entries and corrections are simply right, and the bedside, the review and a replay agree (U-08).
One small state machine per rule walks over the readings of its sign in order of time.  This module
is the readable authority on what counts as a breach; anything faster has to agree with it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice
from uuid import UUID

from monitor import dosing
from monitor.episodes import Episode, RuleRun, Step
from monitor.lifecycle import EventKind
from monitor.limit_words import limit_words
from monitor.news2 import PARTS, missing_in, names_of, threes_of
from monitor.patient_limits import PatientLimits, holds, ready
from monitor.protocols import InfusionProtocol
from monitor.readings import Reading, SessionReadings, baseline, session_readings
from monitor.record import Fact, InfusionSession
from monitor.thresholds import LEVELS, SIGNS, Rule, ThresholdSet

__all__ = [
    "Breach",
    "Step",
    "baseline",
    "find_breaches",
    "rule_applies",
    "rules_end_at",
]

#: What a session without a known protocol scores dissociation on (clinical.md 5.6).
DEFAULT_DISSOCIATION_SCALE = "NRS0-10"

#: Where a session's streams keep which rules are for it, and which of them a reading may be outside.
_APPLY, _MAY_FIRE = "rules that apply", "rules that may fire"
#: Signs whose rules are always looked at: their readings are made where they are judged.
_NOT_STREAMS = frozenset({"side_effect", "news2"})

#: The kinds of facts that say whether the patient is gone.
_ENDED_BY = ("events", "dose_steps", "boluses", "amendments")

#: Which part of NEWS2 the signs with limits of their own are; of sedation only what is ACVPU.
_NEWS2_PARTS = {key: key for key in PARTS if key != "acvpu"} | {"sedation": "acvpu"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """One episode of one rule.

    ``level`` is ``"warning"`` or ``"critical"``: what it shows while it lasts, the highest
    confirmed one afterwards.  ``state`` is ``"pending"`` (waits for its repeat), ``"active"``,
    ``"resolved"`` or ``"unconfirmed"`` (a repeat was inside).  ``confirmed_level`` is the highest
    level ever confirmed, at ``confirmed_at``.  ``readings`` are the facts outside, ``trigger`` the
    first.  ``subject`` is the side effect it is about.  ``retrospective``: entered late, and a newer
    reading inside was already known (U-43).  ``threshold_text`` says how
    ``level`` was reached, with ``shown_value``, ``onset_text`` how it began.  ``steps`` is its whole
    course.  ``note`` is what else is to be said about it on its card.
    """

    rule_id: str
    group: str
    label: str
    parameter: str
    level: str
    state: str
    onset_at: datetime
    confirmed_at: datetime | None
    ended_at: datetime | None
    recheck_by: datetime | None
    trigger: Fact
    trigger_value: Decimal | None
    readings: tuple[Fact, ...]
    peak_value: Decimal | None
    peak_at: datetime
    baseline_value: Decimal | None
    threshold_text: str
    onset_text: str
    text: str
    source: str
    confirmed_level: str | None = None
    retrospective: bool = False
    confirmed_by_clock: bool = False
    subject: UUID | None = None
    steps: tuple[Step, ...] = ()
    order: int = 0
    recheck_from: datetime | None = None
    note: str = ""
    shown_value: Decimal | None = None

    @property
    def is_open(self) -> bool:
        """Whether it still lasts."""
        return self.ended_at is None


# -- which rules, which readings -------------------------------------------------------------------


def rule_applies(rule: Rule, session: InfusionSession, baselines: Mapping[str, Decimal]) -> bool:
    """Whether a row is for a session: its scales and its variant by baseline (U-17, U-46, U-52)."""
    if rule.spo2_scale is not None and rule.spo2_scale != session.spo2_scale:
        return False
    if rule.sedation_scales and session.sedation_scale not in rule.sedation_scales:
        return False
    if session.sedation_scale in rule.not_sedation_scales:
        return False
    value = _baseline_of(rule, baselines)
    measures = {} if value is None else {"baseline": value}
    if rule.only_when and not holds(ready(rule.only_when, None), measures):
        return False
    return not holds(ready(rule.not_when, None), measures)


def _baseline_of(rule: Rule, baselines: Mapping[str, Decimal]) -> Decimal | None:
    key = SIGNS[rule.sign].baseline
    return None if key is None else baselines.get(key, rule.baseline_if_none)


def rules_end_at(session: InfusionSession) -> datetime | None:
    """Discharge (or cancellation), after which no limit applies; None while there was none (U-67).

    A session that was reopened or dosed again afterwards goes on.
    """
    return session.derived("rules_end_at", _ENDED_BY, _rules_end_at)


def _rules_end_at(session: InfusionSession) -> datetime | None:
    events = session.current(session.events)
    ends = [
        event.taken_at
        for event in events
        if event.kind in (EventKind.DISCHARGED, EventKind.CANCELLED)
    ]
    if not ends:
        return None
    again = [event.taken_at for event in events if event.kind == EventKind.REOPENED]
    again += [
        step.taken_at for step in session.current(session.dose_steps) if step.rate_mg_per_h > 0
    ]
    again += [bolus.taken_at for bolus in session.current(session.boluses)]
    last = max(ends)
    return last if all(moment <= last for moment in again) else None


def find_breaches(
    session: InfusionSession,
    threshold_set: ThresholdSet,
    as_of: datetime,
    *,
    protocol: InfusionProtocol | None = None,
) -> tuple[Breach, ...]:
    """Every breach, in order of onset, as the record stood and the clock said at ``as_of``.

    Only facts saved by then count (design.md ruling 14).  With the ``protocol`` the limits of the
    dose really given are judged too (U-25), and its dissociation scale is read.
    """
    known = session.known_at(as_of)
    readings = session_readings(known, threshold_set.newest_within)
    frame = _Frame(known, threshold_set, as_of, rules_end_at(known), readings)
    scale = protocol.dissociation_scale if protocol else DEFAULT_DISSOCIATION_SCALE
    found = [breach for limits in frame.may_fire(scale) for breach in frame.breaches_of(limits)]
    if protocol is not None and known.started_at is not None:
        found += _dose_breaches(known, protocol, as_of, len(threshold_set.rules))
    return tuple(sorted(found, key=lambda breach: (breach.onset_at, breach.order)))


@dataclass(frozen=True, slots=True)
class _Frame:
    """One session at one moment: what every rule is judged in."""

    session: InfusionSession
    threshold_set: ThresholdSet
    as_of: datetime
    end_at: datetime | None
    readings: SessionReadings

    def rules(self, dissociation_scale: str) -> tuple[Rule, ...]:
        """The rows that are for this session, chosen once as long as its baseline is the same."""
        usual = self.readings.baseline
        about = (self.threshold_set, dissociation_scale, usual)
        known = self.readings.derived.get(_APPLY)
        # The set by identity: comparing two of them would compare every row.
        if known is None or known[0][0] is not about[0] or known[0][1:] != about[1:]:
            chosen = tuple(
                rule
                for rule in self.threshold_set.rules
                if (not rule.dissociation_scales or dissociation_scale in rule.dissociation_scales)
                and rule_applies(rule, self.session, usual)
            )
            known = self.readings.derived[_APPLY] = (about, chosen)
        rules: tuple[Rule, ...] = known[1]
        return rules

    def may_fire(self, dissociation_scale: str) -> tuple[PatientLimits, ...]:
        """The rows that a reading may be outside of, ready for this patient, in their order.

        Asked again only when a sign was read for the first time or a set widened its extremes.
        """
        rules, kept = self.rules(dissociation_scale), self.readings.derived
        signs = dict.fromkeys(rule.sign for rule in rules)
        read = {sign: bool(self.readings.of(sign)) for sign in signs if sign not in _NOT_STREAMS}
        extremes = {sign: self.readings.extremes(sign) for sign, is_read in read.items() if is_read}
        known = kept.get(_MAY_FIRE)
        if known is None or known[0] is not rules or known[1] != extremes:
            found = tuple(
                limits
                for limits in map(self._limits, rules)
                if limits.rule.sign in _NOT_STREAMS
                or (limits.rule.sign in extremes and limits.may_fire(extremes[limits.rule.sign]))
            )
            known = kept[_MAY_FIRE] = (rules, extremes, found)
        ready_limits: tuple[PatientLimits, ...] = known[2]
        return ready_limits

    def breaches_of(self, limits: PatientLimits) -> Iterator[Breach]:
        rule = limits.rule
        if rule.sign == "news2":
            # An incomplete score that is not outside says nothing: it neither clears nor refutes (U-48).
            scores = [
                score
                for score in self._scores()
                if score.measures["complete"] or limits.rank(score.measures)
            ]
            yield from self._judged(limits, scores, None)
            return
        if rule.sign != "side_effect":
            yield from self._judged(limits, self.readings.of(rule.sign), None)
            return
        for effect, course in self.readings.side_effects():
            if rule.terms and effect.term not in rule.terms:
                continue
            critical_term = Decimal(effect.term in rule.critical_terms)
            named = [_about(item, effect, critical_term) for item in course]
            yield from self._judged(limits, named, effect.id)

    def _scores(self) -> list[Reading]:
        """The NEWS2 of every set; ``single_three`` when a part scores 3 that has no limit of its own.

        Where it has one, its own alert says it already (clinical.md U-47).  A reading made once is
        kept: what goes on from it asks whether it is the same one.
        """
        usual = dict(self.readings.baseline)
        kept, key = self.readings.derived, ("news2", self.threshold_set.label)
        made: dict[Reading, Reading] = {}
        if key in kept and kept[key][0] == usual:
            made = kept[key][1]
        scores = self.readings.of("news2")
        made = {score: made.get(score) or self._with_single_three(score) for score in scores}
        kept[key] = (usual, made)
        return list(made.values())

    def _with_single_three(self, score: Reading) -> Reading:
        alone = any(not self._has_own_limit(part, score) for part in threes_of(score.measures))
        measures = score.measures | {"single_three": Decimal(alone)}
        return replace(score, measures=measures)

    def _has_own_limit(self, part: str, score: Reading) -> bool:
        """Whether a limit of the part's own sign is crossed in the same set."""
        return any(
            self._limits(rule).rank(reading.measures)
            for rule in self.threshold_set.rules
            if _NEWS2_PARTS.get(rule.sign) == part
            and rule_applies(rule, self.session, self.readings.baseline)
            for reading in self.readings.of(rule.sign)
            if not set(reading.facts).isdisjoint(score.facts)
        )

    def _limits(self, rule: Rule) -> PatientLimits:
        """The rule for this patient, made ready once as long as its baseline is the same."""
        baseline_value = _baseline_of(rule, self.readings.baseline)
        known: PatientLimits | None = self.readings.derived.get(rule.id)
        if known is None or known.rule is not rule or known.baseline != baseline_value:
            known = self.readings.derived[rule.id] = PatientLimits(rule, baseline_value)
        return known

    def _judged(
        self, limits: PatientLimits, readings: list[Reading], subject: UUID | None
    ) -> Iterator[Breach]:
        if not readings:
            return
        kept, key = self.readings.derived, (limits.rule.id, subject)
        course = _Course.of(limits, self._in_force(limits.rule, readings), kept.get(key))
        if course.is_outside:
            course = course.run_through(self.threshold_set)
            new = course.run.over[len(course.over) :]
            over = [*course.over, *(self._breach(limits, item, subject) for item in new)]
            course = replace(course, over=over)
            yield from over
            episodes = course.run.copy().finish(self.as_of, self._record_ends_at())
            for episode in islice(episodes, len(over), None):
                yield self._breach(limits, episode, subject)
        kept[key] = course

    def _in_force(self, rule: Rule, readings: list[Reading]) -> list[Reading]:
        """The readings from the first dose (or arrival) to discharge, both included (U-67)."""
        first, last = 0, len(readings)
        if not rule.from_arrival:
            started_at = self.session.started_at
            if started_at is None:
                return []
            first = bisect_left(readings, started_at, key=_time_of)
        if self.end_at is not None:
            last = bisect_right(readings, self.end_at, key=_time_of)
        return readings[first:last] if (first, last) != (0, len(readings)) else readings

    def _record_ends_at(self) -> datetime | None:
        """When a closed record ends: what still waits for its repeat is confirmed there (U-09)."""
        if self.end_at is not None:
            return self.end_at
        session = self.session
        closed = any(
            event.kind in (EventKind.COMPLETED, EventKind.SIGNED)
            for event in session.current(session.events)
        )
        times = [seen.taken_at for seen in session.current_observations]
        return max(times, default=None) if closed else None

    def _breach(self, limits: PatientLimits, episode: Episode, subject: UUID | None) -> Breach:
        rule, last = limits.rule, episode.steps[-1]
        top = max(step.confirmed for step in episode.steps)
        level = last.shown or top or max(step.shown for step in episode.steps)
        confirmed = next(step for step in episode.steps if step.confirmed == top) if top else None
        shown = episode.shown_at(level)
        words = self._words(limits, shown, level)
        first, peak = episode.outside[0][0], _peak(limits, episode)
        facts = (fact for reading, _ in episode.outside for fact in reading.facts)
        return Breach(
            rule_id=rule.id,
            group=rule.group,
            label=rule.label,
            parameter=rule.parameter,
            level=LEVELS[level - 1],
            state=_state(last, top),
            onset_at=first.at,
            confirmed_at=confirmed.at if confirmed else None,
            ended_at=last.at if episode.is_over else None,
            recheck_from=episode.recheck_from,
            recheck_by=episode.recheck_by,
            trigger=first.facts[0],
            trigger_value=first.value,
            readings=tuple(dict.fromkeys(facts)),
            peak_value=peak.value,
            peak_at=peak.at,
            baseline_value=limits.baseline,
            threshold_text=words,
            onset_text=self._words(limits, first, episode.steps[0].shown),
            text=f"{rule.label}: {words}",
            source=rule.source,
            confirmed_level=LEVELS[top - 1] if top else None,
            retrospective=episode.is_over and not episode.live,
            confirmed_by_clock=confirmed is not None and confirmed.by_clock,
            subject=subject,
            steps=tuple(episode.steps),
            order=rule.order,
            note=self._note(rule, shown),
            shown_value=shown.value,
        )

    def _note(self, rule: Rule, shown: Reading) -> str:
        """What NEWS2 adds: which parts are missing, on the card of a sign that it scores 3 alone (U-47)."""
        if not self.threshold_set.has_news2:
            return ""
        if rule.sign == "news2":
            missing = missing_in(shown.measures)
            return f"Missing in this set: {names_of(missing)}" if missing else ""
        part = _NEWS2_PARTS.get(rule.sign)
        for score in self.readings.of("news2"):
            if (
                part is not None
                and part in threes_of(score.measures)
                and score.set_id == shown.set_id
                # A sedation score is a part of NEWS2 only where it is the ACVPU itself.
                and not set(shown.facts).isdisjoint(score.facts)
            ):
                return f"NEWS2: 3 for {PARTS[part].name} alone"
        return ""

    def _words(self, limits: PatientLimits, shown: Reading, level: int) -> str:
        clause = limits.clause_of(level, shown.measures)
        return limit_words(limits.rule, clause, shown, limits.baseline, self.session.sedation_scale)


#: What a run takes of a reading: the reading with its rank, whether it decides, whether overtaken.
_Taken = tuple[tuple[Reading, int], bool, bool]


@dataclass(frozen=True, slots=True)
class _Course:
    """What one rule made of the readings so far, kept so that a new set is one step and not all.

    Each part follows from the readings in their order alone.  So when there are more of them and
    the first ones are the same objects, what followed from those is still right; when they are
    not, because something was entered late or amended, everything is worked out anew.

    ``asked`` are the readings the rule looks at with their ranks, ``taken`` what the run was given,
    ``over`` the breaches that ended.
    """

    limits: PatientLimits
    readings: list[Reading]
    asked: list[tuple[Reading, int]]
    is_outside: bool
    taken: list[_Taken]
    run: RuleRun
    over: list[Breach]

    @classmethod
    def of(cls, limits: PatientLimits, readings: list[Reading], known: _Course | None) -> _Course:
        """The readings ranked; ``run`` is still where it was."""
        if (
            known is None
            or known.limits is not limits
            or readings[: len(known.readings)] != known.readings
        ):
            known = cls(limits, [], [], False, [], RuleRun(limits), [])
        new = [
            (reading, limits.rank(reading.measures))
            for reading in readings[len(known.readings) :]
            if limits.asks_about(reading)
        ]
        is_outside = known.is_outside or any(rank for _, rank in new)
        asked = [*known.asked, *new] if new else known.asked
        return cls(limits, readings, asked, is_outside, known.taken, known.run, known.over)

    def run_through(self, threshold_set: ThresholdSet) -> _Course:
        """The same with the run at its last reading."""
        contradicted = _contradicted(self.limits, self.asked, threshold_set.conflict_within)
        overtaken = _overtaken(self.asked, contradicted, threshold_set.late_after)
        taken = [
            (item, index not in contradicted, index in overtaken)
            for index, item in enumerate(self.asked)
        ]
        done = len(self.taken)
        goes_on = taken[:done] == self.taken
        run = self.run.copy() if goes_on else RuleRun(self.limits)
        for (reading, rank), decides, late in taken[done if goes_on else 0 :]:
            run.take(reading, rank, decides=decides, overtaken=late)
        return replace(self, taken=taken, run=run, over=self.over if goes_on else [])


def _state(last: Step, top: int) -> str:
    if last.shown:
        return "pending" if last.shown > last.confirmed else "active"
    return "resolved" if top else "unconfirmed"


def _peak(limits: PatientLimits, episode: Episode) -> Reading:
    """The reading furthest outside, the first of equal ones (U-72)."""
    return max(
        (reading for reading, _ in episode.outside),
        key=lambda reading: (reading.value is not None, limits.excess(reading.measures)),
    )


def _time_of(reading: Reading) -> datetime:
    return reading.at


def _about(reading: Reading, effect: Fact, critical_term: Decimal) -> Reading:
    """A step in the course of a side effect, with the side effect itself as its last fact."""
    facts = reading.facts if effect in reading.facts else (*reading.facts, effect)
    measures = dict(reading.measures)
    if "grade" in measures:
        measures["critical_term"] = critical_term
    return Reading(reading.at, reading.known_at, None, measures.get("grade"), measures, facts)


def _contradicted(
    limits: PatientLimits, asked: list[tuple[Reading, int]], within: timedelta
) -> frozenset[int]:
    """Indexes of readings beside which a worse one of another entry stands (ruling 20, U-73).

    They stay in the record and may be outside, but they neither clear nor refute anything.
    """
    found: set[int] = set()
    for index, (reading, _) in enumerate(asked):
        for other in range(index + 1, len(asked)):
            neighbour = asked[other][0]
            if neighbour.at - reading.at >= within:
                break
            same_entry = reading.set_id is not None and neighbour.set_id == reading.set_id
            if same_entry and neighbour.at != reading.at:
                continue
            if reading.measures.keys().isdisjoint(neighbour.measures):
                continue  # a number and a finding are two things, not two values of one
            one, two = limits.badness(*asked[index]), limits.badness(*asked[other])
            if one != two:
                found.add(index if one < two else other)
    return frozenset(found)


def _overtaken(
    asked: list[tuple[Reading, int]], contradicted: frozenset[int], late_after: timedelta
) -> frozenset[int]:
    """Indexes of readings outside, entered late, when a newer one inside was already known (U-43)."""
    late = [
        index
        for index, (reading, rank) in enumerate(asked)
        if rank and reading.known_at - reading.at > late_after
    ]
    if not late:
        return frozenset()
    inside = [
        reading
        for index, (reading, rank) in enumerate(asked)
        if not rank and reading.measures and index not in contradicted
    ]
    return frozenset(
        index
        for index in late
        if any(
            newer.at > asked[index][0].at and newer.known_at <= asked[index][0].known_at
            for newer in inside
        )
    )


# -- the dose really given ---------------------------------------------------------------------------


def _dose_breaches(
    session: InfusionSession, protocol: InfusionProtocol, as_of: datetime, order: int
) -> Iterator[Breach]:
    """Limits of total dose and duration that were really passed (U-25): they never clear."""
    by_group: dict[str, list[dosing.DoseCrossing]] = {}
    for crossing in dosing.dose_limit_crossings(session, protocol, as_of):
        group = "dose_duration" if crossing.code.startswith("duration") else "dose_total"
        by_group.setdefault(group, []).append(crossing)
    doses: list[Fact] = [*session.current(session.dose_steps), *session.current(session.boluses)]
    doses.sort(key=lambda fact: fact.order)
    for group, crossings in by_group.items():
        steps: list[Step] = []
        for crossing in crossings:
            level = LEVELS.index(crossing.level) + 1
            behind = [fact for fact in doses if fact.taken_at <= crossing.crossed_at]
            known_at = max([crossing.crossed_at, *(fact.recorded_at for fact in behind)])
            if not steps or level > steps[-1].shown:
                steps.append(Step(crossing.crossed_at, known_at, level, level))
        worst = next(item for item in crossings if item.level == LEVELS[steps[-1].shown - 1])
        first = crossings[0]
        before = [fact for fact in doses if fact.taken_at <= first.crossed_at]
        trigger = before[-1]
        yield Breach(
            rule_id=worst.code,
            group=group,
            label="Dose limit passed",
            parameter="dose",
            level=worst.level,
            state="active",
            onset_at=first.crossed_at,
            confirmed_at=worst.crossed_at,
            ended_at=None,
            recheck_by=None,
            trigger=trigger,
            trigger_value=None,
            readings=tuple(before),
            peak_value=None,
            peak_at=worst.crossed_at,
            baseline_value=None,
            threshold_text=worst.text.removesuffix("."),
            onset_text=first.text.removesuffix("."),
            text=worst.text,
            source=protocol.source,
            confirmed_level=worst.level,
            steps=tuple(steps),
            order=order,
        )
