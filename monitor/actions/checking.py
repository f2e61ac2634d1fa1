"""Whether the summary rows still say what the record says: each is worked out again and compared."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.actions.opening import bundle
from monitor.actions.saving import summary
from monitor.store import SessionQuery, Store


def projection_problems(store: Store) -> Iterator[str]:
    """Every summary row that differs from its recomputation as of the same moment, in words."""
    for clinic in sorted({user.clinic for user in store.users()}):
        for row in store.stream_summaries(SessionQuery(clinic=clinic)):
            session_id, as_of = row["session_id"], row["as_of"]
            opened = bundle(store, store.session(session_id), store.alerts(session_id), as_of)
            fresh = summary(opened, store.zone)
            wrong = sorted(name for name, value in fresh.items() if row.get(name) != value)
            if wrong:
                yield (
                    f"summary of session {session_id}: {', '.join(wrong)} differ from the record; "
                    "its next save writes it anew."
                )
