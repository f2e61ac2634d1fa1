"""Column types that keep promises SQLite does not: UTC instants, exact decimals, short tuples."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """Aware instants.  Refuses naive ones, stores UTC with microseconds, returns aware UTC.

    SQLite has no type for an instant and ``DateTime(timezone=True)`` drops the offset there without
    a word, so the text written to SQLite is always UTC.
    """

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("the database keeps aware instants only; this one has no time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        # SQLite returns the UTC text it was given without its zone; PostgreSQL an aware instant.
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def plain(value: Decimal) -> Decimal:
    """The same number without exponent and without a signed zero: what both engines give back."""
    if not value.is_finite():
        raise ValueError("the database keeps finite numbers only")
    return Decimal(format(value if value else value.copy_abs(), "f"))


class ExactDecimal(sa.types.TypeDecorator[Decimal]):
    """A decimal as entered, to the last zero: TEXT on SQLite, NUMERIC on PostgreSQL.

    ``sa.Numeric`` would store a binary float on SQLite.  Not for sorting or summing in SQL.
    """

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.NUMERIC())
        return dialect.type_descriptor(sa.Text())

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        exact = plain(value)
        return exact if dialect.name == "postgresql" else str(exact)

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)


class ScaledDecimal(sa.types.TypeDecorator[Decimal]):
    """A decimal rounded half-up to a fixed number of decimals, stored as a whole number.

    For projections: SQL sorts and sums it exactly on both engines.
    """

    impl = sa.BigInteger
    cache_ok = True

    def __init__(self, decimals: int) -> None:
        super().__init__()
        self.decimals = decimals

    def scaled(self, value: Decimal) -> int:
        """The whole number that is stored."""
        return int(plain(value).scaleb(self.decimals).to_integral_value(ROUND_HALF_UP))

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        return None if value is None else self.scaled(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else _unscaled(value, self.decimals)


@lru_cache(maxsize=65536)
def _unscaled(value: int, decimals: int) -> Decimal:
    """Kept, because a long list repeats the same few thousand numbers."""
    return Decimal(value).scaleb(-decimals)


class TextTuple(sa.types.TypeDecorator[tuple[str, ...]]):
    """A few short words in a fixed order, as a JSON array of text."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        return json.dumps(list(value), ensure_ascii=False, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[str, ...] | None:
        return None if value is None else tuple(json.loads(value))


#: Text compared byte by byte on both engines, so that a prefix is a range of an index.
KeyText = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
