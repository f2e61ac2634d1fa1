"""Alerts over the entry API: hiding a banner, and why nobody is called for a critical one."""

from __future__ import annotations

from typing import Any

from monitor.alerts import AlertEventKind
from monitor.ids import new_id
from tests.pages.bedside_api import Bedside, a_set


def critical(bedside: Bedside, **values: str) -> dict[str, Any]:
    """A critical alert, saved; the body of what is said about it."""
    confirmed = ["spo2.jump", "spo2.soft_below", "sbp.soft_above", "sbp.jump"]
    confirmed += ["sbp.pulse_pressure_above"]
    state = bedside.post("set", a_set(**values) | {"confirmed": confirmed}).json()["state"]
    return {"id": str(new_id()), "alert_id": state["alerts"][0]["id"], "age_ms": 0}


def events(bedside: Bedside, kind: AlertEventKind) -> list[tuple[str, str | None]]:
    found = bedside.store.alerts(bedside.session_id)[1]
    return [(event.by, event.text) for event in found if event.kind is kind]


def test_a_banner_is_hidden_once_with_its_reason_and_comes_back(bedside: Bedside) -> None:
    body = critical(bedside, sbp="205", dbp="90") | {"reason": "doctor is beside me"}
    answer = bedside.post("suppress", body)
    assert answer.status == 200, answer.text
    (alert, *_) = answer.json()["state"]["alerts"]
    assert alert["state_text"].startswith("hidden until")
    assert (alert["can_hide"], alert["needs_answer"]) == (False, True)
    assert bedside.post("suppress", body).status == 200
    assert [text for _, text in events(bedside, AlertEventKind.SUPPRESSED)] == [
        "doctor is beside me"
    ]
    again = bedside.post("suppress", body | {"id": str(new_id())})
    assert again.status == 422
    assert "once already" in again.text
    assert bedside.store.verify() == ()


def test_what_is_too_dangerous_is_refused_in_words(bedside: Bedside) -> None:
    answer = bedside.post("suppress", critical(bedside, spo2="80") | {"reason": "busy"})
    assert answer.status == 422
    assert "too dangerous to hide" in answer.text
    assert events(bedside, AlertEventKind.SUPPRESSED) == []


def test_without_a_reason_nothing_is_hidden(bedside: Bedside) -> None:
    answer = bedside.post("suppress", critical(bedside, sbp="205", dbp="90") | {"reason": " "})
    assert answer.status == 422
    assert "Say why the alert is hidden" in answer.text


def test_a_critical_that_is_only_observed_says_why_nobody_was_called(bedside: Bedside) -> None:
    body = critical(bedside, spo2="88") | {"action": "observe", "text": None}
    refused = bedside.post("ack", body)
    assert refused.status == 422
    assert "why nobody was called" in refused.text
    answered = bedside.post("ack", body | {"text": "doctor is beside me"})
    assert answered.status == 200
    assert [text for _, text in events(bedside, AlertEventKind.ACKNOWLEDGED)] == [
        "doctor is beside me"
    ]
