"""The database refuses what cannot be a fact, whoever writes it (form only; limits are data)."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum

import pytest
import sqlalchemy as sa

from db import SqlStore
from db.tables import FACT_TABLES, RECORD, Code
from monitor.record import NotTaken, Observation
from tests import build
from tests.db.conftest import Intruder, fill, start

IMPOSSIBLE = [
    ("observation", {"value": "101", "parameter": "'spo2'"}),
    ("observation", {"value": "-1"}),
    ("observation", {"value": "NULL", "not_taken": "NULL"}),
    ("observation", {"value": "97", "not_taken": "'asleep'"}),
    ("observation", {"not_taken": "'dozing'", "value": "NULL"}),
    ("observation", {"entered_unit": "'furlong'"}),
    ("observation", {"source": "'rumour'"}),
    ("dose_step", {"rate_mg_per_h": "-1"}),
    ("dose_step", {"entered_value": "-1"}),
    ("dose_step", {"entered_unit": "'mg/day'"}),
    ("dose_step", {"kind": "'hold'", "rate_mg_per_h": "7"}),
    ("dose_step", {"kind": "'stop'", "rate_mg_per_h": "0.1"}),
    ("dose_step", {"kind": "'faster'"}),
    ("bolus", {"amount_mg": "-5"}),
    ("bolus", {"over_s": "1801"}),
    ("bolus", {"over_s": "-1"}),
    ("syringe_change", {"concentration_mg_per_ml": "0"}),
    ("dosing_weight", {"weight_kg": "0"}),
    ("dosing_weight", {"height_cm": "-170"}),
    ("dosing_weight", {"basis": "'guess'"}),
    ("side_effect", {"grade": "6"}),
    ("side_effect_change", {"grade": "-1"}),
    ("gate_answer", {"answer": "'maybe'"}),
    ("drug_movement", {"kind": "'lost'"}),
    ("drug_movement", {"amount_mg": "0"}),
    ("drug_movement", {"amount_mg": "-5"}),
    ("patient_dose_limit", {"value": "0"}),
    ("infusion_session", {"concentration_mg_per_ml": "0"}),
    ("infusion_session", {"spo2_scale": "3"}),
    ("infusion_session", {"drug_form": "'X'"}),
    ("alert", {"level": "'loud'"}),
    ("alert_event", {"kind": "'ignored'", "step": "9"}),
    ("version", {"kind": "'opinion'", "code": "'x'"}),
    ("version_status", {"status": "'maybe'", "number": "9"}),
    ("user_event", {"role": "'visitor'", "number": "9"}),
]


def insert_a_copy(intruder: Intruder, name: str, changes: dict[str, str]) -> None:
    """A copy of a stored row with these expressions in place of its columns, as plain SQL."""
    table = RECORD[name]
    new_id = f"'{build.an_id() if intruder.engine.name == 'postgresql' else build.an_id().hex}'"
    expressions = {"id": new_id} | changes
    columns = [column.name for column in table.c]
    quoted = [f'"{column}"' for column in columns]
    chosen = [
        f"CAST({expressions[column]} AS {table.c[column].type.compile(intruder.engine.dialect)})"
        if column in expressions
        else f'"{column}"'
        for column in columns
    ]
    intruder.plainly(
        f"INSERT INTO {name} ({', '.join(quoted)}) SELECT {', '.join(chosen)} FROM {name} LIMIT 1"
    )


def refused(intruder: Intruder, name: str, changes: dict[str, str], why: str) -> bool:
    """Whether the database refuses such a row for that reason."""
    try:
        insert_a_copy(intruder, name, changes)
    except sa.exc.IntegrityError as error:
        return why in str(error).lower()
    return False


@pytest.fixture
def filled(store: SqlStore) -> SqlStore:
    fill(store)
    return store


@pytest.mark.usefixtures("filled")
def test_what_cannot_be_is_refused(intruder: Intruder) -> None:
    for name, changes in IMPOSSIBLE:
        assert refused(intruder, name, changes, "check"), f"{name} took {changes}"


@pytest.mark.usefixtures("filled")
def test_what_is_not_a_finite_number_is_refused(intruder: Intruder) -> None:
    texts = ["'NaN'", "'Infinity'", "'-Infinity'"]
    if intruder.engine.name == "sqlite":
        texts += ["'12O'", "'1e5'", "''", "'one'"]
    decimals = [
        (table.name, column.name)
        for table in RECORD.values()
        for column in table.c
        if type(column.type).__name__ == "ExactDecimal"
    ]
    assert len(decimals) > 10
    for name, column in decimals:
        for text in texts:
            taken = f"{name}.{column} took {text}"
            assert refused(intruder, name, {column: text}, "check"), taken


def test_a_fact_cannot_name_what_is_not_stored(store: SqlStore, intruder: Intruder) -> None:
    fill(store)
    nobody = f"'{build.an_id() if intruder.engine.name == 'postgresql' else build.an_id().hex}'"
    for name, column in (
        ("observation", "session_id"),
        ("infusion_session", "patient_id"),
        ("infusion_session", "protocol_id"),
        ("side_effect_change", "side_effect_id"),
        ("alert_event", "alert_id"),
        ("version_status", "version_id"),
    ):
        changes = {column: nobody}
        if name == "version_status":
            changes["number"] = "9"
        named = f"{name}.{column} names nothing"
        assert refused(intruder, name, changes, "foreign key"), named


def codes() -> list[tuple[str, str, type[Enum]]]:
    return [
        (table.name, column.name, column.type.kind)
        for table in RECORD.values()
        for column in table.c
        if isinstance(column.type, Code)
    ]


@pytest.mark.usefixtures("filled")
def test_every_member_of_every_enumeration_can_be_stored(intruder: Intruder) -> None:
    """A member that was added to the domain and not to the database would be refused at night."""
    needs = {"not_taken": {"value": "NULL"}}
    for serial, (name, column, kind) in enumerate(codes()):
        for index, member in enumerate(kind):
            changes = {column: f"'{member.value}'"} | needs.get(column, {})
            for unique in ("number", "step"):
                if unique in RECORD[name].c:
                    changes[unique] = str(1000 + 100 * serial + index)
            if name == "dose_step" and column == "kind":
                changes["rate_mg_per_h"] = "0"
            insert_a_copy(intruder, name, changes)


def test_values_at_the_edge_of_the_possible_can_be_stored(store: SqlStore) -> None:
    edge: list[Observation] = [
        build.observation("spo2", 100),
        build.observation("spo2", 0),
        build.observation("sedation", -5),
        build.observation("hr", 0, really_so=True, note="asystole, confirmed"),
        build.observation("sbp", NotTaken.UNRECORDABLE),
        build.observation("o2_flow", Decimal("0.5"), entered_unit=""),
    ]
    session = start(store, build.session(edge))
    assert store.session(session.id) == session


def test_every_fact_table_was_asked() -> None:
    asked = {name for name, _ in IMPOSSIBLE}
    # An event and an amendment hold text and references only.
    free = {"session_event", "amendment"}
    assert {table.name for table in FACT_TABLES.values()} <= asked | free
