"""The reasons offered at the bedside, each list for the moment in which it is asked.

A reason that does not fit is tapped all the same when it is the nearest: what is offered for a step
up has no place at a start.  Own words or another reason can always be given instead.
"""

from __future__ import annotations

from gettext import gettext as _

from monitor.gate_library import GATE

Choices = list[dict[str, str]]


def choices(*texts: str) -> Choices:
    """Each text as a chip that says itself."""
    return [{"code": text, "label": text} for text in texts]


def dose_reasons() -> dict[str, Choices]:
    """By the moment a dose belongs to (``monitor.bedside.proposals``); ``alone``: nobody confirmed."""
    order, plan = _("doctor's order"), _("plan of this patient")
    return {
        "start": choices(order, plan, _("patient was seen"), _("gate was done on paper")),
        "rate": choices(order, plan, _("not enough effect"), _("tolerated well")),
        "resume": choices(order, plan, _("symptoms have settled"), _("was paused for a moment")),
        "bolus": choices(order, plan, _("not enough effect")),
        "patient-limit": choices(
            order, _("reacted strongly before"), _("frail or other illness"), _("heavy patient")
        ),
        "syringe": choices(order, _("the old one was empty")),
        "alone": choices(_("emergency"), _("nobody else was there")),
    }


def override_reasons() -> dict[str, Choices]:
    """By question, check or criterion of the gate."""
    return {name: choices(*(_(text) for text in texts)) for name, texts in GATE.reasons.items()}


def weight_reasons() -> Choices:
    """Why another weight is recorded while the drug runs."""
    return choices(
        _("weighed again"), _("typing slip"), _("was stated, now measured"), _("doctor's order")
    )


def allergy_reasons() -> Choices:
    """Why the allergies are written anew."""
    return choices(_("asked again"), _("reaction seen now"), _("letter or card"))


def left_reasons() -> Choices:
    """Why a patient left before everything was met."""
    return choices(
        _("did not want to wait"),
        _("taken over by a ward"),
        _("emergency elsewhere"),
        _("doctor's decision"),
    )


def alert_answers() -> dict[str, str]:
    """What can be done about an alert, by its code (clinical.md 7.3, U-64)."""
    return {
        "repeat": _("measured again"),
        "slow": _("rate lowered"),
        "hold": _("infusion held"),
        "stop": _("infusion stopped"),
        "oxygen": _("oxygen given"),
        "drug": _("drug given"),
        "doctor_called": _("doctor called"),
        "position": _("position, airway"),
        "reassure": _("reassured"),
        "observe": _("observed only"),
        "expected": _("expected effect"),
        "artefact": _("artefact"),
    }


def nobody_reasons() -> Choices:
    """Why nobody is called for a critical alert."""
    return choices(
        _("doctor is beside me"),
        _("known to the doctor"),
        _("settles by itself, I stay here"),
        _("value not right, measured again"),
    )


def hide_reasons() -> Choices:
    """Why the banner of an alert is hidden for a moment."""
    return choices(_("I am at the patient"), _("doctor is beside me"), _("repeat is running"))
