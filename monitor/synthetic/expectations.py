"""The figures invented history follows, from library/synthetic.toml, each with its source there."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from random import Random
from typing import Any


@lru_cache(maxsize=1)
def expectations() -> Mapping[str, Mapping[str, Any]]:
    """Every table of the file by name."""
    text = resources.files("monitor.library").joinpath("synthetic.toml").read_text("utf-8")
    content: dict[str, Any] = tomllib.loads(text)
    del content["version"]
    return content


def happens(rng: Random, percent: float) -> bool:
    """Whether something that happens in so many percent of the cases happens this time."""
    return rng.random() * 100 < percent


def between(rng: Random, mean: float, sd: float, low: float, high: float) -> float:
    """A normal draw, cut off at both ends."""
    return min(high, max(low, rng.gauss(mean, sd)))


def one_of(rng: Random, shares: Mapping[str, float]) -> str:
    """One of the names, each as often as its share says."""
    return rng.choices(list(shares), weights=list(shares.values()))[0]
