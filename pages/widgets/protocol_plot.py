"""The planned steps of a protocol as a small picture: rate over minutes, with its own limits."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from decimal import Decimal
from gettext import gettext as _
from html import escape
from typing import Any

from monitor.dose_units import plain, shown
from monitor.protocol_fields import number_at
from monitor.record import DoseUnit
from monitor.stated_rates import in_mg_per_kg_h
from pages.widgets.look import colour_of

_WIDTH, _HEIGHT = 680, 210
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 16, 22, 44
#: A step narrower than this has no room for its number.
_ROOM = 34


def steps_picture(content: Mapping[str, Any], *, dark: bool) -> str:
    """An ``img`` of the planned steps; nothing while steps or duration are not known."""
    steps: Sequence[Mapping[str, Any]] = content.get("steps") or ()
    duration = content.get("planned_duration_min")
    if not steps or not duration:
        return ""
    per_kg = in_mg_per_kg_h(content)
    svg = _svg(per_kg, per_kg["steps"], int(duration), dark=dark)
    # As an image: st.html takes drawings out of the page, and an image runs no script.
    data = b64encode(svg.encode()).decode()
    label = _("Planned rate in mg/kg/h over {minutes} minutes").format(minutes=duration)
    return f'<img alt="{escape(label, quote=True)}" src="data:image/svg+xml;base64,{data}">'


def _svg(
    content: Mapping[str, Any], steps: Sequence[Mapping[str, Any]], duration: int, *, dark: bool
) -> str:
    rates = [Decimal(step["rate_mg_per_kg_h"]) for step in steps]
    limits = [
        (words, limit)
        for words, name in ((_("soft"), "soft"), (_("hard"), "hard"))
        if (limit := number_at(content, f"limits.rate_mg_per_kg_h.{name}")) is not None
    ]
    top = max([*rates, *(limit for _words, limit in limits)]) * Decimal("1.08")

    def across(minute: float) -> float:
        return round(_LEFT + (_WIDTH - _LEFT - _RIGHT) * min(minute, duration) / duration, 1)

    def down(rate: Decimal) -> float:
        return round(_TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - float(rate / top)), 1)

    ink, soft, line, accent, card = (
        colour_of(name, dark=dark) for name in ("ink", "soft", "line", "accent", "card")
    )
    begins = [int(step["after_min"]) for step in steps]
    ends = [*begins[1:], duration]
    points, numbers = [f"{across(0)},{down(Decimal(0))}"], []
    for begin, end, rate in zip(begins, ends, rates, strict=True):
        points += [f"{across(begin)},{down(rate)}", f"{across(end)},{down(rate)}"]
        if across(end) - across(begin) >= _ROOM:
            middle = (across(begin) + across(end)) / 2
            words = plain(shown(rate, DoseUnit.MG_PER_KG_PER_H))
            numbers.append(_text(middle, down(rate) - 6, words, ink, "middle"))
    points.append(f"{across(duration)},{down(Decimal(0))}")
    floor = down(Decimal(0))
    ticks = _apart([*begins, duration], across)
    parts = [
        f'<line x1="{_LEFT}" y1="{floor}" x2="{_WIDTH - _RIGHT}" y2="{floor}" stroke="{line}"/>',
        *(_text(across(tick), floor + 18, str(tick), soft, "middle") for tick in ticks),
        _text(_WIDTH - _RIGHT, floor + 38, _("minutes"), soft, "end"),
        _text(_LEFT, 14, "mg/kg/h", soft, "start"),
    ]
    told_at = -16.0
    for words, limit in reversed(limits):
        y = down(limit)
        # Hard comes first, from the top; soft moves down where the two words would touch.
        told_at = max(y + 5, told_at + 16)
        parts += [
            (
                f'<line x1="{_LEFT}" y1="{y}" x2="{_WIDTH - _RIGHT}" y2="{y}" stroke="{soft}" '
                'stroke-width="1.5" stroke-dasharray="6 5"/>'
            ),
            _text(_LEFT - 6, told_at, words, soft, "end"),
        ]
    parts.append(
        f'<polyline fill="none" stroke="{accent}" stroke-width="3" points="{" ".join(points)}"/>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'font-family="sans-serif" font-size="15">{"".join(parts)}'
        f'<g stroke="{card}" stroke-width="5" paint-order="stroke">{"".join(numbers)}</g></svg>'
    )


def _apart(ticks: Sequence[int], across: Any) -> list[int]:
    """The ticks whose numbers do not run into each other; the last one always."""
    kept = [ticks[-1]]
    for tick in reversed(ticks[:-1]):
        if across(kept[-1]) - across(tick) >= _ROOM:
            kept.append(tick)
    return kept


def _text(x: float, y: float, words: str, colour: str, anchor: str) -> str:
    return f'<text x="{x}" y="{y}" fill="{colour}" text-anchor="{anchor}">{escape(words)}</text>'
