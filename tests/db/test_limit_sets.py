"""Alert limits on both engines: written by one, approved by another, kept by the sessions under them."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from db import SqlStore
from monitor.actions.limit_sets import (
    LimitSetRequest,
    approve_limits,
    limit_set_versions,
    may_approve_limits,
    may_retire_limits,
    retire_limits,
    save_limits_draft,
)
from monitor.actions.versions import Standing, StoredVersion
from monitor.errors import InvalidEntry, NeedsConfirmation, NotPermitted, WrongState
from monitor.limit_set_entry import entry_of
from monitor.permissions import User
from monitor.protocols import PinnedVersion
from tests.build import an_id, anaesthetist, at, lead, nurse, seeded, seeded_id
from tests.entering import entered, infusing, save

LEAD, OKOYE = lead(), anaesthetist()
CODE = "ADULT-CLINIC-1"
FIRST = seeded_id("threshold_set", CODE)


def request(
    fires: str = "value >= 165", reason: str = "too many at 160", base: UUID = FIRST
) -> LimitSetRequest:
    """The packaged limits with another systolic warning."""
    entry = entry_of(seeded("threshold_set", CODE).content())
    rows = tuple(
        replace(row, parts={**row.parts, ("warning", "fires"): fires})
        if row.id == "sbp_high"
        else row
        for row in entry.rows
    )
    return LimitSetRequest(
        id=an_id(), entry=replace(entry, rows=rows), reason=reason, based_on=base
    )


def written(store: SqlStore) -> PinnedVersion:
    return save_limits_draft(store, LEAD, request(), now=at(-60))


def found(store: SqlStore, version_id: UUID, user: User = LEAD) -> StoredVersion:
    return next(item for item in limit_set_versions(store, user) if item.version.id == version_id)


def test_a_draft_is_the_next_version_with_its_author_and_reason(store: SqlStore) -> None:
    draft = written(store)
    held = found(store, draft.id)
    assert (held.version.version, held.standing, held.author) == (2, Standing.DRAFT, "meier")
    assert held.events[0].reason == "too many at 160"
    assert [row.event.action for row in store.audit_rows("main")] == ["MANAGE_LIMITS"]
    assert store.verify() == ()


def test_a_new_version_is_for_new_sessions_only(store: SqlStore) -> None:
    before = infusing(store)
    draft = written(store)
    approve_limits(store, OKOYE, draft.id, "checked against the audit", now=at(-20))
    after = infusing(store)
    opened = {
        session_id: save(store, session_id, entered(3, sbp="162", dbp="80"), at(4))
        for session_id in (before, after)
    }
    assert opened[before].threshold_set.version == 1
    assert opened[after].threshold_set.version == 2
    assert "sbp_high" in {breach.rule_id for breach in opened[before].breaches}
    assert "sbp_high" not in {breach.rule_id for breach in opened[after].breaches}
    assert found(store, FIRST).standing is Standing.RETIRED
    assert found(store, FIRST).running == 1
    assert found(store, draft.id).standing is Standing.IN_USE


def test_it_takes_a_second_person_who_may(store: SqlStore) -> None:
    draft = written(store)
    held = found(store, draft.id)
    assert may_approve_limits(OKOYE, held)
    assert not may_approve_limits(LEAD, held)
    with pytest.raises(NotPermitted):
        approve_limits(store, LEAD, draft.id, "mine", now=at(-20))
    with pytest.raises(NotPermitted):
        save_limits_draft(store, nurse(), request(), now=at(-20))
    with pytest.raises(InvalidEntry, match="what you checked"):
        approve_limits(store, OKOYE, draft.id, " ", now=at(-20))


def test_the_same_draft_twice_is_stored_once(store: SqlStore) -> None:
    asked = request()
    first = save_limits_draft(store, LEAD, asked, now=at(-60))
    assert save_limits_draft(store, LEAD, asked, now=at(-59)) == first
    assert len(limit_set_versions(store, LEAD)) == len({FIRST, first.id}) + _others(store)
    with pytest.raises(InvalidEntry, match="stored already, with something else"):
        save_limits_draft(store, LEAD, replace(request("value >= 166"), id=asked.id), now=at(-58))


def _others(store: SqlStore) -> int:
    return sum(item.version.code != CODE for item in limit_set_versions(store, LEAD))


def test_what_is_wrong_is_said_at_once_and_nothing_is_kept(store: SqlStore) -> None:
    with pytest.raises(InvalidEntry) as refused:
        save_limits_draft(store, LEAD, request("value >= 16.5", reason=" "), now=at(-60))
    assert {problem.field for problem in refused.value.problems} == {"sbp_high", "reason"}
    with pytest.raises(InvalidEntry, match="Nothing was changed"):
        save_limits_draft(store, LEAD, request("value >= 160"), now=at(-60))
    assert len(limit_set_versions(store, LEAD)) == 1 + _others(store)


def test_somebody_elses_newer_version_is_asked_about_once(store: SqlStore) -> None:
    written(store)
    asked = request("value >= 170")
    with pytest.raises(NeedsConfirmation) as question:
        save_limits_draft(store, LEAD, asked, now=at(-50))
    codes = frozenset(item.code for item in question.value.problems)
    third = save_limits_draft(store, LEAD, asked, now=at(-50), confirmed=codes)
    assert third.version == 3


def test_limits_a_protocol_needs_are_not_taken_out_of_use(store: SqlStore) -> None:
    assert may_retire_limits(LEAD, found(store, FIRST))
    with pytest.raises(WrongState, match="P02 version 1"):
        retire_limits(store, LEAD, FIRST, "old", now=at(-60))
    draft = written(store)
    retire_limits(store, LEAD, draft.id, "not needed", now=at(-50))
    assert found(store, draft.id).standing is Standing.RETIRED
    with pytest.raises(WrongState, match="retired already"):
        approve_limits(store, OKOYE, draft.id, "checked", now=at(-40))
