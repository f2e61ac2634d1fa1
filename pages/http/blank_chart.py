"""The blank chart for a downtime: A4 pages to print, one for each hour of the plan and the recovery.

/blank-chart                  the approved protocols to choose from
/blank-chart/protocol/<id>    for a protocol, the patient's lines empty
/blank-chart/session/<id>     for a session, the patient's lines filled in
"""

from __future__ import annotations

from gettext import gettext as _
from html import escape
from pathlib import Path
from uuid import UUID

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from monitor.actions import approved_threshold_set, open_session
from monitor.actions.opening import protocol_of, threshold_set_of
from monitor.blank_chart import BlankChart, BlankPage, blank_chart
from monitor.errors import NotFound
from monitor.permissions import Action, User, check_may
from monitor.protocols import PinnedVersion, VersionStatus
from monitor.store import Store
from pages.http.context import Gate, current_user
from pages.http.plain_page import BANNER, plain_page

_CSS = (Path(__file__).parent / "blank_chart.css").read_text("utf-8")


def routes(gate: Gate) -> list[Route]:
    """Reading only; what is printed for a session is one opening of it on the audit trail."""

    async def choose(request: Request) -> HTMLResponse:
        user, _device = current_user(request)
        check_may(user, Action.RECORD_OBSERVATIONS)
        return await run_in_threadpool(_choice, gate.store, user.clinic)

    async def of_protocol(request: Request) -> HTMLResponse:
        user, _device = current_user(request)
        check_may(user, Action.RECORD_OBSERVATIONS)
        version_id = request.path_params["id"]
        return await run_in_threadpool(_for_protocol, gate.store, user.clinic, version_id)

    async def of_session(request: Request) -> HTMLResponse:
        user, device = current_user(request)
        check_may(user, Action.RECORD_OBSERVATIONS)
        here = device.token_hash[:12]
        session_id = request.path_params["id"]
        return await run_in_threadpool(_for_session, gate, user, session_id, here)

    return [
        Route("/blank-chart", choose),
        Route("/blank-chart/protocol/{id:uuid}", of_protocol),
        Route("/blank-chart/session/{id:uuid}", of_session),
    ]


def _approved(store: Store, clinic: str) -> list[PinnedVersion]:
    return [
        version
        for version in store.versions("protocol", clinic)
        if version.status is VersionStatus.APPROVED
    ]


def _choice(store: Store, clinic: str) -> HTMLResponse:
    versions = _approved(store, clinic)
    items = "".join(
        f'<li><a href="/blank-chart/protocol/{version.id}">'
        f"{escape(f'{version.code} v{version.version}')} · {escape(protocol_of(version).name)}"
        "</a></li>"
        for version in sorted(versions, key=lambda version: (version.code, version.version))
    )
    body = (
        f"<h1>{escape(_('Blank chart to print'))}</h1>"
        f"<p>{escape(_('Choose the protocol. Print some before they are needed.'))}</p>"
        f"<ul>{items}</ul>"
    )
    return plain_page(_("Blank chart"), body)


def _for_protocol(store: Store, clinic: str, version_id: UUID) -> HTMLResponse:
    version = next((item for item in _approved(store, clinic) if item.id == version_id), None)
    if version is None:
        raise NotFound(_("There is no such approved protocol."))
    protocol = protocol_of(version)
    limits = threshold_set_of(approved_threshold_set(store, clinic, protocol.threshold_set))
    return _page(blank_chart(protocol, limits))


def _for_session(gate: Gate, user: User, session_id: UUID, device: str) -> HTMLResponse:
    now = gate.clock()
    opened = open_session(gate.store, user, session_id, now=now, audit=True, device=device)
    chart = blank_chart(opened.protocol, opened.threshold_set, opened.session, zone=gate.zone)
    return _page(chart)


# -- HTML --------------------------------------------------------------------------------------------


def _page(chart: BlankChart) -> HTMLResponse:
    title = _("Blank chart {plan}").format(plan=chart.plan)
    pages = "".join(_sheet(chart, page, number) for number, page in enumerate(chart.pages, start=1))
    return HTMLResponse(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="robots" content="noindex"><link rel="icon" href="/favicon.png">'
        f"<style>{_CSS}</style></head><body>"
        f'<p class="screen">{escape(_("Print this page: A4, landscape, both sides of the paper."))}'
        f' <a href="/blank-chart">{escape(_("Another protocol"))}</a></p>'
        f"{pages}</body></html>"
    )


def _sheet(chart: BlankChart, page: BlankPage, number: int) -> str:
    lines = "".join(
        f"<div><small>{escape(label)}</small><b>{escape(value)}</b></div>"
        for label, value in chart.head
    )
    place = _("page {number} of {all}").format(number=number, all=len(chart.pages))
    return (
        '<section class="sheet">'
        f"<header><h1>{escape(chart.plan)}</h1><span>{escape(page.title)}</span>"
        f"<span>{escape(place)}</span></header>"
        f'<div class="lines">{lines}</div>'
        f'<p class="plan"><b>{escape(_("Plan"))}</b> {escape(page.plan)}</p>'
        f"{_grid(chart, page)}"
        f'<div class="boxes">{_boxes()}</div>'
        f"<footer>{_signatures()}<p>{escape(_(BANNER))}</p></footer>"
        "</section>"
    )


def _grid(chart: BlankChart, page: BlankPage) -> str:
    head = "".join(
        f"<th>{escape(column.label)}<small>{escape(column.unit)}</small>"
        f"<small>{'<br>'.join(escape(text) for text in column.limits)}</small></th>"
        for column in chart.columns
    )
    cells = "<td></td>" * (len(chart.columns) + 2)
    rows = "".join(f"<tr><th>{escape(label)}</th>{cells}</tr>" for label in page.rows)
    return (
        f"<table><thead><tr><th>{escape(_('set'))}</th><th>{escape(_('clock time'))}</th>{head}"
        f"<th>{escape(_('initials'))}</th></tr></thead><tbody>{rows}</tbody></table>"
    )


def _boxes() -> str:
    boxes = (
        (_("Dose"), _("time · rate, hold, stop or bolus · ordered by · second person")),
        (_("Side effects"), _("onset · what · grade 1-5 · action · end; or “asked, none” + time")),
        (_("Events, drugs, notes"), _("time · what · for what")),
    )
    return "".join(
        f"<div><b>{escape(title)}</b><small>{escape(text)}</small></div>" for title, text in boxes
    )


def _signatures() -> str:
    people = (_("Nurse"), _("Second person"), _("Anaesthetist"), _("Entered in the monitor by"))
    return "".join(f"<span>{escape(name)}</span>" for name in people)
