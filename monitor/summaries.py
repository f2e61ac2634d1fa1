"""The summary of a session: one row over summary_columns.COLUMNS, calculated anew at every save.

Clinical.md 11.1 with U-62 to U-72.  An empty cell means "does not apply or was not recorded"; it
is never 0.  Rounding is half-up and happens last.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import ROUND_HALF_UP, Decimal, localcontext
from itertools import pairwise
from statistics import median
from typing import Any

from monitor import dosing, schedule
from monitor import time_in_breach as tib
from monitor.alerts import (
    Alert,
    AlertEvent,
    AlertEventKind,
    AlertState,
    AlertView,
)
from monitor.breaches import Breach
from monitor.clock_alerts import CLOCK
from monitor.discharge import discharge_state
from monitor.dose_units import EXACT
from monitor.lifecycle import EventKind, SessionStatus
from monitor.parameters import MINIMUM_SET
from monitor.protocols import InfusionProtocol
from monitor.record import (
    FACT_FIELDS,
    Answer,
    DoseStepKind,
    InfusionSession,
    Observation,
    SessionEvent,
    Source,
)
from monitor.recovery import recovery_state
from monitor.scales import RECOVERY_SCORES, sedation_grade
from monitor.side_effects import NONE
from monitor.summary_case import Case, minutes_of, value_of
from monitor.summary_columns import COLUMNS
from monitor.summary_time import time_in_breach
from monitor.thresholds import ThresholdSet

#: Acknowledged later than this after confirmation, a critical counts as unanswered (U-63).
UNANSWERED_AFTER = timedelta(minutes=2)

#: Words of a drug event and the class they stand for; anything else is "other".
DRUG_CLASSES: Mapping[str, str] = {
    "midazolam": "benzodiazepine",
    "lorazepam": "benzodiazepine",
    "diazepam": "benzodiazepine",
    "clonidine": "alpha2_agonist",
    "dexmedetomidine": "alpha2_agonist",
    "ondansetron": "antiemetic",
    "cyclizine": "antiemetic",
    "metoclopramide": "antiemetic",
    "dexamethasone": "antiemetic",
    "glycopyrronium": "antisialogogue",
    "labetalol": "antihypertensive",
    "hydralazine": "antihypertensive",
    "paracetamol": "analgesic",
    "atropine": "anticholinergic",
    "ephedrine": "vasopressor",
    "oxygen": "oxygen",
}

#: An alert known this long after its onset says nothing about how soon people answer (U-63).
_ENTERED_LATE = timedelta(minutes=10)

#: A side effect that was noted this soon after the drug stopped may be why it stopped.
_RECORDED_AFTER = timedelta(minutes=10)

_ENDING_ACTIONS = frozenset({"pause", "stop"})


def summarise(
    session: InfusionSession,
    protocol: InfusionProtocol,
    threshold_set: ThresholdSet,
    alerts: Iterable[Alert],
    events: Iterable[AlertEvent],
    as_of: datetime,
    *,
    zone: tzinfo = UTC,
    breaches: tuple[Breach, ...] | None = None,
    views: tuple[AlertView, ...] | None = None,
) -> dict[str, Any]:
    """The row of one session as it stands at ``as_of``: every column, None where it has no value.

    While the session goes on (``in_progress``) the columns that are about all of it stay empty:
    sets due and missed, time in breach, time-weighted means, data quality.  They have no meaning
    before its end, and every save would have to work them out again.
    ``zone`` is the clinic's: year and quarter are those of the local date of the first dose.
    ``breaches`` and ``views`` save working them out again; they have to be those of ``as_of``
    with the dose limits of the protocol.
    """
    with localcontext(EXACT):
        case = Case(
            session.known_at(as_of),
            protocol,
            threshold_set,
            tuple(alerts),
            tuple(events),
            as_of,
            zone,
            breaches,
            views,
        )
        row: dict[str, Any] = dict.fromkeys(column.name for column in COLUMNS)
        for part in _ALWAYS if case.status.is_open else (*_ALWAYS, *_ONCE_CLOSED):
            row |= part(case)
        return {
            column.name: _output(column.kind, column.decimals, row[column.name])
            for column in COLUMNS
        }


def _output(kind: str, decimals: int, value: Any) -> Any:
    """The value as it leaves: rounded half-up, whole numbers as int (U-72)."""
    if value is None or kind not in ("int", "decimal"):
        return value
    step = Decimal(1).scaleb(-decimals if kind == "decimal" else 0)
    rounded = Decimal(value).quantize(step, rounding=ROUND_HALF_UP)
    return int(rounded) if kind == "int" else rounded


# -- the parts of the row --------------------------------------------------------------------------


def _identity(case: Case) -> dict[str, Any]:
    session, patient = case.session, case.session.patient
    signed = [event for event in case.events if event.kind == EventKind.SIGNED]
    return {
        "session_id": session.id,
        "clinic_code": session.clinic,
        "patient_id": patient.id,
        "mrn": patient.mrn,
        "patient_name": f"{patient.family_name}, {patient.given_name}",
        "born_on": patient.born_on,
        "chair": session.chair,
        "listed_at": case.inf[0] if case.inf else session.created_at,
        "started_at": case.inf[0] if case.inf else None,
        "ended_at": case.ended_at,
        "discharged_at": case.discharged_at,
        "signed_at": signed[-1].taken_at if signed else None,
        "signed_by": signed[-1].recorded_by if signed else None,
        "in_progress": case.status.is_open,
        "as_of": case.as_of,
    }


def _setting(case: Case) -> dict[str, Any]:
    session, protocol = case.session, case.protocol
    weights = session.current(session.weights)
    local = case.inf[0].astimezone(case.zone) if case.inf else None
    age = session.patient.age_on((local or session.created_at.astimezone(case.zone)).date())
    return {
        "session_year": local.year if local else None,
        "session_quarter": (local.month + 2) // 3 if local else None,
        "age_band": age_band(age),
        "sex": session.patient.sex,
        "weight_kg_band": weight_band(weights[-1].weight_kg) if weights else None,
        "weight_kg": weights[-1].weight_kg if weights else None,
        "weight_basis": weights[-1].basis.value if weights else None,
        "indication": session.indication or None,
        "setting": session.setting,
        "series_number": session.series_number,
        "infusion_number": session.infusion_number,
        "protocol_id": protocol.code,
        "protocol_version": protocol.version,
        "threshold_set": f"{case.threshold_set.code} v{case.threshold_set.version}",
        "drug_form": session.drug_form.value,
        "route": session.route,
        "conc_mg_per_ml": session.concentration_mg_per_ml,
        "status": _outcome(case),
    }


def age_band(age: int) -> str:
    """18-24, 25-34, ... 75-84, 85-89, 90+; younger than 18 has a band of its own."""
    if age < 18:
        return "under 18"
    if age < 25:
        return "18-24"
    if age >= 90:
        return "90+"
    low = 25 + (age - 25) // 10 * 10
    return "85-89" if low == 85 else f"{low}-{low + 9}"


def weight_band(weight_kg: Decimal) -> str:
    """10-kg bands: 70-79 holds 70 and 79.9."""
    low = int(weight_kg // 10) * 10
    return f"{low}-{low + 9}"


def _outcome(case: Case) -> str:
    """completed, stopped_early_ae, stopped_early_other, cancelled; else where it stands.

    An infusion was stopped early when its last stop names a reason, or a fixed dose ended before
    its planned time; because of an adverse event when a side effect that led to a pause or a stop
    was there, or an alert was answered with one.
    """
    if case.status.is_open or case.status is SessionStatus.CANCELLED or case.inf is None:
        return case.status.value
    ends = [
        step
        for step in case.session.current(case.session.dose_steps)
        if step.kind in (DoseStepKind.STOP, DoseStepKind.HOLD)
    ]
    last_run = max(
        (s.taken_at for s in case.session.current(case.session.dose_steps) if s.rate_mg_per_h > 0),
        default=case.start,
    )
    final = [step for step in ends if step.taken_at >= last_run]
    planned = timedelta(minutes=case.protocol.planned_duration_min)
    fixed = case.protocol.limits.fixed_rate_mg_per_kg_h is not None
    cut_short = fixed and (case.inf[1] - case.inf[0]) < planned * 0.95
    if not any(step.reason for step in final) and not cut_short:
        return "completed"
    stopped_at = final[0].taken_at if final else case.inf[1]
    adverse = _ended_by_effect(case, stopped_at) or _ended_by_alert(case, stopped_at)
    return "stopped_early_ae" if adverse else "stopped_early_other"


def _ended_by_alert(case: Case, at: datetime) -> bool:
    """Whether an alert was answered with pause or stop when the drug last stopped."""
    return any(
        event.kind is AlertEventKind.ACKNOWLEDGED
        and event.action in _ENDING_ACTIONS
        and abs(event.at - at) <= _RECORDED_AFTER
        for event in case.alert_events
    )


def _ended_by_effect(case: Case, at: datetime) -> bool:
    """Whether a side effect with the action pause or stop was there when the drug last stopped."""
    changes = case.session.current(case.session.side_effect_changes)
    for effect in case.effects:
        own = [change for change in changes if change.side_effect_id == effect.id]
        ended = min((change.taken_at for change in own if change.ended), default=None)
        actions = {effect.action, *(change.action for change in own)}
        here = effect.taken_at <= at + _RECORDED_AFTER and (ended is None or ended >= at)
        if here and actions & _ENDING_ACTIONS:
            return True
    return False


def _doses(case: Case) -> dict[str, Any]:
    if case.inf is None:
        return {}
    totals, (start, end) = case.totals, case.inf
    row: dict[str, Any] = {
        "wall_duration_min": totals.wall_s / 60,
        "running_duration_min": totals.running_s / 60,
        "paused_min": totals.paused_s / 60,
        "bolus_total_mg": totals.bolus_mg,
        "infusion_total_mg": totals.infusion_mg,
        "dose_total_mg": totals.total_mg,
        "dose_total_mg_per_kg": totals.mg_per_kg,
        "mean_rate_mg_kg_h": totals.mean_rate_mg_per_kg_h,
        "n_rate_changes": totals.up + totals.down,
        "n_up": totals.up,
        "n_down": totals.down,
        "n_pauses": totals.pauses,
        "protocol_deviation_n": _overrides(case.session),
    }
    running = [s for s in dosing.rate_segments(case.session, case.as_of) if s.rate_mg_per_h > 0]
    weight = case.session.weight_kg
    if running and weight is not None:
        highest = max(segment.rate_mg_per_h for segment in running)
        first = next(s for s in running if s.rate_mg_per_h == highest)
        row["start_rate_mg_kg_h"] = running[0].rate_mg_per_h / weight
        row["max_rate_mg_kg_h"] = highest / weight
        row["time_to_max_rate_min"] = minutes_of(first.start_at - start)
    if case.discharged_at is not None:
        row["recovery_min"] = minutes_of(case.discharged_at - end)
        arrived = case.event_at(EventKind.ARRIVED, last=False)
        if arrived is not None:
            row["total_stay_min"] = minutes_of(case.discharged_at - arrived)
    return row


def _overrides(session: InfusionSession) -> int:
    steps = sum(len(step.overrides) for step in session.current(session.dose_steps))
    return steps + sum(len(bolus.overrides) for bolus in session.current(session.boluses))


def _schedule(case: Case) -> dict[str, Any]:
    if case.mon is None:
        return {}
    counted = schedule.counts(case.dues)
    start, end = case.mon
    inside = [
        item.taken_at for item in case.sets if item.complete and start <= item.taken_at <= end
    ]
    gaps = [minutes_of(right - left) for left, right in pairwise(inside)]
    return {
        "n_obs_due": counted.due,
        "n_obs_on_time": counted.on_time,
        "n_obs_late": counted.late,
        "n_obs_missed": counted.missed,
        "pct_obs_on_time": (Decimal(100 * counted.on_time) / counted.due if counted.due else None),
        "max_obs_gap_min": max(gaps, default=None),
    }


#: Extremes over MON: column, parameter, whether the highest is asked for.
_EXTREMES = (
    ("peak_sbp", "sbp", True),
    ("peak_dbp", "dbp", True),
    ("peak_hr", "hr", True),
    ("min_sbp", "sbp", False),
    ("min_hr", "hr", False),
    ("nadir_spo2", "spo2", False),
    ("min_rr", "rr", False),
)


def _extremes(case: Case) -> dict[str, Any]:
    row: dict[str, Any] = {
        f"baseline_{sign}": case.baseline.get(sign) for sign in ("sbp", "dbp", "map", "hr", "spo2")
    }
    if case.inf is None or case.mon is None:
        return row
    for column, parameter, highest in _EXTREMES:
        found = case.in_mon(parameter)
        if found:
            # min and max keep the first of equals: the first time wins a tie (U-72).
            extreme = (max if highest else min)(found, key=value_of)
            row[column] = extreme.value
            row[f"{column}_t_min"] = case.minutes_in(extreme.taken_at)
    for sign in ("sbp", "dbp"):
        before, peak = case.baseline.get(sign), row.get(f"peak_{sign}")
        if before is not None and peak is not None:
            row[f"delta_{sign}_max"] = peak - before
    return row


def _course(case: Case) -> dict[str, Any]:
    if case.inf is None or case.mon is None:
        return {}
    row: dict[str, Any] = {}
    for sign in ("map", "hr", "spo2"):
        row[f"tw_mean_{sign}"] = tib.mean(tib.cut_all(case.drawn[sign], case.span(case.inf)))
    return row | time_in_breach(case)


def _outcomes(case: Case) -> dict[str, Any]:
    row: dict[str, Any] = {"sedation_scale": case.session.sedation_scale}
    row |= _scores(case) | _pain(case) | _side_effects(case)
    drugs = [e for e in case.events if e.kind in (EventKind.PREMEDICATION, EventKind.DRUG)]
    start = case.inf[0] if case.inf else None
    before = [
        e for e in drugs if e.kind == EventKind.PREMEDICATION or start is None or e.taken_at < start
    ]
    row["premed_codes"] = _drug_codes(before)
    row["rescue_codes"] = _drug_codes([event for event in drugs if event not in before])
    return row


def _scores(case: Case) -> dict[str, Any]:
    row: dict[str, Any] = {}
    graded = []
    for item in case.in_mon("sedation"):
        held = case.by_set[item.set_id]
        roused = held.get("roused_to_voice")
        grade = sedation_grade(
            case.session.sedation_scale,
            int(value_of(item)),
            asleep=_ticked(held.get("asleep")),
            roused=None if roused is None or roused.value is None else roused.value == 1,
        )
        if grade is not None:
            graded.append((grade, item))
    if graded:
        grade, worst = max(graded, key=lambda pair: pair[0])
        row |= {"max_sedation_grade": grade, "max_sedation_native": worst.value}
    if case.protocol.dissociation_scale == "NRS0-10":
        row["max_dissociation_0_10"] = _highest(case, "dissociation")
    row["max_nausea_0_3"] = _highest(case, "nausea")
    distress = case.in_mon("distress")
    if distress or case.in_mon("dissociation"):
        row["distress_any"] = any(item.value == 1 for item in distress)
    return row


def _ticked(item: Observation | None) -> bool:
    return item is not None and item.value == 1


def _highest(case: Case, parameter: str) -> Decimal | None:
    return max((value_of(item) for item in case.in_mon(parameter)), default=None)


def _pain(case: Case) -> dict[str, Any]:
    if case.inf is None:
        return {}
    scores = case.by_parameter.get("pain", [])
    before = [value_of(item) for item in scores if item.taken_at <= case.start]
    after = [value_of(item) for item in case.in_mon("pain") if item.taken_at > case.start]
    row: dict[str, Any] = {
        "pain_pre": before[-1] if before else None,
        "pain_min": min(after, default=None),
    }
    if case.status.is_open or not after:
        return row  # "after" is what the patient went home with
    row["pain_post"] = after[-1]
    if not before:
        return row
    pre, post = before[-1], after[-1]
    row["pain_change_abs"] = post - pre
    if pre > 0:
        row["pain_change_pct"] = 100 * (post - pre) / pre
    if pre >= 4:
        # An integer test, so that exactly 30 % is a response (U-72).
        row["responder_30"] = 10 * (pre - post) >= 3 * pre
        row["responder_50"] = 10 * (pre - post) >= 5 * pre
    return row


def _side_effects(case: Case) -> dict[str, Any]:
    asked = any(effect.term == NONE for effect in case.session.current(case.session.side_effects))
    if not case.effects:
        # Nothing recorded is "not assessed", unless somebody asked and there was none (U-72).
        return {"ae_any": False, "ae_none_explicit": True} if asked else {}
    changes = case.session.current(case.session.side_effect_changes)
    grades = [
        max(
            [effect.grade]
            + [c.grade for c in changes if c.side_effect_id == effect.id and c.grade is not None]
        )
        for effect in case.effects
    ]
    row: dict[str, Any] = {
        "ae_any": True,
        "ae_none_explicit": False,
        "ae_max_grade": max(grades),
        "ae_terms": ";".join(dict.fromkeys(effect.term for effect in case.effects)),
        "serious_ae": any(effect.serious for effect in case.effects),
    }
    return row | {f"ae_n_g{grade}": grades.count(grade) for grade in range(1, 5)}


def _drug_codes(events: Iterable[SessionEvent]) -> str | None:
    codes: list[str] = []
    for event in events:
        words = (event.text or "").casefold()
        found = [code for drug, code in DRUG_CLASSES.items() if drug in words]
        codes += found or ["other"]
    return ";".join(dict.fromkeys(codes)) or None


def _quality(case: Case) -> dict[str, Any]:
    session = case.session
    row: dict[str, Any] = {}
    rules = case.protocol.schedule_profile.rules
    corrections = {item.replacement for item in session.amendments}
    late = [
        fact
        for fact in session.facts()
        if schedule.is_late_entry(fact, rules) and fact.id not in corrections
    ]
    row |= {
        "amended_n": len(session.amendments),
        "late_entry_n": len(late),
        "missing_core_fields_n": _missing_core_fields(case),
        "signed_nurse": case.event_at(EventKind.COMPLETED) is not None,
        "signed_anaesthetist": case.event_at(EventKind.SIGNED) is not None,
    }
    row |= _leaving(case)
    escorts = [a for a in session.current(session.answers) if a.question.startswith("escort")]
    if escorts and escorts[-1].answer is not Answer.UNKNOWN:
        row["escort_confirmed"] = escorts[-1].answer is Answer.YES
    signed_at = case.event_at(EventKind.SIGNED)
    if signed_at is not None and case.ended_at is not None:
        row["sign_lag_h"] = minutes_of(signed_at - case.ended_at) / 60
    return row


def _leaving(case: Case) -> dict[str, Any]:
    """The recovery scores and the criteria as they stood when the patient left (5.8, 4).

    An incomplete score is empty; a criterion that somebody overrode was not met.
    """
    if case.inf is None:
        return {}
    row: dict[str, Any] = {
        f"{score_id.lower()}_final": recovery_state(case.session, score_id, case.as_of).total
        for score_id in RECOVERY_SCORES
    }
    if case.discharged_at is not None:
        row["discharge_criteria_met"] = discharge_state(
            case.session,
            case.protocol,
            case.as_of,
            alerts=case.views_at_discharge,
            overdue=case.overdue_at_discharge,
            zone=case.zone,
        ).all_met
    return row


def _missing_core_fields(case: Case) -> int:
    """Minimum items with a reason instead of a value, in answered sets of MON (U-38)."""
    if case.mon is None:
        return 0
    start, end = case.mon
    return sum(
        held[key].value is None
        for held in case.by_set.values()
        if all(key in held for key in MINIMUM_SET) and start <= held[MINIMUM_SET[0]].taken_at <= end
        for key in MINIMUM_SET
    )


def _alerts(case: Case) -> dict[str, Any]:
    """Counts and answers of confirmed alerts with onset in MON (U-62, U-63).

    Sets that were late or missed are counted as such alone (U-33).
    """
    if case.mon is None:
        return {}
    start, end = case.mon
    counted = [
        view
        for view in case.views
        if not view.is_clock
        and view.confirmed_level is not None
        and view.state is not AlertState.INVALIDATED
        and start <= view.onset_at <= end
    ]
    levels = [view.confirmed_level for view in counted]
    of_clock = {alert.id for alert in case.alerts if alert.group == CLOCK}
    row: dict[str, Any] = {
        "alerts_warn_n": levels.count("warning"),
        "alerts_crit_n": levels.count("critical"),
        "escalations_n": sum(
            event.kind is AlertEventKind.ESCALATED and event.alert_id not in of_clock
            for event in case.alert_events
        ),
    }
    if _imported_without_answers(case):
        return row
    waits = [
        (view.answers[0].at - view.onset_at) / timedelta(seconds=1)
        for view in counted
        if view.answers and view.detected_at - view.onset_at <= _ENTERED_LATE
    ]
    row["alerts_ack_median_s"] = median(map(Decimal, waits)) if waits else None
    row["alerts_unack_n"] = sum(_unanswered(view, case.as_of) for view in counted)
    return row


def _imported_without_answers(case: Case) -> bool:
    answered = any(event.kind is AlertEventKind.ACKNOWLEDGED for event in case.alert_events)
    everything = (fact for name in FACT_FIELDS.values() for fact in getattr(case.session, name))
    return not answered and all(fact.source is Source.IMPORTED for fact in everything)


def _unanswered(view: AlertView, now: datetime) -> bool:
    """A critical not answered in time, or a warning that nobody answered and that still stands."""
    if view.confirmed_level == "warning":
        return not view.answers and view.resolved_at is None
    assert view.confirmed_at is not None
    until = max(view.confirmed_at, view.detected_at) + UNANSWERED_AFTER
    in_time = any(a.level == "critical" and a.at <= until for a in view.answers)
    return not in_time and now > until


#: What a row holds from the start, and what only a session that is over has.
_ALWAYS = (_identity, _setting, _doses, _extremes, _outcomes, _alerts)
_ONCE_CLOSED = (_schedule, _course, _quality)
