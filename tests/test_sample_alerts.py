"""Staff are told of every critical of the sample sessions, and hardly anything where nothing was."""

from __future__ import annotations

from dataclasses import replace

from tests.benchmarks.alerts import MISSED_AT_MOST, WARNINGS_AT_MOST, Sample, measure, samples


def eventful() -> list[Sample]:
    return [sample for sample in samples() if not sample.is_uneventful]


def test_an_uneventful_session_has_at_most_one_warning() -> None:
    uneventful = [sample for sample in samples() if sample.is_uneventful]
    assert "uneventful_titration" in {sample.name for sample in uneventful}
    assert len(uneventful) >= 5
    told = {sample.name: sample.told("warning") for sample in uneventful}
    assert max(told.values()) <= WARNINGS_AT_MOST, told


def test_a_critical_in_an_uneventful_session_is_a_slip_that_was_put_right() -> None:
    told = {s.name: s.told("critical") for s in samples() if s.is_uneventful and s.told("critical")}
    assert told == {"amendment_removes_breach": 1}


def test_no_critical_of_an_eventful_session_is_missed() -> None:
    assert sum(len(sample.criticals()) for sample in eventful()) >= 7
    missed = {sample.name: sample.missed() for sample in eventful() if sample.missed()}
    assert sum(map(len, missed.values())) <= MISSED_AT_MOST, missed


def test_a_critical_that_nobody_was_told_of_is_counted() -> None:
    """Otherwise the test above could not fail: once nothing was raised, once too late."""
    for sample in eventful():
        if not sample.criticals():
            continue
        silent = replace(sample.found, alerts=(), alert_events=(), views=())
        assert replace(sample, found=silent).missed() == sample.criticals()
        late = tuple(
            replace(view, cleared_at=view.onset_at) if view.cleared_at else view
            for view in sample.found.views
        )
        assert replace(sample, found=replace(sample.found, views=late)).missed(), sample.name


def test_the_figures_are_those_of_the_samples() -> None:
    figures = {figure.name: figure for figure in measure()}
    assert figures["criticals_missed"].value == 0
    assert figures["criticals_missed"].n == sum(len(sample.criticals()) for sample in eventful())
    assert 0 <= figures["warnings_uneventful"].value <= WARNINGS_AT_MOST
