"""Who may do what.  One table, reviewed like code; every action checks it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from monitor.errors import NotPermitted


class Role(StrEnum):
    """What a person is in the clinic.  ``WALL`` is a device, never a person."""

    NURSE = "nurse"
    ANAESTHETIST = "anaesthetist"
    LEAD = "lead"
    ADMIN = "admin"
    WALL = "wall"


class Action(StrEnum):
    """Everything that can be done through the monitor, in the words people use for it."""

    SEE_BOARD = "see the live board"
    SEE_SESSION = "open a session"
    START_SESSION = "start a session"
    KEEP_REGISTER = "register and correct patients"
    PLAN_COURSE = "plan a course of infusions"
    RECORD_OBSERVATIONS = "record observations"
    CHANGE_DOSE = "change the dose"
    GIVE_BOLUS = "record a bolus"
    RECORD_SIDE_EFFECT = "record a side effect"
    RECORD_EVENT = "record an event"
    KEEP_LEDGER = "write in the drug ledger"
    AMEND = "amend the record"
    ANSWER_ALERT = "answer an alert"
    CHANGE_LIMITS = "change limits for one patient"
    COMPLETE_SESSION = "complete a session"
    SIGN_SESSION = "sign a session"
    FIND_SESSIONS = "find sessions"
    SEE_BURDEN = "see the burden of alerts"
    EXPORT = "export"
    MANAGE_PROTOCOLS = "manage protocols"
    APPROVE_PROTOCOLS = "approve protocols"
    MANAGE_LIMITS = "write alert limits"
    APPROVE_LIMITS = "approve alert limits"
    MANAGE_USERS = "manage users"
    SEE_AUDIT = "see the audit trail"


_CLINICAL = frozenset(
    {
        Action.SEE_BOARD,
        Action.SEE_SESSION,
        Action.START_SESSION,
        Action.KEEP_REGISTER,
        Action.RECORD_OBSERVATIONS,
        Action.CHANGE_DOSE,
        Action.GIVE_BOLUS,
        Action.RECORD_SIDE_EFFECT,
        Action.RECORD_EVENT,
        Action.KEEP_LEDGER,
        Action.AMEND,
        Action.ANSWER_ALERT,
        Action.COMPLETE_SESSION,
        Action.FIND_SESSIONS,
    }
)

#: The one permission table: role -> actions.  docs and tests are generated from it.
ALLOWED: dict[Role, frozenset[Action]] = {
    Role.NURSE: _CLINICAL,
    Role.ANAESTHETIST: _CLINICAL
    | {
        Action.PLAN_COURSE,
        Action.CHANGE_LIMITS,
        Action.SIGN_SESSION,
        Action.APPROVE_PROTOCOLS,
        Action.APPROVE_LIMITS,
        Action.SEE_BURDEN,
        Action.EXPORT,
        Action.SEE_AUDIT,
    },
    Role.LEAD: frozenset(
        {
            Action.SEE_BOARD,
            Action.SEE_SESSION,
            Action.FIND_SESSIONS,
            Action.SEE_BURDEN,
            Action.EXPORT,
            Action.MANAGE_PROTOCOLS,
            Action.MANAGE_LIMITS,
            Action.MANAGE_USERS,
            Action.SEE_AUDIT,
        }
    ),
    Role.ADMIN: frozenset({Action.MANAGE_USERS, Action.SEE_AUDIT}),
    Role.WALL: frozenset({Action.SEE_BOARD}),
}


@dataclass(frozen=True, slots=True)
class User:
    """The person (or wall device) who acts now, as resolved on the server for this request."""

    username: str
    name: str
    role: Role
    clinic: str
    active: bool = True
    shift_lead: bool = False


def may(user: User, action: Action) -> bool:
    """Whether the user may do this; for showing or hiding a button."""
    return user.active and action in ALLOWED[user.role]


def check_may(user: User, action: Action) -> None:
    """Refuse in a sentence when the user may not do this.

    Raises:
        NotPermitted: naming the action and the roles that may do it.
    """
    if not may(user, action):
        allowed = ", ".join(role.value for role in Role if action in ALLOWED[role])
        if not user.active:
            raise NotPermitted(f"The account {user.username} is disabled.")
        raise NotPermitted(
            f"{user.name} ({user.role.value}) may not {action.value}. Ask: {allowed}."
        )
