"""Starting a session and moving it along its life cycle."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from monitor import drug_ledger, lifecycle
from monitor.actions.gate import gate_facts, gate_problems
from monitor.actions.opening import (
    OpenSession,
    bundle,
    check_clinic,
    open_session,
    protocol_of,
    seated,
)
from monitor.actions.patients import open_course
from monitor.actions.repeats import is_recorded, other_values
from monitor.actions.saving import refuse, save, summary
from monitor.actions.weights import weight_facts
from monitor.audit import AuditEvent
from monitor.days import moment_text
from monitor.discharge import discharge_state
from monitor.entry_times import time_problems
from monitor.entry_words import AFTER_END
from monitor.errors import (
    NotFound,
    Problem,
    WrongState,
)
from monitor.ids import derived_id
from monitor.permissions import Action, User, check_may
from monitor.protocols import InfusionProtocol, PinnedVersion, VersionStatus
from monitor.record import (
    FACT_FIELDS,
    Fact,
    GateAnswer,
    InfusionSession,
    SessionEvent,
    SideEffect,
)
from monitor.requests import (
    EventRequest,
    StartRequest,
)
from monitor.scales import SEDATION_SCALES
from monitor.store import Store, Writer
from monitor.syringe_checks import concentration_problems
from monitor.texts import echoed, text_problems
from monitor.validation import observations_as_typed, observations_from_entry
from monitor.verbal_orders import confirmed as confirmed_order
from monitor.verbal_orders import signing_problems, verbal_orders
from monitor.weights import actual_weight_kg, basis_problems, check_weight


def start_session(
    store: Store,
    user: User,
    request: StartRequest,
    *,
    now: datetime,
    confirmed: frozenset[str] = frozenset(),
) -> OpenSession:
    """Open a session under the protocol version named; the infusion starts with its first rate."""
    check_may(user, Action.START_SESSION)
    version = _protocol_version(store, user, request.protocol_id)
    event = AuditEvent(now, user.username, Action.START_SESSION.name, request.id)
    with store.write(event, clinic=user.clinic) as writer:
        if _is_started(writer, user, request, version):
            return bundle(store, writer.session(request.id), writer.alerts(request.id), now)
        if version.status is not VersionStatus.APPROVED:
            raise WrongState(
                f"{version.code} version {version.version} is {version.status.value}; "
                "choose an approved protocol."
            )
        protocol = protocol_of(version)
        thresholds = approved_threshold_set(store, user.clinic, protocol.threshold_set)
        refuse(_start_problems(store, user.clinic, request, protocol, now), confirmed)
        session = _as_requested(request, version, thresholds.id, user, now)
        session = _in_course(store, session, now)
        if request.baseline is not None:
            session = session.with_facts(
                observations_from_entry(
                    request.baseline,
                    session,
                    recorded_at=now,
                    recorded_by=user.username,
                    confirmed=confirmed,
                    dissociation_scale=protocol.dissociation_scale,
                )
            )
        writer.add_patient(request.patient)
        writer.add_session(session)
        writer.set_summary(session.id, summary(bundle(store, session, ((), ()), now), store.zone))
    return open_session(store, user, request.id, now=now)


def _as_requested(
    request: StartRequest,
    version: PinnedVersion,
    threshold_set_id: UUID,
    user: User,
    created_at: datetime,
) -> InfusionSession:
    """The session as it was asked for, with weight and gate, before any observation."""
    protocol = protocol_of(version)
    session = InfusionSession(
        id=request.id,
        clinic=user.clinic,
        patient=request.patient,
        chair=request.chair.strip(),
        protocol_id=version.id,
        threshold_set_id=threshold_set_id,
        drug_form=request.drug_form,
        route=request.route,
        concentration_mg_per_ml=request.concentration_mg_per_ml,
        sedation_scale=request.sedation_scale or protocol.sedation_scale,
        spo2_scale=request.spo2_scale,
        indication=request.indication or protocol.indication,
        setting=protocol.setting,
        created_at=created_at,
        created_by=user.username,
    )
    arrived = SessionEvent(
        id=derived_id("arrived", request.id),
        taken_at=created_at,
        recorded_at=created_at,
        recorded_by=user.username,
        kind=lifecycle.EventKind.ARRIVED,
    )
    return session.with_facts(
        [
            *weight_facts(request, user, created_at),
            *gate_facts(request.answers, user, created_at),
            arrived,
        ]
    )


def _in_course(store: Store, session: InfusionSession, now: datetime) -> InfusionSession:
    """The session with its place in the patient's course, when one goes on."""
    standing = open_course(store, session.patient.id, now=now)
    if standing is None:
        return session
    return replace(
        session,
        course_id=standing.course.course_id,
        series_number=standing.series_number,
        infusion_number=standing.progress.given + 1,
    )


def _is_started(writer: Writer, user: User, request: StartRequest, version: PinnedVersion) -> bool:
    """Whether this very session is open already.

    Raises:
        InvalidEntry: its id is, with something else.
    """
    try:
        held = writer.session(request.id)
    except NotFound:
        return False
    check_clinic(user, held)
    if held.protocol_id != version.id:
        raise other_values()
    asked = _as_requested(request, version, held.threshold_set_id, user, held.created_at)
    facts: tuple[Fact, ...] = asked.facts()
    if request.baseline is not None:
        facts += observations_as_typed(
            request.baseline, asked, recorded_at=held.created_at, recorded_by=user.username
        )
    with_it = {item.id for item in held.observations if item.recorded_at == held.created_at}
    if not _same_head(asked, held) or not with_it <= {fact.id for fact in facts}:
        raise other_values()
    return is_recorded(held, facts)


def _same_head(asked: InfusionSession, held: InfusionSession) -> bool:
    """Whether both were opened alike, whoever did; the patient's particulars may change since."""
    empty: dict[str, Any] = dict.fromkeys(FACT_FIELDS.values(), ())
    # Which infusion of a course it is was worked out when it was opened.
    empty |= dict.fromkeys(("course_id", "series_number", "infusion_number"))
    heads = [
        replace(session, patient=held.patient, created_by="", **empty) for session in (asked, held)
    ]
    return asked.patient.id == held.patient.id and heads[0] == heads[1]


def _start_problems(
    store: Store, clinic: str, request: StartRequest, protocol: InfusionProtocol, now: datetime
) -> tuple[Problem, ...]:
    problems = []
    if not request.chair.strip():
        problems.append(Problem("chair", "Say which chair or bed the patient is in."))
    for name, label in (
        ("family_name", "family name"),
        ("given_name", "given name"),
        ("mrn", "hospital number"),
    ):
        if not getattr(request.patient, name).strip():
            problems.append(Problem(name, f"Enter the patient's {label}."))
    problems += text_problems(
        {
            "chair": request.chair,
            "family_name": request.patient.family_name,
            "given_name": request.patient.given_name,
            "mrn": request.patient.mrn,
            "sex": request.patient.sex,
            "allergies": request.patient.allergies,
            "indication": request.indication,
            "route": request.route,
        }
    )
    if request.drug_form is not protocol.form:
        problems.append(
            Problem(
                "drug_form",
                f"{protocol.code} is for form {protocol.form.value}; "
                "racemic and S-ketamine are never converted. Choose another protocol.",
            )
        )
    if request.sedation_scale not in (None, *SEDATION_SCALES):
        problems.append(
            Problem(
                "sedation_scale",
                f"There is no sedation scale “{echoed(request.sedation_scale or '')}”. "
                f"There is: {', '.join(sorted(SEDATION_SCALES))}.",
            )
        )
    problems += check_weight(
        request.weight_kg,
        measured=request.weight_measured,
        measured_on=request.weight_measured_on,
        today=now.astimezone(store.zone).date(),
        last_kg=_last_weight_kg(store, request),
    )
    problems += basis_problems(
        request.weight_basis, sex=request.patient.sex, height_cm=request.height_cm
    )
    problems += concentration_problems(request.concentration_mg_per_ml, protocol)
    problems += gate_problems(store, clinic, request.answers)
    problems += _double_problems(store, clinic, request)
    return tuple(problems)


def _double_problems(store: Store, clinic: str, request: StartRequest) -> Iterator[Problem]:
    """A chair or a patient with a session that is not over: one of both is then entered wrongly."""
    chair = request.chair.strip().casefold()
    for other in seated(store, clinic):
        opened_at = moment_text(other.created_at, store.zone)
        if other.patient.id == request.patient.id:
            yield Problem(
                "patient",
                f"This patient has a session that is not over: chair {other.chair}, opened "
                f"{opened_at}. Go on there, or confirm that this is a second one.",
                "soft",
                "patient.in_session",
            )
        elif chair and other.chair.casefold() == chair:
            yield Problem(
                "chair",
                f"In chair {other.chair} a session is not over, opened {opened_at}. "
                "Choose another chair, or confirm that both sit there.",
                "soft",
                "chair.taken",
            )


def _last_weight_kg(store: Store, request: StartRequest) -> Decimal | None:
    """The actual weight of the patient's newest other session."""
    for session_id in store.patient_session_ids(request.patient.id):
        if session_id != request.id:
            last = store.session(session_id)
            return actual_weight_kg(last.current(last.weights))
    return None


def _protocol_version(store: Store, user: User, version_id: UUID) -> PinnedVersion:
    """The version of a protocol, where it stands in the clinic of the user.

    Raises:
        NotFound: there is none, or only in another clinic.
    """
    for version in store.versions("protocol", user.clinic):
        if version.id == version_id:
            return version
    raise NotFound("There is no such protocol.")


def approved_threshold_set(store: Store, clinic: str, code: str) -> PinnedVersion:
    """The limits a session that is opened now is judged by: the newest approved version."""
    candidates = [
        version
        for version in store.versions("threshold_set", clinic)
        if version.code == code and version.status is VersionStatus.APPROVED
    ]
    if not candidates:
        raise NotFound(f"No approved version of the threshold set {code} is stored.")
    return max(candidates, key=lambda version: version.version)


def record_event(
    store: Store,
    user: User,
    session_id: UUID,
    request: EventRequest,
    *,
    now: datetime,
    confirmed: frozenset[str] = frozenset(),
    device: str | None = None,
    late_reason: str | None = None,
) -> OpenSession:
    """Record something that happened, or move the session along its life cycle."""
    action = lifecycle.action_for_event(request.kind)
    event = SessionEvent(
        id=request.id,
        taken_at=request.taken_at,
        recorded_at=now,
        recorded_by=user.username,
        kind=request.kind,
        text=request.text,
        linked_to=request.linked_to,
        source=request.source,
    )

    def settled(before: OpenSession, facts: tuple[Fact, ...]) -> tuple[Fact, ...]:
        lifecycle.check_can_record_event(before.session, request.kind, now)
        problems = time_problems(request.taken_at, before.session, now, request.source)
        if lifecycle.belongs_after_the_end(request.kind):
            problems = [item for item in problems if item.code != AFTER_END]
        if request.kind == lifecycle.EventKind.DISCHARGED:
            problems = [*problems, *_leaving_problems(store, before, request)]
        elif request.kind == lifecycle.EventKind.COMPLETED:
            problems = [*problems, *_closing_problems(before)]
        elif request.kind == lifecycle.EventKind.SIGNED:
            orders = verbal_orders(before.session, now)
            names = {person.username: person.name for person in store.users(user.clinic)}
            problems = [*problems, *signing_problems(orders, user.username, names)]
            facts = (*facts, *_own_orders(orders, request, user, now))
        refuse([*problems, *_link_problems(before, request)], confirmed)
        return facts

    return save(
        store,
        user,
        session_id,
        action,
        lambda _: (event,),
        settled,
        now=now,
        device=device,
        late_reason=late_reason,
    )


def _own_orders(
    orders: tuple[GateAnswer, ...], request: EventRequest, user: User, now: datetime
) -> tuple[GateAnswer, ...]:
    """Who signs confirms with it what they themselves ordered by word."""
    return tuple(
        confirmed_order(
            order, by_entry=request.id, recorded_by=user.username, second_person=None, now=now
        )
        for order in orders
        if order.override_by == user.username
    )


def _leaving_problems(
    store: Store, before: OpenSession, request: EventRequest
) -> tuple[Problem, ...]:
    """What is missing for a discharge; a patient who left anyway needs a reason instead."""
    missing = discharge_state(
        before.session,
        before.protocol,
        before.as_of,
        alerts=before.views,
        overdue=before.overdue,
        zone=store.zone,
    ).problems()
    if not missing or not request.already_happened:
        return missing
    if (request.text or "").strip():
        return ()
    return (Problem("text", "Say why the patient left before everything was met."),)


def _closing_problems(before: OpenSession) -> tuple[Problem, ...]:
    """The drug of a session is accounted for before the session is closed."""
    problem = drug_ledger.closing_problem(before.session, before.as_of)
    return () if problem is None else (Problem("ledger", problem, code="ledger.open"),)


def _link_problems(before: OpenSession, request: EventRequest) -> list[Problem]:
    """What was given for something names that: a side effect or an alert of this session."""
    linked = request.linked_to
    if linked is None or isinstance(before.session.fact(linked), SideEffect):
        return []
    if any(alert.id == linked for alert in before.alerts):
        return []
    message = "What this was given for is not in this session. Choose it again."
    return [Problem("linked_to", message, code="linked_to.unknown")]
