"""Column types give back what they were given, or refuse it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.columns import ExactDecimal, ScaledDecimal, TextTuple, UtcDateTime, plain
from db.engine import make_engine
from db.tables import Code
from monitor.record import NotTaken


@pytest.fixture
def there_and_back(database_url: str) -> Any:
    """Stores values of a column type and gives back what the database made of them."""
    engine = make_engine(database_url)
    made = sa.MetaData()

    def go(kind: Any, *values: Any) -> list[Any]:
        made.clear()
        table = sa.Table("scratch", made, sa.Column("n", sa.Integer()), sa.Column("value", kind))
        with engine.begin() as connection:
            made.drop_all(connection)
            made.create_all(connection)
            rows = [{"n": number, "value": value} for number, value in enumerate(values)]
            connection.execute(sa.insert(table), rows)
            asked = sa.select(table.c.value).order_by(table.c.n)
            return list(connection.execute(asked).scalars())

    yield go
    engine.dispose()


def test_an_instant_keeps_its_moment_whatever_zone_it_came_in(there_and_back: Any) -> None:
    summer = datetime(2026, 7, 1, 9, 0, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    (back,) = there_and_back(UtcDateTime(), summer)
    assert back == summer
    assert back.tzinfo is UTC
    assert back.hour == 7


def test_an_instant_without_a_zone_is_refused(there_and_back: Any) -> None:
    naive = datetime(2026, 7, 1, 9, 0)  # noqa: DTZ001 - the very thing that is refused
    with pytest.raises(sa.exc.StatementError, match="no time zone"):
        there_and_back(UtcDateTime(), naive)


def test_instants_sort_as_they_happened(there_and_back: Any) -> None:
    hours = [timezone(timedelta(hours=offset)) for offset in (-5, 0, 9)]
    values = [datetime(2026, 3, 2, 9, 0, tzinfo=zone) for zone in hours]
    assert sorted(there_and_back(UtcDateTime(), *values)) == sorted(values)


@pytest.mark.parametrize("text", ["0.10", "120", "0", "0.0", "-2", "36.60", "0.000000001", "1E+2"])
def test_a_decimal_comes_back_with_every_digit(there_and_back: Any, text: str) -> None:
    (back,) = there_and_back(ExactDecimal(), Decimal(text))
    assert str(back) == str(plain(Decimal(text)))


decimals = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(decimals, min_size=1, max_size=20))
def test_any_decimal_comes_back_equal(there_and_back: Any, values: list[Decimal]) -> None:
    assert there_and_back(ExactDecimal(), *values) == values


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity"])
def test_what_is_not_a_number_is_refused(there_and_back: Any, text: str) -> None:
    with pytest.raises(sa.exc.StatementError, match="finite"):
        there_and_back(ExactDecimal(), Decimal(text))


def test_a_scaled_decimal_rounds_half_up_and_sorts_as_a_number(there_and_back: Any) -> None:
    values = [Decimal("10.05"), Decimal("9.949"), Decimal("-0.05"), None]
    back = there_and_back(ScaledDecimal(1), *values)
    assert back == [Decimal("10.1"), Decimal("9.9"), Decimal("-0.1"), None]


def test_a_tuple_of_words_keeps_their_order(there_and_back: Any) -> None:
    values = [(), ("rate.soft", "ten-fold"), ("ünï", '"quoted"'), None]
    assert there_and_back(TextTuple(), *values) == values


def test_a_code_comes_back_as_its_member(there_and_back: Any) -> None:
    assert there_and_back(Code(NotTaken), NotTaken.ASLEEP, None) == [NotTaken.ASLEEP, None]
    with pytest.raises(sa.exc.StatementError):
        there_and_back(Code(NotTaken), "dozing")
