"""What the bedside screen is told once: limits, scales, words of the vocabulary, choices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from monitor.actions import OpenSession
from monitor.bedside.leaving import leaving_words
from monitor.breaches import rule_applies
from monitor.entry_limits import limits_for_client
from monitor.lifecycle import CLINICAL_EVENTS, EventKind
from monitor.news2 import CONSCIOUSNESS_SCALE, PARTS, Band
from monitor.numbers import plain_text
from monitor.one_tap import EVENT_TEXTS, EventButton, OneTap, oxygen_flow
from monitor.oxygen import DEVICE_NOTE, OXYGEN_DEVICES
from monitor.parameters import PARAMETERS
from monitor.patient_dose_limits import PATIENT_LIMITS
from monitor.readings import baseline
from monitor.record import DoseUnit, InfusionSession
from monitor.scales import SCALES, Scale
from monitor.side_effects import (
    ACTIONS,
    CRITICAL_TERMS,
    GRADES,
    NONE,
    RELATIONS,
    TERMS,
    SideEffectTerm,
)
from monitor.thresholds import Clause, Condition, Level, Rule, ThresholdSet

#: Values that do not belong to every set; they are entered behind "more values".
EXTRA_FIELDS = ("temp", "etco2", "o2_flow", "map", "mood", "cadss_23")
#: Findings that are ticked for a set (clinical.md U-02, U-53, U-54).
TICKS = (
    "unresponsive",
    "unsafe_behaviour",
    "vomited",
    "chest_pain",
    "neuro_deficit",
    "severe_headache",
    "visual_change",
    "dyspnoea",
)
RATE_UNITS = (
    DoseUnit.MG_PER_KG_PER_H,
    DoseUnit.MG_PER_H,
    DoseUnit.ML_PER_H,
    DoseUnit.MCG_PER_KG_PER_MIN,
)
BOLUS_UNITS = (DoseUnit.MG, DoseUnit.MG_PER_KG)
_SYMBOLS = {">=": "≥", "<=": "≤", ">": ">", "<": "<"}


def fixed_part(opened: OpenSession, one_tap: OneTap) -> dict[str, Any]:
    """Everything about a session's screen that saving does not change."""
    session = opened.session
    return {
        "session_id": str(session.id),
        "limits": limits_for_client(),
        "extra_fields": list(EXTRA_FIELDS),
        "thresholds": client_thresholds(session, opened.threshold_set),
        "scales": _scales(session, opened.protocol.dissociation_scale),
        "ticks": [{"code": key, "label": PARAMETERS[key].label} for key in TICKS],
        "terms": [_term(term) for term in TERMS.values() if term.key != NONE],
        "quick_terms": [{"key": item.term, "label": item.label} for item in one_tap.effects],
        "grades": [
            {
                "grade": grade.grade,
                "label": grade.label,
                "rule": grade.rule,
                "blood_pressure": grade.blood_pressure,
            }
            for grade in GRADES.values()
        ],
        "oxygen_devices": _choices(OXYGEN_DEVICES),
        "oxygen_device_note": DEVICE_NOTE,
        "relations": _choices(RELATIONS),
        "effect_actions": _choices(ACTIONS),
        "events": _events(one_tap),
        "rate_units": [{"code": unit.value, "label": unit.value} for unit in RATE_UNITS],
        "bolus_units": [{"code": unit.value, "label": unit.value} for unit in BOLUS_UNITS],
        "patient_limits": [
            {"code": code, "label": f"{words}, {unit}", "unit": unit, "words": words}
            for code, (unit, words) in PATIENT_LIMITS.items()
        ],
        "concentrations": [plain_text(value) for value in opened.protocol.concentrations_mg_per_ml],
        "leaving": leaving_words(opened.protocol),
        "news2": news2_chart(session) if opened.threshold_set.has_news2 else None,
    }


def news2_chart(session: InfusionSession) -> dict[str, Any]:
    """The chart of NEWS2, and by which score of this session consciousness is told (U-48)."""
    own = session.sedation_scale == CONSCIOUSNESS_SCALE
    return {
        "spo2_scale": session.spo2_scale,
        "consciousness": "sedation" if own else "acvpu",
        "label": PARAMETERS["acvpu"].label,
        "codes": _answers(SCALES[CONSCIOUSNESS_SCALE]),
        "parts": [
            {
                "key": part.key,
                "name": part.name,
                "decimals": part.decimals,
                "bands": _bands(part.bands),
                "scale_2_on_air": _bands(part.scale_2_on_air),
                "scale_2_on_oxygen": _bands(part.scale_2_on_oxygen),
            }
            for part in PARTS.values()
        ],
    }


def _bands(bands: Sequence[Band]) -> list[dict[str, Any]]:
    return [
        {"to": None if band.to is None else float(band.to), "points": band.points} for band in bands
    ]


def _answers(scale: Scale) -> list[dict[str, Any]]:
    """The answers of a scale, normal sleep at the end."""
    return [
        {
            "code": answer.code,
            "short": answer.short,
            "label": answer.label,
            "asleep": answer.asleep,
        }
        for answer in sorted(scale.codes, key=lambda answer: answer.asleep)
    ]


def _choices(labels: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"code": code, "label": label} for code, label in labels.items()]


def _term(term: SideEffectTerm) -> dict[str, Any]:
    return {
        "key": term.key,
        "display": term.display,
        "category": term.category,
        "found_by": term.found_by,
        "help": term.help,
        "critical": term.key in CRITICAL_TERMS,
    }


def _events(one_tap: OneTap) -> list[dict[str, Any]]:
    """The clinic's own buttons first, then every kind of event that none of them stands for."""
    own = {item.kind for item in one_tap.events if item.text is None}
    others = [
        EventButton(kind=kind, label=kind.label, asks=EVENT_TEXTS.get(kind))
        for kind in CLINICAL_EVENTS
        if kind not in own
    ]
    return [
        *(_event(item, quick=True) for item in one_tap.events),
        *(_event(item, quick=False) for item in others),
    ]


def _event(button: EventButton, *, quick: bool) -> dict[str, Any]:
    asks = button.asks
    return {
        "code": f"{button.kind}: {button.text}" if button.text else button.kind.value,
        "kind": button.kind.value,
        "label": button.label,
        "text": button.text,
        "quick": quick,
        "asks": asks is not None,
        "presets": list(asks or ()),
        "flows": _flows(button),
    }


def _flows(button: EventButton) -> list[dict[str, str]]:
    """Oxygen is recorded as a flow, so that its limits are judged (clinical.md 3.3, U-56)."""
    if button.kind is not EventKind.OXYGEN:
        return []
    texts = (button.text,) if button.text else button.asks or ()
    flows = ((text, oxygen_flow(text)) for text in texts)
    return [{"code": plain_text(flow), "label": text} for text, flow in flows if flow is not None]


def _scales(session: InfusionSession, dissociation_scale: str) -> dict[str, Any]:
    """The answers of each score, the scale's own answers for sedation, S at the end."""
    worst = 3 if dissociation_scale.endswith("0-3") else 10
    return {
        "sedation": {
            "label": PARAMETERS["sedation"].label,
            "codes": _answers(SCALES[session.sedation_scale]),
        },
        "acvpu": {
            "label": PARAMETERS["acvpu"].label,
            "codes": _answers(SCALES[CONSCIOUSNESS_SCALE]),
        },
        "dissociation": {"label": "Dissoc.", "codes": _codes(worst)},
        "nausea": {"label": PARAMETERS["nausea"].label, "codes": _codes(3, _NAUSEA)},
        "pain": {"label": PARAMETERS["pain"].label, "codes": _codes(10)},
    }


#: Anchors of the nausea scale (clinical.md 5.7).
_NAUSEA = ("none", "mild", "moderate, or vomited once", "severe, or vomited twice or more")


def _codes(worst: int, labels: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    return [
        {
            "code": code,
            "short": str(code),
            "label": labels[code] if labels else "",
            "asleep": False,
        }
        for code in range(worst + 1)
    ]


# -- thresholds while typing ---------------------------------------------------------------------


def client_thresholds(
    session: InfusionSession, threshold_set: ThresholdSet
) -> list[dict[str, Any]]:
    """Limits that one typed value alone can cross, as numbers, the patient's baseline worked in.

    What needs other values (a rise counted only with a high pressure, symptoms) is said by the
    server after saving; a limit that may apply is never left out for being relative.
    """
    usual = baseline(session)
    return [
        row
        for rule in threshold_set.rules
        if rule.parameter in PARAMETERS and rule_applies(rule, session, usual)
        for level in rule.levels
        for row in _rows(rule, level, usual.get(rule.parameter, rule.baseline_if_none))
    ]


def _rows(rule: Rule, level: Level, usual: Decimal | None) -> Iterator[dict[str, Any]]:
    if level.counts_when:
        return
    for clause in level.fires:
        found = _of_clause(clause, usual)
        if found is None:
            continue
        comparison, limit, beside = found
        words = f"{_SYMBOLS[comparison]} {plain_text(limit)}{beside}"
        yield {
            "parameter": rule.parameter,
            "operator": comparison,
            "limit": float(limit),
            "level": level.name,
            "text": f"{words}: recheck" if level.confirm else f"{words}: {level.name}",
        }


def _of_clause(clause: Clause, usual: Decimal | None) -> tuple[str, Decimal, str] | None:
    """The one comparison that says the same as all of them together, None when there is none."""
    found = [
        _as_value(condition, usual) if condition.operator in _SYMBOLS else None
        for condition in clause
    ]
    known = [row for row in found if row is not None]
    if len(known) != len(found) or len({row[0][0] for row in known}) != 1:
        return None
    furthest = max if known[0][0].startswith(">") else min
    return furthest(known, key=lambda row: row[1])


def _as_value(condition: Condition, usual: Decimal | None) -> tuple[str, Decimal, str] | None:
    """The comparison with the value itself that says the same: (operator, limit, words beside)."""
    if condition.measure == "value":
        return condition.operator, condition.limit, ""
    if usual is None:
        return None
    beside = f" (usual {plain_text(usual)})"
    turned = {">=": "<=", ">": "<", "<=": ">=", "<": ">"}[condition.operator]
    match condition.measure:
        case "rise":
            return condition.operator, usual + condition.limit, beside
        case "rise_percent":
            return condition.operator, usual * (100 + condition.limit) / 100, beside
        case "fall":
            return turned, usual - condition.limit, beside
        case "fall_percent":
            return turned, usual * (100 - condition.limit) / 100, beside
    return None
