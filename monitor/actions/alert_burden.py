"""The burden of alerts of one clinic over a time, for those who answer for the limits."""

from __future__ import annotations

from datetime import datetime
from gettext import gettext as _

from monitor.burden import Burden, burden
from monitor.permissions import Action, User, check_may
from monitor.store import Store
from monitor.thresholds import parse_threshold_set


def alert_burden(store: Store, user: User, *, since: datetime, until: datetime) -> Burden:
    """The report of the user's clinic; ``until`` is not included.

    Raises:
        NotPermitted: the user may not see it.
    """
    check_may(user, Action.SEE_BURDEN)
    return burden_of(store, user.clinic, since=since, until=until)


def burden_of(store: Store, clinic: str, *, since: datetime, until: datetime) -> Burden:
    """The report of a clinic, for who holds the database."""
    sessions = store.started_sessions(clinic, since, until)
    alerts = store.alert_histories(clinic, since, until)
    versions = {version for _, version in sessions} | {item.threshold_set_id for item in alerts}
    policies = {
        version: parse_threshold_set(store.pinned(version).content()).policy for version in versions
    }
    return burden(sessions, alerts, policies)


def version_labels(store: Store, report: Burden) -> dict[object, str]:
    """How people call the versions of the limits in a report."""
    found = {row.threshold_set_id: store.pinned(row.threshold_set_id) for row in report.rows}
    return {key: f"{version.code} v{version.version}" for key, version in found.items()}


def rule_labels(store: Store, report: Burden) -> dict[tuple[object, str], str]:
    """How the rules of a report are called in their version; a limit of the dose by its code."""
    found: dict[tuple[object, str], str] = {}
    for version in {row.threshold_set_id for row in report.rows}:
        limits = parse_threshold_set(store.pinned(version).content())
        found |= {(version, rule.id): rule.label for rule in limits.rules}
    codes = {(row.threshold_set_id, row.rule_id): row.rule_id for row in report.rows}
    return {key: _("Dose limit: {code}").format(code=code) for key, code in codes.items()} | found
