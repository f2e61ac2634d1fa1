"""CSV downloads: streamed piece by piece, permission-checked, each with its audit event.

    /download/summaries.csv?from=2026-09-01&to=2026-09-30&protocol=P02&deidentified=1
    /download/session/<id>/observations.csv   (doses, side-effects, gate, breaches, alerts alike)

The event is written before the first byte leaves: what somebody took away is always on record.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from gettext import gettext as _
from uuid import UUID
from zoneinfo import ZoneInfo

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from monitor import export
from monitor.accounts import DeviceSession
from monitor.actions import OpenSession, open_session
from monitor.audit import AuditEvent
from monitor.errors import InvalidEntry, NotFound, Problem
from monitor.permissions import Action, User, check_may
from monitor.store import SessionQuery, Store
from pages.http.context import Gate, current_user

#: Tables of one session and what makes each of them.
SESSION_TABLES = ("observations", "doses", "side-effects", "gate", "breaches", "alerts")


def routes(gate: Gate) -> list[Route]:
    """The download routes; reading only, so a link is enough."""

    async def summaries(request: Request) -> StreamingResponse:
        user, device = current_user(request)
        check_may(user, Action.EXPORT)
        wanted = query_of(request.query_params, user.clinic, gate.zone)
        form = _form(request.query_params, gate.zone)
        now = gate.clock()
        detail = {
            "table": "summaries",
            "deidentified": form.deidentified,
            "from": wanted.from_at,
            "to": wanted.to_at,
        }
        await run_in_threadpool(_audit, gate.store, user, device, now, None, detail)
        rows = gate.store.stream_summaries(wanted)
        # Two files that must never be mistaken for each other do not share a name.
        which = "-without-names" if form.deidentified else "-with-names"
        return _csv(export.summaries_csv(rows, now, form), f"sessions{which}-{now:%Y-%m-%d}.csv")

    async def one_session(request: Request) -> StreamingResponse:
        user, device = current_user(request)
        session_id, table = _session_table(request.path_params)
        form = export.Form(zone=gate.zone, bom=_ticked(request.query_params, "bom"))
        now = gate.clock()
        opened = await run_in_threadpool(open_session, gate.store, user, session_id, now=now)
        await run_in_threadpool(_audit, gate.store, user, device, now, session_id, {"table": table})
        return _csv(table_of(opened, table, form), f"session-{session_id}-{table}.csv")

    return [
        Route("/download/summaries.csv", summaries),
        Route("/download/session/{session_id}/{table}.csv", one_session),
    ]


def table_of(opened: OpenSession, table: str, form: export.Form) -> Iterator[bytes]:
    """One table of one session, piece by piece."""
    session = opened.session
    match table:
        case "observations":
            uses_news2 = opened.threshold_set.has_news2
            return export.observations_csv([session], form, uses_news2=lambda _session: uses_news2)
        case "doses":
            return export.doses_csv([session], form)
        case "side-effects":
            return export.side_effects_csv([session], form)
        case "gate":
            return export.gate_csv([session], form)
        case "breaches":
            return export.breaches_csv([(session, opened.breaches)], form)
        case _:
            return export.alerts_csv([(session, opened.all_views)], form)


def _session_table(parameters: Mapping[str, str]) -> tuple[UUID, str]:
    try:
        session_id = UUID(parameters["session_id"])
    except ValueError:
        raise NotFound(_("There is no such session.")) from None
    if parameters["table"] not in SESSION_TABLES:
        raise NotFound(_("There is no such table."))
    return session_id, parameters["table"]


def query_of(parameters: Mapping[str, str], clinic: str, zone: ZoneInfo) -> SessionQuery:
    """The filters of an address as a question; days are those of the clinic, both included.

    Raises:
        InvalidEntry: every day that is none.
    """
    days: dict[str, date | None] = {}
    problems = []
    for name in ("from", "to"):
        text = parameters.get(name, "")
        try:
            days[name] = _day(text)
        except ValueError:
            problems.append(Problem(name, _("“{day}” is not a day.").format(day=text)))
    if problems:
        raise InvalidEntry(problems)
    return SessionQuery(
        clinic=clinic,
        search=parameters.get("search", ""),
        status=parameters.get("status", ""),
        protocol=parameters.get("protocol", ""),
        person=parameters.get("person", ""),
        from_at=start_of(days["from"], zone),
        to_at=start_of(days["to"], zone, later=1),
        include_in_progress=_ticked(parameters, "in_progress"),
        descending=False,
    )


def _day(text: str) -> date | None:
    """A day on which there can be sessions: the ends of the calendar have no day beside them."""
    if not text:
        return None
    day = date.fromisoformat(text)
    if not 1900 <= day.year <= 2999:
        raise ValueError("no day of this clinic")
    return day


def start_of(day: date | None, zone: ZoneInfo, *, later: int = 0) -> datetime | None:
    """The first instant of a clinic-local day, or of the day so many days later."""
    if day is None:
        return None
    return datetime.combine(day + timedelta(days=later), time(), tzinfo=zone).astimezone(UTC)


def _form(parameters: Mapping[str, str], zone: ZoneInfo) -> export.Form:
    """A de-identified export has a key of its own: nothing links it with the next one."""
    key = os.urandom(32) if _ticked(parameters, "deidentified") else None
    return export.Form(zone=zone, bom=_ticked(parameters, "bom"), key=key)


def _ticked(parameters: Mapping[str, str], name: str) -> bool:
    return parameters.get(name) == "1"


def _audit(
    store: Store,
    user: User,
    device: DeviceSession,
    now: datetime,
    session_id: UUID | None,
    detail: Mapping[str, object],
) -> None:
    event = AuditEvent(now, user.username, Action.EXPORT.name, session_id, device.label, detail)
    with store.write(event, clinic=user.clinic):
        pass


def _csv(pieces: Iterator[bytes], name: str) -> StreamingResponse:
    return StreamingResponse(
        pieces,
        media_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )
