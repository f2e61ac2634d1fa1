"""Whether the summary rows still say what the record says, and how they are made to say it again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from monitor.actions.opening import bundle
from monitor.actions.saving import summary
from monitor.audit import AuditEvent
from monitor.reading_packs import ReadingPack, reading_packs
from monitor.record import InfusionSession
from monitor.store import Store
from monitor.thresholds import parse_threshold_set

#: Who works out a summary anew: nobody who entered anything.
_MONITOR = "monitor"


def projection_problems(store: Store) -> Iterator[str]:
    """Every summary row that is missing or differs from its recomputation as of the same moment."""
    for _clinic, session_id in store.session_ids():
        row = store.summary(session_id)
        if row is None:
            yield f"session {session_id}: has no summary; run: python -m monitor rebuild"
        elif wrong := _differing(row, _fresh(store, session_id, row["as_of"])):
            yield (
                f"summary of session {session_id}: {', '.join(wrong)} differ from the record; "
                "run: python -m monitor rebuild"
            )
        elif not row["in_progress"] and not _packed_right(store, session_id):
            yield (
                f"packed readings of session {session_id}: differ from the record; "
                "run: python -m monitor rebuild"
            )
    for session_id in store.stray_summaries():
        yield (
            f"summary of session {session_id}: there is no such session; "
            "run: python -m monitor rebuild"
        )


def _fresh(store: Store, session_id: UUID, as_of: datetime) -> Mapping[str, Any]:
    opened = bundle(store, store.session(session_id), store.alerts(session_id), as_of)
    return summary(opened, store.zone)


def _differing(row: Mapping[str, Any], fresh: Mapping[str, Any]) -> list[str]:
    return sorted(name for name, value in fresh.items() if row.get(name) != value)


def _fresh_packs(store: Store, session: InfusionSession) -> tuple[ReadingPack, ...]:
    limits = parse_threshold_set(store.pinned(session.threshold_set_id).content())
    return tuple(sorted(reading_packs(session, limits), key=lambda pack: pack.sign))


def _packed_right(store: Store, session_id: UUID) -> bool:
    return store.packs(session_id) == _fresh_packs(store, store.session(session_id))


def rebuild_summary(store: Store, clinic: str, session_id: UUID, now: datetime) -> bool:
    """Work out the summary of a session anew from the record, under its lock.

    False when the row said so already and was left as it was.  A projection is no fact: nothing is
    added to the record or to its audit trail.
    """
    event = AuditEvent(now, _MONITOR, "REBUILD", session_id)
    with store.write(event, clinic=clinic, session_id=session_id) as writer:
        session = writer.session(session_id)
        fresh = summary(bundle(store, session, writer.alerts(session_id), now), store.zone)
        row = store.summary(session_id)
        packs = () if fresh["in_progress"] else _fresh_packs(store, session)
        repacked = store.packs(session_id) != packs
        if repacked:
            writer.set_packs(session_id, packs)
        if row is not None and _differing(row, fresh) in ([], ["as_of"]):
            return repacked
        writer.set_summary(session_id, fresh)
    return True
