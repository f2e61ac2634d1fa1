"""When a dose needs a second person who confirms it with their PIN (two-person check).

Source: clinical.md 9, "start, concentration/pump programming, rate outside protocol: second user id
required, cannot equal first" (ISMP practice).  At which of these moments it is needed is the
protocol version's to say; an unplanned bolus needs an anaesthetist whatever it says (U-26).  A dose that was really given without one is recorded
all the same, with a reason, and carries the code as an override.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from monitor.bolus_checks import BOLUS_NOT_PLANNED, BOLUS_WITH_ANAESTHETIST
from monitor.errors import Problem
from monitor.protocols import InfusionProtocol, SecondPersonAt
from monitor.record import InfusionSession

NEEDS_ANAESTHETIST = "second_person.anaesthetist"

#: Beginnings of the codes of limits: what lies beyond one is outside the protocol.
_LIMITS = (
    *("rate_", "start_rate", "step_", "bolus_", "total_", "duration_", "form_"),
    *("ten_fold", "unit_swap"),
)


def for_rate(
    session: InfusionSession,
    protocol: InfusionProtocol,
    value: Decimal,
    problems: Iterable[Problem],
) -> Problem | None:
    """What a rate needs a second person for: the start, or a rate beyond a limit."""
    starts = session.started_at is None and value > 0
    if starts and SecondPersonAt.START in protocol.second_person_at:
        return _needed(SecondPersonAt.START, "The start of an infusion")
    return _beyond_a_limit(protocol, problems)


def for_bolus(protocol: InfusionProtocol, problems: Iterable[Problem]) -> Problem | None:
    """What a bolus needs one for; where none is planned, one of the two is an anaesthetist (U-26)."""
    problems = tuple(problems)
    if any(problem.code == BOLUS_NOT_PLANNED for problem in problems):
        message = (
            "A bolus the protocol does not plan needs two people, one of them an anaesthetist: "
            "the second confirms it with their PIN."
        )
        return Problem("second_person", message, code=NEEDS_ANAESTHETIST)
    if any(problem.code == BOLUS_WITH_ANAESTHETIST for problem in problems):
        message = (
            "A bolus of this size needs two people, one of them an anaesthetist: the second "
            "confirms it with their PIN."
        )
        return Problem("second_person", message, code=NEEDS_ANAESTHETIST)
    beyond = _beyond_a_limit(protocol, problems)
    if beyond is None and SecondPersonAt.BOLUS in protocol.second_person_at:
        return _needed(SecondPersonAt.BOLUS, "A bolus")
    return beyond


def for_syringe(protocol: InfusionProtocol) -> Problem | None:
    """A new syringe needs one by default: its concentration decides every later dose."""
    if SecondPersonAt.SYRINGE in protocol.second_person_at:
        return _needed(SecondPersonAt.SYRINGE, "A new syringe")
    return None


def _beyond_a_limit(protocol: InfusionProtocol, problems: Iterable[Problem]) -> Problem | None:
    if SecondPersonAt.LIMIT not in protocol.second_person_at:
        return None
    if any(problem.code.startswith(_LIMITS) for problem in problems):
        return _needed(SecondPersonAt.LIMIT, "A dose beyond a limit of the protocol")
    return None


def _needed(moment: SecondPersonAt, what: str) -> Problem:
    message = f"{what} needs a second person: somebody else confirms it with their PIN."
    return Problem("second_person", message, code=f"second_person.{moment.value}")


def missing(
    needed: Problem | None,
    second_person: str | None,
    recorded_by: str,
    *,
    with_anaesthetist: bool = False,
) -> tuple[Problem, ...]:
    """The refusal when nobody, or the person themselves, confirmed what needs a second person.

    ``with_anaesthetist`` says whether one of the two is an anaesthetist.
    """
    if second_person is not None and second_person == recorded_by:
        message = "The second person has to be somebody else than you."
        return (Problem("second_person", message, code="second_person.same"),)
    if needed is None:
        return ()
    enough = second_person is not None
    if needed.code == NEEDS_ANAESTHETIST:
        enough = enough and with_anaesthetist
    return () if enough else (needed,)
