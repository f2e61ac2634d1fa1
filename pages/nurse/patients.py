"""The patient register: find or enter a patient, correct what is wrong, see courses and last times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from gettext import gettext as _
from typing import Any
from uuid import UUID

import streamlit as st

from monitor.accounts import DeviceSession
from monitor.actions import patients as register
from monitor.actions.patients import CourseStanding, PatientFile
from monitor.courses import LONGEST_INTERVAL_DAYS, MOST_INFUSIONS, Course
from monitor.days import day_text, moment_text
from monitor.errors import InvalidEntry, MonitorError
from monitor.ids import new_id
from monitor.lifecycle import status
from monitor.patients import differences, with_number
from monitor.permissions import Action, User, may
from monitor.protocols import VersionStatus
from monitor.record import InfusionSession, Patient
from monitor.store import Store
from pages.widgets.clinic_time import clinic_zone
from pages.widgets.last_times import draw_last_times
from pages.widgets.navigation import go_to
from pages.widgets.plain import plain

SEXES = ("unknown", "female", "male", "other")
_IDS = "patients.ids"
_DONE = "patients.done"
_SHOWN = "patients.shown"
_MOST_FOUND = 20


def patients(store: Store, user: User, device: DeviceSession) -> None:
    """Draw the search and, when one was chosen, the file of a patient."""
    st.title(_("Patients"))
    if done := st.session_state.pop(_DONE, None):
        st.success(done)
    try:
        chosen = _asked_for() or _search(store, user)
        if chosen is None:
            if may(user, Action.KEEP_REGISTER):
                _new_patient(store, user)
            return
        file = register.patient_file(store, user, chosen, now=datetime.now(UTC))
    except MonitorError as error:
        st.error(str(error))
        return
    _draw_file(store, user, file)


def _asked_for() -> UUID | None:
    """The patient named in the address; one that cannot be is as if there were none."""
    try:
        return UUID(st.query_params.get("patient", ""))
    except ValueError:
        return None


def _search(store: Store, user: User) -> UUID | None:
    text = st.text_input(
        _("Find a patient"),
        placeholder=_("family name, given name or hospital number begins with, or a chair"),
        key="patients.search",
    )
    if not text.strip():
        return None
    found = register.find_patients(store, user, text, _MOST_FOUND)
    if not found:
        st.info(_("Nobody found. Check the spelling, or enter a new patient below."))
        return None
    scanned = with_number(found, text)
    if scanned is not None:
        go_to("patients", patient=scanned.id)
    for patient in found:
        label = " · ".join(
            (
                f"**{plain(patient.family_name)}, {plain(patient.given_name)}**",
                day_text(patient.born_on),
                plain(patient.mrn),
                plain(patient.allergy_text),
            )
        )
        if st.button(label, key=f"patients.found.{patient.id}", width="stretch"):
            go_to("patients", patient=patient.id)
    if len(found) >= _MOST_FOUND:
        st.caption(_("Only the first {n} are shown: type more of the name.").format(n=_MOST_FOUND))
    return None


# -- one patient -------------------------------------------------------------------------------------


def _draw_file(store: Store, user: User, file: PatientFile) -> None:
    patient = file.patient
    today = datetime.now(clinic_zone()).date()
    head, back = st.columns([5, 1], vertical_alignment="center")
    head.subheader(
        _("{family}, {given} · born {day} ({age}) · MRN {mrn}").format(
            family=plain(patient.family_name.upper()),
            given=plain(patient.given_name),
            day=day_text(patient.born_on),
            age=patient.age_on(today),
            mrn=plain(patient.mrn),
        )
    )
    if back.button(_("Find another"), key="patients.back", width="stretch"):
        st.query_params.clear()
        st.rerun()
    if patient.has_allergies:
        st.error(plain(patient.allergy_text), icon=":material/warning:")
    else:
        st.caption(plain(patient.allergy_text))
    _next_session(user, file)
    left, right = st.columns(2, gap="large")
    with left:
        _last_times(store, user, file)
        _sessions(file)
    with right:
        _courses(store, user, file, today)
        if may(user, Action.KEEP_REGISTER):
            _correction(store, user, patient)
        _history(file, {person.username: person.name for person in store.users(user.clinic)})


def _next_session(user: User, file: PatientFile) -> None:
    """On to the session that goes on, else to the start of the next one with this patient chosen."""
    if not may(user, Action.START_SESSION):
        return
    now = datetime.now(UTC)
    going_on = next((item for item in file.sessions if status(item, now).is_open), None)
    if going_on is not None:
        label = _("Go to the session in chair {chair}").format(chair=plain(going_on.chair))
        if st.button(label, type="primary", key="patients.bedside"):
            go_to("bedside", session=going_on.id)
    elif st.button(_("Start a session"), type="primary", key="patients.start"):
        go_to("start", patient=file.patient.id)


def _last_times(store: Store, user: User, file: PatientFile) -> None:
    st.markdown("#### " + _("Last time"))
    told = register.remembered(store, user, file.patient.id, now=datetime.now(UTC))
    if not told:
        st.caption(_("No infusion here yet."))
    draw_last_times(told)


def _sessions(file: PatientFile) -> None:
    st.markdown("#### " + _("Sessions"))
    if not file.sessions:
        st.caption(_("None."))
        return
    rows = st.dataframe(
        [_session_row(session) for session in file.sessions],
        hide_index=True,
        width="stretch",
        on_select="rerun",
        selection_mode="single-row",
        key="patients.sessions",
    ).selection.rows
    st.caption(_("Tick a row to open the session."))
    if rows and rows[0] < len(file.sessions):
        go_to("review", session=file.sessions[rows[0]].id)


def _session_row(session: InfusionSession) -> dict[str, Any]:
    began = session.started_at or session.created_at
    number = "" if session.infusion_number is None else str(session.infusion_number)
    return {
        _("Day"): moment_text(began, clinic_zone()),
        _("Chair"): session.chair,
        _("Infusion no."): number,
        _("Indication"): session.indication,
        _("Started"): _("yes") if session.started_at else _("no"),
    }


# -- courses -----------------------------------------------------------------------------------------


def _courses(store: Store, user: User, file: PatientFile, today: date) -> None:
    st.markdown("#### " + _("Course of infusions"))
    if not file.courses:
        st.caption(_("None is planned."))
    for standing in file.courses:
        _course_card(standing, today)
    if not may(user, Action.PLAN_COURSE):
        return
    going_on = next((item for item in file.courses if not item.course.ended), None)
    label = _("Change or end the course") if going_on else _("Plan a course")
    with st.expander(label):
        _course_form(store, user, file, None if going_on is None else going_on.course, today)


def _course_card(standing: CourseStanding, today: date) -> None:
    course, reached = standing.course, standing.progress
    with st.container(border=True):
        ended = (
            " · " + _("ended: {reason}").format(reason=plain(course.reason)) if course.ended else ""
        )
        st.markdown(
            f"**{_('Course {n}').format(n=standing.series_number)}** · "
            f"{reached.text(course)} · "
            + _("every {days} days").format(days=course.interval_days)
            + ended
        )
        parts = [plain(course.indication), course.protocol_code or ""]
        if reached.next_on is not None:
            late = (today - reached.next_on).days
            parts.append(
                _("next from {day}").format(day=day_text(reached.next_on))
                + (_(" ({n} days ago)").format(n=late) if late > 0 else "")
            )
        parts.append(_("review on {day}").format(day=day_text(course.review_on)))
        st.caption(" · ".join(part for part in parts if part))
        if reached.is_review_due:
            st.warning(_("The review of this course is due."), icon=":material/event:")


def _course_form(
    store: Store, user: User, file: PatientFile, course: Course | None, today: date
) -> None:
    codes = sorted(
        {
            item.code
            for item in store.versions("protocol", user.clinic)
            if item.status is VersionStatus.APPROVED
        }
    )
    with st.form("patients.course", enter_to_submit=False, border=False):
        one, two = st.columns(2)
        planned = one.number_input(
            _("Planned infusions"), 1, MOST_INFUSIONS, course.planned_infusions if course else 6
        )
        interval = two.number_input(
            _("Days between them"), 1, LONGEST_INTERVAL_DAYS, course.interval_days if course else 21
        )
        review_on = one.date_input(
            _("Review on"),
            course.review_on if course else today + timedelta(days=90),
            format="DD/MM/YYYY",
        )
        protocol = two.selectbox(
            _("Protocol"),
            codes,
            index=codes.index(course.protocol_code)
            if course and course.protocol_code in codes
            else None,
        )
        indication = st.text_input(_("Indication"), course.indication if course else "")
        reason, ended = "", False
        if course is not None:
            ended = st.checkbox(_("End this course"), key="patients.course.end")
            reason = st.text_input(_("Why it is changed or ended"))
        said = st.container()
        label = _("Save the change") if course else _("Plan the course")
        if not st.form_submit_button(label, type="primary"):
            return
    ids = _ids()
    asked = Course(
        id=ids["course_version"],
        course_id=course.course_id if course else ids["course"],
        patient_id=file.patient.id,
        number=course.number + 1 if course else 1,
        planned_infusions=int(planned),
        interval_days=int(interval),
        review_on=review_on if isinstance(review_on, date) else today,
        indication=indication.strip(),
        protocol_code=protocol,
        ended=ended,
        reason=reason.strip(),
        recorded_at=datetime.now(UTC),
        recorded_by=user.username,
    )
    _do(
        lambda: register.plan_course(store, user, asked, now=datetime.now(UTC)),
        _("The course is saved."),
        said,
    )


# -- the register ------------------------------------------------------------------------------------


def _new_patient(store: Store, user: User) -> None:
    with st.expander(_("Enter a new patient")), st.form("patients.new", enter_to_submit=False):
        typed = _identity_fields("patients.new", None)
        said = st.container()
        pressed = st.form_submit_button(_("Enter the patient"), type="primary")
    if not pressed:
        return
    if typed["born_on"] is None:
        said.error(_("Enter the date of birth: it is the second identifier."))
        return
    patient = Patient(id=_ids()["patient"], **typed)
    _do(
        lambda: register.register_patient(store, user, patient, now=datetime.now(UTC)),
        _("{family}, {given} is in the register.").format(
            family=plain(patient.family_name), given=plain(patient.given_name)
        ),
        said,
        then=patient.id,
    )


def _correction(store: Store, user: User, patient: Patient) -> None:
    with (
        st.expander(_("Correct or add to the patient's particulars")),
        st.form("patients.correct", enter_to_submit=False, border=False),
    ):
        # The patient as this form was first drawn: a change by somebody else meanwhile is noticed.
        seen: Patient = st.session_state.setdefault(f"{_SHOWN}.{patient.id}", patient)
        typed = _identity_fields(f"patients.correct.{patient.id}", seen)
        reason = st.text_input(_("Why it is changed"), key=f"patients.correct.{patient.id}.reason")
        said = st.container()
        if not st.form_submit_button(_("Save the correction"), type="primary"):
            return
    if typed["born_on"] is None:
        said.error(_("Enter the date of birth: it is the second identifier."))
        return
    _do(
        lambda: register.correct_patient(
            store,
            user,
            replace(seen, **typed),
            change_id=_ids()["change"],
            reason=reason,
            seen=seen,
            now=datetime.now(UTC),
        ),
        _("Corrected. Every session of the patient shows it from now on."),
        said,
        forget=(f"{_SHOWN}.{patient.id}", f"patients.correct.{patient.id}.reason"),
    )


def _identity_fields(key: str, patient: Patient | None) -> dict[str, Any]:
    one, two = st.columns(2)
    texts = {
        "family_name": one.text_input(
            _("Family name"), patient.family_name if patient else "", key=f"{key}.family"
        ),
        "given_name": two.text_input(
            _("Given name"), patient.given_name if patient else "", key=f"{key}.given"
        ),
        "mrn": one.text_input(
            _("Hospital number"),
            patient.mrn if patient else "",
            key=f"{key}.mrn",
            help=_("A barcode scanner types into this field."),
        ),
    }
    born_on = two.date_input(
        _("Born on"),
        value=patient.born_on if patient else None,
        min_value=date(1900, 1, 1),
        max_value="today",
        format="DD/MM/YYYY",
        key=f"{key}.born",
    )
    sex = one.selectbox(
        _("Sex"),
        SEXES,
        index=SEXES.index(patient.sex) if patient and patient.sex in SEXES else 0,
        key=f"{key}.sex",
    )
    texts["allergies"] = two.text_input(
        _("Allergies"),
        patient.allergies if patient else "",
        placeholder=_("“none known” when asked"),
        key=f"{key}.allergies",
    )
    cleaned: dict[str, Any] = {name: text.strip() for name, text in texts.items()}
    return cleaned | {"born_on": born_on if isinstance(born_on, date) else None, "sex": sex}


def _history(file: PatientFile, names: Mapping[str, str]) -> None:
    if not file.changes:
        return
    with st.expander(_("What was changed before")):
        earlier = [*(change.patient for change in file.changes[1:]), file.registered]
        for change, before in zip(file.changes, earlier, strict=True):
            when = moment_text(change.recorded_at, clinic_zone())
            said = "; ".join(differences(before, change.patient))
            st.markdown(f"**{when}** · {plain(names.get(change.recorded_by, change.recorded_by))}")
            st.text(f"{said}\n{change.reason}")


# -- small things ------------------------------------------------------------------------------------


def _ids() -> dict[str, UUID]:
    """Ids made once per form, so that a double click saves one thing."""
    names = ("patient", "change", "course", "course_version")
    ids: dict[str, UUID] = st.session_state.setdefault(_IDS, {name: new_id() for name in names})
    return ids


def _do(
    change: Any, done: str, said: Any, *, then: UUID | None = None, forget: tuple[str, ...] = ()
) -> None:
    """Make one change, then draw the page afresh; a refusal is said in the form."""
    try:
        change()
    except InvalidEntry as refused:
        if any(problem.code == "id.other_values" for problem in refused.problems):
            # An earlier save was cut off from its answer: what is typed now goes under a new id.
            st.session_state.pop(_IDS, None)
        said.error("\n".join(f"- {problem.message}" for problem in refused.problems))
        return
    except MonitorError as refused:
        said.error(str(refused))
        return
    for key in (_IDS, *forget):
        st.session_state.pop(key, None)
    st.session_state[_DONE] = done
    if then is not None:
        go_to("patients", patient=then)
    st.rerun()
