"""Everything the monitor refuses to do, in words the person in front of it can act on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


class MonitorError(Exception):
    """Base of every refusal that may be shown to a person as it stands."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with what was entered: where, what, and what to do about it.

    ``field`` names the form field, CSV column or argument.  ``kind`` is ``"hard"`` when the entry
    cannot be saved as it stands and ``"soft"`` when it is unusual and has to be confirmed once.
    """

    field: str
    message: str
    kind: str = "hard"
    code: str = ""

    def __str__(self) -> str:
        return self.message


class InvalidEntry(MonitorError):
    """What was entered cannot be saved; carries every problem at once, each tied to its field."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__(" ".join(problem.message for problem in self.problems))


class NeedsConfirmation(InvalidEntry):
    """The entry is unusual: the same entry with its questions confirmed will be saved."""


class NotPermitted(MonitorError):
    """The person may not do this; the message names the action and who may."""


class NotFound(MonitorError):
    """There is no such session, patient, protocol, threshold set or account."""


class WrongState(MonitorError):
    """The session is not in a state in which this can be done (for example already signed)."""


class StoreUnavailable(MonitorError):
    """The database cannot be reached, is locked, full or of another version; nothing was saved."""


class ImportRefused(MonitorError):
    """A session folder cannot be imported; nothing of it was stored.

    ``problems`` holds one line for each fault: file, line, column and reason.
    """

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems: tuple[str, ...] = tuple(problems)
        super().__init__("\n".join(self.problems))
