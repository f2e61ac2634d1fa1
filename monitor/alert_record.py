"""What is stored of an alert: that staff were told, and what happened to it.  Never edited."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID


class AlertEventKind(StrEnum):
    """What can happen to an alert once it was raised (clinical.md 7.2)."""

    CONFIRMED = "confirmed"
    UNCONFIRMED = "unconfirmed"
    LEVEL_UP = "level_up"
    STEPPED_DOWN = "stepped_down"
    CLEARED = "cleared"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    CLOSED = "closed"
    SUPPRESSED = "suppressed"
    ESCALATED = "escalated"
    REFIRED = "refired"
    INVALIDATED = "invalidated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert of one group, raised once and kept for ever, with the limits in force copied in.

    ``onset_at`` is the time of the first breaching reading, ``detected_at`` when the monitor
    first knew.  ``id`` is derived from session, group and first reading: raising twice is a no-op.
    """

    id: UUID
    session_id: UUID
    group: str
    rule_id: str
    threshold_set_id: UUID
    level: str
    pending: bool
    onset_at: datetime
    detected_at: datetime
    trigger_id: UUID
    parameter: str
    trigger_value: Decimal | None
    threshold_text: str
    baseline_value: Decimal | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertEvent:
    """Something that happened to an alert; UNIQUE(alert, kind, step) keeps it from happening twice.

    ``step`` numbers repetitions of one kind (second escalation, second acknowledgement).
    """

    id: UUID
    alert_id: UUID
    kind: AlertEventKind
    step: int
    at: datetime
    recorded_at: datetime
    by: str
    action: str | None = None
    text: str | None = None
    level: str | None = None


class AlertState(StrEnum):
    """Where an alert stands (clinical.md 7.2); always derived, never stored."""

    PENDING = "pending"
    ACTIVE = "active"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    CLOSED = "closed"
    SUPPRESSED = "suppressed"
    ESCALATED = "escalated"
    INVALIDATED = "invalidated"

    @property
    def is_open(self) -> bool:
        """Whether it still concerns somebody."""
        return self not in _OVER


_OVER = frozenset({AlertState.RESOLVED, AlertState.CLOSED, AlertState.INVALIDATED})
