"""The chart for a downtime: every set of the plan has a row, every parameter its limits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.blank_chart import COLUMNS, MOST_PAGES, ROWS, blank_chart, set_minutes
from monitor.protocols import InfusionProtocol, VersionStatus, seed_versions
from monitor.scales import SCALES
from monitor.thresholds import ThresholdSet, parse_threshold_set
from tests import build

PROTOCOLS = [
    version
    for version in seed_versions()
    if version.kind == "protocol" and version.status is VersionStatus.APPROVED
]


def limits() -> ThresholdSet:
    return parse_threshold_set(build.seeded("threshold_set", "ADULT-CLINIC-1").content())


def protocol(code: str = "P02") -> InfusionProtocol:
    return next(item for item in PROTOCOLS if item.code == code).protocol()


@pytest.mark.parametrize("version", PROTOCOLS, ids=lambda version: version.code)
def test_every_protocol_can_be_printed(version: build.PinnedVersion) -> None:
    plan = version.protocol()

    chart = blank_chart(plan, limits())

    assert 2 <= len(chart.pages) <= MOST_PAGES + 1
    assert all(len(page.rows) == ROWS for page in chart.pages)
    assert all(page.rows[-1] == "" for page in chart.pages), "a set nobody planned has room"
    rows = [row for page in chart.pages[:-1] for row in page.rows if row.startswith("+")]
    wanted = [f"+{m // 60}:{m % 60:02d}" for m in set_minutes(plan)]
    assert rows == wanted[: len(rows)]
    if len(chart.pages) <= MOST_PAGES:
        assert rows == wanted, "no set of the plan is left out"
    assert chart.pages[-1].title == "recovery"


def test_a_blank_chart_has_empty_lines_and_the_rates_per_kilogram() -> None:
    chart = blank_chart(protocol(), limits())

    assert {text for label, text in chart.head} == {""}
    assert {"family name, given name", "born", "hospital number"} <= {
        label for label, _ in chart.head
    }
    assert chart.pages[0].plan.startswith("from +0:00: ")
    assert "mg/h" not in chart.pages[0].plan.replace("mg/kg/h", "")
    assert chart.pages[0].rows[:2] == ("before 1", "before 2")


def test_a_chart_of_a_session_names_the_patient_and_the_pump_rate() -> None:
    session = build.session(
        patient=build.patient(family_name="Okafor", given_name="Ada", mrn="004 211"),
        weight_kg=72,
        chair="3",
    )

    chart = blank_chart(protocol(), limits(), session)

    head = dict(chart.head)
    assert (head["family name, given name"], head["hospital number"]) == ("OKAFOR, Ada", "004 211")
    assert (head["chair"], head["weight (kg)"]) == ("3", "72")
    assert "mg/kg/h = " in chart.pages[0].plan
    assert "mL/h" in chart.pages[0].plan


def test_the_limits_stand_under_the_parameter() -> None:
    columns = blank_chart(protocol(), limits()).columns

    by_label = dict(zip(COLUMNS, columns, strict=True))
    assert by_label["sbp"].limits == ("▲ ≥ 160", "◆ ≥ 180", "▲ < 100", "◆ < 90")
    assert by_label["spo2"].limits == ("▲ ≤ 93", "◆ ≤ 89")
    assert by_label["dissociation"].limits[0] == "▲ ≥ 7", "of the protocol's own scale"
    assert by_label["distress"].unit == "yes / no"
    assert by_label["dissociation"].unit == "0 to 10"
    scale = SCALES[protocol().sedation_scale]
    assert by_label["sedation"].unit.split() == [answer.short for answer in scale.codes]


def test_a_plan_of_days_is_not_printed_to_its_end() -> None:
    days = replace(protocol(), planned_duration_min=5 * 24 * 60)

    assert len(blank_chart(days, limits()).pages) == MOST_PAGES + 1
