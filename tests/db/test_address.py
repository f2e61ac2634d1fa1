"""Database URLs: each wrong part is named, and no part of a password is ever repeated."""

from __future__ import annotations

import pytest

from db.address import WrongUrl, parse_url
from monitor.errors import StoreUnavailable


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///monitor.db",
        "sqlite:////srv/a folder/monitor.db",
        "sqlite+pysqlite:///x.db",
        "postgresql://host/monitor",
        "postgresql+psycopg://monitor:a%40b%2Fc@host:5432/monitor?sslmode=require",
        "postgresql://[::1]:5433/monitor",
        "postgresql:///monitor?host=/var/run/postgresql",
        "postgresql://u@host/monitor?application_name=a@b",
    ],
)
def test_a_sound_url_is_read_as_it_stands(url: str) -> None:
    assert parse_url(url).render_as_string(hide_password=False).startswith(url.partition(":")[0])


def test_a_password_is_read_as_it_was_escaped() -> None:
    assert parse_url("postgresql://u:a%40b%2Fc@host/monitor").password == "a@b/c"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "begins with its kind"),
        ("monitor.db", "begins with its kind"),
        ("u:geheim@host/db", "begins with its kind"),
        ("://u:geheim@host/db", "begins with its kind"),
        ("mysql://u:geheim@host/db", "not in mysql"),
        ("postgres://u:geheim@host/db", "begins with postgresql://"),
        ("sqlite://", "name a file"),
        ("sqlite:///:memory:", "name a file"),
        ("sqlite://monitor.db", "three slashes"),
        ("sqlite://u:geheim@host/monitor.db", "three slashes"),
        ("sqlite://host:geheim/monitor.db", "three slashes"),
        ("sqlite:///monitor.db?timeout=soon", "three slashes"),
        ("sqlite+pysqlcipher:///monitor.db", "three slashes"),
        ("postgresql://u:geheim@host:geheim/db", "its port is not a number"),
        ("postgresql://u:geheim@host:0/db", "its port is not a number"),
        ("postgresql://u:geheim@host:99999/db", "its port is not a number"),
        ("postgresql://u:geheim/db", "no @host follows"),
        ("postgresql://u:ge@heim:x@host:5432/db", "write %40"),
        ("postgresql://u:x@geheim@host/db", "holds an @"),
        ("postgresql://u:x@geheim/y@host/db", "holds an @"),
        ("postgresql://u:geheim@ho st/db", "its host holds a blank"),
        ("postgresql://u:geheim@host/db?geheim=1", "none that PostgreSQL knows"),
    ],
)
def test_what_is_wrong_is_told_by_part_without_the_password(url: str, words: str) -> None:
    with pytest.raises(WrongUrl, match=words) as refused:
        parse_url(url)
    told = f"{refused.value} {refused.value.__cause__}"
    assert "geheim" not in told
    assert "heim" not in told
    assert "\n" not in told


def test_every_wrong_part_is_told_at_once() -> None:
    with pytest.raises(WrongUrl) as refused:
        parse_url("postgresql://u:geheim@ho st:70000/db?nonsense=1")
    assert str(refused.value).count(";") >= 2
    for part in ("its host", "its port", "an option"):
        assert part in str(refused.value)


def test_a_wrong_url_is_a_database_that_cannot_be_had() -> None:
    assert issubclass(WrongUrl, StoreUnavailable)
