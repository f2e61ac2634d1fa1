"""Start of a session: patient, plan, weight and syringe, baseline.  One page, one button.

What blocks the start is listed in words beside the button.  Nothing is pre-filled that somebody
should have measured.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from gettext import gettext as _
from uuid import UUID

import streamlit as st

from monitor import actions
from monitor.accounts import DeviceSession
from monitor.errors import InvalidEntry, MonitorError, NeedsConfirmation, Problem
from monitor.ids import new_id
from monitor.numbers import parse_number
from monitor.parameters import PARAMETERS
from monitor.permissions import User
from monitor.protocols import InfusionProtocol, PinnedVersion, VersionStatus
from monitor.record import Patient
from monitor.requests import StartRequest
from monitor.store import Store
from monitor.validation import EnteredItem, EnteredSet
from pages.widgets.navigation import go_to

#: The baseline set: the minimum set of clinical.md 4 with respiration and pain.
BASELINE = ("hr", "sbp", "dbp", "spo2", "rr", "sedation", "pain")
_IDS = "start_session.ids"
_QUESTIONS = "start_session.questions"


def start_session(store: Store, user: User, device: DeviceSession) -> None:
    """Draw the page; on the button, open the session and go to its bedside."""
    st.title(_("Start a session"))
    left, right = st.columns(2, gap="small")
    with left:
        patient = _patient_block(store, user)
    with right:
        plan = _plan_block(store)
    if plan is None:
        return
    baseline = _baseline_block()
    confirmed = _questions_block()
    said = st.container()
    pressed = st.button(
        _("Open the session"), type="primary", width="stretch", key="start_session.open"
    )
    if not pressed:
        return
    try:
        request = _request(patient, plan, baseline)
        opened = actions.start_session(
            store, user, request, now=datetime.now(UTC), confirmed=confirmed
        )
    except NeedsConfirmation as questions:
        st.session_state[_QUESTIONS] = questions.problems
        st.rerun()
    except InvalidEntry as refused:
        said.error("\n".join(f"- {problem.message}" for problem in refused.problems))
        return
    except MonitorError as refused:
        said.error(str(refused))
        return
    for key in (_IDS, _QUESTIONS):
        st.session_state.pop(key, None)
    go_to("bedside", session=opened.session.id)


def _ids() -> dict[str, UUID]:
    """Ids made once per form, so that a double click opens one session."""
    names = ("session", "patient", "weight", "set", *BASELINE)
    ids: dict[str, UUID] = st.session_state.setdefault(_IDS, {name: new_id() for name in names})
    return ids


def _patient_block(store: Store, user: User) -> Patient | dict[str, object]:
    with st.container(border=True):
        st.subheader(_("1  Patient"))
        search = st.text_input(
            _("Find by family name or hospital number"), key="start_session.find"
        )
        found = store.find_patients(user.clinic, search) if search.strip() else ()
        if found:
            chosen = st.radio(
                _("Patients found"),
                [*found, None],
                format_func=_patient_label,
                key="start_session.found",
                index=None,
            )
            if isinstance(chosen, Patient):
                return chosen
        elif search.strip():
            st.caption(_("Nobody found. Enter a new patient below."))
        return _new_patient()


def _patient_label(patient: Patient | None) -> str:
    if patient is None:
        return _("None of these: a new patient")
    return (
        f"{patient.family_name}, {patient.given_name} · {patient.born_on:%d %b %Y} · {patient.mrn}"
    )


def _new_patient() -> dict[str, object]:
    first, second, third = st.columns(3)
    family = first.text_input(_("Family name"), key="start_session.family")
    given = second.text_input(_("Given name"), key="start_session.given")
    mrn = third.text_input(_("Hospital number"), key="start_session.mrn")
    born = first.date_input(
        _("Born on"),
        value=None,
        min_value=date(1900, 1, 1),
        max_value="today",
        format="DD/MM/YYYY",
        key="start_session.born",
    )
    sex = second.selectbox(
        _("Sex"), ["unknown", "female", "male", "other"], key="start_session.sex"
    )
    allergies = third.text_input(
        _("Allergies"), key="start_session.allergies", placeholder=_("“none known” when asked")
    )
    return {
        "family_name": family,
        "given_name": given,
        "born_on": born,
        "mrn": mrn,
        "sex": sex,
        "allergies": allergies,
    }


def _plan_block(store: Store) -> dict[str, object] | None:
    approved = [
        version
        for version in store.versions("protocol")
        if version.status is VersionStatus.APPROVED
    ]
    with st.container(border=True):
        st.subheader(_("2  Plan"))
        if not approved:
            st.error(_("No protocol is approved. A lead has to approve one first."))
            return None
        version = st.selectbox(
            _("Protocol"), approved, format_func=_version_label, key="start_session.protocol"
        )
        protocol = version.protocol()
        first, second, third = st.columns(3)
        chair = first.text_input(_("Chair or bed"), key="start_session.chair")
        weight = second.text_input(
            _("Weight (kg)"), key="start_session.weight", placeholder=_("actual weight")
        )
        concentration = third.selectbox(
            _("Syringe (mg/mL)"),
            [str(item) for item in protocol.concentrations_mg_per_ml],
            index=None,
            accept_new_options=True,
            placeholder=_("read the label"),
            key="start_session.concentration",
        )
        measured = (
            first.selectbox(
                _("Weight was"),
                [True, False],
                format_func=lambda item: _("measured") if item else _("stated by the patient"),
                key="start_session.measured",
            )
            is True
        )
        spo2_scale = second.selectbox(
            _("SpO2 target"),
            [1, 2],
            format_func=lambda item: _("usual") if item == 1 else _("88 to 92 % (scale 2)"),
            key="start_session.spo2_scale",
        )
        st.caption(_plan_text(protocol), help=protocol.source)
    return {
        "version": version,
        "protocol": protocol,
        "chair": chair,
        "weight": weight,
        "concentration": concentration,
        "measured": measured,
        "spo2_scale": spo2_scale,
    }


def _version_label(version: PinnedVersion) -> str:
    return version.protocol().label


def _plan_text(protocol: InfusionProtocol) -> str:
    steps = " → ".join(
        f"{step.rate_mg_per_kg_h.normalize():f} ({step.after_min} min)" for step in protocol.steps
    )
    return _("Planned mg/kg/h: {steps}. Planned length {minutes} min. Limits: {limits}.").format(
        steps=steps,
        minutes=protocol.planned_duration_min,
        limits=protocol.threshold_set,
    )


def _baseline_block() -> dict[str, str]:
    with st.container(border=True):
        st.subheader(_("3  Baseline, before the infusion"))
        columns = st.columns(len(BASELINE))
        texts = {
            key: column.text_input(_field_label(key), key=f"start_session.baseline.{key}")
            for key, column in zip(BASELINE, columns, strict=True)
        }
        st.caption(
            _(
                "Awake, at rest, within the hour before the start. Relative limits are judged "
                "against the median of these sets; more can be added at the bedside."
            )
        )
    return texts


def _field_label(key: str) -> str:
    parameter = PARAMETERS[key]
    return f"{parameter.short} {parameter.unit_label}".strip()


def _questions_block() -> frozenset[str]:
    """Unusual values are asked once; the codes ticked here are confirmed."""
    questions: tuple[Problem, ...] = st.session_state.get(_QUESTIONS, ())
    if not questions:
        return frozenset()
    with st.container(border=True):
        st.warning(_("Unusual. Tick what is really so, then open the session again."))
        return frozenset(
            question.code
            for question in questions
            if st.checkbox(question.message, key=f"start_session.confirm.{question.code}")
        )


def _request(
    patient: Patient | dict[str, object], plan: dict[str, object], texts: dict[str, str]
) -> StartRequest:
    """The request, or every problem with what was typed at once."""
    problems: list[Problem] = []
    ids = _ids()
    known = patient if isinstance(patient, Patient) else _patient(patient, ids, problems)
    weight = _number(plan["weight"], "weight_kg", _("Weight in kg"), problems)
    concentration = _number(
        plan["concentration"], "concentration_mg_per_ml", _("Syringe in mg/mL"), problems
    )
    if not str(plan["chair"]).strip():
        problems.append(Problem("chair", _("Say which chair or bed the patient is in.")))
    if problems or known is None or weight is None or concentration is None:
        raise InvalidEntry(problems)
    version, protocol = plan["version"], plan["protocol"]
    assert isinstance(version, PinnedVersion)
    assert isinstance(protocol, InfusionProtocol)
    items = tuple(
        EnteredItem(id=ids[key], parameter=key, text=text)
        for key, text in texts.items()
        if text.strip()
    )
    return StartRequest(
        id=ids["session"],
        patient=known,
        chair=str(plan["chair"]),
        protocol_id=version.id,
        drug_form=protocol.form,
        concentration_mg_per_ml=concentration,
        weight_id=ids["weight"],
        weight_kg=weight,
        weight_measured=bool(plan["measured"]),
        spo2_scale=2 if plan["spo2_scale"] == 2 else 1,
        baseline=EnteredSet(set_id=ids["set"], taken_at=datetime.now(UTC), items=items)
        if items
        else None,
    )


def _patient(
    typed: dict[str, object], ids: dict[str, UUID], problems: list[Problem]
) -> Patient | None:
    required = {
        "family_name": _("Enter the patient's family name."),
        "given_name": _("Enter the patient's given name."),
        "mrn": _("Enter the patient's hospital number."),
        "born_on": _("Enter the date of birth: it is the second identifier."),
        "allergies": _("Ask for allergies; write “none known” when there are none."),
    }
    missing = [
        Problem(name, sentence)
        for name, sentence in required.items()
        if not str(typed[name] or "").strip()
    ]
    problems += missing
    born_on = typed["born_on"]
    if missing or not isinstance(born_on, date):
        return None
    return Patient(
        id=ids["patient"],
        mrn=str(typed["mrn"]).strip(),
        family_name=str(typed["family_name"]).strip(),
        given_name=str(typed["given_name"]).strip(),
        born_on=born_on,
        sex=str(typed["sex"]),
        allergies=str(typed["allergies"]).strip(),
    )


def _number(text: object, field: str, label: str, problems: list[Problem]) -> Decimal | None:
    if not str(text or "").strip():
        problems.append(Problem(field, _("{label}: enter it.").format(label=label)))
        return None
    try:
        return parse_number(str(text))
    except ValueError as refused:
        problems.append(Problem(field, f"{label}: {refused}"))
        return None
