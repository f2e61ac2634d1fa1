"""Before the start and before leaving: the gate, the recovery score and the discharge criteria.

Each is worked out only in the phase in which it is shown: a save during the infusion pays nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from monitor.actions import OpenSession
from monitor.discharge import CriterionState, DischargeItem, discharge_state
from monitor.gate import CHECKS, GateItem, gate_state, label_of
from monitor.gate_library import GATE
from monitor.lifecycle import SessionStatus
from monitor.numbers import plain_text
from monitor.parameters import PARAMETERS
from monitor.permissions import Role
from monitor.protocols import InfusionProtocol
from monitor.record import GateAnswer
from monitor.recovery import Recovery, RecoveryPart, score_of, scored_parameter
from monitor.scales import RECOVERY_SCORES
from monitor.timeline import clock
from monitor.verbal_orders import override_words, verbal_orders

_BEFORE_START = frozenset(
    {SessionStatus.SCHEDULED, SessionStatus.PRE_ASSESSMENT, SessionStatus.READY}
)
#: The vital signs an item of a score is worked out from (clinical.md U-79).
_SIGNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"circulation": ("sbp",), "oxygen": ("spo2",), "vital_signs": ("sbp", "hr")}
)


def leaving_words(protocol: InfusionProtocol) -> dict[str, Any]:
    """The wording of recovery score, discharge criteria and gate groups, told once."""
    score = RECOVERY_SCORES[protocol.recovery_score]
    return {
        "score": {
            "label": score.label,
            "needed": f"{score.threshold}/{score.maximum}",
            "items": [
                {
                    "label": item.label,
                    "parameter": scored_parameter(score.id, item.key),
                    "answers": list(item.answers),
                }
                for item in score.items
            ],
        },
        "criteria": {
            item.id: {
                "label": item.label,
                "text": item.text,
                "decides": _decides(item.override_by),
            }
            for item in GATE.criteria_for(protocol)
        },
        "groups": {
            group.id: {
                "label": group.label,
                "all": None if group.all_answer is None else group.all_answer.value,
            }
            for group in GATE.groups.values()
        },
        "notes": {
            question.id: question.note
            for question in GATE.questions_for(protocol)
            if question.note is not None
        },
    }


def _decides(least: Role | None) -> str | None:
    return None if least is None else least.value


# -- before the start ------------------------------------------------------------------------------


def before_start(
    opened: OpenSession, zone: tzinfo, names: Mapping[str, str]
) -> dict[str, Any] | None:
    """What is in the way of the start, in the order of the gate; None once it has started.

    What was overridden is told apart: it is in the way no longer, and no plain yes either.
    """
    if opened.status not in _BEFORE_START:
        return None
    gate = gate_state(opened.session, opened.protocol, opened.as_of, zone=zone)
    return {
        "may_start": gate.may_start.value,
        "items": [_gate_item(item) for item in gate.items if item.stops],
        "overridden": [
            _gate_item(item) | told(item.override, names)
            for item in gate.overridden
            if item.override is not None
        ],
    }


def told(override: GateAnswer, names: Mapping[str, str]) -> dict[str, Any]:
    """An override as every sheet tells it; ``verbal`` says whose word waits to be confirmed."""
    verbal = override.is_verbal_order
    return {
        "override": override_words(override, names),
        "override_id": str(override.id),
        "verbal": override.override_by if verbal else None,
    }


def unconfirmed(opened: OpenSession, names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Every override by word that nobody confirmed yet, also once the infusion runs."""
    return [
        {"id": order.question, "label": label_of(order.question), **told(order, names)}
        for order in verbal_orders(opened.session, opened.as_of)
    ]


def _gate_item(item: GateItem) -> dict[str, Any]:
    return {
        "id": item.id,
        "group": None if item.group == CHECKS else item.group,
        "label": item.label,
        "handling": item.handling.value,
        "answer": None if item.answer is None else item.answer.value,
        "note": item.note,
        "sentence": _beside_label(item),
        "decides": _decides(item.override_by),
    }


def _beside_label(item: GateItem) -> str:
    """The sentence as it stands beside the label: what the label says is not said twice."""
    said = item.sentence.removeprefix(f"{item.label}: ")
    return f"{said[:1].upper()}{said[1:]}"


# -- before leaving --------------------------------------------------------------------------------


def leaving(opened: OpenSession, zone: tzinfo, names: Mapping[str, str]) -> dict[str, Any] | None:
    """The recovery score and the discharge criteria; None while the patient is not in recovery.

    ``names`` maps usernames to what people are called.
    """
    if opened.status is not SessionStatus.RECOVERY:
        return None
    recovery = Recovery(opened.session, opened.as_of)
    score = score_of(recovery, RECOVERY_SCORES[opened.protocol.recovery_score])
    criteria = discharge_state(
        opened.session,
        opened.protocol,
        opened.as_of,
        alerts=opened.views,
        overdue=opened.overdue,
        zone=zone,
    )
    return {
        "score": {
            "text": str(score),
            "short": "incomplete"
            if score.total is None
            else f"{score.total}/{score.score.maximum}",
            "complete": score.total is not None,
            "passed": score.passed,
            "parts": [_part(recovery, part, zone) for part in score.parts],
        },
        "flow_only": _needs_flow(recovery),
        "criteria": [_criterion(item, names) for item in criteria.items],
        "open": len(criteria.in_the_way),
    }


def _part(recovery: Recovery, part: RecoveryPart, zone: tzinfo) -> dict[str, Any]:
    row: dict[str, Any] = {"points": part.points}
    if part.parameter is None:
        row["from"] = _worked_out_from(recovery, part.item.key, zone)
        row["missing"] = part.missing
        row["needs_flow"] = part.item.key == "oxygen" and _needs_flow(recovery)
    return row


def _needs_flow(recovery: Recovery) -> bool:
    """Whether nothing but the oxygen flow is missing to judge the saturation."""
    return recovery.value("spo2") is not None and recovery.oxygen_l_per_min is None


def _worked_out_from(recovery: Recovery, key: str, zone: tzinfo) -> str:
    """The vital signs behind a computed item: ``SBP 122 at 14:05, baseline 120``."""
    return "; ".join(
        words for sign in _SIGNS[key] if (words := _sign_words(recovery, sign, zone)) is not None
    )


def _sign_words(recovery: Recovery, sign: str, zone: tzinfo) -> str | None:
    newest, value = recovery.newest(sign), recovery.value(sign)
    if newest is None or value is None:
        return None
    words = f"{PARAMETERS[sign].short} {plain_text(value)}"
    if sign == "spo2":
        return f"{words} %{_on_oxygen(recovery.oxygen_l_per_min)} at {clock(newest.at, zone)}"
    usual = recovery.baseline.get(sign)
    beside = "" if usual is None else f", baseline {plain_text(usual)}"
    return f"{words} at {clock(newest.at, zone)}{beside}"


def _on_oxygen(flow_l_per_min: Decimal | None) -> str:
    if flow_l_per_min is None:
        return ""
    return f" on {plain_text(flow_l_per_min)} L/min" if flow_l_per_min else " on air"


def _criterion(item: DischargeItem, names: Mapping[str, str]) -> dict[str, Any]:
    row: dict[str, Any] = {"id": item.id, "state": item.state.value}
    if item.state is not CriterionState.MET:
        row["sentence"] = item.sentence
    if item.override is not None:
        row |= told(item.override, names)
    return row
