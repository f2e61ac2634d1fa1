"""What a measurement says: a named figure, beside what, and how often it was taken."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

BUILD = Path(__file__).resolve().parent.parent.parent / "build"


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of build/bench.json."""

    name: str
    value: float
    unit: str
    n: int
    beside: str
    note: str = ""


def percentile(values: Sequence[float], percent: float) -> float:
    """The value below which ``percent`` of the sorted values lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(percent / 100 * (len(ordered) - 1)))]


def ratio_figure(
    name: str, ours_ms: Sequence[float], beside_ms: Sequence[float], what: str, goal: str
) -> Figure:
    """Median over median, with both medians and p95s in the note."""
    median, floor = statistics.median(ours_ms), statistics.median(beside_ms)
    return Figure(
        name=name,
        value=round(median / floor, 3),
        unit="ratio",
        n=len(ours_ms),
        beside=f"{what}: median {floor:.2f} ms, p95 {percentile(beside_ms, 95):.2f} ms",
        note=(
            f"ours median {median:.2f} ms, p95 {percentile(ours_ms, 95):.2f} ms "
            f"(p95 ratio {percentile(ours_ms, 95) / floor:.2f}); goal {goal}"
        ),
    )


def publish(figures: Sequence[Figure], path: Path = BUILD / "bench.json") -> None:
    """Print the table and write the file; figures of an earlier run with other names stay."""
    path.parent.mkdir(exist_ok=True)
    kept = json.loads(path.read_text("utf-8")) if path.exists() else []
    names = {figure.name for figure in figures}
    rows = [row for row in kept if row["name"] not in names]
    rows += [asdict(figure) for figure in figures]
    path.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
    width = max(len(figure.name) for figure in figures)
    for figure in figures:
        print(f"{figure.name:<{width}}  {figure.value:>9} {figure.unit:<6} n={figure.n}")
        print(f"{'':<{width}}  beside {figure.beside}")
        if figure.note:
            print(f"{'':<{width}}  {figure.note}")
