"""A changed limit over stored history: what the readable evaluator says, rule by rule."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from db import SqlStore
from db.generated import fill, frame_of
from monitor import actions
from monitor.breaches import find_breaches
from monitor.errors import InvalidEntry
from monitor.store import SessionQuery
from monitor.synthetic import visits
from monitor.thresholds import ThresholdSet, parse_threshold_set
from monitor.whatif import WhatIf, changed_set, triable, what_if
from tests import build
from tests.monitor.limits import packaged

CLINIC = "invented"
SINCE, UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 20, tzinfo=UTC)


def filled(store: SqlStore, sessions: int) -> None:
    planned = visits(
        sessions=sessions,
        seed=11,
        clinic=CLINIC,
        since=date(2026, 3, 2),
        until=date(2026, 9, 30),
        zone=UTC,
    )
    list(fill(store, frame_of(store, CLINIC, seed=11, now=NOW), planned, jobs=1))


def asked(store: SqlStore, before: ThresholdSet, after: ThresholdSet, rule_id: str) -> WhatIf:
    return what_if(store, CLINIC, before, after, rule_id, since=SINCE, until=UNTIL)


def confirmed(store: SqlStore, limits: ThresholdSet) -> dict[str, Counter[UUID]]:
    """Confirmed breaches by rule and session, from the rows by the readable evaluator."""
    found: dict[str, Counter[UUID]] = {}
    for row in store.summaries(SessionQuery(clinic=CLINIC, limit=500)):
        session = store.session(row["session_id"])
        protocol = store.pinned(session.protocol_id).protocol()
        for breach in find_breaches(session, limits, NOW, protocol=protocol):
            if breach.confirmed_level is not None:
                found.setdefault(breach.rule_id, Counter())[session.id] += 1
    return found


def test_before_and_after_are_what_the_readable_evaluator_finds(store: SqlStore) -> None:
    filled(store, 40)
    limits = packaged()
    before = parse_threshold_set(limits)
    after = changed_set(
        limits, "sbp_high", {"warning.fires": "value >= 145", "warning.clears": "value < 140"}
    )
    one, other = confirmed(store, before), confirmed(store, after)
    for rule in triable(before):
        found = asked(store, before, after, rule.id)
        assert dict(found.before.by_session) == dict(one.get(rule.id, {})), rule.id
        assert dict(found.after.by_session) == dict(other.get(rule.id, {})), rule.id
    tried = asked(store, before, after, "sbp_high")
    assert tried.after.total > tried.before.total
    assert tried.gain
    back = asked(store, after, before, "sbp_high")
    assert (set(back.lose), back.gain) == (set(tried.gain), ())


def test_packs_can_be_emptied_and_made_anew_and_a_wrong_one_is_seen(store: SqlStore) -> None:
    filled(store, 3)
    ids = [session_id for _, session_id in store.session_ids()]
    right = {session_id: store.packs(session_id) for session_id in ids}
    assert any(right.values())
    with store.write(build.audit("empty"), clinic=CLINIC) as writer:
        for session_id in ids:
            writer.set_packs(session_id, ())
    assert len(list(actions.projection_problems(store))) == sum(map(bool, right.values()))
    for session_id in ids:
        assert actions.rebuild_summary(store, CLINIC, session_id, NOW) is bool(right[session_id])
    assert {session_id: store.packs(session_id) for session_id in ids} == right
    assert list(actions.projection_problems(store)) == []


@pytest.mark.parametrize(
    ("rule", "numbers", "words"),
    [
        ("sbp_high", {"warning.fires": "value >= fast"}, "not a number"),
        ("sbp_high", {"warning.fires": "pulse >= 160"}, "is not one of"),
        ("sbp_high", {"warning.fires": "value >= 190"}, "milder than the warning"),
        ("sbp_high", {"warning.clears": "value < 170"}, "would clear while"),
        ("sbp_high", {"warning.at": "value >= 1"}, "has no warning at"),
        ("unknown", {}, "no rule unknown"),
    ],
)
def test_a_slip_in_a_limit_is_told_in_words(rule: str, numbers: dict[str, str], words: str) -> None:
    with pytest.raises(InvalidEntry) as refused:
        changed_set(packaged(), rule, numbers)
    assert words in refused.value.problems[0].message


def test_what_cannot_be_judged_in_vectors_is_refused(sqlite_store: SqlStore) -> None:
    limits = parse_threshold_set(packaged())
    rule = next(rule for rule in limits.rules if rule.sign == "side_effect")
    with pytest.raises(InvalidEntry):
        asked(sqlite_store, limits, limits, rule.id)


def test_an_empty_history_has_no_flags(sqlite_store: SqlStore) -> None:
    limits = parse_threshold_set(packaged())
    found = asked(sqlite_store, limits, limits, "sbp_high")
    assert (found.sessions, found.before.total, found.gain) == (0, 0, ())
