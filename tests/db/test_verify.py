"""Whoever gets past the store and past the triggers is found: changed, removed, added, reordered."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

import db
from db import SqlStore
from db.tables import RECORD
from monitor.audit import chain_hash
from tests import build
from tests.db.conftest import Intruder, fill, start

CHAINED = [name for name in RECORD if name != "audit"]


@pytest.fixture
def sound(store: SqlStore) -> SqlStore:
    """A store with a row in every record table, in which everything holds."""
    fill(store)
    assert store.verify() == ()
    return store


def test_a_sound_record_gives_nothing_to_report(store: SqlStore) -> None:
    for _ in range(3):
        session = start(store, build.session(build.spo2(97, 96)))
        with store.write(build.audit(), clinic=build.CLINIC, session_id=session.id) as writer:
            writer.add_facts(session.id, build.obs_set(10))
    assert store.verify() == ()


def test_a_record_longer_than_one_batch_is_compared_to_its_end(
    store: SqlStore, intruder: Intruder, monkeypatch: pytest.MonkeyPatch
) -> None:
    from db import verify

    monkeypatch.setattr(verify, "BATCH", 3)
    session = start(store, build.session())
    for minute in range(10):
        with store.write(build.audit(), clinic=build.CLINIC, session_id=session.id) as writer:
            writer.add_facts(session.id, [build.observation("hr", 60 + minute, minute)])
    assert store.verify() == ()
    intruder.run("UPDATE observation SET value = 200 WHERE write_no = 11")
    (found,) = store.verify()
    assert "changed (value)" in found


def test_a_changed_value_is_named(sound: SqlStore, intruder: Intruder) -> None:
    """A pressure of 89 made 98 to hide a fall in oxygen."""
    intruder.run("UPDATE observation SET value = 98 WHERE parameter = 'spo2'")
    (found,) = sound.verify()
    assert found.startswith("observation ")
    assert found.endswith("was changed (value)")


def test_even_a_lost_zero_is_a_change(store: SqlStore, intruder: Intruder) -> None:
    start(store, build.session(build.observation("temp", "36.60")))
    intruder.run("UPDATE observation SET value = 36.6")
    (found,) = store.verify()
    assert "changed (value)" in found


#: A column of every record table that can hold another text, and that text.
OTHER_TEXT = {
    name: next(
        column.name
        for column in RECORD[name].c
        if column.name
        in ("allergies", "text", "reason", "chair", "recorded_by", "name", "by", "indication")
    )
    for name in CHAINED
}


@pytest.mark.parametrize("name", CHAINED)
def test_a_change_in_any_table_is_found(sound: SqlStore, intruder: Intruder, name: str) -> None:
    intruder.run(f"UPDATE {name} SET {OTHER_TEXT[name]} = 'someone else'")
    found = sound.verify()
    assert found
    assert all(f"was changed ({OTHER_TEXT[name]})" in line for line in found)


@pytest.mark.parametrize("name", CHAINED)
def test_a_removed_row_of_any_table_is_found(
    sound: SqlStore, intruder: Intruder, name: str
) -> None:
    intruder.run(f"DELETE FROM {name}")
    found = sound.verify()
    assert found
    assert all(line.startswith(f"{name} ") and "was removed" in line for line in found)


@pytest.mark.parametrize("name", CHAINED)
def test_an_added_row_of_any_table_is_found(sound: SqlStore, intruder: Intruder, name: str) -> None:
    """A copy of the first row under another id, with whatever else must be unique changed too."""
    table = RECORD[name]
    changed: dict[str, Any] = {"id": sa.literal(build.an_id(), sa.Uuid())}
    for column in ("mrn_key", "number", "step", "code"):
        if column in table.c:
            changed[column] = table.c[column] + (1000 if column in ("number", "step") else "x")
    copy = sa.select(*(changed.get(column.name, column) for column in table.c)).limit(1)
    # The trigger against REPLACE lets a new id pass: this is the way anybody can take.
    with intruder.engine.connect() as connection:
        connection.execute(sa.insert(table).from_select([c.name for c in table.c], copy))
        connection.commit()
    found = sound.verify()
    assert any("added without the audit trail" in line for line in found), found
    # A session nobody opened has no head either.
    assert all(line.startswith((f"{name} ", "session ")) for line in found)


def test_two_exchanged_rows_are_found(store: SqlStore, intruder: Intruder) -> None:
    """Two readings swapped: every value still occurs once, but each in the other's place."""
    start(store, build.session(build.spo2(97, 85)))
    with intruder.engine.connect() as connection:
        first, second = connection.exec_driver_sql("SELECT id FROM observation ORDER BY id").all()
    intruder.run(
        "UPDATE observation SET value = CASE WHEN value = '97' THEN '85' ELSE '97' END"
        if intruder.engine.dialect.name == "sqlite"
        else "UPDATE observation SET value = CASE WHEN value = 97 THEN 85 ELSE 97 END"
    )
    assert first != second
    assert len(store.verify()) == 2


# -- the chain itself -------------------------------------------------------------------------


@pytest.fixture
def three(store: SqlStore) -> SqlStore:
    """A chain of three links without rows."""
    for minute in range(3):
        with store.write(build.audit("look", minute), clinic=build.CLINIC):
            pass
    return store


def test_a_changed_link_is_found(three: SqlStore, intruder: Intruder) -> None:
    intruder.run(
        "UPDATE audit SET text = replace(text, 'blum', 'okoye') WHERE seq = 2 AND clinic = 'main'"
    )
    found = three.verify()
    assert "audit main 2: the text was changed after it was hashed" in found


def test_a_link_hashed_again_breaks_the_one_after_it(three: SqlStore, intruder: Intruder) -> None:
    rows = list(three.audit_rows(build.CLINIC))
    text = rows[1].text.replace("blum", "okoye")
    intruder.run(
        "UPDATE audit SET text = :text, hash = :hash, by = 'okoye'"
        " WHERE seq = 2 AND clinic = 'main'"
        if intruder.engine.dialect.name == "postgresql"
        else "UPDATE audit SET text = :text, hash = :hash, \"by\" = 'okoye'"
        " WHERE seq = 2 AND clinic = 'main'",
        text=text,
        hash=chain_hash(rows[1].previous_hash, text),
    )
    assert three.verify() == ("audit main 3: does not follow the link before it",)


def test_a_removed_link_is_found(three: SqlStore, intruder: Intruder) -> None:
    intruder.run("DELETE FROM audit WHERE seq = 2 AND clinic = 'main'")
    assert three.verify() == (
        "audit main 3: links 2 to 2 are missing",
        "audit main 3: does not follow the link before it",
    )


def test_a_chain_cut_at_its_end_is_found(three: SqlStore, intruder: Intruder) -> None:
    intruder.run("DELETE FROM audit WHERE seq = 3 AND clinic = 'main'")
    assert three.verify() == ("audit main: the chain ends at 2, its head says 3",)


def test_two_links_in_each_other_s_place_are_found(three: SqlStore, intruder: Intruder) -> None:
    for old, new in ((2, 99), (3, 2), (99, 3)):
        intruder.run(f"UPDATE audit SET seq = {new} WHERE seq = {old} AND clinic = 'main'")
    found = three.verify()
    assert "audit main 2: does not follow the link before it" in found
    assert "audit main 3: does not follow the link before it" in found


def forge(store: SqlStore, intruder: Intruder, seq: int, change: tuple[str, str]) -> None:
    """Change a text and hash the whole chain again: what only somebody with the code can do."""
    rows = list(store.audit_rows(build.CLINIC))
    previous = rows[seq - 2].hash if seq > 1 else rows[0].previous_hash
    for row in rows[seq - 1 :]:
        text = row.text.replace(*change) if row.seq == seq else row.text
        link_hash = chain_hash(previous, text)
        intruder.run(
            "UPDATE audit SET text = :text, previous_hash = :previous, hash = :hash"
            " WHERE clinic = 'main' AND seq = :seq",
            text=text,
            previous=previous,
            hash=link_hash,
            seq=row.seq,
        )
        previous = link_hash
    intruder.run("UPDATE chain_head SET hash = :hash WHERE clinic = 'main'", hash=previous)


def test_a_forged_chain_still_has_to_agree_with_the_tables(
    store: SqlStore, intruder: Intruder
) -> None:
    first, second = build.observation("hr", 70), build.observation("hr", 71, 5)
    session = start(store, build.session(first))
    with store.write(build.audit(), clinic=build.CLINIC, session_id=session.id) as writer:
        writer.add_facts(session.id, [second])
    forge(store, intruder, 2, ('"value":"71"', '"value":"70"'))
    assert store.verify() == (f"observation {second.id}: was changed (value)",)
    forge(store, intruder, 2, ('"value":"70"', '"value":"71"'))
    assert store.verify() == ()
    forge(store, intruder, 2, ('["observation"', '["observations"'))
    assert "the audit trail names a table observations that does not exist" in store.verify()
    forge(store, intruder, 2, ('["observations"', '["observation"'))
    forge(store, intruder, 2, (str(second.id), str(first.id)))
    found = store.verify()
    assert f"audit main 2: names observation {first.id} a second time" in found
    assert f"observation {second.id}: was added without the audit trail" not in found


def test_columns_of_a_link_that_say_something_else_are_found(
    three: SqlStore, intruder: Intruder
) -> None:
    intruder.run("UPDATE audit SET action = 'export' WHERE seq = 2 AND clinic = 'main'")
    assert three.verify() == ("audit main 2: its columns do not say what its text says",)


def test_a_text_that_is_no_longer_a_link_is_found(three: SqlStore, intruder: Intruder) -> None:
    intruder.run("UPDATE audit SET text = 'gone' WHERE seq = 2 AND clinic = 'main'")
    assert "audit main 2: the text cannot be read" in three.verify()


# -- working tables ---------------------------------------------------------------------------


def test_a_head_that_is_behind_its_session_is_found(sound: SqlStore, intruder: Intruder) -> None:
    intruder.run("UPDATE session_head SET write_no = 0")
    found = sound.verify()
    assert found
    assert all("newer than the head of its session" in line for line in found)


def test_emptied_working_tables_lose_nothing_and_are_made_anew(
    sound: SqlStore, intruder: Intruder, database_url: str
) -> None:
    session_id = sound.open_session_ids(build.CLINIC)[0]
    session, version = sound.session(session_id), sound.version(build.CLINIC)
    for name in ("chain_head", "session_head"):
        intruder.run(f"DELETE FROM {name}")
    assert sound.session(session_id) == session, "reading needs no head"
    assert any("rebuild" in line for line in sound.verify())
    sound.restore_heads(build.T0)
    assert sound.verify() == ()
    assert sound.version(build.CLINIC) == version
    assert sound.open_session_ids(build.CLINIC) == (session_id,)
    other = db.open_store(database_url)
    for store in (sound, other, sound):
        facts = build.obs_set(70)
        with store.write(build.audit(), clinic=build.CLINIC, session_id=session_id) as writer:
            writer.add_facts(session_id, facts)
        session = session.with_facts(facts)
    assert sound.session(session_id) == other.session(session_id) == session
    assert sound.verify() == ()
    other.close()


def test_a_write_without_heads_makes_them_itself(sound: SqlStore, intruder: Intruder) -> None:
    session_id = sound.open_session_ids(build.CLINIC)[0]
    version = sound.version(build.CLINIC)
    for name in ("chain_head", "session_head"):
        intruder.run(f"DELETE FROM {name}")
    with sound.write(build.audit(), clinic=build.CLINIC, session_id=session_id) as writer:
        writer.add_facts(session_id, build.obs_set(70))
    assert sound.version(build.CLINIC) == version + 1
    assert [line for line in sound.verify() if "*" not in line] == []
