"""Symptoms that hold an alert open: each can be said to be gone, or still there, by one tap."""

from __future__ import annotations

from datetime import datetime

from monitor.alerts import AlertView
from monitor.parameters import PARAMETERS
from monitor.record import InfusionSession
from monitor.thresholds import SIGNS, ThresholdSet

#: Ticks that tell how something else was found, or what happened once: they do not last.
_NOT_LASTING = frozenset({"asleep", "roused_to_voice", "vomited"})


def standing_symptoms(
    view: AlertView, threshold_set: ThresholdSet, session: InfusionSession, now: datetime
) -> list[dict[str, str]]:
    """What was ticked with yes, belongs to the alert and was not answered with no since.

    Yes, no and nothing are three things: only a no ends it (clinical.md U-02, U-53).
    """
    # An alert of the dose is raised by a limit of the protocol and is no row here.
    rule_ids = {view.alert.rule_id, *view.rule_ids}
    keys = {
        key
        for rule in threshold_set.rules
        if rule.id in rule_ids
        for key in SIGNS[rule.sign].parameters
        if PARAMETERS[key].kind == "tick" and key not in _NOT_LASTING
    }
    newest = {
        item.parameter: item.value
        for item in session.current_observations
        if item.parameter in keys and item.value is not None and item.taken_at <= now
    }
    return [
        {"code": key, "label": PARAMETERS[key].label}
        for key in PARAMETERS
        if key in keys and newest.get(key) == 1
    ]
