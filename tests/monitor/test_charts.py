"""The chart's content: what is marked, broken, shaded and listed, read from the figure itself."""

from __future__ import annotations

import json
from datetime import UTC
from functools import partial
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import plotly.graph_objects as go
import pytest

from monitor.alerts import Alert, AlertEvent, AlertView, acknowledge, alert_views, alerts_to_raise
from monitor.charts import session_chart
from monitor.record import InfusionSession, NotTaken
from monitor.thresholds import ThresholdSet, parse_threshold_set
from tests import build
from tests.build import at


def limits() -> ThresholdSet:
    return parse_threshold_set(json.loads(build.seeded("threshold_set", "ADULT-CLINIC-1").text))


def views_of(
    session: InfusionSession, minute: int, answer_at: int | None = None
) -> tuple[AlertView, ...]:
    """The alerts as a clinic that looked every minute would have raised and answered them."""
    alerts: tuple[Alert, ...] = ()
    events: tuple[AlertEvent, ...] = ()
    for passed in range(minute + 1):
        known = session.known_at(at(passed))
        new, happened = alerts_to_raise(known, limits(), alerts, events, at(passed))
        alerts, events = (*alerts, *new), (*events, *happened)
        if passed == answer_at:
            for view in alert_views(known, limits(), alerts, events, at(passed)):
                events += (acknowledge(view, by="okoye", action="paused", now=at(passed)),)
    return alert_views(session.known_at(at(minute)), limits(), alerts, events, at(minute))


def chart(
    session: InfusionSession, minute: int = 120, views: tuple[AlertView, ...] = (), **how: Any
) -> dict[str, Any]:
    """The figure as drawn at that minute, accepted by plotly's own validation."""
    protocol = build.seeded("protocol", "P02").protocol()
    zone = how.pop("zone", UTC)
    figure = session_chart(session, protocol, limits(), views, at(minute), zone, **how)
    go.Figure(figure)
    return figure


def trace(figure: dict[str, Any], name: str) -> dict[str, Any]:
    return next(item for item in figure["data"] if item["name"] == name)


def names(figure: dict[str, Any]) -> list[str]:
    return [item["name"] for item in figure["data"]]


def shape(figure: dict[str, Any], name: str) -> dict[str, Any]:
    return next(item for item in figure["layout"]["shapes"] if item["name"] == name)


def annotations(figure: dict[str, Any]) -> str:
    return "\n".join(item["text"] for item in figure["layout"]["annotations"])


running = partial(build.session, build.obs_set(-5, sbp=120, dbp=70), build.rate("0.1"))


def test_every_lane_lies_on_one_time_axis_in_minutes_since_the_first_dose() -> None:
    figure = chart(running(build.obs_set(10), build.side_effect("nausea", 1, 12)))
    assert {item.get("xaxis", "x") for item in figure["data"]} == {"x"}
    assert [key for key in figure["layout"] if key.startswith("xaxis")] == ["xaxis"]
    assert list(trace(figure, "SBP")["x"]) == [-5, 10]


def test_the_lanes_come_in_the_order_of_an_anaesthetic_record() -> None:
    figure = chart(running(build.obs_set(10)))
    tops = {
        name: figure["layout"][trace(figure, name)["yaxis"].replace("y", "yaxis", 1)]["domain"][1]
        for name in ("Rate", "SBP", "SpO2", "Numbers", "Events")
    }
    assert sorted(tops, key=lambda name: -tops[name]) == list(tops)


def test_tick_text_is_the_clinics_time_of_day() -> None:
    figure = chart(running(build.obs_set(10)), zone=ZoneInfo("Europe/Berlin"))
    axis = figure["layout"]["xaxis"]
    ticks = dict(zip(axis["tickvals"], axis["ticktext"], strict=True))
    assert ticks[0] == "10:00<br>+0:00"
    assert ticks[30] == "10:30<br>+0:30"


def test_chevrons_stand_with_their_tip_on_the_value_pointing_at_each_other() -> None:
    figure = chart(running(build.obs_set(10)))
    down, up = trace(figure, "SBP")["marker"], trace(figure, "DBP")["marker"]
    assert set(down["symbol"]) == {"line-ns-open"}
    assert list(down["standoff"]) == [pytest.approx(0.7 * down["size"][0])] * 2
    assert down["angle"][0] == 180 + up["angle"][0]
    joined = trace(figure, "BP pair")
    assert list(joined["y"][:2]) == [120, 70]
    assert np.isnan(joined["y"][2])


def test_readings_beyond_a_limit_are_ringed_by_shape_and_named() -> None:
    session = running(build.sbp(165, 185, 150, start=10, every=3), build.spo2(88, start=10))
    figure = chart(session)
    pressures, saturations = trace(figure, "Breach bp"), trace(figure, "Breach spo2")
    assert list(pressures["y"]) == [165, 185]
    assert list(pressures["marker"]["symbol"]) == ["circle-open", "diamond-open"]
    assert list(saturations["y"]) == [88]
    assert "≥ 180" in pressures["hovertext"][1]
    assert "<b>185</b>" in list(pressures["text"])


def test_a_reading_within_limits_has_no_ring() -> None:
    assert not [name for name in names(chart(running(build.obs_set(10)))) if "Breach" in name]


def test_a_line_breaks_where_nothing_was_taken() -> None:
    session = running(build.hr(60, 61, NotTaken.CUFF_OFF, 62, start=5), build.hr(63, start=90))
    line = trace(chart(session), "HR line")
    assert [None if np.isnan(y) else y for y in line["y"]] == [68, 60, 61, None, 62, None, 63]


def test_what_was_not_taken_is_said_in_words_and_a_finding_is_critical() -> None:
    session = running(
        build.obs_set(10, hr=NotTaken.ARTEFACT, sbp=NotTaken.CUFF_OFF, dbp=NotTaken.CUFF_OFF),
        build.obs_set(20, sbp=NotTaken.UNRECORDABLE, dbp=NotTaken.UNRECORDABLE),
    )
    figure = chart(session)
    assert list(trace(figure, "Notes words")["text"]) == [
        "HR artefact, BP cuff off",
        "BP unrecordable",
    ]
    colours = trace(figure, "Notes")["marker"]["color"]
    assert colours[1] == "#b3261e"
    assert colours[0] != colours[1]


def test_limits_are_shaded_only_while_they_were_in_force() -> None:
    session = running(build.obs_set(10), build.stop(30), build.event("discharged", 60))
    figure = chart(session)
    warning = shape(figure, "limit sbp high warning 160")
    assert (warning["x0"], warning["x1"]) == (0, 60)
    assert (warning["y0"], warning["y1"]) == (160, 180)
    critical = shape(figure, "limit sbp high critical 180")
    assert (critical["y0"], critical["y1"]) == (180, 240)
    assert shape(figure, "limit spo2 low critical 89")["y1"] == 89


def test_before_the_first_dose_no_limit_is_shaded() -> None:
    figure = chart(build.session(build.obs_set(-5)))
    assert not [item for item in figure["layout"]["shapes"] if item["name"].startswith("limit")]


def test_the_limits_of_the_patients_own_scale_are_shaded() -> None:
    figure = chart(running(build.obs_set(10), spo2_scale=2))
    assert shape(figure, "limit spo2 low warning 87")
    assert shape(figure, "limit spo2 low critical 83")


def test_the_list_of_limits_names_those_a_band_would_hide() -> None:
    text = annotations(chart(running(build.obs_set(10))))
    for limit in ("SBP ≥160 ▲  ≥180 ◆", "SBP &lt;100 ▲  &lt;90 ◆", "HR ≤50 ▲  ≤40 ◆"):
        assert limit in text


def test_the_baseline_is_a_dotted_line() -> None:
    assert shape(chart(running(build.obs_set(10))), "baseline sbp 120")["line"]["dash"] == "dot"


def test_late_entries_are_hollow_and_nothing_else_is() -> None:
    late = build.obs_set(20, changes={"recorded": 35})
    figure = chart(running(build.obs_set(10), late))
    for name, symbols in (
        ("SBP", ["line-ns-open", "line-ns-open", "arrow-wide-open"]),
        ("HR", ["circle", "circle", "circle-open"]),
        ("SpO2", ["square", "square", "square-open"]),
    ):
        assert list(trace(figure, name)["marker"]["symbol"]) == symbols
    assert "entered late, at 09:35" in trace(figure, "HR")["text"][2]
    fills = list(trace(figure, "Numbers")["marker"]["color"])
    assert fills.count("#ffffff") == 4


def test_an_amended_value_has_a_delta_and_its_original_in_the_hover() -> None:
    wrong = build.observation("sbp", 236, 10)
    right = build.observation("sbp", 136, 10, recorded=12, set_id=wrong.set_id)
    figure = chart(running(wrong, right, build.amendment(wrong, 12, right, "typed 2 for 1")))
    delta = trace(figure, "Amended bp")
    assert "Δ" in delta["text"][0]
    assert list(delta["y"]) == [136]
    for text in ("amended, was 236 mmHg", "typed 2 for 1", "blum"):
        assert text in delta["hovertext"][0]
    assert 236 not in trace(figure, "SBP")["y"]
    assert list(trace(figure, "Struck out bp")["y"]) == [236]


def test_an_amended_score_has_its_delta_in_the_cell() -> None:
    wrong = build.observation("pain", 9, 10)
    right = build.observation("pain", 6, 10, recorded=12, set_id=wrong.set_id)
    figure = chart(running(wrong, right, build.amendment(wrong, 12, right)))
    assert "<b>6Δ</b>" in list(trace(figure, "Numbers")["text"])


def test_a_number_without_room_is_a_dot_and_never_an_empty_place() -> None:
    session = running(build.rr(*[14] * 40, 8, start=1, every=1))
    cells = trace(chart(session, 50), "Numbers")
    rows = [
        (symbol, text)
        for y, symbol, text in zip(
            cells["y"], cells["marker"]["symbol"], cells["text"], strict=True
        )
        if y == 0
    ]
    assert len(rows) == 42
    assert ("circle", "") in rows
    assert rows[-1] == ("square", "<b>8</b>")


@pytest.mark.parametrize("how", [{}, {"compact": True}, {"narrow": True}])
def test_no_number_touches_its_neighbour(how: dict[str, bool]) -> None:
    """Two sets a minute apart must never read as one number: 1 and 0 as "10"."""
    plot_px = 680 if not how else 200
    session = running(
        build.rr(*[15, 16, 15, 17] * 8, start=2, every=1),
        build.obs_set(40, sedation=1),
        build.obs_set(41, sedation=0),
    )
    figure = chart(session, 45, **how)
    low, high = figure["layout"]["xaxis"]["range"]
    cells = trace(figure, "Numbers")
    for row in {float(y) for y in cells["y"]}:
        spans = sorted(
            (x * plot_px / (high - low), 9 * len(text.replace("<b>", "").replace("</b>", "")))
            for x, y, text in zip(cells["x"], cells["y"], cells["text"], strict=True)
            if y == row and text
        )
        for (left, width), (right, next_width) in pairwise(spans):
            assert left + width / 2 < right - next_width / 2
    written = dict(zip(zip(cells["x"], cells["y"], strict=True), cells["text"], strict=True))
    assert written[41, 1] == "<b>0</b>"
    assert written[40, 1] == ""


def test_dose_labels_do_not_lie_on_each_other_and_the_newest_stays() -> None:
    session = running(build.rate("0.15", 3), build.rate("0.4", 40))
    labels = [
        item["text"]
        for item in chart(session, 45, compact=True)["layout"]["annotations"]
        if item.get("name") == "rate step"
    ]
    assert labels == ["<b>0.4</b>", "<b>0.15</b>"]


def test_nothing_is_planned_after_the_stop() -> None:
    figure = chart(running(build.stop(12), build.obs_set(20)), 90)
    assert max(trace(figure, "Plan")["x"]) == 12


def test_a_shared_disc_stands_in_the_middle_of_its_events() -> None:
    session = running(build.event("toilet", 30), build.event("vomited", 30.2))
    assert list(trace(chart(session), "Events")["x"]) == [0, pytest.approx(30.1)]
    apart = running(build.hold(5), build.event("discharged", 9))
    assert list(trace(chart(apart), "Events")["x"]) == [0, 5, 9]


def test_people_are_called_by_name() -> None:
    figure = chart(running(build.obs_set(10)), names={"blum": "A. Blum"})
    assert "entered by A. Blum" in trace(figure, "HR")["text"][-1]


def test_a_phones_chart_leaves_room_for_the_plot() -> None:
    margin = chart(running(build.obs_set(10)), narrow=True)["layout"]["margin"]
    assert 390 - 32 - margin["l"] - margin["r"] >= 200


def test_zero_is_a_number_and_nothing_is_an_empty_lane() -> None:
    figure = chart(running(build.obs_set(10, nausea=0, pain=None)))
    cells = trace(figure, "Numbers")
    rows = {float(y) for y in cells["y"]}
    assert 3.0 in rows
    assert 4.0 not in rows
    assert "Pain" in annotations(figure)


def test_scores_beyond_a_limit_are_filled_with_their_level() -> None:
    figure = chart(running(build.obs_set(10, sedation=2, rr=8)))
    cells = trace(figure, "Numbers")
    fills = dict(zip(cells["text"], cells["marker"]["color"], strict=True))
    assert fills["<b>2</b>"] == "#ffd54a"
    assert fills["<b>8</b>"] == "#b3261e"


def test_doses_are_steps_with_their_plan_as_a_ghost_and_the_total_at_the_edge() -> None:
    session = running(build.rate("0.2", 30), build.bolus(8, 5), build.hold(60), build.stop(70))
    figure = chart(session)
    rates = trace(figure, "Rate")
    assert list(rates["x"]) == [0, 0, 30, 30, 60, 60, 70, 70]
    assert [round(float(y), 3) for y in rates["y"]] == [0, 0.1, 0.1, 0.2, 0.2, 0, 0, 0]
    plan = trace(figure, "Plan")
    assert list(plan["y"][:4]) == [0.1, 0.1, 0.15, 0.15]
    assert plan["line"]["dash"] == "dash"
    assert list(trace(figure, "Bolus")["x"]) == [5]
    # 0.1 mg/kg/h for 30 min and 0.2 for 30 min of 70 kg, and the bolus: 3.5 + 7 + 8 mg.
    assert "<b>18.5 mg</b><br>0.264 mg/kg" in annotations(figure)


def test_a_pause_is_hatched_also_while_it_lasts() -> None:
    over = trace(chart(running(build.hold(20), build.resume("0.1", 30))), "Paused")
    assert (over["x"][0], over["width"][0]) == (25, 10)
    assert over["marker"]["pattern"]["shape"] == "/"
    lasting = trace(chart(running(build.hold(20)), minute=50), "Paused")
    assert (lasting["x"][0], lasting["width"][0]) == (35, 30)


def test_without_a_weight_the_dose_lane_is_in_mg_per_h() -> None:
    session = build.session(build.rate(7, unit=build.DoseUnit.MG_PER_H), weight_kg=None)
    figure = chart(session)
    assert max(trace(figure, "Rate")["y"]) == 7
    assert "mg/h" in annotations(figure)
    assert "Plan" not in names(figure)


def test_side_effects_run_from_onset_to_end() -> None:
    effect = build.side_effect("nausea", 1, 10)
    session = running(effect, build.side_effect_change(effect, 25, ended=True))
    bars = trace(chart(session), "Effects")
    assert (bars["base"][0], bars["x"][0]) == (10, 15)


def test_events_are_numbered_and_neighbours_share_one_disc() -> None:
    session = running(build.event("toilet", 30), build.event("vomited", 30.2))
    assert list(trace(chart(session), "Events")["text"]) == ["<b>1</b>", "<b>2–3</b>"]


def test_alerts_lie_from_onset_to_end_with_their_answer() -> None:
    session = running(build.obs_set(10, spo2=88), build.obs_set(14, spo2=97))
    views = views_of(session, 60, answer_at=12)
    figure = chart(session, 60, views)
    bars = trace(figure, "Alerts")
    assert (bars["base"][0], bars["x"][0]) == (10, 4)
    (words,) = trace(figure, "Alerts words")["text"]
    assert words == "◆ SpO2 88 ≤ 89 ✓ okoye 09:12"
    assert "paused" in bars["hovertext"][0]


def test_an_unanswered_critical_alert_says_so() -> None:
    session = running(build.obs_set(10, spo2=88), build.obs_set(14, spo2=97))
    (words,) = trace(chart(session, 60, views_of(session, 60)), "Alerts words")["text"]
    assert words.endswith("unanswered")


def test_a_value_outside_the_usual_axis_widens_it() -> None:
    figure = chart(running(build.obs_set(10, sbp=262, spo2=55)))
    upper = figure["layout"][trace(figure, "SBP")["yaxis"].replace("y", "yaxis", 1)]["range"]
    lower = figure["layout"][trace(figure, "SpO2")["yaxis"].replace("y", "yaxis", 1)]["range"]
    assert upper[1] > 262
    assert lower[0] < 55


def test_what_people_typed_is_never_mark_up() -> None:
    session = running(build.event("note", 10, text="<b>x</b><a href='//e'>y</a>"))
    said = trace(chart(session), "Events")["hovertext"][-1]
    assert "<a" not in said
    assert "&lt;a href" in said


def test_later_saved_facts_are_not_on_an_earlier_chart() -> None:
    session = running(build.obs_set(10), build.obs_set(20, changes={"recorded": 40}))
    assert list(trace(chart(session, 30), "HR")["x"]) == [-5, 10]


def test_the_bedsides_chart_has_few_traces_and_the_same_marks() -> None:
    session = running(build.obs_set(10, sbp=185, dbp=80), build.side_effect("nausea", 1, 12))
    figure = chart(session, 30, compact=True)
    assert len(figure["data"]) <= 18
    assert figure["layout"]["height"] <= 570
    assert list(trace(figure, "Breach bp")["y"]) == [185]
    assert figure["layout"]["xaxis"]["fixedrange"]


def test_the_last_hour_is_only_another_window() -> None:
    session = running(build.obs_set(10), build.obs_set(110))
    whole, last = chart(session, 115), chart(session, 115, last_min=60)
    assert last["layout"]["xaxis"]["range"][0] > 50
    assert list(trace(last, "HR")["x"]) == list(trace(whole, "HR")["x"])


def test_both_themes_hold_the_same_record() -> None:
    session = running(build.obs_set(10, sbp=185))
    light, dark = chart(session), chart(session, dark=True)
    assert names(light) == names(dark)
    assert light["layout"]["paper_bgcolor"] != dark["layout"]["paper_bgcolor"]


def test_the_legend_stands_on_the_page() -> None:
    text = annotations(chart(running(build.obs_set(10))))
    for word in ("systolic", "diastolic", "mean", "heart rate", "planned rate", "baseline"):
        assert word in text
    assert "hollow: entered more than 10 min late" in text


def test_traces_hold_arrays_not_lists() -> None:
    for item in chart(running(build.obs_set(10)))["data"]:
        assert isinstance(item["x"], np.ndarray)
        assert isinstance(item["y"], np.ndarray)


def test_an_empty_session_is_still_a_chart() -> None:
    figure = chart(build.session(weight_kg=None), 0)
    assert figure["layout"]["xaxis"]["range"][1] >= 60
