"""The burden of alerts: month by month and rule by rule, and when the limits want a second look."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from gettext import gettext as _

import streamlit as st

from monitor.accounts import DeviceSession
from monitor.actions.alert_burden import alert_burden, rule_labels, version_labels
from monitor.burden import BURDEN, Burden, Month, Tally
from monitor.errors import MonitorError
from monitor.permissions import User
from monitor.store import Store
from pages.widgets.clinic_time import clinic_zone
from pages.widgets.navigation import link_to

#: How far back the page looks at first.
_LAST = timedelta(days=90)


def see_burden(store: Store, user: User, device: DeviceSession) -> None:
    """Draw the time asked for, the months and the rules."""
    link_to("limits", _("Alert limits"), icon=":material/arrow_back:")
    st.title(_("Alert burden"))
    zone = clinic_zone()
    today = datetime.now(UTC).astimezone(zone).date()
    left, right, _rest = st.columns([1, 1, 2])
    since = left.date_input(_("From"), value=today - _LAST, key="burden.from")
    until = right.date_input(_("To"), value=today, key="burden.to")
    if not isinstance(since, date) or not isinstance(until, date) or since > until:
        st.info(_("Choose a first and a last day, the first not after the last."))
        return
    try:
        report = alert_burden(
            store,
            user,
            since=datetime.combine(since, time(), tzinfo=zone).astimezone(UTC),
            until=datetime.combine(until + timedelta(days=1), time(), tzinfo=zone).astimezone(UTC),
        )
        labels = version_labels(store, report)
        names = rule_labels(store, report)
    except MonitorError as error:
        st.error(str(error))
        return
    if not report.months:
        st.info(_("No closed session began in this time."))
        return
    _reviews(report)
    _months(report)
    _rules(report, labels, names)
    _how_counted()


def _reviews(report: Burden) -> None:
    for month in report.months:
        if month.review:
            st.warning(
                _("{month}: look at the limits again. {why}.").format(
                    month=month.month, why="; ".join(month.review)
                ),
                icon=":material/flag:",
            )


def _months(report: Burden) -> None:
    st.subheader(_("By month"))
    st.dataframe(
        [_month_row(month) for month in reversed(report.months)], hide_index=True, width="stretch"
    )


def _month_row(month: Month) -> dict[str, str]:
    return {
        _("Month"): month.month,
        _("Sessions"): str(month.sessions),
        _("Warnings per session"): _number(month.warnings_per_session),
        **_counts(month.tally),
    }


def _rules(report: Burden, labels: dict[object, str], names: dict[tuple[object, str], str]) -> None:
    st.subheader(_("By rule and version of the limits"))
    st.dataframe(
        [
            {
                _("Month"): row.month,
                _("Rule"): names[row.threshold_set_id, row.rule_id],
                _("Limits"): labels[row.threshold_set_id],
                _("Per session"): _number(row.per_session),
                **_counts(row.tally),
            }
            for row in sorted(report.rows, key=lambda row: row.month, reverse=True)
        ],
        hide_index=True,
        width="stretch",
    )


def _counts(tally: Tally) -> dict[str, str]:
    """Each share beside its count and what it is of."""
    taken = tally.counted + tally.invalidated
    return {
        _("Warnings"): str(tally.warnings),
        _("Critical"): str(tally.criticals),
        _("Acted on"): _share(tally.acted_on, tally.counted, tally.acted_on_percent),
        _("False"): _share(tally.false, taken, tally.false_percent),
        _("Answered in time"): _share(tally.in_time, tally.counted, tally.in_time_percent),
        _("Not confirmed"): str(tally.unconfirmed),
    }


def _share(count: int, of: int, percent: Decimal | None) -> str:
    return "" if percent is None else f"{percent} % ({count}/{of})"


def _number(value: Decimal | None) -> str:
    return "" if value is None else str(value)


def _how_counted() -> None:
    st.caption(
        _(
            "Confirmed alerts of closed sessions, each once at its highest level, with onset between"
            " the first dose and discharge. Acted on: an answer other than observed only or artefact."
            " False: answered artefact, or taken back by a correction. In time: before somebody else"
            " would have been told. A month is flagged above {most} warnings per session or below"
            " {least} % acted on. {source}."
        ).format(
            most=BURDEN.warnings_per_session_above,
            least=BURDEN.acted_on_below_percent,
            source=BURDEN.source,
        )
    )
