"""An alert says what made it: readings, limit, rule, baseline, source, history, in that order."""

from __future__ import annotations

from datetime import UTC

from monitor.alert_story import explanation
from monitor.alerts import AlertEvent, AlertEventKind, AlertView, alert_views, alerts_to_raise
from monitor.record import InfusionSession
from tests import build
from tests.build import at, obs_set, rate, session
from tests.monitor.limits import default_set

NAMES = {"blum": "A. Blum"}


def told(
    of: InfusionSession, minute: float, *more: AlertEvent, until: InfusionSession | None = None
) -> dict[str, str]:
    """What is said at that minute of the only alert, raised as ``of`` was then."""
    alerts, events = alerts_to_raise(of, default_set(), (), (), at(minute))
    now = until or of
    known = (*events, *more)
    later, after = alerts_to_raise(now, default_set(), alerts, known, at(minute))
    known = (*known, *after)
    view = only(alert_views(now, default_set(), (*alerts, *later), known, at(minute)))
    return dict(explanation(view, known, now, default_set(), UTC, NAMES))


def only(views: tuple[AlertView, ...]) -> AlertView:
    (view,) = views
    return view


def high(*more: object) -> InfusionSession:
    sets = (obs_set(-5), obs_set(10, sbp=172, dbp=104), obs_set(12, sbp=174, dbp=98))
    return session(rate("0.1"), *sets, *more)  # type: ignore[arg-type]


def test_every_line_of_the_explanation() -> None:
    said = told(high(), 13)
    assert list(said) == [
        "Readings",
        "Beyond the limit",
        "Limit",
        "Rule",
        "Baseline",
        "Source of the limit",
        "What happened",
    ]
    # A diastolic of 98 is below 100, where it fires, and not below 95, where it ends.
    assert said["Readings"] == ("09:10 SBP 172 mmHg, DBP 104 mmHg; 09:12 SBP 174 mmHg, DBP 98 mmHg")
    assert said["Beyond the limit"] == "SBP 174 ≥ 160"
    assert said["Limit"] == (
        "warning SBP ≥ 160, repeat 1:00 to 5:00, ends SBP < 155; critical SBP ≥ 180, "
        "repeat 1:00 to 5:00, at once when SBP ≥ 200, ends SBP < 175"
    )
    assert said["Rule"] == "Systolic pressure high (sbp_high), ADULT-CLINIC-1 v1"
    assert said["Baseline"] == "128"
    assert "doi 10.1080/14740338.2020.1776699" in said["Source of the limit"]
    assert said["What happened"] == "raised 09:10; confirmed 09:12"


def test_what_happened_at_one_moment_is_told_in_the_order_of_life() -> None:
    said = told(high(obs_set(15)), 16)
    assert said["What happened"].endswith("confirmed 09:12; cleared 09:15; resolved 09:15")


def test_what_was_amended_away_says_what_it_was_and_why() -> None:
    before = session(rate("0.1"), obs_set(-5), obs_set(10, sbp=205))
    wrong = next(item for item in before.observations if item.value == 205)
    right = build.observation("sbp", 125, 10, recorded=11, set_id=wrong.set_id)
    after = before.with_facts([right, build.amendment(wrong, 11, right)])
    said = told(before, 12, until=after)
    assert said["Readings"] == "09:10 SBP 205 mmHg, amended to 125 mmHg (typing slip)"
    assert said["Rule"] == "Systolic pressure high (sbp_high), ADULT-CLINIC-1 v1"
    assert "Rodrigues" in said["Source of the limit"]
    assert said["What happened"] == "raised 09:10; confirmed 09:10; its value was amended 09:12"


def test_a_value_struck_out_says_so() -> None:
    before = session(rate("0.1"), obs_set(-5), obs_set(10, sbp=205))
    wrong = next(item for item in before.observations if item.value == 205)
    after = before.with_facts([build.amendment(wrong, 11, reason="wrong patient")])
    said = told(before, 12, until=after)
    assert said["Readings"] == "09:10 SBP 205 mmHg, struck out (wrong patient)"


def test_a_side_effect_is_named_with_its_grade() -> None:
    said = told(session(rate("0.1"), obs_set(-5), build.side_effect("seizure", 3, 10)), 12)
    assert said["Readings"] == "09:10 Seizure, grade 3"
    assert said["Baseline"] == "none"


def test_what_people_and_clock_did_is_told_with_who() -> None:
    of = high()
    (alert,), _events = alerts_to_raise(of, default_set(), (), (), at(12))
    answer = build.alert_event(
        alert, AlertEventKind.ACKNOWLEDGED, 24, action="slow", level="warning"
    )
    hidden = build.alert_event(alert, AlertEventKind.SUPPRESSED, 13, text="repeat is running")
    said = told(of, 25, answer, hidden)
    assert said["What happened"] == (
        "raised 09:10; confirmed 09:12; suppressed 09:13 by A. Blum (repeat is running); "
        "escalated 09:22 (shift lead); answered 09:24 by A. Blum (slow)"
    )
