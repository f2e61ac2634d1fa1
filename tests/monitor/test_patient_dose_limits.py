"""A dose limit for one patient: approved by an anaesthetist, stricter or, once, higher (U-21, U-24)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from monitor import actions
from monitor.bedside import state
from monitor.dosing import check_bolus, check_rate, dose_limit_crossings
from monitor.errors import InvalidEntry
from monitor.patient_dose_limits import limit_problems
from monitor.requests import PatientLimitRequest
from monitor.store import Store
from tests import build
from tests.build import an_id, anaesthetist, nurse, patient_limit
from tests.entering import BLUM, started
from tests.monitor.dosing_sessions import P02, P17, D, codes, push, rate, session, step
from tests.monitor.dosing_sessions import at as minute
from tests.monitor.test_second_person import account
from tests.monitor.test_second_person import codes as codes_of


def _limit(quantity: str, value: str, when: float = -5) -> Any:
    moment = minute(when)
    return patient_limit(quantity, value, taken_at=moment, recorded_at=moment)


def test_the_standard_regimen_at_140_kg_needs_a_limit_of_its_own_u21() -> None:
    heavy = session(kg="140")
    assert codes(check_rate(heavy, P17, rate("0.75"))) == ["rate_mg_per_h.hard"]
    approved = session(_limit("rate_mg_per_h", "110"), kg="140")
    assert check_rate(approved, P17, rate("0.75")) == ()
    # 110 mg/h are 0.785 mg/kg/h; beyond it the patient's limit is the one that is named.
    (refused,) = [
        item for item in check_rate(approved, P17, rate("0.8")) if item.code == "rate_mg_per_h.hard"
    ]
    assert "110 mg/h, the limit for this patient" in refused.message


def test_a_limit_holds_from_its_own_moment_on_u66() -> None:
    later = session(_limit("rate_mg_per_h", "110", 10), kg="140")
    assert codes(check_rate(later, P17, rate("0.75", when=5))) == ["rate_mg_per_h.hard"]
    assert check_rate(later, P17, rate("0.75", when=10)) == ()


def test_otherwise_a_patients_limit_is_the_stricter_one_u24() -> None:
    frail = session(
        _limit("rate_mg_per_h", "20"),
        _limit("bolus_mg_per_kg", "0.1"),
        _limit("total_mg_per_kg", "0.5"),
        step(0, "16"),
        kg="80",
    )
    assert "rate_mg_per_h.hard" in codes(check_rate(frail, P02, rate("0.26", when=20)))
    assert "bolus_mg_per_kg.hard" in codes(check_bolus(frail, P02, push("0.11", when=20)))
    crossed = {item.code for item in dose_limit_crossings(frail, P02, minute(160))}
    assert "total_mg_per_kg.hard" in crossed
    # A looser one that reached the record from elsewhere changes nothing.
    loose = session(_limit("rate_mg_per_h", "90"), kg="120")
    assert "rate_mg_per_h.hard" in codes(check_rate(loose, P02, rate("0.5")))


@pytest.mark.parametrize(
    ("quantity", "value", "allowed"),
    [
        ("rate_mg_per_h", "50", True),
        ("rate_mg_per_h", "50.1", False),
        ("bolus_mg_per_kg", "0.4", False),
        ("rate_mg_per_h", "0", False),
        ("rate_mg_per_h", "NaN", False),
        ("mood", "3", False),
    ],
)
def test_what_can_be_limited(quantity: str, value: str, *, allowed: bool) -> None:
    assert (limit_problems(P02, quantity, Decimal(value)) == ()) is allowed


def test_of_a_fixed_dose_the_absolute_rate_alone_may_be_higher() -> None:
    assert limit_problems(P17, "rate_mg_per_h", D(120)) == ()
    assert limit_problems(P17, "rate_mg_per_kg_h", D("1.2")) != ()


def test_an_anaesthetist_approves_it_and_nobody_else(store: Store) -> None:
    session_id = started(store)
    okoye, diaz = account(store, anaesthetist()), account(store, nurse("diaz"))
    asked = PatientLimitRequest(
        id=an_id(), quantity="rate_mg_per_h", value=D(30), taken_at=build.at(1), reason="frail"
    )

    def save(by: Any, request: PatientLimitRequest) -> actions.OpenSession:
        return actions.set_patient_limit(store, by, session_id, request, now=build.at(1))

    for second in (None, diaz.username, "nobody"):
        with pytest.raises(InvalidEntry) as refused:
            save(BLUM, replace(asked, second_person=second))
        assert codes_of(refused) == {"second_person.anaesthetist"}
    with pytest.raises(InvalidEntry, match="Say why"):
        save(okoye, replace(asked, reason=" "))
    saved = save(BLUM, replace(asked, second_person=okoye.username))
    (limit,) = saved.session.patient_dose_limits
    assert (limit.approved_by, limit.recorded_by, limit.reason) == ("okoye", "blum", "frail")
    assert store.session(session_id).patient_dose_limits == (limit,)
    own = save(okoye, replace(asked, id=an_id(), value=D(25)))
    assert own.session.patient_dose_limits[-1].approved_by == "okoye"
    shown = state(own, zone=store.zone, names={}, version=1)
    assert shown["patient"]["limits"] == ["rate at most 25 mg/h"]
