"""Accounts: making, changing and disabling them, each as a recorded event.

``by`` is the signed-in person (their permission is checked) or None for the command line, whose
user already holds the database.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

from monitor.accounts import Credential, DeviceSession, UserEvent, UserEventKind
from monitor.audit import AuditEvent
from monitor.errors import InvalidEntry, NotFound, NotPermitted, Problem
from monitor.ids import new_id
from monitor.passwords import hash_secret, password_problems, pin_problems
from monitor.permissions import Action, Role, User, check_may
from monitor.store import Store, Writer

#: Who acted when it was the command line; no account can have this name.
COMMAND_LINE = "(command line)"
#: The clinic of a demo database.  Only ``create_demo_users`` makes accounts in it.
DEMO_CLINIC = "demo"
#: The password of every demo account, shown on the sign-in page of a demo database.
DEMO_PASSWORD = "just for looking"
#: The demo accounts: user name, name shown, role, shift lead, PIN.
DEMO_ACCOUNTS: tuple[tuple[str, str, Role, bool, str], ...] = (
    ("ablum", "A. Blum", Role.NURSE, True, "2580"),
    ("cdiaz", "C. Diaz", Role.NURSE, False, "1470"),
    ("mkeller", "Dr M. Keller", Role.ANAESTHETIST, False, "3690"),
    ("lsato", "L. Sato", Role.LEAD, False, "7531"),
    ("admin", "Administrator", Role.ADMIN, False, "9517"),
)
_USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,31}")


def normal_username(text: str) -> str:
    """How a user name is stored and compared: no surrounding blanks, lower case."""
    return text.strip().casefold()


def is_demo(store: Store) -> bool:
    """Whether this is a demo database: it has accounts, and all of them are the demo's."""
    users = store.users()
    return bool(users) and all(user.clinic == DEMO_CLINIC for user in users)


def create_demo_users(store: Store, *, now: datetime) -> tuple[User, ...]:
    """The demo accounts, in a database that holds no other account; a second time changes nothing.

    Raises:
        NotPermitted: the database has accounts of a real clinic.
    """
    if store.users() and not is_demo(store):
        raise NotPermitted("This database has real accounts; demo accounts are never added to it.")
    known = {user.username for user in store.users()}
    made = []
    for username, name, role, shift_lead, pin in DEMO_ACCOUNTS:
        user = User(username, name, role, DEMO_CLINIC, shift_lead=shift_lead)
        if username not in known:
            _create(store, user, DEMO_PASSWORD, pin, by=COMMAND_LINE, now=now)
        made.append(user)
    return tuple(made)


def create_user(
    store: Store,
    *,
    username: str,
    name: str,
    role: Role,
    clinic: str,
    password: str,
    pin: str | None = None,
    shift_lead: bool = False,
    by: User | None,
    now: datetime,
) -> User:
    """Make an account.

    Raises:
        InvalidEntry: every problem with the name, password and PIN at once.
        NotPermitted: the person may not manage users, or not those of another clinic.
    """
    user = User(normal_username(username), name.strip(), role, clinic.strip(), True, shift_lead)
    actor = _check_actor(by, user.clinic)
    problems = [*_account_problems(user), *_secret_problems(user, password, pin)]
    if any(user.username == known.username for known in store.users()):
        problems.append(Problem("username", f"There is already an account {user.username}."))
    _refuse(problems)
    _create(store, user, password, pin, by=actor, now=now)
    return user


def change_user(
    store: Store,
    username: str,
    *,
    name: str | None = None,
    role: Role | None = None,
    shift_lead: bool | None = None,
    by: User | None,
    now: datetime,
) -> User:
    """Change what is given of an account; what is None stays."""
    user = store.user(normal_username(username))
    changed = replace(
        user,
        name=user.name if name is None else name.strip(),
        role=user.role if role is None else role,
        shift_lead=user.shift_lead if shift_lead is None else shift_lead,
    )
    actor = _check_actor(by, user.clinic)
    if actor == user.username and changed.role is not user.role:
        raise NotPermitted("You cannot change your own role. Ask another administrator.")
    _refuse(_account_problems(changed))
    if changed != user:
        _save(store, changed, UserEventKind.CHANGED, by=actor, now=now)
        if changed.role is not user.role:
            end_device_sessions(store, user.username, now=now)
    return changed


def disable_user(store: Store, username: str, *, by: User | None, now: datetime) -> User:
    """Take an account out of use and end every device it is signed in on.

    Raises:
        NotPermitted: people cannot disable themselves; somebody else has to.
    """
    user = store.user(normal_username(username))
    actor = _check_actor(by, user.clinic)
    if actor == user.username:
        raise NotPermitted("You cannot disable your own account. Ask another administrator.")
    disabled = replace(user, active=False)
    if user.active:
        _save(store, disabled, UserEventKind.DISABLED, by=actor, now=now)
    end_device_sessions(store, user.username, now=now)
    return disabled


def enable_user(store: Store, username: str, *, by: User | None, now: datetime) -> User:
    """Put a disabled account back into use; it signs in again with its old password."""
    user = store.user(normal_username(username))
    actor = _check_actor(by, user.clinic)
    enabled = replace(user, active=True)
    if not user.active:
        _save(store, enabled, UserEventKind.ENABLED, by=actor, now=now)
    return enabled


def set_password(
    store: Store, username: str, password: str, *, by: User | None, now: datetime
) -> None:
    """Give an account a new password and end every device it is signed in on.

    Raises:
        InvalidEntry: the password may not be used.
    """
    user = store.user(normal_username(username))
    actor = _check_own_or_admin(by, user)
    _refuse(_secret_problems(user, password, None))
    credential = Credential(
        username=user.username,
        password_hash=hash_secret(password),
        pin_hash=_pin_hash(store, user.username),
        changed_at=now,
    )
    _save(store, user, UserEventKind.PASSWORD_SET, by=actor, now=now, credential=credential)
    end_device_sessions(store, user.username, now=now)


def set_pin(store: Store, username: str, pin: str, *, by: User | None, now: datetime) -> None:
    """Give an account a new PIN.

    Raises:
        InvalidEntry: the PIN may not be used.
    """
    user = store.user(normal_username(username))
    actor = _check_own_or_admin(by, user)
    _refuse(pin_problems(pin))
    credential = replace(store.credential(user.username), pin_hash=hash_secret(pin), changed_at=now)
    _save(store, user, UserEventKind.PIN_SET, by=actor, now=now, credential=credential)


def refresh_password_hash(store: Store, user: User, password: str, *, now: datetime) -> None:
    """Keep the same password under today's parameters, when it was just typed correctly."""
    credential = replace(store.credential(user.username), password_hash=hash_secret(password))
    audit = AuditEvent(now, user.username, "PASSWORD_REHASHED")
    with store.write(audit, clinic=user.clinic) as writer:
        writer.set_credential(credential)


def end_device_sessions(store: Store, username: str, *, now: datetime) -> int:
    """Sign an account out everywhere; how many devices that were."""
    ended = 0
    for device in store.device_sessions(username):
        seen: DeviceSession | None = device
        while seen is not None and seen.ended_at is None:
            if store.replace_device_session(seen, replace(seen, ended_at=now)):
                ended += 1
                break
            seen = store.device_session(device.token_hash)
    return ended


def _pin_hash(store: Store, username: str) -> str | None:
    try:
        return store.credential(username).pin_hash
    except NotFound:
        return None


def _check_actor(by: User | None, clinic: str) -> str:
    """The name the event is recorded under, when this person may manage users of the clinic."""
    if by is None:
        return COMMAND_LINE
    check_may(by, Action.MANAGE_USERS)
    if by.clinic != clinic:
        raise NotPermitted("This account belongs to another clinic.")
    return by.username


def _check_own_or_admin(by: User | None, user: User) -> str:
    if by is not None and by.username == user.username and by.active:
        return by.username
    return _check_actor(by, user.clinic)


def _account_problems(user: User) -> list[Problem]:
    problems = []
    if not _USERNAME.fullmatch(user.username):
        problems.append(
            Problem(
                "username",
                "A user name has 2 to 32 letters, digits, dots or dashes and begins with a "
                "letter or digit.",
            )
        )
    if not user.name or len(user.name) > 80 or not user.name.isprintable():
        problems.append(Problem("name", "Enter the name people know this person by."))
    if not user.clinic or len(user.clinic) > 40 or not user.clinic.isprintable():
        problems.append(Problem("clinic", "Say which clinic this account belongs to."))
    if user.clinic == DEMO_CLINIC and user.username not in {row[0] for row in DEMO_ACCOUNTS}:
        problems.append(Problem("clinic", f'The clinic "{DEMO_CLINIC}" is for the demo only.'))
    return problems


def _secret_problems(user: User, password: str, pin: str | None) -> list[Problem]:
    problems = list(password_problems(password, username=user.username))
    if pin is not None:
        problems += pin_problems(pin)
    if password == DEMO_PASSWORD and user.clinic != DEMO_CLINIC:
        problems.append(Problem("password", "This is the password of the demo. Choose another."))
    return problems


def _refuse(problems: tuple[Problem, ...] | list[Problem]) -> None:
    if problems:
        raise InvalidEntry(problems)


def _create(
    store: Store, user: User, password: str, pin: str | None, *, by: str, now: datetime
) -> None:
    credential = Credential(
        username=user.username,
        password_hash=hash_secret(password),
        pin_hash=hash_secret(pin) if pin is not None else None,
        changed_at=now,
    )
    _save(store, user, UserEventKind.CREATED, by=by, now=now, credential=credential)


def _save(
    store: Store,
    user: User,
    kind: UserEventKind,
    *,
    by: str,
    now: datetime,
    credential: Credential | None = None,
) -> None:
    audit = AuditEvent(
        now, by, Action.MANAGE_USERS.name, detail={"user": user.username, "kind": kind}
    )
    with store.write(audit, clinic=user.clinic) as writer:
        _add_event(writer, user, kind, by, now)
        if credential is not None:
            writer.set_credential(credential)


def _add_event(writer: Writer, user: User, kind: UserEventKind, by: str, now: datetime) -> None:
    writer.add_user_event(
        UserEvent(
            id=new_id(),
            kind=kind,
            username=user.username,
            name=user.name,
            role=user.role,
            clinic=user.clinic,
            active=user.active,
            shift_lead=user.shift_lead,
            at=now,
            by=by,
        )
    )
