"""A weight that is about to be recorded: what it does, in the words of the bedside."""

from __future__ import annotations

from typing import Any

from monitor.actions import WeightPreview
from monitor.bedside.proposals import questions
from monitor.numbers import plain_text
from monitor.record import WeightBasis
from monitor.requests import WeightRequest


def weight_preview(request: WeightRequest, found: WeightPreview) -> dict[str, Any]:
    """What changes with the weight, what is asked about it, and what the button says."""
    how = "measured" if request.measured else "stated"
    typed = f" ({request.typed})" if request.typed else ""
    words = f"{plain_text(request.weight_kg)} kg{typed}, {how}"
    if request.basis is not WeightBasis.ACTUAL:
        basis = "ideal" if request.basis is WeightBasis.IDEAL else "adjusted"
        words += f"; doses on {plain_text(found.weight_kg)} kg ({basis})"
    return {
        "title": f"Weight {words}",
        "facts": list(found.effects),
        "questions": questions(found.problems),
        "needs_reason": found.needs_reason,
        "summary": f"Weight {words}",
    }
