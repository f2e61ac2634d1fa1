"""Accounts, signed-in devices, failed attempts and drafts."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from db.tables import CREDENTIAL, DEVICE_SESSION, DRAFT, FAILED_ATTEMPT, USER_EVENT, row_of
from db.writer import upsert
from monitor.accounts import Credential, DeviceSession
from monitor.errors import NotFound
from monitor.ids import new_id
from monitor.permissions import User
from monitor.store import Draft

_USER_NAMES = tuple(item.name for item in fields(User))
_DEVICE_NAMES = tuple(item.name for item in fields(DeviceSession))
_DRAFT_NAMES = tuple(item.name for item in fields(Draft))
_CREDENTIAL_NAMES = tuple(item.name for item in fields(Credential))


def _newest(event: Any) -> Any:
    """The number of the last event of the same account."""
    return (
        sa.select(sa.func.max(event.c.number))
        .where(event.c.username == USER_EVENT.c.username)
        .scalar_subquery()
    )


def _users() -> sa.Select[Any]:
    return sa.select(*(USER_EVENT.c[name] for name in _USER_NAMES)).where(
        USER_EVENT.c.number == _newest(USER_EVENT.alias("later"))
    )


def user(connection: Connection, username: str) -> User:
    row = connection.execute(_users().where(USER_EVENT.c.username == username)).first()
    if row is None:
        raise NotFound(f"There is no account {username}.")
    return User(**row._mapping)


def users(connection: Connection, clinic: str | None) -> tuple[User, ...]:
    asked = _users().order_by(USER_EVENT.c.username)
    if clinic is not None:
        asked = asked.where(USER_EVENT.c.clinic == clinic)
    return tuple(User(**row._mapping) for row in connection.execute(asked))


def credential(connection: Connection, username: str) -> Credential:
    asked = sa.select(*(CREDENTIAL.c[name] for name in _CREDENTIAL_NAMES))
    row = connection.execute(asked.where(CREDENTIAL.c.username == username)).first()
    if row is None:
        raise NotFound(f"There is no password for the account {username}.")
    return Credential(**row._mapping)


def put_device_session(connection: Connection, device: DeviceSession) -> None:
    upsert(connection, DEVICE_SESSION, row_of(device))


def replace_device_session(connection: Connection, seen: DeviceSession, new: DeviceSession) -> bool:
    as_seen = (
        DEVICE_SESSION.c[name].is_not_distinct_from(getattr(seen, name)) for name in _DEVICE_NAMES
    )
    done = connection.execute(sa.update(DEVICE_SESSION).where(*as_seen).values(row_of(new)))
    return done.rowcount == 1


def device_session(connection: Connection, token_hash: str) -> DeviceSession | None:
    asked = sa.select(*(DEVICE_SESSION.c[name] for name in _DEVICE_NAMES))
    row = connection.execute(asked.where(DEVICE_SESSION.c.token_hash == token_hash)).first()
    return None if row is None else DeviceSession(**row._mapping)


def device_sessions(connection: Connection, username: str) -> tuple[DeviceSession, ...]:
    asked = (
        sa.select(*(DEVICE_SESSION.c[name] for name in _DEVICE_NAMES))
        .where(DEVICE_SESSION.c.username == username)
        .order_by(DEVICE_SESSION.c.opened_at.desc(), DEVICE_SESSION.c.token_hash)
    )
    return tuple(DeviceSession(**row._mapping) for row in connection.execute(asked))


def failed_attempts(connection: Connection, key: str, since: datetime) -> int:
    asked = sa.select(sa.func.count()).select_from(FAILED_ATTEMPT)
    found = connection.execute(
        asked.where(FAILED_ATTEMPT.c.key == key, FAILED_ATTEMPT.c.at >= since)
    )
    return int(found.scalar_one())


def add_failed_attempt(connection: Connection, key: str, at: datetime) -> None:
    connection.execute(sa.insert(FAILED_ATTEMPT), {"id": new_id(), "key": key, "at": at})


def clear_failed_attempts(connection: Connection, key: str) -> None:
    connection.execute(sa.delete(FAILED_ATTEMPT).where(FAILED_ATTEMPT.c.key == key))


def put_draft(connection: Connection, draft: Draft) -> None:
    upsert(connection, DRAFT, row_of(draft))


def drafts(connection: Connection, session_id: UUID) -> tuple[Draft, ...]:
    asked = (
        sa.select(*(DRAFT.c[name] for name in _DRAFT_NAMES))
        .where(DRAFT.c.session_id == session_id)
        .order_by(DRAFT.c.saved_at.desc(), DRAFT.c.device)
    )
    return tuple(Draft(**row._mapping) for row in connection.execute(asked))


def drop_draft(connection: Connection, session_id: UUID, device: str) -> None:
    connection.execute(
        sa.delete(DRAFT).where(DRAFT.c.session_id == session_id, DRAFT.c.device == device)
    )
