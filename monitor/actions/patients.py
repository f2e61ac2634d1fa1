"""The patient register and the courses of infusions: find, register, correct, plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from monitor.actions.opening import bundle, seated
from monitor.actions.repeats import other_values
from monitor.actions.saving import refuse, summary
from monitor.audit import AuditEvent
from monitor.courses import Course, CourseProgress, course_problems, progress
from monitor.days import day_text
from monitor.errors import NotFound, NotPermitted, Problem
from monitor.last_time import LastTime, last_time
from monitor.patients import PatientChange, differences, patient_problems
from monitor.permissions import Action, User, check_may
from monitor.record import InfusionSession, Patient
from monitor.store import Store
from monitor.texts import text_problems

#: How many earlier sessions the strip at the start looks at.
SESSIONS_REMEMBERED = 3


@dataclass(frozen=True, slots=True)
class CourseStanding:
    """The newest version of a course, which of the patient's it is, and how far it is."""

    course: Course
    series_number: int
    progress: CourseProgress


@dataclass(frozen=True, slots=True)
class PatientFile:
    """A patient as now known and as first registered, with everything else newest first."""

    patient: Patient
    registered: Patient
    sessions: tuple[InfusionSession, ...]
    courses: tuple[CourseStanding, ...]
    changes: tuple[PatientChange, ...]

    @property
    def open_course(self) -> CourseStanding | None:
        """The course the next session belongs to: the newest that goes on."""
        return _going_on(self.courses)


def _going_on(courses: tuple[CourseStanding, ...]) -> CourseStanding | None:
    going_on = (
        item
        for item in courses
        if not item.course.ended and item.progress.given < item.course.planned_infusions
    )
    return next(going_on, None)


def find_patients(store: Store, user: User, text: str, limit: int) -> tuple[Patient, ...]:
    """Patients whose name or number begins like this, and first whoever sits in a chair called so."""
    check_may(user, Action.SEE_SESSION)
    chair = text.strip().casefold()
    here = [
        session.patient
        for session in seated(store, user.clinic)
        if session.chair.casefold() == chair
    ]
    called = store.find_patients(user.clinic, text, limit)
    return tuple({patient.id: patient for patient in (*here, *called)}.values())


def open_course(store: Store, patient_id: UUID, *, now: datetime) -> CourseStanding | None:
    """The course a session of this patient that is opened now belongs to."""
    if not store.courses(patient_id):
        return None
    sessions = tuple(store.session(item) for item in store.patient_session_ids(patient_id))
    return _going_on(_standings(store, patient_id, sessions, now))


def patient_file(store: Store, user: User, patient_id: UUID, *, now: datetime) -> PatientFile:
    """Everything the register knows of a patient of the user's clinic."""
    check_may(user, Action.SEE_SESSION)
    patient = store.patient(patient_id)
    if patient_id not in {known.id for known in store.find_patients(user.clinic, patient.mrn)}:
        raise NotPermitted("This patient belongs to another clinic.")
    sessions = tuple(store.session(item) for item in store.patient_session_ids(patient_id))
    return PatientFile(
        patient=patient,
        registered=store.registered_patient(patient_id),
        sessions=sessions,
        courses=_standings(store, patient_id, sessions, now),
        changes=tuple(reversed(store.patient_changes(patient_id))),
    )


def _standings(
    store: Store, patient_id: UUID, sessions: tuple[InfusionSession, ...], now: datetime
) -> tuple[CourseStanding, ...]:
    newest = {course.course_id: course for course in store.courses(patient_id)}
    today = now.astimezone(store.zone).date()
    return tuple(
        CourseStanding(course, number, progress(course, sessions, today, store.zone))
        for number, course in reversed(list(enumerate(newest.values(), start=1)))
    )


def remembered(
    store: Store, user: User, patient_id: UUID, *, now: datetime
) -> tuple[LastTime, ...]:
    """The patient's last sessions with what to remember of them, newest first."""
    check_may(user, Action.SEE_SESSION)
    found: list[LastTime] = []
    for session_id in store.patient_session_ids(patient_id):
        opened = bundle(store, store.session(session_id), store.alerts(session_id), now)
        if opened.session.clinic != user.clinic:
            continue
        told = last_time(opened.session, opened.breaches, now)
        if told is not None:
            found.append(told)
        if len(found) == SESSIONS_REMEMBERED:
            break
    return tuple(found)


def register_patient(store: Store, user: User, patient: Patient, *, now: datetime) -> Patient:
    """Enter a new patient; the same patient a second time changes nothing.

    Raises:
        InvalidEntry: something is wrong with them, or the id is that of a patient entered with other
            values: what was typed now would be called saved and lost.
    """
    check_may(user, Action.KEEP_REGISTER)
    if _is_registered(store, patient):
        return store.patient(patient.id)
    problems = [*patient_problems(patient, now.astimezone(store.zone).date())]
    problems += text_problems(_texts(patient))
    problems += _number_taken(store, user, patient)
    refuse(problems)
    event = AuditEvent(now, user.username, Action.KEEP_REGISTER.name)
    with store.write(event, clinic=user.clinic) as writer:
        writer.add_patient(patient)
        added = writer.added
    # Its id may have been taken since it was looked for.
    if not added and not _is_registered(store, patient):
        raise other_values()
    return store.patient(patient.id)


def _is_registered(store: Store, patient: Patient) -> bool:
    """Whether this very patient was entered, whatever was corrected since.

    Raises:
        InvalidEntry: the id is that of another one.
    """
    try:
        entered = store.registered_patient(patient.id)
    except NotFound:
        return False
    if entered != patient:
        raise other_values()
    return True


def correct_patient(
    store: Store,
    user: User,
    patient: Patient,
    *,
    change_id: UUID,
    reason: str,
    seen: Patient,
    now: datetime,
) -> Patient:
    """Record what is now right about a patient, with the reason; every session shows it at once.

    ``seen`` is the patient the person looked at: when somebody else changed it meanwhile, nothing
    is saved and the person is told.
    """
    check_may(user, Action.KEEP_REGISTER)

    def repeats(change: PatientChange) -> bool:
        return change.patient == patient and change.reason == reason.strip()

    if _is_written(store, patient.id, change_id, repeats):
        return store.patient(patient.id)
    return _change(store, user, patient, change_id, reason, seen, now, repeats)


def _is_written(
    store: Store, patient_id: UUID, change_id: UUID, repeats: Callable[[PatientChange], bool]
) -> bool:
    """Whether this very change of the patient is in the register.

    Raises:
        InvalidEntry: its id is, with something else.
    """
    changes = store.patient_changes(patient_id)
    written = next((change for change in changes if change.id == change_id), None)
    if written is not None and not repeats(written):
        raise other_values()
    return written is not None


def _change(
    store: Store,
    user: User,
    patient: Patient,
    change_id: UUID,
    reason: str,
    seen: Patient,
    now: datetime,
    repeats: Callable[[PatientChange], bool],
) -> Patient:
    """Check and write a change that is not in the register yet."""
    number = len(store.patient_changes(patient.id)) + 1
    now_known = patient_file(store, user, patient.id, now=now).patient
    problems = [*patient_problems(patient, now.astimezone(store.zone).date())]
    # Only what is typed now: an old name must never keep a new allergy from being written.
    typed = dict(_texts(patient).items() - _texts(seen).items())
    problems += text_problems(typed | {"reason": reason})
    problems += _number_taken(store, user, patient)
    if now_known != seen:
        said = "; ".join(differences(seen, now_known))
        problems.append(
            Problem("patient", f"Somebody else changed this patient meanwhile: {said}. Look again.")
        )
    elif not differences(seen, patient):
        problems.append(Problem("patient", "Nothing was changed."))
    if not reason.strip():
        problems.append(Problem("reason", "Say why it is changed."))
    refuse(problems)
    change = PatientChange(
        id=change_id,
        patient=patient,
        number=number,
        reason=reason.strip(),
        recorded_at=now,
        recorded_by=user.username,
    )
    event = AuditEvent(now, user.username, Action.KEEP_REGISTER.name)
    with store.write(event, clinic=user.clinic) as writer:
        writer.change_patient(change)
        if not writer.added:
            # Its id was taken since it was looked for, or it is that of another patient's change.
            if not _is_written(store, patient.id, change_id, repeats):
                raise other_values()
            return store.patient(patient.id)
        for session_id in store.patient_session_ids(patient.id):
            session, alerts = writer.session(session_id), writer.alerts(session_id)
            writer.set_summary(session_id, summary(bundle(store, session, alerts, now), store.zone))
    return store.patient(patient.id)


def add_allergy(
    store: Store,
    user: User,
    patient_id: UUID,
    allergy: str,
    *,
    change_id: UUID,
    reason: str,
    now: datetime,
) -> Patient:
    """Write an allergy beside those that are known, with the reason; what is known stays.

    ``none known`` is an answer only where nothing is known.

    Raises:
        InvalidEntry: it is empty or written already, no reason is given, or the id is that of
            another change.
    """
    check_may(user, Action.KEEP_REGISTER)
    known = patient_file(store, user, patient_id, now=now).patient
    added = allergy.strip()

    def repeats(change: PatientChange) -> bool:
        before = _before(store, patient_id, change)
        same = replace(before, allergies=_beside(before, added))
        return change.patient == same and change.reason == reason.strip()

    if _is_written(store, patient_id, change_id, repeats):
        return known
    written = _beside(known, added)
    # What is added is looked at by itself: beside others, nothing would pass for an allergy.
    refuse(
        text_problems({"allergies": added, "reason": reason})
        or text_problems({"allergies": written})
    )
    if known.has_allergies:
        if not replace(known, allergies=added).has_allergies:
            message = (
                f"An allergy is recorded: {known.allergies.strip()}. Correct it with Patients."
            )
            refuse([Problem("allergies", message, code="allergies.recorded")])
        if added.casefold() in [item.strip().casefold() for item in known.allergies.split(";")]:
            refuse([Problem("allergies", f"“{added}” is recorded already.")])
    after = replace(known, allergies=written)
    return _change(store, user, after, change_id, reason, known, now, repeats)


def _beside(known: Patient, added: str) -> str:
    """The allergies with another one written beside them."""
    return f"{known.allergies.strip()}; {added}" if known.has_allergies else added


def _before(store: Store, patient_id: UUID, change: PatientChange) -> Patient:
    """The patient as the change found them."""
    earlier = [
        item.patient for item in store.patient_changes(patient_id) if item.number < change.number
    ]
    return earlier[-1] if earlier else store.registered_patient(patient_id)


def _texts(patient: Patient) -> dict[str, str]:
    names = ("family_name", "given_name", "mrn", "sex", "allergies")
    return {name: getattr(patient, name) for name in names}


def _number_taken(store: Store, user: User, patient: Patient) -> list[Problem]:
    for known in store.find_patients(user.clinic, patient.mrn):
        if known.id != patient.id and known.mrn.casefold() == patient.mrn.casefold():
            return [
                Problem(
                    "mrn",
                    f"Number {patient.mrn} is that of another patient here, born "
                    f"{day_text(known.born_on)}. Check the number.",
                )
            ]
    return []


def plan_course(store: Store, user: User, course: Course, *, now: datetime) -> Course:
    """Store a new course, or the next version of one; the same version twice changes nothing.

    Raises:
        InvalidEntry: something is wrong with it, or its id is that of a version with other values.
    """
    check_may(user, Action.PLAN_COURSE)
    file = patient_file(store, user, course.patient_id, now=now)
    versions = [
        item for item in store.courses(course.patient_id) if item.course_id == course.course_id
    ]
    written = next((version for version in versions if version.id == course.id), None)
    if written is not None:
        # Who sent it when differs between two requests of the same.
        sent = replace(course, recorded_at=written.recorded_at, recorded_by=written.recorded_by)
        if sent != written:
            raise other_values()
        return course
    kept = replace(course, recorded_at=now, recorded_by=user.username)
    problems = [*course_problems(kept, now.astimezone(store.zone).date())]
    if not versions and file.open_course is not None:
        problems.append(
            Problem("course", "The patient's present course goes on. End it before another.")
        )
    refuse(problems)
    event = AuditEvent(now, user.username, Action.PLAN_COURSE.name)
    with store.write(event, clinic=user.clinic) as writer:
        writer.add_course(kept)
    return kept
