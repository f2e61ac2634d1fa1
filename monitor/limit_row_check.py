"""What in a racemic protocol lies beyond the reference limits of clinical.md 2.5 (U-24).

They bind whatever the protocol says, so one that says more is not approved before it says what
really holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from monitor.dose_units import exact, plain
from monitor.errors import Problem
from monitor.limit_rows import Limit, is_stricter, row_limits
from monitor.protocol_fields import BY_PATH, number_at
from monitor.stated_rates import in_mg_per_kg_h

#: Field of a row -> path of the protocol's own limit; {kind} is its severity.
_PATHS = {
    "rate_mg_per_kg_h": "limits.rate_mg_per_kg_h.{kind}",
    "rate_mg_per_h": "limits.rate_mg_per_h.{kind}",
    "bolus_mg_per_kg": "limits.bolus_mg_per_kg.{kind}",
    "step_mg_per_kg_h": "limits.step_mg_per_kg_h.{kind}",
    "step_percent": "limits.step_percent_{kind}",
    "step_interval_min": "limits.step_interval_min_{kind}",
    "total_mg_per_kg": "limits.total_mg_per_kg.{kind}",
    "duration_h": "limits.duration_h.{kind}",
}


@exact
def beyond_rows(content: Mapping[str, Any], total_mg_per_kg: Decimal | None) -> Iterator[Problem]:
    """Limits and planned rates beyond a row; ``total_mg_per_kg`` is what the planned steps give.

    A limit that the protocol leaves out is that of the row and needs no word here.  Rates stated
    per 70 kg are compared and told in mg/kg/h, as the rows are.
    """
    content = in_mg_per_kg_h(content)
    for name, path in _PATHS.items():
        for limit in _rows(content, name):
            where = path.format(kind=limit.kind)
            own = number_at(content, where)
            if own is not None and is_stricter(name, limit.value, own):
                field = BY_PATH[where]
                yield Problem(
                    where,
                    f"The {field.label} ({plain(own)} {field.unit}) is beyond {limit.whose} "
                    f"({plain(limit.value)} {field.unit}), which binds all the same.",
                )
    yield from _plan_beyond(content, total_mg_per_kg)


def _rows(content: Mapping[str, Any], name: str) -> Iterator[Limit]:
    yield from row_limits(
        str(content.get("code", "")),
        str(content.get("form", "")),
        content.get("setting"),
        name,
        fixed_dose=number_at(content, "limits.fixed_rate_mg_per_kg_h") is not None,
    )


def _plan_beyond(content: Mapping[str, Any], total: Decimal | None) -> Iterator[Problem]:
    """A plan that would itself be asked about: only what the protocol's own limits do not say."""
    for place, step in enumerate(content.get("steps") or ()):
        rate = Decimal(step["rate_mg_per_kg_h"])
        for limit in _not_own(content, "rate_mg_per_kg_h"):
            if rate > limit.value:
                yield Problem(
                    f"steps.{place}",
                    f"Planned step {place + 1} ({plain(rate)} mg/kg/h) is above {limit.whose} "
                    f"({limit.kind}, {plain(limit.value)} mg/kg/h).",
                )
                break
    minutes = number_at(content, "planned_duration_min")
    planned = (
        ("total_mg_per_kg", total, "mg/kg", "The total of the plan"),
        ("duration_h", None if minutes is None else minutes / 60, "h", "The planned duration"),
    )
    for name, value, unit, words in planned:
        for limit in _not_own(content, name):
            if value is not None and value > limit.value:
                shown = plain(value.quantize(Decimal("0.001")))
                yield Problem(
                    _PATHS[name].format(kind=limit.kind),
                    f"{words} ({shown} {unit}) is above {limit.whose} "
                    f"({limit.kind}, {plain(limit.value)} {unit}).",
                )
                break


def _not_own(content: Mapping[str, Any], name: str) -> Iterator[Limit]:
    for limit in _rows(content, name):
        if number_at(content, _PATHS[name].format(kind=limit.kind)) is None:
            yield limit
