"""Try another limit on the clinic's own history before it goes live: how many flags, and where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from gettext import gettext as _
from typing import Any
from uuid import UUID

import streamlit as st

from monitor.accounts import DeviceSession
from monitor.actions.limit_trial import limits_in_force, try_limit
from monitor.days import day_text
from monitor.errors import MonitorError
from monitor.permissions import Action, User, check_may
from monitor.store import Store
from monitor.thresholds import LEVELS, Rule, parse_threshold_set
from monitor.whatif import Flags, WhatIf, triable
from pages.widgets.clinic_time import clinic_zone
from pages.widgets.navigation import go_to, link_to

#: Where the last answer is kept: counts and ids of sessions, never their data.
_FOUND = "try_limits.found"
#: Sessions listed in each direction; all of them are counted.
_LISTED = 200
_PARTS = ("fires", "clears", "at_once", "counts_when")


def try_limits(store: Store, user: User, device: DeviceSession) -> None:
    """Draw the rule with its conditions, and what they would have done."""
    link_to("limits", _("Alert limits"), icon=":material/arrow_back:")
    st.title(_("Try a limit"))
    try:
        check_may(user, Action.SEE_BURDEN)
        versions = limits_in_force(store, user)
    except MonitorError as error:
        st.error(str(error))
        return
    if not versions:
        st.info(_("No approved version of the limits is in force."))
        return
    left, middle, right = st.columns([1, 2, 1])
    version = left.selectbox(
        _("Limits in force"),
        versions,
        format_func=lambda item: f"{item.code} v{item.version}",
        key="try_limits.version",
    )
    content = version.content()
    limits = parse_threshold_set(content)
    rules = {rule.id: rule for rule in triable(limits)}
    rule_id = middle.selectbox(
        _("Rule"), list(rules), format_func=lambda key: rules[key].label, key="try_limits.rule"
    )
    days = right.number_input(
        _("Last days"), min_value=1, max_value=36500, value=90, key="try_limits.days"
    )
    row = next(item for item in content["rule"] if item["id"] == rule_id)
    with st.form("try_limits.form"):
        numbers = _conditions(rules[rule_id], row)
        asked = st.form_submit_button(_("Try it on past sessions"), type="primary")
    if asked:
        _try(store, user, content, rule_id, numbers, int(days))
    found = st.session_state.get(_FOUND)
    if found is not None and found[0] == (version.id, rule_id):
        _answer(store, found[1])


def _conditions(rule: Rule, row: Mapping[str, Any]) -> dict[str, str]:
    """One field for each condition of the rule, as it is in force."""
    names = {
        "fires": _("{level} when"),
        "clears": _("{level} ends when"),
        "at_once": _("{level} at once when"),
        "counts_when": _("{level} counts only when"),
    }
    numbers = {}
    present = [level for level in LEVELS if level in row]
    for level, column in zip(present, st.columns(len(present)), strict=True):
        for part in _PARTS:
            if part in row[level]:
                key = f"{level}.{part}"
                numbers[key] = column.text_input(
                    names[part].format(level=_(level).capitalize()),
                    value=row[level][part],
                    key=f"try_limits.{rule.id}.{key}",
                )
    return numbers


def _try(
    store: Store,
    user: User,
    content: Mapping[str, Any],
    rule_id: str,
    numbers: Mapping[str, str],
    days: int,
) -> None:
    until = datetime.now(UTC)
    bar = st.progress(0.0, text=_("Reading past sessions"))

    def progress(done: int, of: int) -> None:
        share = min(1.0, done / of) if of else 1.0
        bar.progress(share, text=_("{done} of {of} sessions").format(done=done, of=of))

    try:
        found, version_id = try_limit(
            store,
            user,
            content,
            rule_id,
            numbers,
            since=until - timedelta(days=days),
            until=until,
            progress=progress,
        )
    except MonitorError as error:
        st.session_state.pop(_FOUND, None)
        st.error(str(error))
        return
    finally:
        bar.empty()
    st.session_state[_FOUND] = ((version_id, rule_id), found)


def _answer(store: Store, found: WhatIf) -> None:
    st.subheader(
        _("In {n} sessions: {before} flags now, {after} with the change").format(
            n=found.sessions, before=found.before.total, after=found.after.total
        )
    )
    st.dataframe(
        [_flags(_("in force"), found.before), _flags(_("changed"), found.after)],
        hide_index=True,
        width="stretch",
    )
    gain, lose = st.columns(2)
    with gain:
        _sessions(store, _("Sessions with more flags"), found.gain, found, "gain")
    with lose:
        _sessions(store, _("Sessions with fewer flags"), found.lose, found, "lose")
    st.caption(
        _(
            "Confirmed flags of this rule in closed sessions, judged from the record by the limits"
            " in force and by the changed ones. Nothing is changed by trying."
        )
    )


def _flags(label: str, flags: Flags) -> dict[str, str]:
    return {
        _("Limits"): label,
        _("Warnings"): str(flags.warnings),
        _("Critical"): str(flags.criticals),
        _("Sessions with a flag"): str(len(flags.by_session)),
    }


def _sessions(store: Store, title: str, ids: Sequence[UUID], found: WhatIf, key: str) -> None:
    st.markdown(f"**{title}: {len(ids)}**")
    if not ids:
        return
    if len(ids) > _LISTED:
        st.caption(_("The first {n} are listed.").format(n=_LISTED))
    zone = clinic_zone()
    rows = []
    for session_id in ids[:_LISTED]:
        row = store.summary(session_id) or {}
        day = row.get("listed_at")
        rows.append(
            {
                _("Day"): day_text(day.astimezone(zone)) if day else "",
                _("Number"): row.get("mrn", ""),
                _("Protocol"): row.get("protocol_id", ""),
                _("Now"): str(found.before.by_session.get(session_id, 0)),
                _("Changed"): str(found.after.by_session.get(session_id, 0)),
            }
        )
    chosen = st.dataframe(
        rows,
        hide_index=True,
        width="stretch",
        on_select="rerun",
        selection_mode="single-row",
        key=f"try_limits.{key}",
    )
    picked = chosen.selection.rows
    if picked and picked[0] < len(rows):
        go_to("review", session=ids[picked[0]])
