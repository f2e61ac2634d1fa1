"""What the packaged library says to people: publications by name, never the marks of our own files."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

import pytest

#: Rows, rulings, sources and background pages as the reference file of the library numbers them.
OUR_MARKS = re.compile(
    r"clinical\.md|\[DEFAULT\]|\bseeds? 00|\b[UXCQPRM]-\d|\bQ\d\d|\bF\d\d|found:"
)
#: Fields that only programs read.
FOR_PROGRAMS = {"seed"}


def _files(folder: Traversable) -> Iterator[Traversable]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _files(entry)
        elif entry.name.endswith(".toml"):
            yield entry


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key not in FOR_PROGRAMS:
                yield from _texts(item)


FILES = sorted(_files(resources.files("monitor.library")), key=lambda entry: entry.name)


def test_the_library_was_found() -> None:
    assert len(FILES) > 20


@pytest.mark.parametrize("entry", FILES, ids=lambda entry: entry.name)
def test_no_text_of_the_library_speaks_in_our_own_marks(entry: Traversable) -> None:
    content = tomllib.loads(entry.read_text("utf-8"))
    assert [text for text in _texts(content) if OUR_MARKS.search(text)] == []


@pytest.mark.parametrize("entry", FILES, ids=lambda entry: entry.name)
def test_a_source_names_a_publication_or_says_that_it_is_to_be_signed(entry: Traversable) -> None:
    content = tomllib.loads(entry.read_text("utf-8"))
    for source in _sources(content):
        assert len(source) <= 300, "as long as a clinic may write one itself"
        named = re.search(
            r"(19|20)\d\d|PMC\d|guideline|label|leaflet|procedure|education|[Aa]rticles?|page",
            source,
        )
        assert named or "needs the sign-off" in source, source


def _sources(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _sources(item)
    elif isinstance(value, dict):
        if isinstance(value.get("source"), str):
            yield value["source"]
        for item in value.values():
            yield from _sources(item)
