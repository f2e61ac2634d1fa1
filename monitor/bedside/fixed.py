"""What the bedside screen is told once: limits, scales, words of the vocabulary, choices."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from monitor.actions import OpenSession
from monitor.bedside.leaving import leaving_words
from monitor.breaches import rule_applies
from monitor.lifecycle import CLINICAL_EVENTS, EventKind
from monitor.numbers import plain_text
from monitor.parameters import PARAMETERS
from monitor.readings import baseline
from monitor.record import DoseUnit, InfusionSession
from monitor.scales import SCALES
from monitor.side_effects import GRADES, NONE, TERMS
from monitor.thresholds import Condition, Level, Rule, ThresholdSet
from monitor.validation import limits_for_client

#: Values that do not belong to every set; they are entered behind "more values".
EXTRA_FIELDS = ("temp", "etco2", "o2_flow", "map")
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
#: Terms with a button of their own, with the word on it.
QUICK_TERMS = {"nausea": "nausea", "dissociation": "dissociation", "dizzy": "dizzy"}
#: Events with a button of their own where there is room.
QUICK_EVENTS = frozenset(
    {
        EventKind.VOMITED,
        EventKind.DOCTOR_CALLED,
        EventKind.TOILET,
        EventKind.OXYGEN,
        EventKind.DRUG,
        EventKind.NOTE,
    }
)
#: Events that say nothing without a word or two, with what is mostly said.
EVENT_TEXTS: dict[EventKind, tuple[str, ...]] = {
    EventKind.DRUG: (
        "ondansetron 4 mg IV",
        "midazolam 1 mg IV",
        "paracetamol 1 g",
        "labetalol 5 mg IV",
    ),
    EventKind.PREMEDICATION: ("ondansetron 4 mg", "clonidine", "none given"),
    EventKind.OXYGEN: ("2 L/min", "4 L/min", "6 L/min", "stopped"),
    EventKind.NOTE: (),
    EventKind.HANDOVER: (),
    EventKind.SECOND_CHECK: ("rate", "syringe", "bolus"),
}
RATE_UNITS = (
    DoseUnit.MG_PER_KG_PER_H,
    DoseUnit.MG_PER_H,
    DoseUnit.ML_PER_H,
    DoseUnit.MCG_PER_KG_PER_MIN,
)
BOLUS_UNITS = (DoseUnit.MG, DoseUnit.MG_PER_KG)
_SYMBOLS = {">=": "≥", "<=": "≤", ">": ">", "<": "<"}


def fixed_part(opened: OpenSession) -> dict[str, Any]:
    """Everything about a session's screen that saving does not change."""
    session = opened.session
    return {
        "session_id": str(session.id),
        "limits": limits_for_client(),
        "extra_fields": list(EXTRA_FIELDS),
        "thresholds": client_thresholds(session, opened.threshold_set),
        "scales": _scales(session, opened.protocol.dissociation_scale),
        "ticks": [{"code": key, "label": PARAMETERS[key].label} for key in TICKS],
        "terms": [
            {
                "key": term.key,
                "display": term.display,
                "category": term.category,
                "quick": QUICK_TERMS.get(term.key),
            }
            for term in TERMS.values()
            if term.key != NONE
        ],
        "quick_terms": list(QUICK_TERMS),
        "grades": [
            {"grade": grade.grade, "label": grade.label, "rule": grade.rule}
            for grade in GRADES.values()
        ],
        "events": [_event(kind) for kind in CLINICAL_EVENTS],
        "rate_units": [{"code": unit.value, "label": unit.value} for unit in RATE_UNITS],
        "bolus_units": [{"code": unit.value, "label": unit.value} for unit in BOLUS_UNITS],
        "concentrations": [plain_text(value) for value in opened.protocol.concentrations_mg_per_ml],
        "leaving": leaving_words(opened.protocol),
    }


def _event(kind: EventKind) -> dict[str, Any]:
    return {
        "kind": kind.value,
        "label": kind.label,
        "quick": kind in QUICK_EVENTS,
        "asks": kind in EVENT_TEXTS,
        "presets": list(EVENT_TEXTS.get(kind, ())),
    }


def _scales(session: InfusionSession, dissociation_scale: str) -> dict[str, Any]:
    """The answers of each score, the scale's own answers for sedation, S at the end."""
    scale = SCALES[session.sedation_scale]
    answers = sorted(scale.codes, key=lambda answer: answer.asleep)
    worst = 3 if dissociation_scale.endswith("0-3") else 10
    return {
        "sedation": {
            "label": PARAMETERS["sedation"].label,
            "codes": [
                {
                    "code": answer.code,
                    "short": answer.short,
                    "label": answer.label,
                    "asleep": answer.asleep,
                }
                for answer in answers
            ],
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
        for row in _rows(rule, level, usual.get(rule.parameter))
    ]


def _rows(rule: Rule, level: Level, usual: Decimal | None) -> Iterator[dict[str, Any]]:
    if level.counts_when:
        return
    for clause in level.fires:
        if len(clause) != 1 or clause[0].operator not in _SYMBOLS:
            continue
        found = _as_value(clause[0], usual)
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
