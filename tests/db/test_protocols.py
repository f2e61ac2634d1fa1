"""Protocols on both engines: written by one, approved by another, pinned by the sessions under them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import UUID

import pytest

from db import SqlStore
from monitor import actions
from monitor.actions.protocols import (
    DraftRequest,
    ProtocolVersion,
    Standing,
    approve_protocol,
    may_approve,
    may_retire,
    protocol_versions,
    retire_protocol,
    save_protocol_draft,
    version_before,
)
from monitor.errors import (
    InvalidEntry,
    MonitorError,
    NeedsConfirmation,
    NotFound,
    NotPermitted,
    WrongState,
)
from monitor.permissions import User
from monitor.protocol_entry import entry_of
from monitor.protocols import PinnedVersion, VersionStatus
from tests.build import (
    admin,
    an_id,
    anaesthetist,
    at,
    lead,
    nurse,
    seeded,
    seeded_id,
)
from tests.entering import start_request

LEAD, OKOYE = lead(), anaesthetist()
P02_ID = seeded_id("protocol", "P02")


def request(
    base: str = "P02", code: str = "", reason: str = "slower", **texts: str
) -> DraftRequest:
    """A draft filled from a packaged version, with other texts; ``__`` stands for a dot."""
    entry = entry_of(seeded("protocol", base).content())
    changes = {name.replace("__", "."): text for name, text in texts.items()}
    return DraftRequest(
        id=an_id(),
        entry=replace(entry, code=code or base, texts={**entry.texts, **changes}),
        reason=reason,
        based_on=seeded_id("protocol", base),
    )


SLOWER = {"limits__rate_mg_per_kg_h__hard": "0.8"}


def written(store: SqlStore, **texts: str) -> PinnedVersion:
    return save_protocol_draft(store, LEAD, request(**(texts or SLOWER)), now=at(1))


def found(store: SqlStore, version_id: UUID, user: User = LEAD) -> ProtocolVersion:
    return next(item for item in protocol_versions(store, user) if item.version.id == version_id)


def told(refused: pytest.ExceptionInfo[InvalidEntry]) -> set[str]:
    return {problem.field for problem in refused.value.problems}


def audit_of(store: SqlStore) -> list[tuple[str, str]]:
    return [(row.event.by, row.event.action) for row in store.audit_rows("main")]


def test_the_library_is_listed_with_its_history(store: SqlStore) -> None:
    versions = protocol_versions(store, nurse())
    assert [item.version.code for item in versions][:3] == ["P01", "P02", "P03"]
    p02, p05 = found(store, P02_ID), found(store, seeded_id("protocol", "P05"))
    assert (p02.standing, p02.author, p02.missing) == (Standing.APPROVED, "monitor", ())
    assert (p05.standing, p05.label) == (
        Standing.DRAFT,
        "P05 v1 CRPS, Schwartzman 2009 outpatient trial",
    )
    assert p05.missing == ("start rate", "bolus foreseen", "planned steps")
    with pytest.raises(NotPermitted):
        protocol_versions(store, admin())


def test_a_draft_is_the_next_version_with_its_author_and_reason(store: SqlStore) -> None:
    draft = written(store)
    held = found(store, draft.id)
    assert (held.version.version, held.standing, held.author) == (2, Standing.DRAFT, "meier")
    assert [(event.reason, event.at) for event in held.events] == [("slower", at(1))]
    assert held.content["limits"]["rate_mg_per_kg_h"]["hard"] == "0.8"
    before = version_before(protocol_versions(store, LEAD), draft)
    assert before is not None
    assert before.version.id == P02_ID
    assert version_before(protocol_versions(store, LEAD), before.version) is None
    assert audit_of(store) == [("meier", "MANAGE_PROTOCOLS")]
    assert store.verify() == ()


def test_a_new_code_begins_at_version_1(store: SqlStore) -> None:
    draft = save_protocol_draft(store, LEAD, request(code="crps-1"), now=at(1))
    assert (draft.code, draft.version) == ("CRPS-1", 1)


def test_the_same_draft_twice_is_stored_once(store: SqlStore) -> None:
    asked = request(**SLOWER)
    first = save_protocol_draft(store, LEAD, asked, now=at(1))
    assert save_protocol_draft(store, LEAD, asked, now=at(2)) == first
    assert len(audit_of(store)) == 1
    other = replace(request(name="something else"), id=asked.id)
    with pytest.raises(InvalidEntry, match="stored already, with something else"):
        save_protocol_draft(store, LEAD, other, now=at(3))


def test_everything_wrong_with_a_draft_is_said_at_once_and_nothing_is_kept(
    store: SqlStore,
) -> None:
    asked = request(
        reason=" ",
        start_rate_mg_per_kg_h="O.1",
        limits__bolus_mg_per_kg__soft="0.4",
        name="x" * 301,
    )
    with pytest.raises(InvalidEntry) as refused:
        save_protocol_draft(store, LEAD, asked, now=at(1))
    assert told(refused) == {
        "start_rate_mg_per_kg_h", "limits.bolus_mg_per_kg.soft", "name", "reason",
    }  # fmt: skip
    assert audit_of(store) == []


@pytest.mark.parametrize("person", [nurse(), OKOYE, admin()])
def test_only_a_lead_writes(store: SqlStore, person: User) -> None:
    with pytest.raises(NotPermitted, match="may not manage protocols"):
        save_protocol_draft(store, person, request(), now=at(1))


def test_a_version_stored_meanwhile_is_asked_about_once(store: SqlStore) -> None:
    written(store)
    asked = request(**SLOWER)
    with pytest.raises(NeedsConfirmation, match="P02 version 2 is newer") as question:
        save_protocol_draft(store, LEAD, asked, now=at(2))
    codes = frozenset(problem.code for problem in question.value.problems)
    assert save_protocol_draft(store, LEAD, asked, now=at(3), confirmed=codes).version == 3


def test_two_leads_at_once_get_one_version_each_or_are_asked(store: SqlStore) -> None:
    def save(person: User) -> PinnedVersion | MonitorError:
        try:
            return save_protocol_draft(store, person, request(**SLOWER), now=at(1))
        except MonitorError as refused:
            return refused

    with ThreadPoolExecutor(2) as pool:
        ends = list(pool.map(save, [LEAD, lead("novak")]))
    kept = [end for end in ends if isinstance(end, PinnedVersion)]
    asked = [end for end in ends if isinstance(end, NeedsConfirmation)]
    assert (len(kept), len(asked)) == (1, 1)
    assert kept[0].version == 2
    assert store.verify() == ()


def test_an_anaesthetist_approves_and_the_version_before_goes_out_of_use(
    store: SqlStore,
) -> None:
    draft = written(store)
    approve_protocol(store, OKOYE, draft.id, "limits checked against 2.5", now=at(2))
    held = found(store, draft.id)
    assert held.standing is Standing.APPROVED
    assert [(event.status, event.by) for event in held.events] == [
        (VersionStatus.DRAFT, "meier"),
        (VersionStatus.APPROVED, "okoye"),
    ]
    assert held.events[-1].reason == "limits checked against 2.5"
    old = found(store, P02_ID)
    assert old.standing is Standing.RETIRED
    assert old.events[-1].reason == "replaced by version 2"
    assert audit_of(store)[-1] == ("okoye", "APPROVE_PROTOCOLS")
    assert store.verify() == ()


def test_approving_twice_is_approving_once(store: SqlStore) -> None:
    draft = written(store)
    for minute in (2, 3):
        approve_protocol(store, OKOYE, draft.id, "checked", now=at(minute))
    assert len(found(store, draft.id).events) == 2
    assert len(audit_of(store)) == 2
    with pytest.raises(WrongState, match="approved already, by okoye"):
        approve_protocol(store, anaesthetist("ruiz"), draft.id, "checked", now=at(4))


@pytest.mark.parametrize("person", [nurse(), LEAD, admin()])
def test_only_an_anaesthetist_approves(store: SqlStore, person: User) -> None:
    draft = written(store)
    assert not may_approve(person, found(store, draft.id))
    with pytest.raises(NotPermitted, match="may not approve protocols"):
        approve_protocol(store, person, draft.id, "checked", now=at(2))


def test_nobody_approves_what_they_wrote(store: SqlStore) -> None:
    """Somebody who wrote as a lead and became an anaesthetist: it takes a second person."""
    draft = written(store)
    herself = anaesthetist(LEAD.username)
    assert not may_approve(herself, found(store, draft.id))
    assert may_approve(OKOYE, found(store, draft.id))
    with pytest.raises(NotPermitted, match="Somebody else has to approve it"):
        approve_protocol(store, herself, draft.id, "checked", now=at(2))
    assert found(store, draft.id).standing is Standing.DRAFT


def test_a_template_is_not_approved_before_it_is_whole(store: SqlStore) -> None:
    template = seeded_id("protocol", "P05")
    with pytest.raises(InvalidEntry) as refused:
        approve_protocol(store, OKOYE, template, " ", now=at(1))
    assert str(refused.value) == (
        "Missing before it can be approved: start rate, bolus foreseen, planned steps. "
        "Say what you checked."
    )
    assert found(store, template).standing is Standing.DRAFT
    assert audit_of(store) == []


def test_a_template_that_is_filled_in_is_approved_and_starts_a_session(store: SqlStore) -> None:
    asked = request("P18", limits__bolus_allowed="no", setting="outpatient")
    draft = save_protocol_draft(store, LEAD, asked, now=at(1))
    with pytest.raises(WrongState, match="choose an approved protocol"):
        actions.start_session(store, nurse(), start_request(protocol_id=draft.id), now=at(2))
    approve_protocol(store, OKOYE, draft.id, "checked", now=at(3))
    actions.start_session(store, nurse(), start_request(protocol_id=draft.id), now=at(4))
    held = found(store, draft.id)
    assert (held.standing, held.running) == (Standing.IN_USE, 1)


def test_a_session_keeps_the_version_it_started_under(store: SqlStore) -> None:
    opened = actions.start_session(store, nurse(), start_request(), now=at(0))
    draft = written(store)
    approve_protocol(store, OKOYE, draft.id, "checked", now=at(2))
    again = actions.open_session(store, nurse(), opened.session.id, now=at(3))
    assert again.session.protocol_id == P02_ID
    assert str(again.protocol.limits.rate_mg_per_kg_h.hard) == "1.0"
    assert found(store, P02_ID).running == 1
    with pytest.raises(WrongState, match="P02 version 1 is retired"):
        actions.start_session(store, nurse(), start_request(), now=at(4))


@pytest.mark.parametrize("person", [LEAD, OKOYE])
def test_a_version_is_taken_out_of_use_once_with_a_reason(store: SqlStore, person: User) -> None:
    assert may_retire(person, found(store, P02_ID))
    with pytest.raises(InvalidEntry, match="Say why"):
        retire_protocol(store, person, P02_ID, "", now=at(1))
    for minute in (2, 3):
        retire_protocol(store, person, P02_ID, "pump recall", now=at(minute))
    held = found(store, P02_ID)
    assert held.standing is Standing.RETIRED
    assert [event.reason for event in held.events] == ["first stored", "pump recall"]
    assert len(audit_of(store)) == 1
    with pytest.raises(WrongState, match="retired already"):
        retire_protocol(store, lead("novak"), P02_ID, "again", now=at(4))
    assert not may_retire(person, held)


def test_what_is_retired_never_comes_back(store: SqlStore) -> None:
    draft = written(store)
    retire_protocol(store, LEAD, draft.id, "discarded", now=at(2))
    with pytest.raises(WrongState, match="A change needs a new version"):
        approve_protocol(store, OKOYE, draft.id, "checked", now=at(3))


def test_a_nurse_takes_nothing_out_of_use(store: SqlStore) -> None:
    assert not may_retire(nurse(), found(store, P02_ID))
    with pytest.raises(NotPermitted):
        retire_protocol(store, nurse(), P02_ID, "why not", now=at(1))


@pytest.mark.parametrize("act", [approve_protocol, retire_protocol])
def test_an_unknown_version_is_said(store: SqlStore, act: Callable[..., None]) -> None:
    with pytest.raises(NotFound, match="no such protocol"):
        act(store, OKOYE, an_id(), "checked", now=at(1))


def test_a_session_may_be_scored_on_another_sedation_scale_than_the_plan_names(
    store: SqlStore,
) -> None:
    asked = start_request(sedation_scale="RASS")
    opened = actions.start_session(store, nurse(), asked, now=at(0))
    assert (opened.session.sedation_scale, opened.protocol.sedation_scale) == ("RASS", "UK03")
    with pytest.raises(InvalidEntry, match="There is no sedation scale “UK04”") as refused:
        actions.start_session(
            store, nurse(), start_request(chair="4", sedation_scale="UK04"), now=at(1)
        )
    assert told(refused) == {"sedation_scale"}


# -- two clinics in one database ------------------------------------------------------------------

NORTH, NORA = lead("nord", clinic="north"), anaesthetist("nora", clinic="north")


def test_what_a_clinic_writes_is_seen_approved_and_used_in_that_clinic_only(
    store: SqlStore,
) -> None:
    draft = written(store)
    assert draft.id not in {item.version.id for item in protocol_versions(store, NORTH)}
    for act in (approve_protocol, retire_protocol):
        with pytest.raises(NotFound, match="no such protocol"):
            act(store, NORA, draft.id, "checked", now=at(2))
    approve_protocol(store, OKOYE, draft.id, "checked", now=at(3))
    with pytest.raises(NotFound, match="no such protocol"):
        actions.start_session(
            store, nurse("ned", clinic="north"), start_request(protocol_id=draft.id), now=at(4)
        )
    opened = actions.start_session(store, nurse(), start_request(protocol_id=draft.id), now=at(4))
    assert opened.session.protocol_id == draft.id


def test_what_one_clinic_decides_about_a_packaged_protocol_holds_there_only(
    store: SqlStore,
) -> None:
    approve_protocol(store, OKOYE, written(store).id, "checked", now=at(2))
    assert found(store, P02_ID).standing is Standing.RETIRED
    theirs = found(store, P02_ID, NORTH)
    assert theirs.standing is Standing.APPROVED
    assert [event.by for event in theirs.events] == ["monitor"]
    opened = actions.start_session(
        store, nurse("ned", clinic="north"), start_request(protocol_id=P02_ID), now=at(3)
    )
    assert opened.session.clinic == "north"
    with pytest.raises(WrongState, match="retired"):
        actions.start_session(store, nurse(), start_request(protocol_id=P02_ID), now=at(3))
    # The other way round, and both in one numbered series.
    retire_protocol(store, NORA, P02_ID, "not used here", now=at(4))
    assert found(store, P02_ID, NORTH).standing is Standing.RETIRED
    assert [event.by for event in found(store, P02_ID).events] == ["monitor", "okoye"]
    assert store.verify() == ()


def test_a_number_names_one_text_in_the_whole_database(store: SqlStore) -> None:
    ours = written(store)
    # Nobody in the other clinic wrote a version of P02: there is nothing to ask about.
    theirs = save_protocol_draft(store, NORTH, request(**SLOWER), now=at(2))
    assert (ours.version, theirs.version) == (2, 3)
    before = version_before(protocol_versions(store, NORTH), theirs)
    assert before is not None
    assert before.version.id == P02_ID


def test_two_clinics_that_write_at_once_both_get_a_version(store: SqlStore) -> None:
    def write(person: User) -> int:
        asked = request(**SLOWER)
        return save_protocol_draft(store, person, asked, now=at(1)).version

    with ThreadPoolExecutor(2) as pool:
        numbers = sorted(pool.map(write, [LEAD, NORTH]))
    assert numbers == [2, 3]


def test_every_clinic_is_asked_for_where_no_clinic_is_meant(store: SqlStore) -> None:
    draft = written(store)
    assert draft.id in {version.id for version in store.versions("protocol", None)}
    assert draft.id not in {version.id for version in store.versions("protocol", "north")}


def test_a_unit_that_changes_under_a_number_that_stays_is_asked_about(store: SqlStore) -> None:
    def asked(**texts: str) -> DraftRequest:
        filled = request("P06", code="CRPS-S", rate_unit="mg/kg/h", **texts)
        return replace(filled, based_on=None, filled_from=seeded_id("protocol", "P06"))

    # The maximum of P06 read as mg/kg/h is above what anybody is given: refused, not only asked.
    with pytest.raises(InvalidEntry, match="nothing is given above 7 mg/kg/h"):
        save_protocol_draft(store, LEAD, asked(), now=at(1))
    form = asked(limits__rate_mg_per_kg_h__hard="")
    with pytest.raises(NeedsConfirmation) as found:
        save_protocol_draft(store, LEAD, form, now=at(1))
    (question,) = found.value.problems
    assert "start rate 5 mg/h per 70 kg → 5 mg/kg/h" in question.message
    seen = frozenset({question.code})
    assert save_protocol_draft(store, LEAD, form, now=at(1), confirmed=seen).code == "CRPS-S"
    both = asked(limits__rate_mg_per_kg_h__hard="0.28", start_rate_mg_per_kg_h="0.07")
    assert save_protocol_draft(
        store, LEAD, both, now=at(2), confirmed=frozenset({"protocol.newer.1"})
    )
