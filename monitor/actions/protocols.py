"""The clinic's protocols: read by everyone, written by a lead, approved by an anaesthetist."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from monitor.actions.versions import (
    NextVersion,
    Standing,
    StoredVersion,
    VersionKind,
    approve_version,
    may_approve_version,
    may_retire_version,
    next_number,
    reason_problems,
    retire_version,
    store_draft,
    stored_already,
    stored_versions,
    version_before,
)
from monitor.errors import InvalidEntry, NeedsConfirmation, Problem
from monitor.permissions import Action, User, check_may
from monitor.protocol_check import approval_problems, contradictions, missing
from monitor.protocol_entry import ProtocolEntry, content_of
from monitor.protocol_fields import FIELDS, number_at, words_at
from monitor.protocols import PinnedVersion, VersionStatus
from monitor.stated_rates import is_rate, rate_unit
from monitor.store import Store


@dataclass(frozen=True, kw_only=True)
class ProtocolVersion(StoredVersion):
    """A version of a protocol with its history."""

    @property
    def missing(self) -> tuple[str, ...]:
        """What it lacks before it can be approved."""
        return missing(self.content)


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftRequest:
    """A version to be stored as a draft.

    ``based_on`` is the version it follows; ``filled_from`` the one the form was filled from, which
    is another protocol's where a new one is written.
    """

    id: UUID
    entry: ProtocolEntry
    reason: str
    based_on: UUID | None = None
    filled_from: UUID | None = None


def _not_ready(store: Store, clinic: str, content: Mapping[str, Any]) -> tuple[Problem, ...]:
    return approval_problems(content, approved_threshold_sets(store, clinic))


PROTOCOLS = VersionKind(
    kind="protocol",
    noun="protocol",
    manage=Action.MANAGE_PROTOCOLS,
    approve=Action.APPROVE_PROTOCOLS,
    pinned_by="protocol_id",
    not_ready=_not_ready,
)


# -- reading ---------------------------------------------------------------------------------


def protocol_versions(store: Store, user: User) -> tuple[ProtocolVersion, ...]:
    """Every version of every protocol the clinic has, by code, the newest of each first."""
    return stored_versions(store, user, PROTOCOLS, ProtocolVersion)


def approved_threshold_sets(store: Store, clinic: str) -> tuple[str, ...]:
    """The codes of the alert limits a protocol of the clinic may name."""
    return tuple(
        sorted(
            {
                version.code
                for version in store.versions("threshold_set", clinic)
                if version.status is VersionStatus.APPROVED
            }
        )
    )


def may_approve(user: User, version: ProtocolVersion) -> bool:
    """Whether this person may approve this draft: an anaesthetist who did not write it."""
    return may_approve_version(user, PROTOCOLS, version)


def may_retire(user: User, version: ProtocolVersion) -> bool:
    """Whether this person may take this version out of use."""
    return may_retire_version(user, PROTOCOLS, version)


# -- writing ---------------------------------------------------------------------------------


def save_protocol_draft(
    store: Store,
    user: User,
    request: DraftRequest,
    *,
    now: datetime,
    confirmed: frozenset[str] = frozenset(),
) -> PinnedVersion:
    """Store a draft as the next version of its code; the same request twice stores it once.

    Raises:
        InvalidEntry: every slip and every contradiction at once; what is missing may stay so.
        NeedsConfirmation: somebody stored a version of this code since the form was filled.
    """
    check_may(user, Action.MANAGE_PROTOCOLS)

    def written(number: int) -> dict[str, Any]:
        return content_of(request.entry, number)[0]

    if stored := stored_already(store, PROTOCOLS, request.id, written):
        return stored
    versions = store.versions(PROTOCOLS.kind, None)
    code = request.entry.code.strip().upper()
    content, problems = content_of(request.entry, next_number(versions, code))
    problems += contradictions(content, approved_threshold_sets(store, user.clinic))
    problems += reason_problems(request.reason, "Say what this version changes and why.")
    if problems:
        raise InvalidEntry(problems)
    for base in versions:
        if base.id == (request.filled_from or request.based_on):
            _ask_about_unit(base, content, confirmed)
    asked = NextVersion(
        id=request.id,
        code=code,
        content=written,
        reason=request.reason,
        based_on=request.based_on,
    )
    return store_draft(store, user, PROTOCOLS, asked, now=now, confirmed=confirmed)


def approve_protocol(
    store: Store, user: User, version_id: UUID, comment: str, *, now: datetime
) -> None:
    """Put a draft into use under the anaesthetist's name; as ``approve_version``."""
    approve_version(store, user, PROTOCOLS, version_id, comment, now=now)


def retire_protocol(
    store: Store, user: User, version_id: UUID, reason: str, *, now: datetime
) -> None:
    """Take a version out of use, or discard a draft; as ``retire_version``."""
    retire_version(store, user, PROTOCOLS, version_id, reason, now=now)


# -- what they share -------------------------------------------------------------------------


def _ask_about_unit(
    base: PinnedVersion, content: Mapping[str, Any], confirmed: frozenset[str]
) -> None:
    """A number that stays while its unit changes is 70 times another rate: asked about once."""
    before = base.content()
    if rate_unit(before) == rate_unit(content):
        return
    kept = [
        f"{row.label} {words_at(before, row)} → {words_at(content, row)}"
        for row in FIELDS
        if is_rate(row.path)
        and (number := number_at(before, row.path)) is not None
        and number == number_at(content, row.path)
    ]
    code = "protocol.rate_unit"
    if kept and code not in confirmed:
        message = f"The unit of the rates changed and these numbers did not: {'; '.join(kept)}."
        raise NeedsConfirmation([Problem("rate_unit", message, kind="soft", code=code)])


__all__ = [
    "DraftRequest",
    "ProtocolVersion",
    "Standing",
    "approve_protocol",
    "approved_threshold_sets",
    "may_approve",
    "may_retire",
    "protocol_versions",
    "retire_protocol",
    "save_protocol_draft",
    "version_before",
]
