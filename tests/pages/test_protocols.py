"""The protocols as pages: read by all, written by a lead, approved by an anaesthetist."""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest
from streamlit.testing.v1 import AppTest

from monitor.actions.protocols import protocol_versions
from monitor.permissions import User
from monitor.protocols import PinnedVersion, VersionStatus
from pages.widgets.protocol_plot import steps_picture
from pages.widgets.protocol_sheet import list_html, sheet_html
from tests.build import CLINIC, T0, anaesthetist, lead, nurse, seeded, seeded_id

if TYPE_CHECKING:
    from db import SqlStore

P02, P05 = seeded_id("protocol", "P02"), seeded_id("protocol", "P05")
REASON = "What does this version change, and why?"


def page(store, user):  # type: ignore[no-untyped-def]
    """Runs inside AppTest."""
    from pages.everyone.protocols import show_protocols

    show_protocols(store, user, None)  # type: ignore[arg-type]


def drawn(store: SqlStore, user: User, **query: object) -> AppTest:
    app = AppTest.from_function(page, args=(store, user), default_timeout=30)
    for name, value in query.items():
        app.query_params[name] = str(value)
    app.run()
    assert not app.exception
    return app


def html_of(app: AppTest) -> str:
    """Everything the page drew as HTML."""
    return "".join(item.proto.body for item in app.get("html"))


def field(app: AppTest, label: str):  # type: ignore[no-untyped-def]
    [found] = [item for item in [*app.text_input, *app.text_area] if item.label == label]
    return found


def choice(app: AppTest, label: str):  # type: ignore[no-untyped-def]
    [found] = [item for item in app.selectbox if item.label == label]
    return found


def press(app: AppTest, label: str) -> AppTest:
    [button] = [item for item in app.button if item.label == label]
    button.click().run()
    assert not app.exception
    return app


def labels(app: AppTest) -> set[str]:
    return {item.label for item in app.button}


def newest(store: SqlStore, code: str) -> PinnedVersion:
    return max(
        (item for item in store.versions("protocol", CLINIC) if item.code == code),
        key=lambda item: item.version,
    )


def form(store: SqlStore, code: str = "P02", kind: str = "version") -> AppTest:
    return drawn(store, lead(), version=seeded_id("protocol", code), form=kind)


def draft(store: SqlStore) -> PinnedVersion:
    """A next version of P02 as a lead writes it."""
    app = form(store)
    field(app, "Hard rate limit (mg/kg/h or per 70 kg)").input("0,8")
    field(app, REASON).input("after the audit")
    press(app, "Store as a draft")
    return newest(store, "P02")


# -- reading ---------------------------------------------------------------------------------


@pytest.mark.parametrize("user", [nurse(), anaesthetist(), lead()])
def test_everybody_reads_the_list(sqlite_store: SqlStore, user: User) -> None:
    html = html_of(drawn(sqlite_store, user))
    usable, templates = html.split("Templates: something is missing")
    assert "Chronic pain outpatient, conservative" in usable
    assert "Depression standard" in usable
    assert "Missing: start rate, bolus foreseen, planned steps" in templates
    assert f"/protocols?version={P05}" in templates


def test_an_administrator_is_told_who_may_read(sqlite_store: SqlStore) -> None:
    from monitor.permissions import Role

    app = drawn(sqlite_store, User("x", "X", Role.ADMIN, "main"))
    assert "may not open a session" in app.error[0].value
    assert not html_of(app)


def test_a_nurse_reads_the_sheet_and_can_change_nothing(sqlite_store: SqlStore) -> None:
    app = drawn(sqlite_store, nurse(), version=P02)
    html = html_of(app)
    for words in ("Start rate", "0.1 mg/kg/h", "UK ward sedation 0-3", "0.913 mg/kg",
                  "every 15 min; from 60 min every 30 min", "packaged with the monitor"):  # fmt: skip
        assert words in html, words
    assert labels(app) == {"All protocols"}
    assert html.count('<td class="number">75</td>') == 1


def test_a_template_says_what_it_lacks_and_where_its_numbers_are_from(
    sqlite_store: SqlStore,
) -> None:
    html = html_of(drawn(sqlite_store, nurse(), version=seeded_id("protocol", "P14")))
    assert "Missing before it can be approved: setting, planned duration" in html
    assert "To be settled by the clinical lead" in html
    assert "1 mcg/kg/min (0.06 mg/kg/h)" in html
    assert "Unpublished background page 1 (AI-drafted" in html


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("P02", ("What binds a dose", "50 mg/h", "reference limit")),
        ("P02", ("1 mg/kg/h", "the protocol&#x27;s own")),
        ("P01", ("Reference limits that will hold", "0.35 mg/kg", "the stricter one binds")),
        ("P06", ("No reference limit holds for this form of the drug",)),
    ],
)
def test_the_sheet_says_which_limits_will_bind(
    sqlite_store: SqlStore, code: str, said: tuple[str, ...]
) -> None:
    """U-24: the strictest of the protocol's own and of clinical.md 2.5; none for S-ketamine (U-01)."""
    html = html_of(drawn(sqlite_store, nurse(), version=seeded_id("protocol", code)))
    for words in said:
        assert words in html


def test_text_of_a_protocol_is_never_markup(sqlite_store: SqlStore) -> None:
    app = form(sqlite_store)
    field(app, "Name").input("<b>bold</b>")
    field(app, "To be known and decided: one line each").input("<script>x</script>")
    field(app, REASON).input("<i>why</i>")
    press(app, "Store as a draft")
    versions = protocol_versions(sqlite_store, lead())
    [item] = [one for one in versions if one.version.id == newest(sqlite_store, "P02").id]
    html = list_html(versions, "protocols") + sheet_html(item, (), (), T0.tzinfo, dark=False)  # type: ignore[arg-type]
    for tag in ("<b>bold", "<script>", "<i>why"):
        assert tag not in html
    assert "&lt;b&gt;bold" in html


def test_a_nurse_who_types_the_address_of_the_form_reads_the_sheet(sqlite_store: SqlStore) -> None:
    app = drawn(sqlite_store, nurse(), version=P02, form="version")
    assert "Planned steps" in html_of(app)
    assert not app.text_input


def test_the_steps_are_drawn_with_their_limits_and_without_steps_nothing_is() -> None:
    content = seeded("protocol", "P02").content()
    for dark in (False, True):
        img = steps_picture(content, dark=dark)
        svg = b64decode(img.split("base64,")[1].split('"')[0]).decode()
        root = ElementTree.fromstring(svg)
        texts = [item.text for item in root.iter("{http://www.w3.org/2000/svg}text")]
        assert {"0.1", "0.15", "0.5", "75", "150", "soft", "hard", "mg/kg/h"} <= set(texts)
    assert 'alt="Planned rate in mg/kg/h over 150 minutes"' in img
    assert steps_picture(seeded("protocol", "P05").content(), dark=False) == ""


# -- writing ---------------------------------------------------------------------------------


def test_the_form_is_filled_from_the_version(sqlite_store: SqlStore) -> None:
    app = form(sqlite_store)
    assert field(app, "Hard rate limit (mg/kg/h or per 70 kg)").value == "1"
    assert field(app, "Syringes (mg/mL)").value == "1; 2; 5; 10"
    assert (field(app, "Step 6, from minute").value, field(app, "Step 6, rate").value) == (
        "75", "0.5",
    )  # fmt: skip
    assert choice(app, "Sedation scale").value == "UK03"
    assert choice(app, "Bolus foreseen").value == "no"
    assert field(app, REASON).value == ""


def test_a_draft_is_stored_and_shown_with_what_it_changes(sqlite_store: SqlStore) -> None:
    app = form(sqlite_store)
    field(app, "Hard rate limit (mg/kg/h or per 70 kg)").input("0,8")
    field(app, "Step 7, from minute").input("100")
    field(app, "Step 7, rate").input("0.45")
    choice(app, "Sedation scale").select("POSS")
    field(app, REASON).input("after the audit")
    press(app, "Store as a draft")
    stored = newest(sqlite_store, "P02")
    assert (stored.version, stored.status) == (2, VersionStatus.DRAFT)
    assert app.query_params["version"] in (str(stored.id), [str(stored.id)])
    assert app.success[0].value.startswith("P02 version 2 is stored as a draft.")
    html = html_of(app)
    for words in ("Hard rate limit", "Planned step 7 at 100 min", "POSS"):
        assert words in html.split("Source: ")[0], words
    assert "after the audit" in html


def test_where_a_second_person_is_needed_is_the_leads_to_choose(sqlite_store: SqlStore) -> None:
    app = form(sqlite_store)
    assert choice(app, "Second person at a bolus").value == "yes"
    choice(app, "Second person at a new syringe").select("no")
    field(app, REASON).input("Syringes come ready from the pharmacy")
    press(app, "Store as a draft")
    draft = newest(sqlite_store, "P02")
    chosen = draft.protocol().second_person_at
    assert {moment.value for moment in chosen} == {"start", "bolus", "limit"}
    sheet = html_of(drawn(sqlite_store, lead(), version=draft.id))
    assert "Second person at a new syringe" in sheet
    assert sheet.count("Second person at the start") == 1, "what did not change is no difference"


def test_every_problem_stands_at_its_field_and_nothing_typed_is_lost(
    sqlite_store: SqlStore,
) -> None:
    app = form(sqlite_store)
    field(app, "Start rate (mg/kg/h or per 70 kg)").input("O.1")
    field(app, "Soft bolus limit in any 30 min (mg/kg)").input("0.4")
    field(app, "Step 7, rate").input("0.5")
    press(app, "Store as a draft")
    assert app.error[0].value.startswith("4 things to correct. Nothing was stored")
    beside = [item.value for item in app.markdown if "✕" in item.value]
    for words in (
        "contains the letter O",
        "is above the hard one (0.35 mg/kg)",
        "Planned step 7: Say from which minute on.",
        "Say what this version changes and why.",
    ):
        assert sum(words in text for text in beside) == 1, words
    assert field(app, "Start rate (mg/kg/h or per 70 kg)").value == "O.1"
    assert field(app, "Step 7, rate").value == "0.5"
    assert newest(sqlite_store, "P02").version == 1
    field(app, "Start rate (mg/kg/h or per 70 kg)").input("0.1")
    field(app, "Soft bolus limit in any 30 min (mg/kg)").input("0.3")
    field(app, "Step 7, rate").input("")
    field(app, REASON).input("the same")
    press(app, "Store as a draft")
    assert newest(sqlite_store, "P02").version == 2


def test_a_template_is_filled_in_and_waits_for_an_anaesthetist(sqlite_store: SqlStore) -> None:
    app = form(sqlite_store, "P18")
    assert choice(app, "Setting").value == ""
    choice(app, "Setting").select("outpatient")
    choice(app, "Bolus foreseen").select("no")
    field(app, REASON).input("our clinic's own")
    press(app, "Store as a draft")
    html = html_of(drawn(sqlite_store, nurse()))
    waiting = html.split("Drafts that wait for an anaesthetist")[1].split("Templates:")[0]
    assert "P18" in waiting
    assert "version 2" in waiting


def test_another_protocol_has_a_code_of_its_own(sqlite_store: SqlStore) -> None:
    app = form(sqlite_store, "P05", "protocol")
    field(app, REASON).input("our own")
    press(app, "Store as a draft")
    assert "begins with a letter, for example P02" in app.error[0].value.replace("\n", " ")
    field(app, "Code of the new protocol").input("crps-1")
    press(app, "Store as a draft")
    assert newest(sqlite_store, "CRPS-1").version == 1


def test_a_version_written_meanwhile_is_asked_about(sqlite_store: SqlStore) -> None:
    app = form(sqlite_store)
    draft(sqlite_store)
    field(app, REASON).input("mine")
    press(app, "Store as a draft")
    [question] = app.checkbox
    assert question.label.startswith("P02 version 2 is newer")
    question.check()
    press(app, "Store as a draft")
    assert newest(sqlite_store, "P02").version == 3


def test_the_form_can_be_left_without_storing(sqlite_store: SqlStore) -> None:
    app = press(form(sqlite_store), "Leave without storing")
    assert "form" not in app.query_params
    assert "Planned steps" in html_of(app)
    assert newest(sqlite_store, "P02").version == 1


# -- approving and taking out of use ---------------------------------------------------------


def test_an_anaesthetist_approves_with_a_word_on_what_was_checked(sqlite_store: SqlStore) -> None:
    stored = draft(sqlite_store)
    app = drawn(sqlite_store, anaesthetist(), version=stored.id)
    assert "Hard rate limit" in html_of(app).split("Source: ")[0]
    press(app, "Approve")
    assert [error.value for error in app.error] == ["Say what you checked."]
    field(app, "What did you check?").input("limits against 2.5")
    press(app, "Approve")
    assert app.success[0].value.startswith("P02 v2")
    assert newest(sqlite_store, "P02").status is VersionStatus.APPROVED
    assert sqlite_store.pinned(P02).status is VersionStatus.RETIRED
    assert "Approve" not in labels(app)


def test_a_lead_is_offered_no_approval(sqlite_store: SqlStore) -> None:
    app = drawn(sqlite_store, lead(), version=draft(sqlite_store).id)
    assert labels(app) == {
        "All protocols", "Write the next version of P02", "Write another protocol from this",
        "Discard this draft",
    }  # fmt: skip


def test_who_wrote_it_is_told_that_somebody_else_approves(sqlite_store: SqlStore) -> None:
    stored = draft(sqlite_store)
    app = drawn(sqlite_store, anaesthetist(lead().username), version=stored.id)
    assert "Somebody else has to approve it" in app.info[0].value
    assert "Approve" not in labels(app)


def test_a_template_is_not_offered_for_approval(sqlite_store: SqlStore) -> None:
    app = drawn(sqlite_store, anaesthetist(), version=P05)
    assert "Not ready" in html_of(app)
    assert labels(app) == {"All protocols", "Discard this draft"}


def test_a_version_is_taken_out_of_use_with_a_reason(sqlite_store: SqlStore) -> None:
    app = drawn(sqlite_store, lead(), version=P02)
    press(app, "Take this version out of use")
    assert "Say why" in app.error[0].value
    field(app, "Why?").input("pump recall")
    press(app, "Take this version out of use")
    assert newest(sqlite_store, "P02").status is VersionStatus.RETIRED
    html = html_of(app)
    assert "taken out of use" in html
    assert "pump recall" in html
    assert "Out of use (1)" in html_of(press(app, "All protocols"))


def test_any_two_versions_can_be_compared(sqlite_store: SqlStore) -> None:
    app = drawn(sqlite_store, nurse(), version=P02)
    other = next(
        item
        for item in protocol_versions(sqlite_store, nurse())
        if item.version == seeded("protocol", "P17")
    )
    choice(app, "Compared with").select(other).run()
    html = html_of(app).split("Source: ")[0]
    assert "MOAA/S" in html
    assert "Planned step 1 at 0 min" in html
