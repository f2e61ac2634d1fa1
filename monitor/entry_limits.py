"""The limits, codes and sentences of an entry, for checking it while someone types."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from monitor.entry_words import REASON_WORDS, SENTENCES, name_of, range_of
from monitor.numbers import plain_text
from monitor.parameters import CROSS_CHECKS, PARAMETERS, PARAMETERS_VERSION, Parameter
from monitor.scales import SCALES, SCALES_VERSION, SEDATION_SCALES, Scale


def limits_for_client() -> dict[str, Any]:
    """The same limits, codes and sentences as JSON, for checking while someone types.

    Numbers are decimal strings, an absent limit is null.  ``sentences`` hold ``{placeholders}``;
    a problem's code is ``<parameter>.<sentence>`` unless the sentence's key has a point itself.
    """
    return {
        "version": PARAMETERS_VERSION,
        "scales_version": SCALES_VERSION,
        "sentences": dict(SENTENCES),
        "parameters": {key: _client_limits(parameter) for key, parameter in PARAMETERS.items()},
        "cross": {
            "pulse_pressure_soft_below": plain_text(CROSS_CHECKS.pulse_pressure_soft_below),
            "pulse_pressure_soft_above": plain_text(CROSS_CHECKS.pulse_pressure_soft_above),
            "map_difference_soft_above": plain_text(CROSS_CHECKS.map_difference_soft_above),
            "jump_window_min": CROSS_CHECKS.jump_window_min,
            "fahrenheit_low": plain_text(CROSS_CHECKS.fahrenheit_low),
            "fahrenheit_high": plain_text(CROSS_CHECKS.fahrenheit_high),
        },
        "scales": {scale_id: _client_scale(SCALES[scale_id]) for scale_id in SEDATION_SCALES},
        "reasons": {reason.value: words for reason, words in REASON_WORDS.items()},
    }


def _client_limits(parameter: Parameter) -> dict[str, Any]:
    limits: dict[str, Any] = {
        "label": parameter.label,
        "name": name_of(parameter),
        "unit": parameter.unit_label,
        "kind": parameter.kind,
        "decimals": parameter.decimals,
        "minimum_set": parameter.minimum_set,
        "reasons": [reason.value for reason in parameter.reasons],
        "findings": [reason.value for reason in parameter.findings],
        "accepts": dict(parameter.accepts),
        "hard_range": range_of(parameter, "hard"),
        "soft_range": range_of(parameter, "soft"),
    }
    names = ("hard_below", "hard_above", "soft_below", "soft_above", "jump", "jump_fall", "step")
    for name in names:
        limit: Decimal | None = getattr(parameter, name)
        limits[name] = None if limit is None else plain_text(limit)
    return limits


def _client_scale(scale: Scale) -> dict[str, Any]:
    return {
        "label": scale.label,
        "direction": scale.direction,
        "codes": [
            {
                "code": answer.code,
                "short": answer.short,
                "label": answer.label,
                "grade": answer.grade,
                "asleep": answer.asleep,
            }
            for answer in scale.codes
        ],
    }
