"""Imports point inwards, and nobody enters the pages by the side door (design: rings 1 to 3)."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

#: Modules of ring 3 (presentation without Streamlit) and the vectorised twin: pandas, numpy and
#: plotly are allowed there and nowhere else in monitor/.
RING_3 = {"frames", "charts", "export", "summaries", "series", "board", "whatif"}
#: Modules of ring 2: what people do, and what it needs.
RING_2 = {"store", "actions", "bedside", "passwords", "user_admin"}
#: The command line is a second composition root: what may import db in monitor/.
ROOTS = {"__main__"}
COMMANDS = {"commands"}


def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add(node.module or "")
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def tops(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports_of(path)}


def files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("path", files("monitor"), ids=str)
def test_monitor_knows_no_shell_and_no_database(path: Path) -> None:
    forbidden = {"streamlit", "starlette", "pages", "dashboard"}
    own = path.relative_to(ROOT / "monitor").with_suffix("").parts[0]
    if own not in ROOTS | COMMANDS:
        forbidden |= {"db", "sqlalchemy", "alembic", "psycopg"}
    if own not in RING_3 | ROOTS:
        forbidden |= {"pandas", "plotly", "numpy", "pyarrow"}
    assert not tops(path) & forbidden


@pytest.mark.parametrize("path", files("monitor"), ids=str)
def test_the_domain_does_not_import_what_people_do_or_how_it_is_shown(path: Path) -> None:
    own = path.relative_to(ROOT / "monitor").with_suffix("").parts[0]
    if own in RING_2 | RING_3 | ROOTS | COMMANDS:
        return
    imported = {name.split(".")[1] for name in imports_of(path) if name.startswith("monitor.")}
    assert not imported & (RING_2 | RING_3)


@pytest.mark.parametrize("path", files("db"), ids=str)
def test_storage_knows_no_shell_and_no_presentation(path: Path) -> None:
    assert not tops(path) & {"streamlit", "starlette", "pages", "dashboard", "plotly", "pandas"}


@pytest.mark.parametrize("path", files("pages"), ids=str)
def test_pages_are_handed_a_store(path: Path) -> None:
    assert not tops(path) & {"db", "sqlalchemy", "alembic", "psycopg", "dashboard"}


def test_no_script_lies_directly_in_pages() -> None:
    names = {path.name for path in (ROOT / "pages").glob("*.py")}
    assert names <= {"__init__.py", "shell.py"}
