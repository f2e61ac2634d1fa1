"""The second person: who confirmed an entry with their PIN, proved to the save that follows.

The PIN is checked while the network is there and is kept nowhere; what the tablet keeps beside the
entry is a seal, bound to the device, the infusion session, the entry and the person.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime
from gettext import gettext as _
from uuid import UUID

from monitor.accounts import DeviceSession
from monitor.errors import InvalidEntry, NotFound, Problem
from monitor.permissions import Action, User, may
from monitor.store import Store
from pages.http.grants import LIFE

#: Whoever may give a bolus may stand beside one.
WITNESSES = Action.GIVE_BOLUS


def witnesses(store: Store, user: User) -> tuple[User, ...]:
    """Who can be the second person for this one: clinical people of the clinic, by name."""
    others = (
        person
        for person in store.users(user.clinic)
        if person.username != user.username and may(person, WITNESSES)
    )
    return tuple(sorted(others, key=lambda person: person.name.casefold()))


def make_witness(
    person: User, device: DeviceSession, session_id: UUID, entry_id: UUID, now: datetime
) -> str:
    """The seal of a second person for one entry."""
    stamp = str(int(now.timestamp()))
    return (
        f"{person.username}|{stamp}|{_seal(device, person.username, session_id, entry_id, stamp)}"
    )


def witnessed_by(
    store: Store,
    seal: str,
    acting: User,
    device: DeviceSession,
    session_id: UUID,
    entry_id: UUID,
    now: datetime,
) -> str:
    """The username of the second person a seal proves.

    Raises:
        InvalidEntry: it proves nobody for this entry, is too old, or they may not be one any more.
    """
    name, _sep, rest = seal.partition("|")
    stamp, _sep, mark = rest.partition("|")
    again = InvalidEntry(
        [
            Problem(
                "second_person",
                _("The second person has to confirm once more with their PIN."),
                code="second_person.again",
            )
        ]
    )
    if not stamp.isascii() or not stamp.isdigit() or len(stamp) > 12:
        raise again
    expected = _seal(device, name, session_id, entry_id, stamp)
    if not hmac.compare_digest(mark.encode("utf-8", "replace"), expected.encode()):
        raise again
    if now - datetime.fromtimestamp(int(stamp), UTC) > LIFE:
        raise again
    try:
        person = store.user(name)
    except NotFound:
        raise again from None
    if person.clinic != acting.clinic or not may(person, WITNESSES):
        raise again
    return person.username


def checked(person: User | None, acting: User, sentence: str) -> User:
    """The person whose PIN was right, when they can be the second one.

    Raises:
        InvalidEntry: with ``sentence`` when the PIN was wrong; the same person; not clinical.
    """
    if person is None:
        problem = Problem("pin", sentence, code="pin.wrong")
    elif person.username == acting.username:
        message = _("The second person has to be somebody else than you.")
        problem = Problem("second_person", message, code="second_person.same")
    elif person.clinic != acting.clinic or not may(person, WITNESSES):
        message = _("{name} may not confirm a dose. Ask a nurse or an anaesthetist.")
        problem = Problem(
            "second_person", message.format(name=person.name), code="second_person.role"
        )
    else:
        return person
    raise InvalidEntry([problem])


def _seal(
    device: DeviceSession, username: str, session_id: UUID, entry_id: UUID, stamp: str
) -> str:
    # The hash of the device's secret never leaves the server, so it can be the key.
    text = "\x1f".join(("witness", username, str(session_id), str(entry_id), stamp))
    return hmac.new(device.token_hash.encode(), text.encode(), hashlib.sha256).hexdigest()
