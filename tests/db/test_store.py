"""The store gives back exactly what was put in, on both engines."""

from __future__ import annotations

import db
from tests import build
from tests.db.conftest import start


def test_a_session_comes_back_as_it_was_stored(store: db.SqlStore) -> None:
    session = start(store, build.six_hours())
    assert store.session(session.id) == session
    assert store.verify() == ()
