"""The blank chart over HTTP: behind sign-in, escaped, two identifiers, audited for a session."""

from __future__ import annotations

from monitor.ids import new_id
from pages.http import blank_chart
from tests import build
from tests.pages.bedside_api import Bedside
from tests.pages.http_app import House


def with_charts(home: House) -> None:
    inner = home.app.app
    inner.router.routes = [*blank_chart.routes(home.app._gate), *inner.router.routes]


def test_a_protocol_is_chosen_and_printed(bedside: Bedside) -> None:
    with_charts(bedside.home)

    choice = bedside.client.get("/blank-chart")
    link = choice.text.split('<li><a href="')[1].split('"')[0]
    printed = bedside.client.get(link)

    assert choice.status == 200
    assert link.startswith("/blank-chart/protocol/")
    assert printed.status == 200
    assert printed.text.count('<section class="sheet">') >= 2
    for words in ("hospital number", "initials", "Side effects", "Second person", "▲ ≥ 160"):
        assert words in printed.text


def test_a_session_is_printed_with_its_patient_and_leaves_a_trace(bedside: Bedside) -> None:
    with_charts(bedside.home)
    session = bedside.session
    before = len(list(bedside.store.audit_rows("north", session.id)))

    printed = bedside.client.get(f"/blank-chart/session/{session.id}")

    assert printed.status == 200
    assert session.patient.mrn in printed.text
    assert session.patient.family_name.upper() in printed.text
    assert len(list(bedside.store.audit_rows("north", session.id))) == before + 1


def test_names_are_text_and_never_markup(bedside: Bedside) -> None:
    hostile = build.session(
        patient=build.patient(family_name="<script>alert(1)</script>"),
        clinic="north",
        chair="<b>3</b>",
    )
    with bedside.store.write(build.audit(), clinic="north") as writer:
        writer.add_patient(hostile.patient)
        writer.add_session(hostile)
    with_charts(bedside.home)

    printed = bedside.client.get(f"/blank-chart/session/{hostile.id}")

    assert printed.status == 200
    assert "<script" not in printed.text.lower()
    assert "&lt;b&gt;3&lt;/b&gt;" in printed.text


def test_nobody_gets_one_without_signing_in_or_from_another_clinic(bedside: Bedside) -> None:
    with_charts(bedside.home)
    address = f"/blank-chart/session/{bedside.session_id}"

    assert bedside.home.browser().get(address).status in (303, 401)
    assert bedside.home.signed_in("olsen").get(address).status == 403
    assert bedside.home.signed_in("keller").get("/blank-chart").status == 403
    assert bedside.client.get(f"/blank-chart/session/{new_id()}").status == 404
    assert bedside.client.get(f"/blank-chart/protocol/{new_id()}").status == 404
