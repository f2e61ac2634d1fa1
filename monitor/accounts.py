"""Accounts and device sessions: who may sign in, and who acts on which device right now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from monitor.permissions import Role, User


class UserEventKind(StrEnum):
    """What can happen to an account; the account of now is the last event's content."""

    CREATED = "created"
    CHANGED = "changed"
    DISABLED = "disabled"
    ENABLED = "enabled"
    PASSWORD_SET = "password_set"
    PIN_SET = "pin_set"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserEvent:
    """A recorded change of an account with its content from then on.  Holds no secret."""

    id: UUID
    kind: UserEventKind
    username: str
    name: str
    role: Role
    clinic: str
    active: bool
    shift_lead: bool
    at: datetime
    by: str

    def user(self) -> User:
        """The account as this event left it."""
        return User(
            username=self.username,
            name=self.name,
            role=self.role,
            clinic=self.clinic,
            active=self.active,
            shift_lead=self.shift_lead,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """The argon2 hashes of one account.  A working row: losing it costs a reset, not a fact."""

    username: str
    password_hash: str
    pin_hash: str | None
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceSession:
    """A signed-in device.  The cookie names it; ``username`` is who acts now (ruling 3).

    ``token_hash`` is the SHA-256 of the cookie's secret: the database never holds the secret.
    """

    token_hash: str
    username: str
    label: str
    wall: bool
    opened_at: datetime
    last_input_at: datetime
    expires_at: datetime
    locked_at: datetime | None = None
    ended_at: datetime | None = None
    csrf_token: str = ""
