"""Trying another limit on past sessions: for those who answer for the limits; nothing is changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from monitor.errors import NotFound
from monitor.permissions import Action, User, check_may
from monitor.protocols import PinnedVersion, VersionStatus
from monitor.store import Store
from monitor.thresholds import parse_threshold_set
from monitor.whatif import Progress, WhatIf, changed_set, what_if


def limits_in_force(store: Store, user: User) -> tuple[PinnedVersion, ...]:
    """The newest approved version of every threshold set of the user's clinic.

    Raises:
        NotPermitted: the user may not see it.
    """
    check_may(user, Action.SEE_BURDEN)
    newest: dict[str, PinnedVersion] = {}
    for version in store.versions("threshold_set", user.clinic):
        known = newest.get(version.code)
        if version.status is VersionStatus.APPROVED and (
            known is None or known.version < version.version
        ):
            newest[version.code] = version
    return tuple(newest[code] for code in sorted(newest))


def try_limit(
    store: Store,
    user: User,
    content: Mapping[str, Any],
    rule_id: str,
    numbers: Mapping[str, str],
    *,
    since: datetime,
    until: datetime,
    progress: Progress,
) -> tuple[WhatIf, UUID]:
    """The flags of a rule now and with other numbers, and the version they were compared with.

    Raises:
        NotPermitted: the user may not see it.
        InvalidEntry: the numbers make no rule, in words.
    """
    in_force = next(
        (item for item in limits_in_force(store, user) if item.content() == content), None
    )
    if in_force is None:
        raise NotFound("These limits are not in force any more. Open the page again.")
    after = changed_set(content, rule_id, numbers)
    before = parse_threshold_set(content)
    found = what_if(
        store,
        user.clinic,
        before,
        after,
        rule_id,
        since=since,
        until=until,
        progress=progress,
    )
    return found, in_force.id
