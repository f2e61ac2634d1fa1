"""Two values of one set that fit the set before when they are exchanged (clinical.md 3.1, F12).

A pulse typed into the field of the pressure and the other way round is inside every limit; against
the values before it is not.  Which pairs, and how near and how far, is data (parameters.toml).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from monitor.parameters import CROSS_CHECKS


def swapped_pairs(
    now: Mapping[str, Decimal], before: Mapping[str, Decimal]
) -> Iterator[tuple[str, str]]:
    """The pairs of parameters that look exchanged; ``before`` are their last values."""
    near, far = CROSS_CHECKS.swap_fits_within, CROSS_CHECKS.swap_off_by
    for one, other in CROSS_CHECKS.swap_pairs:
        if not {one, other} <= now.keys() & before.keys():
            continue
        as_typed = (abs(now[one] - before[one]), abs(now[other] - before[other]))
        exchanged = (abs(now[other] - before[one]), abs(now[one] - before[other]))
        if max(exchanged) <= near and min(as_typed) >= far:
            yield one, other
