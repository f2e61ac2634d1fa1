"""The controlled-drug ledger balances exactly or says in figures why not (clinical.md 9)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.drug_ledger import balance, closing_problem, line_problems
from monitor.record import DrugMovement, InfusionSession, MovementKind
from tests import build

ISSUED, WASTED = MovementKind.ISSUED, MovementKind.WASTED
RETURNED, UNACCOUNTED = MovementKind.RETURNED, MovementKind.UNACCOUNTED
TODAY = date(2026, 3, 2)
TENTHS = st.decimals("0.1", "500", places=1, allow_nan=False)


def an_hour(*lines: DrugMovement) -> InfusionSession:
    """One hour of 0.1 mg/kg/h at 70 kg: 7 mg given."""
    return build.session(build.rate("0.1", 0), build.stop(60), lines)


def test_what_was_given_comes_from_the_dose_record() -> None:
    session = an_hour(build.movement(ISSUED, 200, -10), build.movement(WASTED, 193, 65))
    found = balance(session, build.at(90))
    assert (found.issued_mg, found.given_mg, found.wasted_mg) == (200, 7, 193)
    assert found.is_balanced
    assert closing_problem(session, build.at(90)) is None


def test_given_is_rounded_half_up_to_what_a_syringe_can_be_read_to() -> None:
    """0.1 mg/kg/h at 70 kg for 33 min is 3.85 mg: 3.9 counts."""
    session = build.session(
        build.rate("0.1", 0),
        build.stop(33),
        build.movement(ISSUED, 50, -10),
        build.movement(WASTED, "46.1", 40),
    )
    assert balance(session, build.at(60)).given_mg == Decimal("3.9")
    assert closing_problem(session, build.at(60)) is None


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ((), "The drug ledger is empty: issued 0 mg, given 7.0 mg"),
        ([(ISSUED, 200)], "193.0 mg are not accounted for"),
        ([(ISSUED, 200), (WASTED, "193.1")], "0.1 mg more are accounted for than were issued"),
        ([(ISSUED, 200), (WASTED, 100), (RETURNED, 50)], "43.0 mg are not accounted for"),
    ],
)
def test_a_ledger_that_does_not_balance_says_by_how_much(lines: Any, said: str) -> None:
    session = an_hour(*(build.movement(kind, mg, 70) for kind, mg in lines))
    problem = closing_problem(session, build.at(90))
    assert problem is not None
    assert said in problem


@pytest.mark.parametrize("missing", ["43", "-2.5"])
def test_an_explained_difference_closes_the_ledger(missing: str) -> None:
    rest = Decimal(193) - Decimal(missing)
    session = an_hour(
        build.movement(ISSUED, 200, -10),
        build.movement(WASTED, str(rest), 65),
        build.movement(UNACCOUNTED, missing, 70, reason="syringe broke"),
    )
    assert closing_problem(session, build.at(90)) is None


def test_a_line_that_was_struck_out_does_not_count() -> None:
    wrong = build.movement(WASTED, 93, 65)
    session = an_hour(
        build.movement(ISSUED, 200, -10),
        wrong,
        build.amendment(wrong, 66),
        build.movement(WASTED, 193, 67),
    )
    assert closing_problem(session, build.at(90)) is None


def test_only_what_was_known_then_counts() -> None:
    session = an_hour(build.movement(ISSUED, 200, -10), build.movement(WASTED, 193, 65))
    assert balance(session, build.at(64)).difference_mg == 193


def test_nothing_given_and_nothing_issued_has_nothing_to_reconcile() -> None:
    assert closing_problem(build.session(), build.at(90)) is None


@given(st.lists(st.tuples(st.sampled_from([WASTED, RETURNED]), TENTHS), max_size=6))
def test_the_difference_is_what_one_more_line_would_have_to_explain(lines: Any) -> None:
    session = an_hour(
        build.movement(ISSUED, 500, -10),
        *(build.movement(kind, str(mg), 65) for kind, mg in lines),
    )
    missing = balance(session, build.at(90)).difference_mg
    explained = session.with_facts([build.movement(UNACCOUNTED, str(missing), 70)])
    assert balance(explained, build.at(90)).is_balanced


@pytest.mark.parametrize(
    ("kind", "changes", "fields"),
    [
        (ISSUED, {}, []),
        (ISSUED, {"batch": " "}, ["batch"]),
        (ISSUED, {"batch": None, "expires_on": None}, ["batch", "expires_on"]),
        (ISSUED, {"expires_on": date(2026, 3, 1)}, ["expires_on"]),
        (ISSUED, {"expires_on": TODAY}, []),
        (ISSUED, {"ampoules": 0}, ["ampoules"]),
        (ISSUED, {"ampoules": 51}, ["ampoules"]),
        (ISSUED, {"witness": None}, ["witness"]),
        (WASTED, {"witness": None}, ["witness"]),
        (WASTED, {"witness": "blum"}, ["witness"]),
        (RETURNED, {"witness": None}, []),
        (UNACCOUNTED, {}, ["reason"]),
        (UNACCOUNTED, {"reason": "spilled"}, []),
        (UNACCOUNTED, {"reason": "spilled", "amount_mg": Decimal(-3)}, []),
        (UNACCOUNTED, {"reason": "spilled", "amount_mg": Decimal(0)}, ["amount_mg"]),
        (WASTED, {"amount_mg": Decimal(0)}, ["amount_mg"]),
        (WASTED, {"amount_mg": Decimal(-1)}, ["amount_mg"]),
        (WASTED, {"amount_mg": Decimal("0.05")}, ["amount_mg"]),
        (WASTED, {"amount_mg": Decimal(5000)}, []),
        (WASTED, {"amount_mg": Decimal("5000.1")}, ["amount_mg"]),
    ],
)
def test_what_is_wrong_with_a_line(kind: MovementKind, changes: Any, fields: list[str]) -> None:
    line = replace(build.movement(kind, 100), **changes)
    assert [problem.field for problem in line_problems(line, TODAY)] == fields


def test_an_expired_ampoule_is_asked_and_not_refused() -> None:
    """What was really used can always be recorded."""
    line = build.movement(ISSUED, 200, 0, expires_on=date(2026, 2, 28))
    (problem,) = line_problems(line, TODAY)
    assert (problem.kind, problem.code) == ("soft", "ledger.expired")
    assert "expired on 28 Feb 2026" in problem.message
