"""Start of a session: patient, plan and weight, baseline, gate.  One page, one button.

What opening still needs, and what is in the way of the drug, stands in one list beside the button.
Opening never waits for the gate: entries are not blocked, only the start of the drug is.  Nothing
is pre-filled that somebody should have measured, and a reload loses nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from gettext import gettext as _
from pathlib import Path
from uuid import UUID

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from monitor import actions
from monitor.accounts import DeviceSession
from monitor.actions import patients as register
from monitor.days import day_text
from monitor.entered import EnteredItem, EnteredSet
from monitor.errors import InvalidEntry, MonitorError, NeedsConfirmation, Problem
from monitor.ids import new_id
from monitor.numbers import parse_number
from monitor.parameters import MINIMUM_SET, PARAMETERS
from monitor.patients import with_number
from monitor.permissions import User
from monitor.protocol_fields import scale_words
from monitor.protocols import InfusionProtocol, PinnedVersion, VersionStatus
from monitor.record import Answer, Patient, WeightBasis
from monitor.requests import GateRequest, StartRequest
from monitor.scales import SCALES, SEDATION_SCALES
from monitor.store import Store
from monitor.weights import TypedWeight, basis_must_be_chosen, basis_problems, read_weight
from pages.nurse.start_gate import TICK, gate_block, gate_lines
from pages.nurse.start_preview import gate_preview, weight_line
from pages.widgets import kept_form
from pages.widgets.last_times import draw_last_times
from pages.widgets.navigation import go_to
from pages.widgets.plain import plain

#: The baseline set: the minimum set of clinical.md 4 with respiration and pain.
BASELINE = ("hr", "sbp", "dbp", "spo2", "rr", "sedation", "pain")
#: It counts within the hour before the start.
_BASELINE_AGO_MIN = (0, 5, 10, 15, 20, 30, 45)
_FORM = "start_session"
_IDS = f"{_FORM}.ids"
_QUESTIONS = f"{_FORM}.questions"
#: The search whose number was already acted on: a scan chooses once, the person has the last word.
_SCANNED = f"{_FORM}.scanned"
#: How the keys of the buttons of this page end.
_BUTTONS = (".button", ".open")
_BASES = {
    WeightBasis.ACTUAL: "actual",
    WeightBasis.IDEAL: "ideal",
    WeightBasis.ADJUSTED: "adjusted",
}
_TODAY, _EARLIER, _STATED = "today", "earlier", "stated"
_WEIGHED = {
    _TODAY: "today",
    _EARLIER: "earlier",
    _STATED: "only stated",
}
_HEADINGS = {
    "patient": "1  Patient",
    "plan": "2  Plan and weight",
    "baseline": "3  Baseline, first set",
}
_PATIENT_FIELDS = frozenset({"family_name", "given_name", "mrn", "born_on", "allergies"})
_CSS = Path(__file__).with_suffix(".css").read_text("utf-8")


@dataclass(frozen=True, slots=True)
class _Plan:
    """The plan block as it is filled in; texts are as typed."""

    version: PinnedVersion
    protocol: InfusionProtocol
    chair: str
    weight: str
    height: str
    basis: WeightBasis | None
    concentration: str
    weighed: str | None
    weighed_on: date | None
    spo2_scale: int
    sedation_scale: str


def start_session(store: Store, user: User, device: DeviceSession) -> None:
    """Draw the page; on the button, open the session and go to its bedside."""
    now = datetime.now(UTC)
    kept_form.restore(_FORM, device, now)
    _asked_for(store, user, device)
    st.html(f"<style>{_CSS}</style>")
    st.title(_("Start a session"))
    # Looked for when something is about to fail: it stands where nothing has to be filled in.
    st.link_button(_("Print a blank chart for a downtime"), "/blank-chart", type="tertiary")
    left, right = st.columns(2, gap="small")
    headings: dict[str, DeltaGenerator] = {}
    with left:
        patient = _patient_block(store, user, headings)
    with right:
        plan = _plan_block(store, user, _sex(patient), headings)
    if plan is None:
        for block, slot in headings.items():
            slot.subheader(_(_HEADINGS[block]))
        return
    baseline, baseline_age = _baseline_block(headings)
    answers = gate_block(plan.protocol, user, store.users(user.clinic), _id)
    confirmed = _questions_block()
    kept_form.keep(_FORM, device, _BUTTONS, now)
    request: StartRequest | None = None
    problems: tuple[Problem, ...] = ()
    try:
        request = _request(patient, plan, baseline, baseline_age, answers)
    except InvalidEntry as unfinished:
        problems = unfinished.problems
    _tick(headings, problems, baseline)
    _still_missing(store, user, plan, patient, baseline, answers, problems)
    said = st.container()
    if not st.button(_("Open the session"), type="primary", width="stretch", key=f"{_FORM}.open"):
        return
    _open(store, user, device, request, problems, confirmed, said)


def _asked_for(store: Store, user: User, device: DeviceSession) -> None:
    """The patient named in the address is chosen, once; a reload finds what was typed since.

    What was typed here for somebody else goes: a weight must never be taken for another patient's.
    """
    asked = st.query_params.pop("patient", None)
    try:
        patient = store.patient(UUID(asked)) if asked else None
    except (ValueError, MonitorError):
        patient = None
    if patient is None or patient not in store.find_patients(user.clinic, patient.mrn):
        return
    chosen = st.session_state.get(f"{_FORM}.found")
    if not isinstance(chosen, Patient) or chosen.id != patient.id:
        kept_form.drop(_FORM, device)
        st.session_state[f"{_FORM}.is_restored"] = True
    st.session_state[f"{_FORM}.find"] = patient.mrn
    st.session_state[f"{_FORM}.found"] = patient
    st.session_state[_SCANNED] = patient.mrn


def _tick(
    headings: dict[str, DeltaGenerator], problems: tuple[Problem, ...], baseline: dict[str, str]
) -> None:
    """The heading of each block, ticked when the block is complete."""
    wrong = {problem.field for problem in problems}
    complete = {
        "patient": wrong.isdisjoint(_PATIENT_FIELDS),
        "plan": wrong <= _PATIENT_FIELDS,
        "baseline": all(baseline[key].strip() for key in MINIMUM_SET),
    }
    for block, slot in headings.items():
        slot.subheader(_(_HEADINGS[block]) + (TICK if complete[block] else ""))


def _open(
    store: Store,
    user: User,
    device: DeviceSession,
    request: StartRequest | None,
    problems: tuple[Problem, ...],
    confirmed: frozenset[str],
    said: DeltaGenerator,
) -> None:
    """Open the session, or say everything that is wrong and keep what was typed."""
    try:
        if request is None:
            raise InvalidEntry(problems)
        opened = actions.start_session(
            store, user, request, now=datetime.now(UTC), confirmed=confirmed
        )
    except NeedsConfirmation as questions:
        st.session_state[_QUESTIONS] = questions.problems
        st.rerun()
    except InvalidEntry as refused:
        said.error("\n".join(f"- {plain(problem.message)}" for problem in refused.problems))
        return
    except MonitorError as refused:
        said.error(plain(str(refused)))
        return
    kept_form.drop(_FORM, device)
    go_to("bedside", session=opened.session.id)


def _still_missing(
    store: Store,
    user: User,
    plan: _Plan,
    patient: Patient | dict[str, object],
    baseline: dict[str, str],
    answers: tuple[GateRequest, ...],
    problems: tuple[Problem, ...],
) -> None:
    """One list: what opening still needs, and what is in the way of the drug."""
    state = gate_preview(
        user,
        plan.protocol,
        patient if isinstance(patient, Patient) else None,
        weight_kg=_weight_kg(plan.weight),
        height_cm=_quiet(plan.height),
        basis=plan.basis,
        spo2_scale=plan.spo2_scale,
        sedation_scale=plan.sedation_scale,
        baseline={key: _quiet(text) for key, text in baseline.items()},
        born_on=patient.born_on if isinstance(patient, Patient) else _born_on(patient),
        answers=answers,
        now=datetime.now(UTC),
        zone=store.zone,
    )
    # What opening asks for anyway is said once.
    left_out = {"allergies_asked"} | ({"dosing_weight"} if problems else set())
    lines = gate_lines(state, frozenset(left_out))
    with st.container(border=True, key="start-missing"):
        st.subheader(_("Still missing"))
        first, second = st.columns(2, gap="medium")
        with first:
            st.markdown(f"**{_('To open the session')}**")
            st.markdown(_list([plain(problem.message) for problem in problems]) or _("Nothing."))
        with second:
            st.markdown(f"**{_('Before the drug may start')}**")
            st.markdown(_list(lines) or _("Nothing: the drug may be started at the bedside."))
            if lines:
                st.caption(_("It can be completed at the bedside as well."))


def _list(lines: list[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _quiet(text: str) -> Decimal | None:
    """The number typed, None while it is none; what is wrong with it is said elsewhere."""
    try:
        return parse_number(text)
    except ValueError:
        return None


def _weight_kg(text: str) -> Decimal | None:
    """The weight typed, in kg; None while it is none."""
    try:
        return read_weight(text).weight_kg
    except ValueError:
        return None


def _sex(patient: Patient | dict[str, object]) -> str:
    return patient.sex if isinstance(patient, Patient) else str(patient["sex"])


def _born_on(typed: dict[str, object]) -> date | None:
    born_on = typed["born_on"]
    return born_on if isinstance(born_on, date) else None


def _id(name: str) -> UUID:
    """Ids made once per form, so that a double click opens one session."""
    ids: dict[str, UUID] = st.session_state.setdefault(_IDS, {})
    return ids.setdefault(name, new_id())


def _patient_block(
    store: Store, user: User, headings: dict[str, DeltaGenerator]
) -> Patient | dict[str, object]:
    with st.container(border=True):
        headings["patient"] = st.empty()
        search = st.text_input(
            _("Find by family name or hospital number"), key="start_session.find"
        )
        found = store.find_patients(user.clinic, search) if search.strip() else ()
        if found:
            offered = [*found, None]
            if st.session_state.get("start_session.found") not in offered:
                st.session_state.pop("start_session.found", None)
            scanned = with_number(found, search)
            if scanned is not None and st.session_state.get(_SCANNED) != search:
                st.session_state["start_session.found"] = scanned
            st.session_state[_SCANNED] = search
            chosen = st.radio(
                _("Patients found"),
                offered,
                format_func=_patient_label,
                key="start_session.found",
                index=None,
            )
            if isinstance(chosen, Patient):
                _known_patient(store, user, chosen)
                return chosen
        elif search.strip():
            st.caption(_("Nobody found. Enter a new patient below."))
        return _new_patient()


def _known_patient(store: Store, user: User, patient: Patient) -> None:
    """What to know of somebody who was here before: allergies, the course, the last times."""
    now = datetime.now(UTC)
    if patient.has_allergies:
        st.error(plain(patient.allergy_text), icon=":material/warning:")
    else:
        st.caption(plain(patient.allergy_text))
    standing = register.open_course(store, patient.id, now=now)
    if standing is not None:
        st.markdown(
            _("This will be infusion {n} of {planned} of the course.").format(
                n=standing.progress.given + 1, planned=standing.course.planned_infusions
            )
        )
    draw_last_times(register.remembered(store, user, patient.id, now=now))


def _patient_label(patient: Patient | None) -> str:
    if patient is None:
        return _("None of these: a new patient")
    return plain(
        f"{patient.family_name}, {patient.given_name} · {day_text(patient.born_on)} · {patient.mrn}"
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


def _plan_block(
    store: Store, user: User, sex: str, headings: dict[str, DeltaGenerator]
) -> _Plan | None:
    approved = [
        version
        for version in store.versions("protocol", user.clinic)
        if version.status is VersionStatus.APPROVED
    ]
    with st.container(border=True):
        headings["plan"] = st.empty()
        if not approved:
            st.error(_("No protocol is approved. An anaesthetist has to approve one first."))
            return None
        if st.session_state.get("start_session.protocol") not in approved:
            st.session_state.pop("start_session.protocol", None)
        version = st.selectbox(
            _("Protocol"), approved, format_func=_version_label, key="start_session.protocol"
        )
        protocol = version.protocol()
        sedation_scale = _sedation_scale(version, protocol)
        first, second, third = st.columns(3)
        chair = first.text_input(_("Chair or bed"), key="start_session.chair")
        if taken := actions.seated(store, user.clinic):
            chairs = ", ".join(dict.fromkeys(session.chair for session in taken))
            first.caption(_("Not free: {chairs}").format(chairs=plain(chairs)))
        concentration = second.selectbox(
            _("Syringe (mg/mL)"),
            [str(item) for item in protocol.concentrations_mg_per_ml],
            index=None,
            accept_new_options=True,
            placeholder=_("read the label"),
            key="start_session.concentration",
        )
        spo2_scale = third.selectbox(
            _("SpO2 target"),
            [1, 2],
            format_func=lambda item: _("usual") if item == 1 else _("88 to 92 % (scale 2)"),
            key="start_session.spo2_scale",
        )
        weight, height, weighed, weighed_on, basis = _weight_fields(sex, store.zone)
        st.caption(_plan_text(protocol), help=protocol.source)
    return _Plan(
        version=version,
        protocol=protocol,
        chair=chair,
        weight=weight,
        height=height,
        basis=basis,
        concentration=str(concentration or ""),
        weighed=weighed,
        weighed_on=weighed_on,
        spo2_scale=2 if spo2_scale == 2 else 1,
        sedation_scale=sedation_scale,
    )


def _sedation_scale(version: PinnedVersion, protocol: InfusionProtocol) -> str:
    """The one scale of the whole session (clinical.md 5.5): the plan's unless another is chosen."""
    key = f"{_FORM}.sedation_scale.{version.id}"
    st.session_state.setdefault(key, protocol.sedation_scale)
    return str(
        st.selectbox(
            _("Sedation scale"),
            SEDATION_SCALES,
            format_func=lambda scale: _(scale_words(SCALES[scale])),
            key=key,
        )
    )


def _weight_fields(
    sex: str, zone: tzinfo
) -> tuple[str, str, str | None, date | None, WeightBasis | None]:
    """Weight and height as typed, how it is known and since when, and the basis chosen.

    Nothing is chosen beforehand: a stated weight is not to pass for a measured one (2.4).
    """
    today = datetime.now(zone).date()
    first, second, third = st.columns(3)
    weight = first.text_input(
        _("Weight (kg)"), key="start_session.weight", placeholder=_("actual; or 160 lb")
    )
    height = second.text_input(_("Height (cm)"), key="start_session.height")
    weighed = third.selectbox(
        _("Weighed"),
        list(_WEIGHED),
        index=None,
        format_func=lambda item: _(_WEIGHED[item]),
        placeholder=_("choose"),
        key="start_session.weighed",
    )
    weighed_on = today if weighed == _TODAY else None
    if weighed == _EARLIER:
        weighed_on = third.date_input(
            _("Weighed on"),
            value=None,
            max_value=today,
            format="DD/MM/YYYY",
            key="start_session.weighed_on",
        )
    first, rest = st.columns([1, 2], vertical_alignment="center")
    basis = first.selectbox(
        _("Dose on weight"),
        list(WeightBasis),
        index=None,
        format_func=lambda item: _(_BASES[item]),
        key="start_session.basis",
        placeholder=_("actual"),
    )
    rest.markdown(weight_line(_weight_kg(weight), _quiet(height), sex, basis))
    return weight, height, weighed, weighed_on, basis


def _version_label(version: PinnedVersion) -> str:
    return version.protocol().label


def _plan_text(protocol: InfusionProtocol) -> str:
    steps = " → ".join(
        f"{protocol.rate_number(step.rate_mg_per_kg_h)} ({step.after_min} min)"
        for step in protocol.steps
    )
    return _("Planned {unit}: {steps}. Planned length {minutes} min. Limits: {limits}.").format(
        unit=protocol.rate_unit,
        steps=steps,
        minutes=protocol.planned_duration_min,
        limits=protocol.threshold_set,
    )


def _baseline_block(headings: dict[str, DeltaGenerator]) -> tuple[dict[str, str], timedelta]:
    """What was typed, and how long ago it was measured."""
    with st.container(border=True):
        headings["baseline"] = st.empty()
        *columns, last = st.columns(len(BASELINE) + 1)
        texts = {
            key: column.text_input(_field_label(key), key=f"start_session.baseline.{key}")
            for key, column in zip(BASELINE, columns, strict=True)
        }
        ago_min = last.selectbox(
            _("Taken"),
            _BASELINE_AGO_MIN,
            format_func=lambda minutes: (
                _("{minutes} min ago").format(minutes=minutes) if minutes else _("now")
            ),
            key="start_session.baseline_ago_min",
        )
        st.caption(
            _(
                "Awake, at rest, within the hour before the start. The second set is taken at the "
                "bedside, 5 minutes or more after this one; limits are judged against both."
            )
        )
    return texts, timedelta(minutes=ago_min)


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
            if st.checkbox(plain(question.message), key=f"start_session.confirm.{question.code}")
        )


def _request(
    patient: Patient | dict[str, object],
    plan: _Plan,
    texts: dict[str, str],
    age: timedelta,
    answers: tuple[GateRequest, ...],
) -> StartRequest:
    """The request, or every problem with what was typed at once."""
    problems: list[Problem] = []
    known = patient if isinstance(patient, Patient) else _patient(patient, problems)
    weight = _weight(plan.weight, problems)
    height = None
    if plan.height.strip():
        height = _number(plan.height, "height_cm", _("Height in cm"), problems)
    basis = plan.basis or WeightBasis.ACTUAL
    concentration = _number(
        plan.concentration, "concentration_mg_per_ml", _("Syringe in mg/mL"), problems
    )
    if not plan.chair.strip():
        problems.append(Problem("chair", _("Say which chair or bed the patient is in.")))
    if plan.weighed is None:
        problems.append(Problem("weighed", _("Say whether the weight was measured, and when.")))
    elif plan.weighed == _EARLIER and plan.weighed_on is None:
        problems.append(Problem("weighed", _("Enter the day the weight was measured.")))
    if not any(problem.field == "height_cm" for problem in problems):
        problems += basis_problems(basis, sex=_sex(patient), height_cm=height)
    if problems or known is None or weight is None or concentration is None:
        raise InvalidEntry(problems)
    items = tuple(
        EnteredItem(id=_id(key), parameter=key, text=text)
        for key, text in texts.items()
        if text.strip()
    )
    return StartRequest(
        id=_id("session"),
        patient=known,
        chair=plan.chair,
        protocol_id=plan.version.id,
        drug_form=plan.protocol.form,
        concentration_mg_per_ml=concentration,
        weight_id=_id("weight"),
        weight_kg=weight.weight_kg,
        weight_typed=weight.typed,
        weight_basis=basis,
        weight_measured=plan.weighed != _STATED,
        weight_measured_on=plan.weighed_on,
        height_cm=height,
        spo2_scale=plan.spo2_scale,
        sedation_scale=plan.sedation_scale,
        baseline=EnteredSet(set_id=_id("set"), taken_at=datetime.now(UTC) - age, items=items)
        if items
        else None,
        answers=(*answers, *_basis_answer(plan.basis, weight.weight_kg, height)),
    )


def _basis_answer(
    basis: WeightBasis | None, weight_kg: Decimal, height_cm: Decimal | None
) -> tuple[GateRequest, ...]:
    """That actual weight was chosen on purpose where somebody has to choose (clinical.md 2.4)."""
    if basis is not WeightBasis.ACTUAL or height_cm is None:
        return ()
    if not basis_must_be_chosen(weight_kg, height_cm):
        return ()
    return (GateRequest(id=_id("gate.weight_basis"), question="weight_basis", answer=Answer.NO),)


def _patient(typed: dict[str, object], problems: list[Problem]) -> Patient | None:
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
        id=_id("patient"),
        mrn=str(typed["mrn"]).strip(),
        family_name=str(typed["family_name"]).strip(),
        given_name=str(typed["given_name"]).strip(),
        born_on=born_on,
        sex=str(typed["sex"]),
        allergies=str(typed["allergies"]).strip(),
    )


def _weight(text: str, problems: list[Problem]) -> TypedWeight | None:
    label = _("Weight in kg")
    if not text.strip():
        problems.append(Problem("weight_kg", _("{label}: enter it.").format(label=label)))
        return None
    try:
        return read_weight(text)
    except ValueError as refused:
        problems.append(Problem("weight_kg", f"{label}: {refused}"))
        return None


def _number(text: object, field: str, label: str, problems: list[Problem]) -> Decimal | None:
    if not str(text or "").strip():
        problems.append(Problem(field, _("{label}: enter it.").format(label=label)))
        return None
    try:
        return parse_number(str(text))
    except ValueError as refused:
        problems.append(Problem(field, f"{label}: {refused}"))
        return None
