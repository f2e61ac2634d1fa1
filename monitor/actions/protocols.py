"""The clinic's protocols: read by everyone, written by a lead, approved by an anaesthetist.

A version is never edited: a change is a new version.  It is a draft until somebody other than its
author approves it; approving takes the version before it out of use.  A session keeps the version
it was started under, whatever happens to that version later.

The packaged protocols are every clinic's; what a clinic writes is its own, and so is what it
approves or takes out of use: another clinic neither sees the one nor is touched by the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
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
from monitor.protocol_check import approval_problems, contradictions, missing
from monitor.protocol_entry import ProtocolEntry, content_of
from monitor.protocol_fields import FIELDS, number_at, words_at
from monitor.protocols import PinnedVersion, VersionEvent, VersionStatus, canonical_content
from monitor.stated_rates import is_rate, rate_unit
from monitor.store import Store
from monitor.texts import text_problems

_KIND = "protocol"


class Standing(StrEnum):
    """Where a version stands, as people speak of it."""

    DRAFT = "draft"
    APPROVED = "approved"
    IN_USE = "in use"
    RETIRED = "retired"


@dataclass(frozen=True, kw_only=True)
class ProtocolVersion:
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


# -- reading ---------------------------------------------------------------------------------


def protocol_versions(store: Store, user: User) -> tuple[ProtocolVersion, ...]:
    """Every version of every protocol the clinic has, by code, the newest of each first."""
    check_may(user, Action.SEE_SESSION)
    events: dict[UUID, list[VersionEvent]] = {}
    for event in store.version_events(_KIND, user.clinic):
        events.setdefault(event.version_id, []).append(event)
    used = store.protocols_in_use(user.clinic)
    running = Counter(
        store.session(session_id).protocol_id for session_id in store.open_session_ids(user.clinic)
    )
    versions = (
        ProtocolVersion(
            version=version,
            content=version.content(),
            events=tuple(events[version.id]),
            ever_used=version.id in used,
            running=running[version.id],
        )
        for version in store.versions(_KIND, user.clinic)
    )
    return tuple(sorted(versions, key=lambda item: (item.version.code, -item.version.version)))


def version_before(
    versions: Iterable[ProtocolVersion], version: PinnedVersion
) -> ProtocolVersion | None:
    """The version of the same protocol before this one."""
    earlier = [
        item
        for item in versions
        if item.version.code == version.code and item.version.version < version.version
    ]
    return max(earlier, key=lambda item: item.version.version, default=None)


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
    return (
        may(user, Action.APPROVE_PROTOCOLS)
        and version.version.status is VersionStatus.DRAFT
        and version.author != user.username
    )


def may_retire(user: User, version: ProtocolVersion) -> bool:
    """Whether this person may take this version out of use."""
    return version.version.status is not VersionStatus.RETIRED and (
        may(user, Action.MANAGE_PROTOCOLS) or may(user, Action.APPROVE_PROTOCOLS)
    )


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
    versions = store.versions(_KIND, None)
    code = request.entry.code.strip().upper()
    for version in versions:
        if version.id == request.id:
            return _repeated(version, request)
    family = _family(store, code, user.clinic)
    # A number names one text in the whole database, so that exports of its clinics can be joined.
    taken = [version.version for version in versions if version.code == code]
    number = max(taken, default=0) + 1
    content, problems = content_of(request.entry, number)
    problems += contradictions(content, approved_threshold_sets(store, user.clinic))
    problems += _reason_problems(request.reason, "Say what this version changes and why.")
    if problems:
        raise InvalidEntry(problems)
    _ask_about_newer(family, request, confirmed)
    for base in versions:
        if base.id == (request.filled_from or request.based_on):
            _ask_about_unit(base, content, confirmed)
    text, sha256 = canonical_content(content)
    draft = PinnedVersion(
        id=request.id,
        kind=_KIND,
        code=code,
        version=number,
        text=text,
        sha256=sha256,
        status=VersionStatus.DRAFT,
    )
    try:
        with store.write(
            _audit(user, Action.MANAGE_PROTOCOLS, draft, now), clinic=user.clinic
        ) as w:
            w.add_version(draft, request.reason.strip())
    except InvalidEntry:
        # The number went to somebody else in between; the form is asked about theirs.
        now_there = _family(store, code, user.clinic)
        if len(now_there) > len(family):
            _ask_about_newer(now_there, replace(request, based_on=None), confirmed)
        elif len(store.versions(_KIND, None)) > len(versions):
            # Of another clinic: nothing to be compared with, and the next number is free.
            return save_protocol_draft(store, user, request, now=now, confirmed=confirmed)
        raise
    return draft


def approve_protocol(
    store: Store, user: User, version_id: UUID, comment: str, *, now: datetime
) -> None:
    """Put a draft into use under the anaesthetist's name, and the version before it out of use.

    Raises:
        NotPermitted: not an anaesthetist, or the author: it takes a second person.
        InvalidEntry: what is missing or contradicts itself, and a missing comment.
        WrongState: it is no draft any more.
    """
    check_may(user, Action.APPROVE_PROTOCOLS)
    version = _version(store, version_id, user.clinic)
    audit = _audit(user, Action.APPROVE_PROTOCOLS, version, now)
    with store.write(audit, clinic=user.clinic) as writer:
        family = _family(store, version.code, user.clinic)
        events = {item.id: writer.version_events(item.id) for item in sorted(family, key=_by_id)}
        if _is_done(events[version_id], VersionStatus.APPROVED, user):
            writer.set_version_status(version_id, VersionStatus.APPROVED, comment)
            return
        _check_is_draft(version, events[version_id])
        _check_second_person(user, version, events[version_id])
        problems = approval_problems(version.content(), approved_threshold_sets(store, user.clinic))
        problems += _reason_problems(comment, "Say what you checked.", "comment")
        if problems:
            raise InvalidEntry(problems)
        writer.set_version_status(version_id, VersionStatus.APPROVED, comment.strip())
        for item in family:
            if item.id != version_id and events[item.id][-1].status is VersionStatus.APPROVED:
                words = f"replaced by version {version.version}"
                writer.set_version_status(item.id, VersionStatus.RETIRED, words)


def retire_protocol(
    store: Store, user: User, version_id: UUID, reason: str, *, now: datetime
) -> None:
    """Take a version out of use, or discard a draft; sessions under it go on under it.

    Raises:
        InvalidEntry: no reason was given.
        WrongState: it is retired already.
    """
    if not may(user, Action.APPROVE_PROTOCOLS):
        check_may(user, Action.MANAGE_PROTOCOLS)
    version = _version(store, version_id, user.clinic)
    audit = _audit(user, Action.MANAGE_PROTOCOLS, version, now)
    with store.write(audit, clinic=user.clinic) as writer:
        events = writer.version_events(version_id)
        if not _is_done(events, VersionStatus.RETIRED, user):
            if events[-1].status is VersionStatus.RETIRED:
                raise WrongState(f"{_name(version)} is retired already, by {events[-1].by}.")
            if problems := _reason_problems(reason, "Say why it is taken out of use."):
                raise InvalidEntry(problems)
        writer.set_version_status(version_id, VersionStatus.RETIRED, reason.strip())


# -- what they share -------------------------------------------------------------------------


def _version(store: Store, version_id: UUID, clinic: str) -> PinnedVersion:
    for version in store.versions(_KIND, clinic):
        if version.id == version_id:
            return version
    raise NotFound("There is no such protocol.")


def _family(store: Store, code: str, clinic: str) -> list[PinnedVersion]:
    return [version for version in store.versions(_KIND, clinic) if version.code == code]


def _by_id(version: PinnedVersion) -> UUID:
    return version.id


def _name(version: PinnedVersion) -> str:
    return f"{version.code} version {version.version}"


def _audit(user: User, action: Action, version: PinnedVersion, now: datetime) -> AuditEvent:
    detail = {"protocol": version.code, "version": version.version}
    return AuditEvent(now, user.username, action.name, detail=detail)


def _repeated(version: PinnedVersion, request: DraftRequest) -> PinnedVersion:
    """The version as it was stored, when the same is asked for again."""
    content, _problems = content_of(request.entry, version.version)
    if canonical_content(content)[1] != version.sha256:
        raise InvalidEntry(
            [Problem("id", "This form was stored already, with something else. Open it again.")]
        )
    return version


def _ask_about_newer(
    family: Iterable[PinnedVersion], request: DraftRequest, confirmed: frozenset[str]
) -> None:
    newest = max(family, key=lambda version: version.version, default=None)
    if newest is None or newest.id == request.based_on:
        return
    code = f"protocol.newer.{newest.version}"
    if code not in confirmed:
        message = (
            f"{_name(newest)} is newer than what this form was filled from. Compare the two; "
            "stored now, this form becomes the version after it."
        )
        raise NeedsConfirmation([Problem("code", message, kind="soft", code=code)])


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


def _reason_problems(text: str, empty: str, field: str = "reason") -> tuple[Problem, ...]:
    if not text.strip():
        return (Problem(field, empty),)
    return text_problems({field: text})


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
