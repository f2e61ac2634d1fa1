"""The tables beside the chart hold the same record in words: units, reasons, marks, corrections."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

from monitor import frames
from monitor.breaches import find_breaches
from monitor.late_notes import late_notes
from monitor.record import Answer, NotTaken
from monitor.timeline import marks
from tests import build
from tests.build import at
from tests.monitor.test_charts import limits, views_of

BERLIN = ZoneInfo("Europe/Berlin")


def test_units_stand_in_the_headers_and_times_are_the_clinics() -> None:
    table = frames.observation_table(build.session(build.obs_set(0)), BERLIN)
    assert list(table.columns[:4]) == ["Taken", "HR (/min)", "SBP (mmHg)", "DBP (mmHg)"]
    assert table.loc[0, "Taken"] == "10:00"
    assert table.loc[0, "HR (/min)"] == "68"


def test_a_reason_a_zero_and_nothing_stay_three_things() -> None:
    session = build.session(
        build.obs_set(0, hr=NotTaken.REFUSED, nausea=0, pain=None), build.obs_set(5, pain=4)
    )
    row = frames.observation_table(session, BERLIN).loc[0]
    assert (row["HR (/min)"], row["Nausea"], row["Pain"]) == ("refused", "0", "")


def test_marks_corrections_and_lateness_are_in_the_cell() -> None:
    wrong = build.observation("sbp", 236, 10)
    right = build.observation("sbp", 185, 10, recorded=30, set_id=wrong.set_id)
    session = build.session(
        build.rate("0.1"),
        wrong,
        right,
        build.amendment(wrong, 30, right),
        build.observation("hr", 70, 20, recorded=40),
    )
    marked = marks(find_breaches(session, limits(), at(60)), limits())
    table = frames.observation_table(session, BERLIN, marked)
    assert table.loc[0, "SBP (mmHg)"] == "◆ 185 Δ was 236"
    assert list(table["Entered late"]) == ["", "10:40"]


def test_the_order_is_the_order_of_the_record() -> None:
    session = build.session(build.obs_set(10), build.obs_set(0, changes={"recorded": 30}))
    assert list(frames.observation_table(session, BERLIN)["Taken"]) == ["10:00", "10:10"]


def test_doses_carry_their_number_and_what_was_given_by_then() -> None:
    session = build.session(build.rate("0.1"), build.bolus(8, 30), build.stop(60))
    table = frames.dose_table(session, BERLIN)
    assert list(table["No"]) == ["1", "2", "3"]
    assert list(table["Given by then (mg)"]) == ["0", "11.5", "15"]
    assert list(table["Rate (mg/kg/h)"]) == ["0.1", "0.1", "0"]


def test_a_rate_is_told_per_kg_of_the_weight_it_was_given_on() -> None:
    """After another weight the totals go by it (clinical.md 2.3), the old rates stay as ordered."""
    session = build.session(
        build.rate("0.1"),
        build.weight(80, 30, reason="weighed again"),
        build.rate("0.1", 40, weight_kg=80),
        build.stop(60),
    )
    assert session.weight_kg_at(at(29)) == 70
    assert session.weight_kg_at(at(30)) == 80
    table = frames.dose_table(session, BERLIN)
    assert list(table["Rate (mg/kg/h)"]) == ["0.1", "0.1", "0"]
    assert list(table["On (kg)"]) == ["70", "80", "80"]
    assert list(table["Rate (mg/h)"]) == ["7", "8", "0"]
    assert list(table["Given by then (mg/kg on 80 kg)"]) == ["0", "0.058", "0.092"]


def test_events_are_those_of_the_chart() -> None:
    session = build.session(build.rate("0.1"), build.event("doctor_called", 5, text="Dr Okoye"))
    table = frames.event_table(session, BERLIN)
    assert list(table["What"]) == ["Rate 0.1 mg/kg/h", "Doctor called: Dr Okoye"]


def test_a_late_event_says_why_in_its_row() -> None:
    event = build.event("toilet", 5, recorded=30)
    session = build.session(build.rate("0.1"), event, late_notes([event], "another patient"))
    table = frames.event_table(session, BERLIN)
    assert list(table["What"]) == ["Rate 0.1 mg/kg/h", "Toilet"]
    assert list(table["Entered late"]) == ["", "10:30: another patient"]


def test_side_effects_have_their_course_and_asked_none_is_said() -> None:
    effect = build.side_effect("nausea", 1, 10)
    session = build.session(
        build.side_effect("none", 0, 5),
        effect,
        build.side_effect_change(effect, 15, grade=2, action="ondansetron 4 mg"),
        build.side_effect_change(effect, 30, ended=True),
    )
    table = frames.side_effect_table(session, BERLIN)
    assert table.loc[0, "Side effect"] == "asked, none"
    assert list(table.loc[1, ["Grade", "Onset", "End", "Action"]]) == [
        "1 → 2",
        "10:10",
        "10:30",
        "ondansetron 4 mg",
    ]


def test_an_alert_has_its_history_and_its_explanation() -> None:
    session = build.session(
        build.obs_set(-5), build.rate("0.1"), build.obs_set(10, spo2=88), build.obs_set(14)
    )
    views = views_of(session, 30, answer_at=12)
    events = [answer for view in views for answer in view.answers]
    table = frames.alert_table(
        views, events, BERLIN, names={"okoye": "P. Okoye"}, limits="Limit set ADULT-CLINIC-1 v1"
    )
    (row,) = table.to_dict("records")
    assert row["Level"] == "◆ critical"
    assert row["Alert"] == "SpO2 88 ≤ 89"
    assert "answered 10:12 by P. Okoye (paused)" in row["What happened"]
    assert "ADULT-CLINIC-1 v1" in row["Why it fired"]
    assert row["Limit from"] == "Limit set ADULT-CLINIC-1 v1"
    (source,) = table.attrs["titles"]["Limit from"]
    assert "NEWS2" in source


def test_an_override_never_looks_like_a_plain_answer() -> None:
    override = {"override_reason": "echo seen", "override_by": "okoye"}
    session = build.session(
        build.answer("epilepsy", Answer.NO, -20),
        build.answer("medication_list", Answer.YES, -20, note="sertraline 50 mg"),
        build.answer("psychosis", Answer.YES, -19),
        build.answer("heart_disease", Answer.YES, -18, **override),
        build.obs_set(-10),
        build.rate("0.1"),
        build.answer("escort_present", Answer.NO, 130, **override),
    )
    protocol = build.seeded("protocol", "P02").protocol()
    table = frames.gate_table(session, protocol, at(140), BERLIN, {"okoye": "P. Okoye"})
    found = table.to_dict("records")
    assert found[0] == {
        "Stands": "⚑ overridden",
        "Point": "Severe, unstable or ischaemic heart disease, or abnormal rhythm",
        "Answer": "yes",
        "Overridden by": "ordered verbally by P. Okoye, not confirmed: echo seen",
        "At": "09:42",
        "By": "blum",
    }
    by_point = {row["Point"]: row["Stands"] for row in found}
    assert by_point["Epilepsy"] == "✓ answered"
    [listed] = [row for row in found if row["Point"] == "List of medicines is complete"]
    assert listed["Answer"] == "yes: sertraline 50 mg"
    assert by_point["Heart and circulation: 2"] == "○ not answered"
    [psychosis] = [point for point in by_point if point.startswith("Active psychosis")]
    assert by_point[psychosis] == "◆ not settled at the start"
    assert "can go on" not in psychosis
    [baseline] = [point for point in by_point if point.startswith("The baseline was taken once")]
    assert by_point[baseline] == "▲ not settled at the start"
    assert "Take the" not in baseline
    assert found[-1]["Stands"] == "⚑ overridden"
    assert found[-1]["Point"].startswith("Before leaving: ")
    assert len(found) == len({row["Point"] for row in found})


def test_a_struck_answer_is_named() -> None:
    wrong = build.answer("epilepsy", Answer.YES, -20)
    session = build.session(wrong, build.amendment(wrong, -19, reason="undone at once"))
    (row,) = frames.amendment_table(session, BERLIN).to_dict("records")
    assert row["What"] == "gate: Epilepsy: yes"


def test_what_was_struck_out_stays_readable() -> None:
    wrong = build.observation("spo2", 45, 10)
    session = build.session(wrong, build.amendment(wrong, 12, reason="probe fell off"))
    (row,) = frames.amendment_table(session, BERLIN).to_dict("records")
    assert (row["What"], row["Was"], row["Is now"]) == ("Oxygen saturation", "45 %", "struck out")
    assert row["Why"] == "probe fell off"


def test_an_amended_side_effect_is_named() -> None:
    effect = build.side_effect("nausea", 1, 10)
    session = build.session(effect, build.amendment(effect, 12, reason="wrong chair"))
    (row,) = frames.amendment_table(session, BERLIN).to_dict("records")
    assert row["What"] == "side effect Nausea grade 1"


def test_tables_of_an_empty_session_have_their_columns() -> None:
    session = build.session(weight_kg=None)
    for table in (
        frames.observation_table(session, BERLIN),
        frames.dose_table(session, BERLIN),
        frames.event_table(session, BERLIN),
        frames.side_effect_table(session, BERLIN),
        frames.amendment_table(session, BERLIN),
        frames.alert_table((), (), BERLIN),
    ):
        assert table.empty
        assert len(table.columns) >= 3


def test_after_the_start_the_gate_says_with_which_reason_it_was_started() -> None:
    step = replace(build.rate("0.1"), reason="patient was seen", overrides=("gate.caution",))
    session = build.session(build.obs_set(-5, hr=70, sbp=120, dbp=70, spo2=98, sedation=0), step)
    protocol = build.seeded("protocol", "P02").protocol()
    name = {step.recorded_by: "A. Blum"}
    points = list(frames.gate_table(session, protocol, at(30), BERLIN, name)["Point"])
    [baseline] = [point for point in points if point.startswith("The baseline was taken once")]
    time = step.taken_at.astimezone(BERLIN).strftime("%H:%M")
    assert baseline == (
        f"The baseline was taken once. Started with the reason: patient was seen (A. Blum {time})."
    )
    before = build.session(build.obs_set(-5, hr=70, sbp=120, dbp=70, spo2=98, sedation=0))
    points = list(frames.gate_table(before, protocol, at(0), BERLIN, name)["Point"])
    assert any("Or go on with a reason." in point for point in points)
