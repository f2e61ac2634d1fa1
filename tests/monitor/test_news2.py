"""NEWS2 against its chart: every band on both sides of every edge, outside cases, what is missing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from monitor.news2 import PARTS, News2, news2, score_of, score_text, short_text
from monitor.parameters import PARAMETERS
from monitor.record import NotTaken
from tests.build import an_id, observation

#: Everything scores 0: what is tried is put in its place.
WELL = "rr 16 spo2 97 o2_flow 0 sbp 120 hr 70 acvpu 0 temp 36.8"


def score(text: str, *, spo2_scale: int = 1) -> News2:
    words = text.split()
    values = {key: Decimal(value) for key, value in zip(words[::2], words[1::2], strict=True)}
    return news2(values, spo2_scale=spo2_scale)


def terms(text: str, *, spo2_scale: int = 1) -> list[int]:
    """The seven terms in the order of U-78: RR, SpO2, oxygen, SBP, HR, ACVPU, temperature."""
    return list(score(text, spo2_scale=spo2_scale).points.values())


# -- the chart ---------------------------------------------------------------------------------------
# part, value, points: both sides of every edge of clinical.md 3.6

CHART = [
    *(("rr", *row) for row in (
        ("0", 3), ("8", 3), ("9", 1), ("11", 1), ("12", 0), ("20", 0), ("21", 2), ("24", 2),
        ("25", 3), ("60", 3))),
    *(("spo2", *row) for row in (
        ("70", 3), ("91", 3), ("92", 2), ("93", 2), ("94", 1), ("95", 1), ("96", 0), ("100", 0))),
    *(("o2_flow", *row) for row in (("0", 0), ("0.5", 2), ("15", 2))),
    *(("sbp", *row) for row in (
        ("60", 3), ("90", 3), ("91", 2), ("100", 2), ("101", 1), ("110", 1), ("111", 0),
        ("219", 0), ("220", 3), ("260", 3))),
    *(("hr", *row) for row in (
        ("0", 3), ("40", 3), ("41", 1), ("50", 1), ("51", 0), ("90", 0), ("91", 1), ("110", 1),
        ("111", 2), ("130", 2), ("131", 3), ("190", 3))),
    *(("acvpu", *row) for row in (("0", 0), ("1", 3), ("2", 3), ("3", 3), ("4", 3))),
    *(("temp", *row) for row in (
        ("34.0", 3), ("35.0", 3), ("35.1", 1), ("36.0", 1), ("36.1", 0), ("38.0", 0), ("38.1", 1),
        ("39.0", 1), ("39.1", 2), ("41.0", 2))),
]  # fmt: skip

#: SpO2 with a target of 88-92 %: on air, on oxygen, points.
SCALE_2 = [
    ("air", "70", 3), ("air", "83", 3), ("air", "84", 2), ("air", "85", 2), ("air", "86", 1),
    ("air", "87", 1), ("air", "88", 0), ("air", "92", 0), ("air", "93", 0), ("air", "100", 0),
    ("oxygen", "83", 3), ("oxygen", "84", 2), ("oxygen", "85", 2), ("oxygen", "86", 1),
    ("oxygen", "87", 1), ("oxygen", "88", 0), ("oxygen", "92", 0), ("oxygen", "93", 1),
    ("oxygen", "94", 1), ("oxygen", "95", 2), ("oxygen", "96", 2), ("oxygen", "97", 3),
    ("oxygen", "100", 3),
]  # fmt: skip


@pytest.mark.parametrize(("part", "value", "points"), CHART)
def test_a_value_scores_what_the_chart_says(part: str, value: str, points: int) -> None:
    assert score(f"{WELL} {part} {value}").points[part] == points
    assert score(f"{WELL} {part} {value}").total == points


@pytest.mark.parametrize(("given", "value", "points"), SCALE_2)
def test_scale_2_asks_whether_oxygen_is_given(given: str, value: str, points: int) -> None:
    flow = "2" if given == "oxygen" else "0"
    found = score(f"{WELL} o2_flow {flow} spo2 {value}", spo2_scale=2)
    assert found.points["spo2"] == points
    assert found.total == points + (2 if given == "oxygen" else 0)


def test_every_edge_of_the_chart_has_a_case_on_both_sides() -> None:
    """A band that is changed without a case here would be a number nobody looked at."""
    tried = {(part, Decimal(value)) for part, value, _ in CHART}
    for part in PARTS.values():
        step = Decimal("0.5") if part.key == "o2_flow" else Decimal(1).scaleb(-(part.decimals or 0))
        for edge in (band.to for band in part.bands if band.to is not None):
            assert {(part.key, edge), (part.key, edge + step)} <= tried
    for given, name in (("air", "scale_2_on_air"), ("oxygen", "scale_2_on_oxygen")):
        tried_2 = {Decimal(value) for said, value, _ in SCALE_2 if said == given}
        for band in getattr(PARTS["spo2"], name):
            assert band.to is None or {band.to, band.to + 1} <= tried_2


@pytest.mark.parametrize(
    ("text", "scale", "expected"),
    [
        ("rr 16 spo2 97 o2_flow 0 sbp 172 hr 98 acvpu 0 temp 36.8", 1, [0, 0, 0, 0, 1, 0, 0]),
        ("rr 10 spo2 93 o2_flow 0 sbp 118 hr 72 acvpu 2 temp 36.5", 1, [1, 2, 0, 0, 0, 3, 0]),
        ("rr 22 spo2 90 o2_flow 2 sbp 105 hr 115 acvpu 0 temp 38.5", 2, [2, 0, 2, 1, 2, 0, 1]),
    ],
)
def test_the_vectors_of_the_reference(text: str, scale: int, expected: list[int]) -> None:
    """3.6 with U-78: seven terms in the order of the chart."""
    assert terms(text, spo2_scale=scale) == expected
    assert score(text, spo2_scale=scale).total == sum(expected)


def test_the_least_is_0_and_the_most_is_20() -> None:
    assert score(WELL).total == 0
    assert score("rr 25 spo2 91 o2_flow 2 sbp 90 hr 131 acvpu 4 temp 35.0").total == 20


@pytest.mark.parametrize(
    ("temp", "points"),
    [("35.04", 3), ("35.05", 1), ("36.04", 1), ("36.05", 0), ("38.04", 0), ("38.05", 1)],
)
def test_a_temperature_is_rounded_half_up_to_one_decimal_first(temp: str, points: int) -> None:
    """U-57: NEWS2 alone does that."""
    assert score(f"{WELL} temp {temp}").points["temp"] == points


def test_a_temperature_in_fahrenheit_scores_like_the_same_in_celsius() -> None:
    """U-57: 100.4 degF is 38.0 and scores 0; 100.5 is 38.06, rounded 38.1, and scores 1."""
    for typed, points in (("100.4", 0), ("100.5", 1)):
        value = PARAMETERS["temp"].to_canonical(Decimal(typed), "[degF]")
        assert news2({"temp": value}, spo2_scale=1).points == {"temp": points}


def test_a_pressure_in_kpa_falls_into_the_band_of_its_rounded_value() -> None:
    """12.0 kPa are 90.007 mmHg: on the chart that is 90, which scores 3."""
    value = PARAMETERS["sbp"].to_canonical(Decimal("12.0"), "kPa")
    assert news2({"sbp": value}, spo2_scale=1).points == {"sbp": 3}


# -- outside cases -----------------------------------------------------------------------------------

_OUTSIDE = Path(__file__).parent.parent / "data" / "news2" / "NEWS2.v1.test.yml"
_LINE = re.compile(r"gt\d{4}\|(?P<name>[^:]+): (?P<value>.+)")
_INPUT = {
    "Respiration rate": "rr",
    "spO2": "spo2",
    "Systolic BP": "sbp",
    "Heart rate": "hr",
    "Temperature": "temp",
}
_POINTS = {
    "Respiratory rate": "rr",
    "SpO2": "spo2",
    "Systolic blood pressure": "sbp",
    "Pulse": "hr",
    "Temperature": "temp",
}


def outside_cases() -> Iterator[tuple[str, dict[str, str], dict[str, str]]]:
    """Name, what goes in, what comes out, of every case of the file."""
    for case in _OUTSIDE.read_text("utf-8").split("- id: ")[1:]:
        given, expected = case.split("expected_output:")
        yield (
            case.splitlines()[0],
            {found["name"]: found["value"] for found in _LINE.finditer(given)},
            {found["name"]: found["value"] for found in _LINE.finditer(expected)},
        )


def test_the_outside_file_has_its_nineteen_cases() -> None:
    assert len(list(outside_cases())) == 19


@pytest.mark.parametrize(
    ("given", "expected"),
    [pytest.param(*case[1:], id=case[0]) for case in outside_cases()],
)
def test_outside_cases(given: Mapping[str, str], expected: Mapping[str, str]) -> None:
    values = {key: Decimal(given[name].split(",")[0]) for name, key in _INPUT.items()}
    values["o2_flow"] = Decimal(2 if "Supplemental" in given["Supplemental oxygen"] else 0)
    values["acvpu"] = Decimal(0 if "Alert" in given["Consciousness"] else 1)
    scale = 2 if "Yes" in given["Hypercapnic respiratory failure"] else 1
    found = news2(values, spo2_scale=scale)
    assert found.total == int(expected["Total score"])
    for name, key in _POINTS.items():
        assert found.points[key] == int(expected[name].split("|")[0]), name


# -- what is missing ---------------------------------------------------------------------------------


@pytest.mark.parametrize("part", list(PARTS))
def test_without_any_one_part_there_is_no_total(part: str) -> None:
    """U-48: also without air or oxygen, which is then missing and not air."""
    values = dict(zip(WELL.split()[::2], map(Decimal, WELL.split()[1::2]), strict=True))
    del values[part]
    found = news2(values | {"hr": Decimal(95)} if part != "hr" else values, spo2_scale=1)
    assert found.total is None
    assert found.missing == (part,)
    assert found.at_least == (0 if part == "hr" else 1)


def test_scale_2_without_oxygen_counts_what_is_certain() -> None:
    """97 % scores 0 on air and 3 on oxygen: at least 0, and the oxygen is what is missing."""
    found = score("spo2 97", spo2_scale=2)
    assert (found.at_least, "o2_flow" in found.missing) == (0, True)


def test_the_words_say_the_total_the_single_three_and_what_is_missing() -> None:
    assert score_text(score(WELL)) == "NEWS2 0"
    assert score_text(score(f"{WELL} acvpu 2 rr 10")) == "NEWS2 4; 3 for consciousness"
    partial = score("rr 25 spo2 93 sbp 120 hr 70")
    assert score_text(partial) == (
        "NEWS2 incomplete, ≥ 5; 3 for respiratory rate; "
        "missing: air or oxygen, consciousness, temperature"
    )
    assert (short_text(score(WELL)), short_text(partial)) == ("0", "≥ 5")


# -- from a recorded set -----------------------------------------------------------------------------


def recorded(*values: tuple[str, str | int | NotTaken], scale: str = "UK03") -> News2 | None:
    set_id = an_id()
    together = {key: observation(key, value, 10, set_id=set_id) for key, value in values}
    return score_of(together, sedation_scale=scale, spo2_scale=1)


def test_consciousness_is_not_derived_from_another_sedation_scale() -> None:
    """U-48: a grade of UK03 is no ACVPU."""
    found = recorded(("hr", 70), ("sedation", 3))
    assert found is not None
    assert "acvpu" in found.missing


def test_where_sedation_is_scored_as_acvpu_it_is_the_consciousness() -> None:
    found = recorded(("hr", 70), ("sedation", 2), scale="ACVPU")
    assert found is not None
    assert found.points["acvpu"] == 3


def test_a_coded_reason_is_missing_and_not_0() -> None:
    found = recorded(("hr", 70), ("temp", NotTaken.REFUSED))
    assert found is not None
    assert "temp" in found.missing


def test_a_set_without_any_part_has_no_score() -> None:
    assert recorded(("pain", 3), ("sedation", 1)) is None
