"""The controlled-drug ledger of a session: issued = given + wasted + returned, to the tenth of a mg.

Source: clinical.md 9, row "Controlled drug" (UK practice).  It helps to keep the register and is not
the legal register itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from monitor.days import day_text
from monitor.dose_given import cumulative_mg
from monitor.errors import Problem
from monitor.record import DrugMovement, InfusionSession, MovementKind

#: Nobody reads a syringe finer than this; the given amount is rounded to it, half up (U-72).
PRECISION_MG = Decimal("0.1")
#: More than this in one line is a slip of the decimal point: ten ampoules of 500 mg.
LARGEST_LINE_MG = Decimal(5000)

#: Lines that need a second person's name beside the first (preparation and waste).
NEEDS_WITNESS = frozenset({MovementKind.ISSUED, MovementKind.WASTED, MovementKind.UNACCOUNTED})


@dataclass(frozen=True, slots=True)
class LedgerBalance:
    """Sums of a ledger in mg; ``difference_mg`` is what the lines do not explain, 0 when closed."""

    issued_mg: Decimal
    given_mg: Decimal
    wasted_mg: Decimal
    returned_mg: Decimal
    unaccounted_mg: Decimal

    @property
    def difference_mg(self) -> Decimal:
        """Issued less everything that is accounted for."""
        return (
            self.issued_mg - self.given_mg - self.wasted_mg - self.returned_mg - self.unaccounted_mg
        )

    @property
    def is_balanced(self) -> bool:
        """Whether nothing is missing and nothing is too much."""
        return self.difference_mg == 0


def balance(session: InfusionSession, as_of: datetime) -> LedgerBalance:
    """The ledger as the record stood at ``as_of``; amended lines do not count."""
    known = session.known_at(as_of)
    sums = dict.fromkeys(MovementKind, Decimal(0))
    for line in known.current(known.drug_movements):
        sums[line.kind] += line.amount_mg
    given_mg = cumulative_mg(known, as_of).quantize(PRECISION_MG, rounding=ROUND_HALF_UP)
    return LedgerBalance(
        issued_mg=sums[MovementKind.ISSUED],
        given_mg=given_mg,
        wasted_mg=sums[MovementKind.WASTED],
        returned_mg=sums[MovementKind.RETURNED],
        unaccounted_mg=sums[MovementKind.UNACCOUNTED],
    )


def line_problems(line: DrugMovement, today: date) -> tuple[Problem, ...]:
    """Everything wrong with a line before it is saved; an expired ampoule is asked, not refused.

    ``today`` is the clinic's date.
    """
    found: list[Problem] = []
    explains = line.kind is MovementKind.UNACCOUNTED
    if line.amount_mg == 0 or (line.amount_mg < 0 and not explains):
        found.append(Problem("amount_mg", "Enter the amount in mg, above 0."))
    elif abs(line.amount_mg) > LARGEST_LINE_MG:
        found.append(
            Problem("amount_mg", f"More than {LARGEST_LINE_MG} mg in one line. Check the point.")
        )
    elif line.amount_mg != line.amount_mg.quantize(PRECISION_MG):
        found.append(Problem("amount_mg", "Enter whole tenths of a mg, for example 164.4."))
    if line.kind is MovementKind.ISSUED:
        found += _ampoule_problems(line, today)
    if line.kind in NEEDS_WITNESS and not line.witness:
        found.append(Problem("witness", "A second person has to witness this with their PIN."))
    if line.witness == line.recorded_by:
        found.append(Problem("witness", "The witness has to be somebody else than you."))
    if explains and not (line.reason or "").strip():
        found.append(Problem("reason", "Say what happened to this amount."))
    return tuple(found)


def _ampoule_problems(line: DrugMovement, today: date) -> list[Problem]:
    found: list[Problem] = []
    if not (line.batch or "").strip():
        found.append(Problem("batch", "Enter the batch number printed on the ampoule."))
    if line.expires_on is None:
        found.append(Problem("expires_on", "Enter the expiry date printed on the ampoule."))
    elif line.expires_on < today:
        found.append(
            Problem(
                "expires_on",
                f"This ampoule expired on {day_text(line.expires_on)}. Take another one; record it"
                " only if it was really used.",
                "soft",
                "ledger.expired",
            )
        )
    if line.ampoules is not None and not 1 <= line.ampoules <= 50:
        found.append(Problem("ampoules", "Enter how many ampoules, 1 to 50."))
    return found


def closing_problem(session: InfusionSession, as_of: datetime) -> str | None:
    """Why the session cannot be completed yet, in one sentence with the figures; None when it can.

    A session in which no drug was given or issued has nothing to reconcile.
    """
    now = balance(session, as_of)
    if now.is_balanced:
        return None
    figures = (
        f"issued {now.issued_mg:f} mg, given {now.given_mg:f} mg, wasted {now.wasted_mg:f} mg,"
        f" returned {now.returned_mg:f} mg"
    )
    if now.issued_mg == 0:
        return f"The drug ledger is empty: {figures}. Enter the ampoules that were issued."
    missing = now.difference_mg
    what = (
        f"{missing:f} mg are not accounted for"
        if missing > 0
        else f"{-missing:f} mg more are accounted for than were issued"
    )
    return f"The drug ledger does not balance: {figures}; {what}. Enter the waste, or say why."
