"""What if a limit were another: how many flags there would have been, and in which sessions.

Reads the packed readings of closed sessions, one sign at a time, and judges them in vectors
(monitor/series); a rule that is not judged exactly there is refused, never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from monitor.errors import InvalidEntry, Problem
from monitor.limit_set_check import limit_set_problems
from monitor.reading_packs import ReadingPack, pack_columns
from monitor.series import NEVER, History, can_judge, find_history_breaches
from monitor.store import Store
from monitor.thresholds import LEVELS, Rule, ThresholdSet, parse_threshold_set

#: Sessions between two signs of life.
_EVERY = 2000

#: Called with how many sessions were read and how many there are.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Flags:
    """The confirmed flags of one rule: how many of each level, and how many in each session."""

    warnings: int
    criticals: int
    by_session: Mapping[UUID, int]

    @property
    def total(self) -> int:
        return self.warnings + self.criticals


@dataclass(frozen=True, slots=True)
class WhatIf:
    """One rule before and after: ``gain`` and ``lose`` name sessions with more or fewer flags."""

    rule_id: str
    sessions: int
    before: Flags
    after: Flags

    @property
    def gain(self) -> tuple[UUID, ...]:
        return tuple(self._differing(lambda before, after: after > before))

    @property
    def lose(self) -> tuple[UUID, ...]:
        return tuple(self._differing(lambda before, after: after < before))

    def _differing(self, wanted: Callable[[int, int], bool]) -> Iterator[UUID]:
        before, after = self.before.by_session, self.after.by_session
        for session_id in dict.fromkeys((*before, *after)):
            if wanted(before.get(session_id, 0), after.get(session_id, 0)):
                yield session_id


def changed_set(
    limits: Mapping[str, Any], rule_id: str, numbers: Mapping[str, str]
) -> ThresholdSet:
    """The threshold set with other conditions in one rule: ``{"warning.fires": "value >= 165"}``.

    Raises:
        InvalidEntry: what stands in the way of using these limits, as when they are stored.
    """
    rows = [dict(row) for row in limits["rule"]]
    row = next((item for item in rows if item["id"] == rule_id), None)
    if row is None:
        raise InvalidEntry([Problem("rule", f"There is no rule {rule_id} in these limits.")])
    problems = []
    for name, text in numbers.items():
        level, _, part = name.partition(".")
        if level not in LEVELS or level not in row or part not in row[level]:
            problems.append(Problem(name, f"{rule_id} has no {name.replace('.', ' ')}."))
            continue
        row[level] = {**row[level], part: text.strip()}
    if problems:
        raise InvalidEntry(problems)
    content = {**limits, "rule": rows}
    if found := limit_set_problems(content):
        raise InvalidEntry(found)
    return parse_threshold_set(content)


def what_if(
    store: Store,
    clinic: str,
    before: ThresholdSet,
    after: ThresholdSet,
    rule_id: str,
    *,
    since: datetime,
    until: datetime,
    progress: Progress = lambda _done, _of: None,
) -> WhatIf:
    """The flags of one rule under both versions over the closed sessions begun in that time.

    Raises:
        InvalidEntry: the rule is not judged in vectors, or the versions read the record differently.
    """
    rules = (before.rule(rule_id), after.rule(rule_id))
    if not all(can_judge(rule) for rule in rules) or rules[0].sign != rules[1].sign:
        raise InvalidEntry(
            [
                Problem(
                    "rule",
                    f"{rule_id} cannot be tried over history; it is judged session by session.",
                )
            ]
        )
    if before.newest_within != after.newest_within:
        raise InvalidEntry(
            [
                Problem(
                    "rule",
                    "How old a reading may be cannot be tried: the readings are kept joined.",
                )
            ]
        )
    sign = rules[0].sign
    scales = store.pack_scales(clinic, since, until)
    packs: list[ReadingPack] = []
    for pack in store.stream_packs(clinic, sign, since, until):
        if pack.session_id in scales:
            packs.append(pack)
            if len(packs) % _EVERY == 0:
                progress(len(packs), len(scales))
    dissociation = {
        version: store.pinned(version).protocol().dissociation_scale
        for version in {protocol for _, _, protocol in scales.values()}
    }
    history = _history(packs, sign, scales, dissociation)
    ids = [pack.session_id for pack in packs]
    flags = [
        _flags(rule, history, limits, ids)
        for rule, limits in zip(rules, (before, after), strict=True)
    ]
    progress(len(scales), len(scales))
    return WhatIf(rule_id, len(scales), flags[0], flags[1])


def _flags(rule: Rule, history: History, limits: ThresholdSet, ids: Sequence[UUID]) -> Flags:
    found = find_history_breaches(rule, history, limits)
    confirmed = found.confirmed_level > 0
    sessions, counts = np.unique(found.session[confirmed], return_counts=True)
    return Flags(
        warnings=int((found.confirmed_level == 1).sum()),
        criticals=int((found.confirmed_level == 2).sum()),
        by_session={ids[index]: int(count) for index, count in zip(sessions, counts, strict=True)},
    )


def _history(
    packs: Sequence[ReadingPack],
    sign: str,
    scales: Mapping[UUID, tuple[int, str, UUID]],
    dissociation: Mapping[UUID, str],
) -> History:
    """The packs of one sign as the flat arrays that are judged."""
    counts = np.array([pack.readings for pack in packs], np.int64)
    names = pack_columns(sign)
    whole: list[NDArray[Any]] = []
    rows = 3 + len(names)
    if packs:
        # Each pack is rows x readings of 8 bytes; side by side they are rows x all readings.
        words = [np.frombuffer(pack.packed, "<i8").reshape(rows, -1) for pack in packs]
        joined = np.concatenate(words, axis=1)
        whole = list(joined)
    else:
        whole = [np.zeros(0, np.int64)] * rows
    at_us, saved_us, entry = whole[:3]
    columns = {
        name: np.ascontiguousarray(part).view(np.float64).copy()
        for name, part in zip(names, whole[3:], strict=True)
    }
    mine = [scales[pack.session_id] for pack in packs]
    return History(
        session=np.repeat(np.arange(len(packs), dtype=np.int32), counts),
        at_us=np.ascontiguousarray(at_us),
        value=columns.pop("value"),
        baseline=np.array(
            [np.nan if pack.baseline is None else float(pack.baseline) for pack in packs],
            np.float64,
        ),
        measures=columns,
        saved_us=np.ascontiguousarray(saved_us),
        entry=np.ascontiguousarray(entry),
        ends_us=np.array(
            [NEVER if pack.ends_us is None else pack.ends_us for pack in packs], np.int64
        ),
        spo2_scale=np.array([scale for scale, _, _ in mine], np.int64),
        sedation_scale=np.array([scale for _, scale, _ in mine], np.str_),
        dissociation_scale=np.array([dissociation[of] for _, _, of in mine], np.str_),
    )


def triable(limits: ThresholdSet) -> Iterable[Rule]:
    """The rules that can be tried over history."""
    return (rule for rule in limits.rules if can_judge(rule))
