"""Lists and searches: every row once, in order, page by page, by an index."""

from __future__ import annotations

import random
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from db import SqlStore
from db.engine import make_engine
from db.keys import search_key
from db.lists import _matching, _sort_column
from db.tables import SUMMARY
from monitor.ids import derived_id
from monitor.store import SessionQuery
from monitor.summary_columns import COLUMNS, SORTABLE
from tests import build
from tests.db.conftest import start, summary_row

VALUES: dict[str, Any] = {
    "text": "text, with 'quotes' and ü",
    "int": -7,
    "decimal": Decimal("12.3"),
    "bool": True,
    "instant": build.at(1),
    "date": build.T0.date(),
}


def put(store: SqlStore, *rows: dict[str, Any]) -> list[dict[str, Any]]:
    """Store summary rows of sessions that exist only as summaries."""
    with store.write(build.audit("rebuild"), clinic=build.CLINIC) as writer:
        for row in rows:
            writer.set_summary(row["session_id"], row)
    return list(rows)


def row(number: int, **changes: Any) -> dict[str, Any]:
    session = build.session(patient=build.patient(mrn=f"K{number:04d}"))
    values = {"session_id": session.id, "listed_at": build.at(number)}
    return summary_row(session, **(values | changes))


def test_every_column_comes_back_as_it_was_stored(store: SqlStore) -> None:
    full = row(1)
    for column in COLUMNS:
        full.setdefault(column.name, VALUES.get(column.kind))
    put(store, full)
    (back,) = store.summaries(build.query())
    assert back == full
    assert list(store.stream_summaries(build.query())) == [back]
    assert [str(back[name]) for name in ("dose_total_mg", "mean_rate_mg_kg_h")] == [
        "12.3",
        "12.300",
    ]


def test_a_decimal_is_rounded_half_up_once(store: SqlStore) -> None:
    put(store, row(1, dose_total_mg=Decimal("0.05"), dose_total_mg_per_kg=Decimal("0.6665")))
    (back,) = store.summaries(build.query())
    assert (back["dose_total_mg"], back["dose_total_mg_per_kg"]) == (
        Decimal("0.1"),
        Decimal("0.667"),
    )


def test_a_summary_is_replaced_whole(store: SqlStore) -> None:
    first = row(1, peak_sbp=180, nadir_spo2=88)
    put(store, first)
    put(store, first | {"peak_sbp": 170, "nadir_spo2": None})
    (back,) = store.summaries(build.query())
    assert (back["peak_sbp"], back["nadir_spo2"]) == (170, None)


def shuffled(store: SqlStore) -> list[dict[str, Any]]:
    """Forty sessions with many equal and some missing values."""
    chance = random.Random(7)
    return put(
        store,
        *(
            row(
                number,
                listed_at=build.at(chance.randrange(12)),
                patient_name=chance.choice(["Berg, Nora", "berg, nora", "Älv, Åsa", "Zeh, Kim"]),
                protocol_id=chance.choice(["P02", "P17", None]),
                status=chance.choice(["completed", "infusing"]),
                dose_total_mg_per_kg=chance.choice([None, Decimal("0.5"), Decimal("10.25")]),
                peak_sbp=chance.choice([None, 99, 120, 181]),
                nadir_spo2=chance.choice([None, 88, 97, 100]),
                ae_max_grade=chance.choice([None, 0, 2]),
                alerts_crit_n=chance.choice([None, 0, 1]),
            )
            for number in range(40)
        ),
    )


@pytest.mark.parametrize("descending", [True, False], ids=["down", "up"])
def test_pages_together_are_the_whole_list_in_order(store: SqlStore, descending: bool) -> None:
    rows = shuffled(store)
    for sort in SORTABLE:
        expected = sorted(
            (item for item in rows if item[sort] is not None),
            key=lambda item: (item[sort], item["session_id"]),
            reverse=descending,
        ) + sorted(
            (item for item in rows if item[sort] is None),
            key=lambda item: item["session_id"],
            reverse=descending,
        )
        seen: list[Any] = []
        after: Any = None
        while True:
            query = build.query(sort=sort, descending=descending, limit=7, after=after)
            page = store.summaries(query)
            seen += page
            if len(page) < 7:
                break
            after = (page[-1][sort], page[-1]["session_id"])
        assert [item["session_id"] for item in seen] == [item["session_id"] for item in expected], (
            sort
        )


def test_a_stream_gives_every_row_and_ignores_paging(store: SqlStore) -> None:
    rows = shuffled(store)
    query = build.query(limit=3, after=(build.at(3), build.an_id()))
    streamed = list(store.stream_summaries(query))
    assert {item["session_id"] for item in streamed} == {item["session_id"] for item in rows}
    assert [item["listed_at"] for item in streamed] == sorted(
        (item["listed_at"] for item in rows), reverse=True
    )


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ({"status": "infusing"}, lambda item: item["status"] == "infusing"),
        ({"protocol": "P17"}, lambda item: item["protocol_id"] == "P17"),
        ({"from_at": build.at(5)}, lambda item: item["listed_at"] >= build.at(5)),
        ({"to_at": build.at(5)}, lambda item: item["listed_at"] < build.at(5)),
        ({"clinic": "elsewhere"}, lambda item: False),
        ({"include_in_progress": False}, lambda item: not item["in_progress"]),
    ],
    ids=["status", "protocol", "from", "to", "clinic", "closed"],
)
def test_a_filter_keeps_what_it_says(store: SqlStore, asked: dict[str, Any], kept: Any) -> None:
    rows = shuffled(store)
    put(store, rows[0] | {"in_progress": False})
    rows[0]["in_progress"] = False
    found = store.summaries(build.query(limit=100, **asked))
    assert {item["session_id"] for item in found} == {
        item["session_id"] for item in rows if kept(item)
    }


def test_a_list_cannot_be_sorted_by_just_anything(store: SqlStore) -> None:
    with pytest.raises(ValueError, match="not listed by ae_terms"):
        store.summaries(build.query(sort="ae_terms"))


@pytest.mark.parametrize("sort", SORTABLE)
def test_a_page_is_read_from_an_index_without_sorting(sqlite_url: str, sort: str) -> None:
    query = SessionQuery(clinic=build.CLINIC, sort=sort)
    column = _sort_column(query)
    asked = (
        sa.select(SUMMARY)
        .where(*_matching(query), column.is_not(None))
        .order_by(column.desc(), SUMMARY.c.session_id.desc())
        .limit(50)
    )
    engine = make_engine(sqlite_url)
    text = str(asked.compile(engine, compile_kwargs={"literal_binds": True}))
    with engine.connect() as connection:
        plan = str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}").all())
    assert f"USING INDEX ix_summary_clinic_code_{sort}_session_id" in plan
    assert "TEMP B-TREE" not in plan
    engine.dispose()


def test_sessions_are_found_by_their_chair(store: SqlStore) -> None:
    rows = put(store, row(1, chair="A3"), row(2, chair="A31"), row(3, chair="3"), row(4))
    for text in ("A3", " a3 "):
        (found,) = store.summaries(build.query(search=text))
        assert found["session_id"] == rows[0]["session_id"]
    assert len(list(store.stream_summaries(build.query(search="3")))) == 1
    assert store.summaries(build.query(search="A3", clinic="elsewhere")) == []


def test_a_chair_is_found_by_an_index(sqlite_url: str) -> None:
    engine = make_engine(sqlite_url)
    asked = sa.select(SUMMARY.c.session_id).where(
        *_matching(SessionQuery(clinic=build.CLINIC, search="A3"))
    )
    text = str(asked.compile(engine, compile_kwargs={"literal_binds": True}))
    with engine.connect() as connection:
        plan = str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}").all())
    engine.dispose()
    assert "ix_summary_clinic_code_chair" in plan


# -- patients ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  Müller-Lüdenscheidt   ÅSA ", "muller-ludenscheidt asa"),
        ("STRAßE", "strasse"),
        ("Ｋ００１", "k001"),
        ("", ""),
    ],
)
def test_names_are_compared_without_case_accents_and_width(text: str, expected: str) -> None:
    assert search_key(text) == expected


def test_patients_are_found_by_the_beginning_of_name_or_number(store: SqlStore) -> None:
    asa = build.patient(family_name="Älvström", given_name="Åsa", mrn="K-0017")
    nora = build.patient(family_name="Berg", given_name="Nora", mrn="K-0018")
    start(store, build.session(patient=asa))
    start(store, build.session(patient=nora))
    expected = {
        "alv": (asa,),
        "ÄLVSTRÖM å": (asa,),
        "åsa": (asa,),
        "nora berg": (nora,),
        "k-001": (asa, nora),
        "0017": (),
        "%": (),
        "_": (),
    }
    assert {text: store.find_patients(build.CLINIC, text) for text in expected} == expected
    assert store.find_patients("elsewhere", "nora") == ()
    assert store.find_patients(build.CLINIC, "k", limit=1) == (asa,)
    assert store.patient(asa.id) == asa


def test_sessions_are_found_by_their_patient(store: SqlStore) -> None:
    asa = build.patient(family_name="Älvström", given_name="Åsa")
    session = start(store, build.session(patient=asa))
    other = start(store, build.session())
    for item in (session, other):
        put(store, summary_row(item) | {"session_id": item.id})
    (found,) = store.summaries(build.query(search="alvst"))
    assert found["session_id"] == session.id
    assert len(store.summaries(build.query(search="  "))) == 2


def test_sessions_of_a_patient_come_newest_first(store: SqlStore) -> None:
    patient = build.patient()
    sessions = [
        start(
            store,
            build.session(patient=patient, created_at=build.T0 + timedelta(days=days)),
        )
        for days in (7, 0, 14)
    ]
    first, second, third = (session.id for session in sessions)
    assert store.patient_session_ids(patient.id) == (third, first, second)
    assert store.patient_session_ids(derived_id("nobody")) == ()
