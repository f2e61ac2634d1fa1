"""Versions of what a clinic works by: its protocols, its alert limits.

A version is never edited: a change is a new version.  It is a draft until somebody other than its
author approves it; approving takes the version before it out of use.  A session keeps the version
it was started under, whatever happens to that version later.

The packaged versions are every clinic's; what a clinic writes is its own, and so is what it
approves or takes out of use: another clinic neither sees the one nor is touched by the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from monitor.audit import AuditEvent
from monitor.errors import (
    InvalidEntry,
    NeedsConfirmation,
    NotFound,
    NotPermitted,
    Problem,
    WrongState,
)
from monitor.permissions import Action, User, check_may, may
from monitor.protocols import PinnedVersion, VersionEvent, VersionStatus, canonical_content
from monitor.store import Store
from monitor.texts import text_problems


class Standing(StrEnum):
    """Where a version stands, as people speak of it."""

    DRAFT = "draft"
    APPROVED = "approved"
    IN_USE = "in use"
    RETIRED = "retired"


@dataclass(frozen=True, kw_only=True)
class StoredVersion:
    """A version with its history: ``events`` is never empty, the first says who wrote it.

    ``ever_used``: the clinic opened a session under it; ``running``: so many are open now.
    """

    version: PinnedVersion
    content: Mapping[str, Any]
    events: tuple[VersionEvent, ...]
    ever_used: bool = False
    running: int = 0

    @property
    def label(self) -> str:
        """Code, version and name."""
        named = f"{self.version.code} v{self.version.version}"
        return f"{named} {self.content.get('name', '')}".rstrip()

    @property
    def standing(self) -> Standing:
        """Draft, approved, in use (approved and sessions were opened under it) or retired."""
        if self.version.status is VersionStatus.APPROVED and self.ever_used:
            return Standing.IN_USE
        return Standing(self.version.status.value)

    @property
    def author(self) -> str:
        """The user name of who wrote it."""
        return self.events[0].by


T = TypeVar("T", bound=StoredVersion)


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionKind:
    """What versions there are of: how people call it, who writes and who approves it.

    ``pinned_by`` is the field of a session that names its version.  ``not_ready`` tells what stands
    in the way of using a content, ``still_needed`` what stands in the way of retiring a version.
    """

    kind: str
    noun: str
    manage: Action
    approve: Action
    pinned_by: str
    not_ready: Callable[[Store, str, Mapping[str, Any]], tuple[Problem, ...]]
    still_needed: Callable[[Store, str, PinnedVersion], str] = lambda _store, _clinic, _version: ""


# -- reading ---------------------------------------------------------------------------------


def stored_versions(
    store: Store, user: User, of: VersionKind, made: Callable[..., T]
) -> tuple[T, ...]:
    """Every version the clinic has, by code, the newest of each first."""
    check_may(user, Action.SEE_SESSION)
    events: dict[UUID, list[VersionEvent]] = {}
    for event in store.version_events(of.kind, user.clinic):
        events.setdefault(event.version_id, []).append(event)
    used = store.versions_in_use(of.kind, user.clinic)
    running = Counter(
        getattr(store.session(session_id), of.pinned_by)
        for session_id in store.open_session_ids(user.clinic)
    )
    versions = (
        made(
            version=version,
            content=version.content(),
            events=tuple(events[version.id]),
            ever_used=version.id in used,
            running=running[version.id],
        )
        for version in store.versions(of.kind, user.clinic)
    )
    return tuple(sorted(versions, key=lambda item: (item.version.code, -item.version.version)))


def version_before(versions: Iterable[T], version: PinnedVersion) -> T | None:
    """The version of the same code before this one."""
    earlier = [
        item
        for item in versions
        if item.version.code == version.code and item.version.version < version.version
    ]
    return max(earlier, key=lambda item: item.version.version, default=None)


def may_approve_version(user: User, of: VersionKind, version: StoredVersion) -> bool:
    """Whether this person may approve this draft: who approves such, and did not write it."""
    return (
        may(user, of.approve)
        and version.version.status is VersionStatus.DRAFT
        and version.author != user.username
    )


def may_retire_version(user: User, of: VersionKind, version: StoredVersion) -> bool:
    """Whether this person may take this version out of use."""
    return version.version.status is not VersionStatus.RETIRED and (
        may(user, of.manage) or may(user, of.approve)
    )


# -- writing ---------------------------------------------------------------------------------


#: A content under the number a version gets.
Written = Callable[[int], Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class NextVersion:
    """A version to be stored as a draft; ``based_on`` is the one the form was filled from."""

    id: UUID
    code: str
    content: Written
    reason: str
    based_on: UUID | None = None


def store_draft(
    store: Store,
    user: User,
    of: VersionKind,
    asked: NextVersion,
    *,
    now: datetime,
    confirmed: frozenset[str],
) -> PinnedVersion:
    """Store a draft as the next version of its code.

    Raises:
        NeedsConfirmation: somebody stored a version of this code since the form was filled.
    """
    versions = store.versions(of.kind, None)
    family = _family(store, of, asked.code, user.clinic)
    _ask_about_newer(of, family, asked.based_on, confirmed)
    number = next_number(versions, asked.code)
    text, sha256 = canonical_content(asked.content(number))
    draft = PinnedVersion(
        id=asked.id,
        kind=of.kind,
        code=asked.code,
        version=number,
        text=text,
        sha256=sha256,
        status=VersionStatus.DRAFT,
    )
    try:
        with store.write(_audit(user, of, of.manage, draft, now), clinic=user.clinic) as writer:
            writer.add_version(draft, asked.reason.strip())
    except InvalidEntry:
        # The number went to somebody else in between; the form is asked about theirs.
        now_there = _family(store, of, asked.code, user.clinic)
        if len(now_there) > len(family):
            _ask_about_newer(of, now_there, None, confirmed)
        elif len(store.versions(of.kind, None)) > len(versions):
            # Of another clinic: nothing to be compared with, and the next number is free.
            return store_draft(store, user, of, asked, now=now, confirmed=confirmed)
        raise
    return draft


def stored_already(
    store: Store, of: VersionKind, version_id: UUID, content: Written
) -> PinnedVersion | None:
    """The version as it was stored, when the same is asked for again; None when it is new.

    Raises:
        InvalidEntry: the id was used for something else.
    """
    for version in store.versions(of.kind, None):
        if version.id == version_id:
            if canonical_content(content(version.version))[1] != version.sha256:
                words = "This form was stored already, with something else. Open it again."
                raise InvalidEntry([Problem("id", words)])
            return version
    return None


def approve_version(
    store: Store, user: User, of: VersionKind, version_id: UUID, comment: str, *, now: datetime
) -> None:
    """Put a draft into use under this name, and the version before it out of use.

    Raises:
        NotPermitted: not who approves, or the author: it takes a second person.
        InvalidEntry: what is missing or contradicts itself, and a missing comment.
        WrongState: it is no draft any more.
    """
    check_may(user, of.approve)
    version = _version(store, of, version_id, user.clinic)
    audit = _audit(user, of, of.approve, version, now)
    with store.write(audit, clinic=user.clinic) as writer:
        family = _family(store, of, version.code, user.clinic)
        events = {item.id: writer.version_events(item.id) for item in sorted(family, key=_by_id)}
        if _is_done(events[version_id], VersionStatus.APPROVED, user):
            writer.set_version_status(version_id, VersionStatus.APPROVED, comment)
            return
        _check_is_draft(version, events[version_id])
        _check_second_person(user, version, events[version_id])
        problems = of.not_ready(store, user.clinic, version.content())
        problems += reason_problems(comment, "Say what you checked.", "comment")
        if problems:
            raise InvalidEntry(problems)
        writer.set_version_status(version_id, VersionStatus.APPROVED, comment.strip())
        for item in family:
            if item.id != version_id and events[item.id][-1].status is VersionStatus.APPROVED:
                words = f"replaced by version {version.version}"
                writer.set_version_status(item.id, VersionStatus.RETIRED, words)


def retire_version(
    store: Store, user: User, of: VersionKind, version_id: UUID, reason: str, *, now: datetime
) -> None:
    """Take a version out of use, or discard a draft; sessions under it go on under it.

    Raises:
        InvalidEntry: no reason was given.
        WrongState: it is retired already, or something in use needs it.
    """
    if not may(user, of.approve):
        check_may(user, of.manage)
    version = _version(store, of, version_id, user.clinic)
    audit = _audit(user, of, of.manage, version, now)
    with store.write(audit, clinic=user.clinic) as writer:
        events = writer.version_events(version_id)
        if not _is_done(events, VersionStatus.RETIRED, user):
            if events[-1].status is VersionStatus.RETIRED:
                raise WrongState(f"{_name(version)} is retired already, by {events[-1].by}.")
            if needed := of.still_needed(store, user.clinic, version):
                raise WrongState(needed)
            if problems := reason_problems(reason, "Say why it is taken out of use."):
                raise InvalidEntry(problems)
        writer.set_version_status(version_id, VersionStatus.RETIRED, reason.strip())


# -- what they share -------------------------------------------------------------------------


def _family(store: Store, of: VersionKind, code: str, clinic: str) -> list[PinnedVersion]:
    """The versions of one code that the clinic has."""
    return [version for version in store.versions(of.kind, clinic) if version.code == code]


def next_number(versions: Iterable[PinnedVersion], code: str) -> int:
    """A number names one text in the whole database, so that exports of its clinics can be joined."""
    return max((version.version for version in versions if version.code == code), default=0) + 1


def _name(version: PinnedVersion) -> str:
    """How a sentence names a version."""
    return f"{version.code} version {version.version}"


def _audit(
    user: User, of: VersionKind, action: Action, version: PinnedVersion, now: datetime
) -> AuditEvent:
    """What the audit trail says of a change to a version."""
    detail = {of.noun: version.code, "version": version.version}
    return AuditEvent(now, user.username, action.name, detail=detail)


def _ask_about_newer(
    of: VersionKind,
    family: Iterable[PinnedVersion],
    based_on: UUID | None,
    confirmed: frozenset[str],
) -> None:
    """Ask once when somebody stored a version since the form was filled.

    Raises:
        NeedsConfirmation: there is one, and it was not confirmed.
    """
    newest = max(family, key=lambda version: version.version, default=None)
    if newest is None or newest.id == based_on:
        return
    code = f"{of.noun}.newer.{newest.version}"
    if code not in confirmed:
        message = (
            f"{_name(newest)} is newer than what this form was filled from. Compare the "
            "two; stored now, this form becomes the version after it."
        )
        raise NeedsConfirmation([Problem("code", message, kind="soft", code=code)])


def reason_problems(text: str, empty: str, field: str = "reason") -> tuple[Problem, ...]:
    """What is wrong with a reason: nothing said, or signs that are no text."""
    if not text.strip():
        return (Problem(field, empty),)
    return text_problems({field: text})


def _version(store: Store, of: VersionKind, version_id: UUID, clinic: str) -> PinnedVersion:
    for version in store.versions(of.kind, clinic):
        if version.id == version_id:
            return version
    raise NotFound(f"There is no such {of.noun}.")


def _by_id(version: PinnedVersion) -> UUID:
    return version.id


def _is_done(events: tuple[VersionEvent, ...], status: VersionStatus, user: User) -> bool:
    """Whether this person did just this already: a tap that was repeated."""
    return events[-1].status is status and events[-1].by == user.username


def _check_is_draft(version: PinnedVersion, events: tuple[VersionEvent, ...]) -> None:
    last = events[-1]
    if last.status is not VersionStatus.DRAFT:
        raise WrongState(
            f"{_name(version)} is {last.status.value} already, by {last.by}. "
            "A change needs a new version."
        )


def _check_second_person(
    user: User, version: PinnedVersion, events: tuple[VersionEvent, ...]
) -> None:
    if events[0].by == user.username:
        raise NotPermitted(f"{user.name} wrote {_name(version)}. Somebody else has to approve it.")
