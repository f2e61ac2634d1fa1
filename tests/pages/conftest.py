"""A house with people in it: made once (passwords take 0.1 s each), copied per test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.pages.bedside_api import Bedside
    from tests.pages.http_app import House


@pytest.fixture(scope="session")
def peopled_sqlite(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file with the people of the house, never written by a test."""
    import db
    from tests.pages.http_app import people

    path = tmp_path_factory.mktemp("peopled") / "monitor.db"
    shutil.copyfile(migrated_sqlite, path)
    store = db.open_store(f"sqlite:///{path}")
    people(store)
    store.close()
    return path


@pytest.fixture
def home(peopled_sqlite: Path, tmp_path: Path) -> Iterator[House]:
    """The front door before a stand-in for Streamlit, with its own database."""
    import db
    from tests.pages.http_app import house

    path = tmp_path / "house.db"
    shutil.copyfile(peopled_sqlite, path)
    store = db.open_store(f"sqlite:///{path}")
    made = house(store)
    yield made
    made.close()
    store.close()


@pytest.fixture
def bedside(peopled_sqlite: Path, tmp_path: Path) -> Iterator[Bedside]:
    """A nurse signed in at a tablet beside a running session."""
    import db
    from tests.pages.bedside_api import bedside_at

    path = tmp_path / "bedside.db"
    shutil.copyfile(peopled_sqlite, path)
    store = db.open_store(f"sqlite:///{path}")
    with bedside_at(store) as made:
        yield made
    store.close()
