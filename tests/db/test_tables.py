"""Two kinds of tables, named in one place, and every fact has its own."""

from __future__ import annotations

from dataclasses import fields

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from db.tables import FACT_TABLES, METADATA, RECORD, SUMMARY, WORKING
from monitor.parameters import PARAMETERS, Parameter
from monitor.record import FACT_FIELDS, Fact
from monitor.summary_columns import COLUMNS, SORTABLE


def test_every_table_is_a_record_table_or_a_working_table() -> None:
    assert RECORD.keys() | WORKING.keys() == METADATA.tables.keys()
    assert not RECORD.keys() & WORKING.keys()


def test_the_working_tables_are_these_and_no_others() -> None:
    """A table that is not in this list holds facts, and is protected as such."""
    assert set(WORKING) == {
        "chain_head",
        "session_head",
        "credential",
        "device_session",
        "failed_attempt",
        "draft",
        "summary",
        "reading_pack",
    }


@pytest.mark.parametrize("kind", FACT_FIELDS, ids=lambda kind: kind.__name__)
def test_every_kind_of_fact_has_a_table_with_its_fields(kind: type[Fact]) -> None:
    table = FACT_TABLES[kind]
    assert {item.name for item in fields(kind)} | {"clinic", "session_id", "write_no"} == set(
        table.c.keys()
    )
    assert RECORD[table.name] is table


@pytest.mark.parametrize("table", METADATA.sorted_tables, ids=lambda table: table.name)
def test_no_column_is_a_binary_float(table: sa.Table) -> None:
    for column in table.columns:
        stored = column.type.dialect_impl(sqlite.dialect())
        stored = getattr(stored, "impl", stored)
        assert not isinstance(stored, sa.Numeric | sa.Float), f"{table.name}.{column.name}"


@pytest.mark.parametrize("table", RECORD.values(), ids=lambda table: table.name)
def test_every_row_of_the_record_carries_its_clinic(table: sa.Table) -> None:
    assert not table.c.clinic.nullable


def test_the_summary_has_exactly_the_columns_of_the_code_book() -> None:
    assert list(SUMMARY.c.keys()) == [column.name for column in COLUMNS]


@pytest.mark.parametrize("name", SORTABLE)
def test_every_way_to_sort_a_list_has_an_index(name: str) -> None:
    indexed = [[column.name for column in index.columns] for index in SUMMARY.indexes]
    assert ["clinic_code", name, "session_id"] in indexed


@pytest.mark.parametrize("parameter", PARAMETERS.values(), ids=lambda item: item.key)
def test_every_unit_a_parameter_is_typed_in_can_be_stored(parameter: Parameter) -> None:
    known = next(
        str(check.sqltext)
        for check in METADATA.tables["observation"].constraints
        if isinstance(check, sa.CheckConstraint) and "entered_unit IN" in str(check.sqltext)
    )
    for unit in (parameter.unit, parameter.unit_label, *dict(parameter.accepts)):
        assert f"'{unit}'" in known
