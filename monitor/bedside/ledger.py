"""The controlled-drug ledger as the bedside shows it: sums, lines, and what is left to account for."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from monitor.actions import OpenSession
from monitor.days import month_text
from monitor.drug_ledger import balance, closing_problem
from monitor.numbers import plain_text
from monitor.record import DrugMovement, MovementKind


def ledger(opened: OpenSession, names: Mapping[str, str]) -> dict[str, Any]:
    """Sums in words; ``rest_mg`` is the waste that would balance it, ready to be confirmed."""
    session = opened.session
    now = balance(session, opened.as_of)
    current = session.current(session.drug_movements)
    issued = [line for line in current if line.kind is MovementKind.ISSUED]
    rest = max(now.difference_mg, Decimal(0))
    return {
        "is_empty": not issued,
        "is_balanced": now.is_balanced,
        "problem": closing_problem(session, opened.as_of),
        "rest_mg": plain_text(rest) if rest else "",
        "difference_mg": plain_text(now.difference_mg),
        "batch": issued[-1].batch if issued else None,
        "expires_on": issued[-1].expires_on.isoformat()
        if issued and issued[-1].expires_on
        else None,
        "sums": [
            {"label": label, "text": f"{plain_text(amount)} mg"}
            for label, amount in (
                ("issued", now.issued_mg),
                ("given", now.given_mg),
                ("wasted", now.wasted_mg),
                ("returned", now.returned_mg),
                ("not accounted for", now.difference_mg)
                if now.difference_mg >= 0
                else ("accounted for beyond what was issued", -now.difference_mg),
            )
        ],
        "lines": [
            {
                "id": str(line.id),
                "text": _line(line, names),
                "taken_at": line.taken_at.isoformat(),
                "by": names.get(line.recorded_by, line.recorded_by),
                "struck": line.id in session.amended_ids,
            }
            for line in session.drug_movements
        ],
    }


def _line(line: DrugMovement, names: Mapping[str, str]) -> str:
    parts = [f"{line.kind.value} {plain_text(line.amount_mg)} mg"]
    if line.batch:
        parts.append(f"batch {line.batch}")
    if line.expires_on:
        parts.append(f"expires {month_text(line.expires_on)}")
    if line.reason:
        parts.append(line.reason)
    people = [names.get(line.recorded_by, line.recorded_by)]
    if line.witness:
        people.append(names.get(line.witness, line.witness))
    return " \u00b7 ".join([*parts, " and ".join(people)])
