"""What people do.  Every action: check permission, read, decide, save once, give back what is now.

Every write is idempotent on the ids its client made: the same request a second time saves nothing
and answers as the first did.
"""

from monitor.actions.alert_clock import AlertClock
from monitor.actions.both_right import call_both_right
from monitor.actions.checking import projection_problems, rebuild_summary
from monitor.actions.doses import change_rate, change_syringe, give_bolus
from monitor.actions.effects import (
    answer_alert,
    change_side_effect,
    record_side_effect,
    suppress_alert,
)
from monitor.actions.gate import answer_gate, confirm_overrides
from monitor.actions.ledger import record_movement
from monitor.actions.observations import amend, record_observations, save_draft
from monitor.actions.opening import OpenSession, open_session, open_sessions, seated
from monitor.actions.patient_limits import set_patient_limit
from monitor.actions.retime import can_be_moved, correct_time
from monitor.actions.sessions import (
    approved_threshold_set,
    record_event,
    start_session,
)
from monitor.actions.undo import undo
from monitor.actions.weights import WeightPreview, preview_weight, record_weight

__all__ = [
    "AlertClock",
    "OpenSession",
    "WeightPreview",
    "amend",
    "answer_alert",
    "answer_gate",
    "approved_threshold_set",
    "call_both_right",
    "can_be_moved",
    "change_rate",
    "change_side_effect",
    "change_syringe",
    "confirm_overrides",
    "correct_time",
    "give_bolus",
    "open_session",
    "open_sessions",
    "preview_weight",
    "projection_problems",
    "rebuild_summary",
    "record_event",
    "record_movement",
    "record_observations",
    "record_side_effect",
    "record_weight",
    "save_draft",
    "seated",
    "set_patient_limit",
    "start_session",
    "suppress_alert",
    "undo",
]
