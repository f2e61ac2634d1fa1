"""The clinic's alert limits: read by everyone, written by a lead, approved by an anaesthetist."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from monitor.actions.versions import (
    NextVersion,
    StoredVersion,
    VersionKind,
    approve_version,
    may_approve_version,
    may_retire_version,
    reason_problems,
    retire_version,
    store_draft,
    stored_already,
    stored_versions,
)
from monitor.errors import InvalidEntry, NotFound, Problem
from monitor.limit_set_check import limit_set_problems
from monitor.limit_set_entry import LimitSetEntry, content_of, limit_changes
from monitor.permissions import Action, User, check_may
from monitor.protocols import PinnedVersion, VersionStatus
from monitor.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitSetRequest:
    """A limit set to be stored as a draft: what was typed over the version ``based_on``."""

    id: UUID
    entry: LimitSetEntry
    reason: str
    based_on: UUID


def _not_ready(_store: Store, _clinic: str, content: Mapping[str, Any]) -> tuple[Problem, ...]:
    return limit_set_problems(content)


def _still_needed(store: Store, clinic: str, version: PinnedVersion) -> str:
    """The last approved version of a code stays while an approved protocol names it."""
    if version.status is not VersionStatus.APPROVED:
        return ""
    named = sorted(
        f"{item.code} version {item.version}"
        for item in store.versions("protocol", clinic)
        if item.status is VersionStatus.APPROVED
        and item.content().get("threshold_set") == version.code
    )
    if not named:
        return ""
    return (
        f"{version.code} is named by {', '.join(named)}: without it no session could be started "
        "under them. Approve another version of it, or let the protocols name other limits first."
    )


LIMIT_SETS = VersionKind(
    kind="threshold_set",
    noun="limit set",
    manage=Action.MANAGE_LIMITS,
    approve=Action.APPROVE_LIMITS,
    pinned_by="threshold_set_id",
    not_ready=_not_ready,
    still_needed=_still_needed,
)


def limit_set_versions(store: Store, user: User) -> tuple[StoredVersion, ...]:
    """Every version of every limit set the clinic has, by code, the newest of each first."""
    return stored_versions(store, user, LIMIT_SETS, StoredVersion)


def may_approve_limits(user: User, version: StoredVersion) -> bool:
    """Whether this person may approve this draft: an anaesthetist who did not write it."""
    return may_approve_version(user, LIMIT_SETS, version)


def may_retire_limits(user: User, version: StoredVersion) -> bool:
    """Whether this person may take this version out of use."""
    return may_retire_version(user, LIMIT_SETS, version)


def save_limits_draft(
    store: Store,
    user: User,
    request: LimitSetRequest,
    *,
    now: datetime,
    confirmed: frozenset[str] = frozenset(),
) -> PinnedVersion:
    """Store a draft as the next version of its code; the same request twice stores it once.

    Raises:
        InvalidEntry: every slip and every contradiction at once, or nothing was changed.
        NeedsConfirmation: somebody stored a version of this code since the form was filled.
    """
    check_may(user, Action.MANAGE_LIMITS)
    base = _base(store, user, request.based_on)

    def written(number: int) -> dict[str, Any]:
        return content_of(request.entry, base.content(), number, request.reason)[0]

    if stored := stored_already(store, LIMIT_SETS, request.id, written):
        return stored
    content, problems = content_of(request.entry, base.content(), base.version, request.reason)
    # What could not be read would only be told a second time.
    problems = problems or limit_set_problems(content)
    if not problems and not limit_changes(base.content(), content):
        problems = (Problem("rule", "Nothing was changed."),)
    problems += reason_problems(request.reason, "Say what this version changes and why.")
    if problems:
        raise InvalidEntry(problems)
    asked = NextVersion(
        id=request.id,
        code=base.code,
        content=written,
        reason=request.reason,
        based_on=request.based_on,
    )
    return store_draft(store, user, LIMIT_SETS, asked, now=now, confirmed=confirmed)


def _base(store: Store, user: User, version_id: UUID) -> PinnedVersion:
    for version in store.versions(LIMIT_SETS.kind, user.clinic):
        if version.id == version_id:
            return version
    raise NotFound("There is no such limit set.")


def approve_limits(
    store: Store, user: User, version_id: UUID, comment: str, *, now: datetime
) -> None:
    """Put a draft into use under the anaesthetist's name; as ``approve_version``."""
    approve_version(store, user, LIMIT_SETS, version_id, comment, now=now)


def retire_limits(
    store: Store, user: User, version_id: UUID, reason: str, *, now: datetime
) -> None:
    """Take a version out of use, or discard a draft; as ``retire_version``."""
    retire_version(store, user, LIMIT_SETS, version_id, reason, now=now)
