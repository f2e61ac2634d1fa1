"""Every folder in sample_sessions/ shows exactly what its expected.toml says, in its words."""

from __future__ import annotations

import shutil
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest

from monitor.breaches import find_breaches
from monitor.expected import Findings, differences, end_of_record, findings
from monitor.folders import SessionFolder, read_folder
from monitor.lifecycle import SessionStatus, status
from monitor.parameters import PARAMETERS
from monitor.user_admin import DEMO_ACCOUNTS

SAMPLES = Path(__file__).resolve().parent.parent / "sample_sessions"
FOLDERS = sorted(path for path in SAMPLES.iterdir() if path.is_dir())
NAMES = [path.name for path in FOLDERS]


@cache
def folder(name: str) -> SessionFolder:
    return read_folder(SAMPLES / name)


@cache
def found(name: str) -> Findings:
    return findings(folder(name))


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_shows_exactly_what_it_says(name: str) -> None:
    assert differences(folder(name).expected, found(name)) == ()


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_says_it_in_clinical_words(name: str) -> None:
    summary = folder(name).expected["summary"]
    assert len(summary) >= 2
    assert all(sentence.endswith(".") for sentence in summary)


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_is_clearly_synthetic(name: str) -> None:
    read = folder(name)
    assert read.synthetic
    assert read.session.patient.mrn.startswith("SYN-")
    assert "invented" in (SAMPLES / name / "session.toml").read_text("utf-8").splitlines()[0]


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_is_a_session_from_arrival_to_the_end(name: str) -> None:
    session = folder(name).session
    assert status(session, end_of_record(session)) is SessionStatus.COMPLETED


@pytest.mark.parametrize("name", NAMES)
def test_the_people_of_a_sample_have_accounts_in_the_demo(name: str) -> None:
    accounts = {row[0] for row in DEMO_ACCOUNTS}
    read = folder(name)
    people = {fact.recorded_by for fact in read.session.facts()} | {a.by for a in read.answers}
    people |= {step.ordered_by for step in read.session.dose_steps if step.ordered_by}
    people |= {step.second_person for step in read.session.dose_steps if step.second_person}
    assert people <= accounts


@pytest.mark.parametrize("name", NAMES)
def test_the_values_of_a_sample_are_plausible(name: str) -> None:
    for seen in folder(name).session.observations:
        parameter = PARAMETERS[seen.parameter]
        if seen.value is None or parameter.soft_below is None:
            continue
        assert seen.value >= parameter.soft_below
        assert parameter.soft_above is None or seen.value <= parameter.soft_above


@pytest.mark.parametrize("name", NAMES)
def test_entries_were_saved_soon_after_they_were_taken_unless_that_is_the_story(name: str) -> None:
    late = [
        seen
        for seen in folder(name).session.current_observations
        if not timedelta(0) <= seen.recorded_at - seen.taken_at <= timedelta(minutes=2)
    ]
    assert bool(late) == (name == "high_pressure_entered_from_paper")


def test_there_are_at_least_twelve_and_all_the_stories_that_matter() -> None:
    assert len(NAMES) >= 12
    assert {
        "uneventful_titration",
        "hypertension_confirmed_by_repeat",
        "single_high_reading_not_confirmed",
        "desaturation_at_second_step",
        "bradycardia_with_low_baseline",
        "deep_sedation_and_stop",
        "nausea_with_vomiting_treated",
        "severe_dissociation_with_distress",
        "late_and_missed_sets",
        "amendment_removes_breach",
        "pause_with_syringe_change",
        "unrecordable_values",
        "four_hours_over_midnight_and_clock_change",
    } <= set(NAMES)


def test_no_two_samples_are_of_the_same_patient() -> None:
    assert len({folder(name).session.patient.id for name in NAMES}) == len(NAMES)


# -- the comparison itself must be able to fail -----------------------------------------------------


def changed(tmp_path: Path, name: str, file: str, old: str, new: str) -> tuple[str, ...]:
    """The differences after one edit of one file."""
    path = Path(shutil.copytree(SAMPLES / name, tmp_path / name))
    text = (path / file).read_text("utf-8")
    assert old in text
    (path / file).write_text(text.replace(old, new, 1), "utf-8")
    # Answers speak of alerts that the edit may have taken away.
    (path / "answers.csv").unlink(missing_ok=True)
    read = read_folder(path)
    return differences(read.expected, findings(read))


def test_a_repeat_that_is_inside_no_longer_confirms(tmp_path: Path) -> None:
    told = changed(tmp_path, "hypertension_confirmed_by_repeat", "observations.csv", "168", "158")
    assert any(line.startswith("breach found but not expected: rule sbp_high") for line in told)
    assert any(line.startswith("breach expected but not found: rule sbp_high") for line in told)


def test_one_point_decides_whether_a_limit_fires(tmp_path: Path) -> None:
    told = changed(tmp_path, "single_high_reading_not_confirmed", "observations.csv", "162", "159")
    assert [line.split(":")[0] for line in told] == [
        "breach expected but not found",
        "alert expected but not found",
    ]


def test_another_dose_is_told_with_both_numbers(tmp_path: Path) -> None:
    told = changed(
        tmp_path, "uneventful_titration", "expected.toml", 'total_mg = "16.7"', 'total_mg = "16.8"'
    )
    assert told == ("doses: total_mg is 16.72, expected 16.8",)


def test_a_missed_set_that_was_not_expected_is_told(tmp_path: Path) -> None:
    told = changed(
        tmp_path, "late_and_missed_sets", "expected.toml", "\nmissed = 1", "\nmissed = 0"
    )
    assert told == ("schedule: missed is 1, expected 0",)


def test_a_folder_that_expects_nothing_is_not_taken_for_a_quiet_one() -> None:
    assert differences({}, found("uneventful_titration")) == ("expected.toml is missing or empty",)


def test_a_section_with_a_slip_in_its_name_is_told() -> None:
    expected = dict(folder("uneventful_titration").expected) | {"breaches": []}
    assert differences(expected, found("uneventful_titration")) == (
        "expected.toml: [breaches] is not understood",
    )


# -- what the clock of the wall does must not matter -------------------------------------------------


def test_the_four_hours_last_four_hours_whatever_the_wall_clock_shows() -> None:
    session = folder("four_hours_over_midnight_and_clock_change").session
    assert session.started_at is not None
    stop = session.dose_steps[-1].taken_at
    assert stop - session.started_at == timedelta(hours=4)
    text = (SAMPLES / "four_hours_over_midnight_and_clock_change" / "observations.csv").read_text()
    assert "2026-10-25T01:55:00+01:00" in text
    assert "2026-10-25T01:25:00+00:00" in text


@pytest.mark.parametrize("name", NAMES)
def test_the_breaches_of_a_finished_record_do_not_change_any_more(name: str) -> None:
    read, result = folder(name), found(name)
    a_month_later = result.as_of + timedelta(days=30)
    again = find_breaches(read.session, read.threshold_set, a_month_later, protocol=read.protocol)
    assert again == result.breaches
