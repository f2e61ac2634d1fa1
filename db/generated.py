"""Invented history in bulk: where it may be written, and writing it.

Only a database that is empty, or that holds nothing but invented sessions and no account outside the
demo's clinic, is filled: a real session must never stand among invented ones.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime, tzinfo
from random import Random
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from db.bulk import Finished, Prepared, insert, prepare
from db.keys import AFTER, search_key
from db.store import SqlStore
from db.tables import AUDIT, PATIENT, SESSION
from monitor.audit import AuditEvent
from monitor.errors import NotPermitted
from monitor.protocols import PinnedVersion, VersionStatus
from monitor.reading_packs import reading_packs
from monitor.summaries import summarise
from monitor.synthetic import Visit, invent_session, record_alerts
from monitor.synthetic.alerts import end_of
from monitor.synthetic.expectations import expectations
from monitor.synthetic.people import mrn_prefix
from monitor.thresholds import parse_threshold_set
from monitor.user_admin import DEMO_CLINIC

#: The audited action that marks every invented session, and who did it: no person's name.
GENERATE = "GENERATE_SESSION"
GENERATOR = "(generator)"

#: Sessions stored in one transaction, and handed to a process at once.
TOGETHER = 40


def check_may_generate(store: SqlStore, clinic: str, seed: int) -> None:
    """See that invented sessions would stand among invented ones only, and none twice.

    Raises:
        NotPermitted: in a sentence.
    """
    real = sorted({user.clinic for user in store.users() if user.clinic != DEMO_CLINIC})
    if real:
        raise NotPermitted(
            f"This database has accounts of {real[0]}; invented sessions are never added to it."
            " Name an empty database with --database."
        )
    if store.ask(_holds_others):
        raise NotPermitted(
            "This database holds sessions that were not generated; invented ones are never added"
            " to it. Name an empty database with --database."
        )
    if store.ask(_has_seed, clinic, seed):
        raise NotPermitted(
            f"The clinic {clinic} holds sessions of seed {seed} already; name another --seed."
        )


def _holds_others(connection: Connection) -> bool:
    generated = sa.exists().where(AUDIT.c.session_id == SESSION.c.id, AUDIT.c.action == GENERATE)
    asked = sa.select(SESSION.c.id).where(~generated).limit(1)
    return connection.execute(asked).first() is not None


def _has_seed(connection: Connection, clinic: str, seed: int) -> bool:
    begins = search_key(mrn_prefix(seed))
    asked = sa.select(PATIENT.c.id).where(
        PATIENT.c.clinic == clinic, PATIENT.c.mrn_key >= begins, PATIENT.c.mrn_key < begins + AFTER
    )
    return connection.execute(asked.limit(1)).first() is not None


# -- working them out, in any process --------------------------------------------------------------


@dataclass(frozen=True)
class Frame:
    """What every invented session of one run has in common."""

    protocols: dict[str, PinnedVersion]
    threshold_sets: dict[str, PinnedVersion]
    seed: int
    now: datetime
    zone: tzinfo
    dialect: str


def frame_of(store: SqlStore, clinic: str, *, seed: int, now: datetime) -> Frame:
    """The approved versions of the protocols that invented patients get, and the rest.

    Raises:
        NotPermitted: the clinic has one of them no more.
    """
    protocols, sets = {}, {}
    for code in expectations()["protocols"]:
        protocols[code] = _approved(store, "protocol", code, clinic)
        of = protocols[code].protocol().threshold_set
        sets[code] = _approved(store, "threshold_set", of, clinic)
    return Frame(protocols, sets, seed, now, store.zone, store.dialect)


def _approved(store: SqlStore, kind: str, code: str, clinic: str) -> PinnedVersion:
    found = [
        version
        for version in store.versions(kind, clinic)
        if version.code == code and version.status is VersionStatus.APPROVED
    ]
    if not found:
        raise NotPermitted(f"{clinic} has no approved version of {code}.")
    return max(found, key=lambda version: version.version)


class Maker:
    """Works out invented sessions, one after the other."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.protocols = {code: item.protocol() for code, item in frame.protocols.items()}
        self.limits = {
            code: parse_threshold_set(item.content()) for code, item in frame.threshold_sets.items()
        }

    def finished(self, visit: Visit) -> Finished:
        """Drawn: the facts and answers.  Calculated: alerts and summary, as for a real session."""
        code, frame = visit.person.protocol, self.frame
        protocol, limits = self.protocols[code], self.limits[code]
        session = invent_session(visit, protocol, frame.protocols[code], frame.threshold_sets[code])
        rng = Random(f"answers:{visit.seed}")
        alerts, events, breaches = record_alerts(session, protocol, limits, rng)
        as_of = max([end_of(session), *(event.recorded_at for event in events)])
        row = summarise(
            session,
            protocol,
            limits,
            alerts,
            events,
            as_of,
            zone=frame.zone,
            breaches=breaches if as_of == end_of(session) else None,
        )
        detail: dict[str, Any] = {"synthetic": True, "seed": frame.seed}
        is_first = visit.infusion_number == 1
        return Finished(
            session=session,
            alerts=alerts,
            events=events,
            summary=row,
            audit=AuditEvent(frame.now, GENERATOR, GENERATE, session.id, detail=detail),
            packs=() if row["in_progress"] else tuple(reading_packs(session, limits)),
            patient=session.patient if is_first else None,
            course=visit.course if is_first else None,
        )

    def prepared(self, visits: Sequence[Visit]) -> list[Prepared]:
        """The same as rows."""
        return [prepare(self.finished(visit), self.frame.dialect) for visit in visits]


_maker: Maker | None = None


def _begin(frame: Frame) -> None:
    global _maker
    _maker = Maker(frame)


def _make(visits: Sequence[Visit]) -> list[Prepared]:
    assert _maker is not None
    return _maker.prepared(visits)


def _made(frame: Frame, visits: Sequence[Visit], jobs: int) -> Iterator[list[Prepared]]:
    """The visits as rows, in order, worked out by so many processes ahead of who stores them."""
    parts = [visits[at : at + TOGETHER] for at in range(0, len(visits), TOGETHER)]
    if jobs <= 1 or len(visits) <= TOGETHER:
        maker = Maker(frame)
        for part in parts:
            yield maker.prepared(part)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        jobs, mp_context=context, initializer=_begin, initargs=(frame,)
    ) as pool:
        waiting: deque[Future[list[Prepared]]] = deque()
        for part in parts:
            waiting.append(pool.submit(_make, part))
            if len(waiting) > 2 * jobs:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def fill(store: SqlStore, frame: Frame, visits: Sequence[Visit], *, jobs: int) -> Iterator[int]:
    """Store the sessions of the visits; yields one number for each: the rows it has."""
    for part in _made(frame, visits, jobs):
        store.work(insert, part)
        for item in part:
            yield sum(len(rows) for rows in item.rows.values())
