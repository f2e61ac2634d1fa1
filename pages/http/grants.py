"""The actor grant: under whose name an entry was tapped, however late it arrives (ruling 6).

The server writes it into the page; a queued entry brings it back.  It is bound to the device, the
person and the infusion session, opens no page, and lasts a day.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from gettext import gettext as _
from uuid import UUID

from monitor.accounts import DeviceSession
from monitor.errors import NotFound, NotPermitted
from monitor.permissions import User
from monitor.store import Store

#: How long an entry that was tapped may wait for the network.
LIFE = timedelta(hours=24)


def make_grant(user: User, device: DeviceSession, session_id: UUID, now: datetime) -> str:
    """A grant for what this person taps on this device in this infusion session from now on."""
    stamp = str(int(now.timestamp()))
    return f"{user.username}|{stamp}|{_seal(device, user.username, session_id, stamp)}"


def granted_user(
    store: Store, grant: str, user: User, device: DeviceSession, session_id: UUID, now: datetime
) -> User:
    """The person who tapped: whom the grant names, or the one who acts now when it names them.

    Raises:
        NotPermitted: the entry is somebody else's and the grant does not prove it, is too old, or
            their account is closed.  The entry is kept on the device for a person to decide.
    """
    name, _sep, rest = grant.partition("|")
    if name in ("", user.username):
        return user
    stamp, _sep, seal = rest.partition("|")
    refused = NotPermitted(
        _("This was entered by {name}, who is not signed in here any more.").format(name=name)
    )
    if not stamp.isascii() or not stamp.isdigit() or len(stamp) > 12:
        raise refused
    sealed = _seal(device, name, session_id, stamp)
    if not hmac.compare_digest(seal.encode("utf-8", "replace"), sealed.encode()):
        raise refused
    if now - datetime.fromtimestamp(int(stamp), UTC) > LIFE:
        raise refused
    try:
        person = store.user(name)
    except NotFound:
        raise refused from None
    if not person.active:
        raise refused
    return person


def _seal(device: DeviceSession, username: str, session_id: UUID, stamp: str) -> str:
    # The hash of the device's secret never leaves the server, so it can be the key.
    text = "\x1f".join(("grant", username, str(session_id), stamp))
    return hmac.new(device.token_hash.encode(), text.encode(), hashlib.sha256).hexdigest()
