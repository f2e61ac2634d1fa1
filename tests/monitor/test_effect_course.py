"""The course of a side effect: peak, end, what was done, and how long until it was treated."""

from __future__ import annotations

from datetime import UTC, timedelta

from monitor import export
from monitor.effect_course import effect_course, effect_courses, treatments
from monitor.record import InfusionSession, SideEffect
from monitor.timeline import effect_bars, numbered_events
from tests import build
from tests.build import at


def a_course() -> tuple[InfusionSession, SideEffect]:
    """Nausea 1 at minute 10, 3 at 16, 2 at 25, ended at 40; ondansetron at 18."""
    effect = build.side_effect("nausea", 1, 10, relation="probable", action="slow")
    session = build.session(
        build.rate("0.1"),
        effect,
        build.side_effect_change(effect, 16, grade=3, action="pause"),
        build.event("drug", 18, text="ondansetron 4 mg IV", linked_to=effect.id),
        build.side_effect_change(effect, 25, grade=2, action="slow"),
        build.side_effect_change(effect, 40, ended=True),
    )
    return session, effect


def test_the_peak_is_the_first_moment_of_the_worst_grade() -> None:
    (course,) = effect_courses(a_course()[0])

    assert (course.grades, course.grade) == ((1, 3, 2), 2)
    assert (course.peak_grade, course.peak_at) == (3, at(16))
    assert course.ended_at == at(40)
    assert course.actions == ("slow", "pause")


def test_without_a_change_the_onset_is_the_peak() -> None:
    session = build.session(build.side_effect("dizzy", 2, 5))

    (course,) = effect_courses(session)

    assert (course.peak_grade, course.peak_at, course.ended_at) == (2, at(5), None)


def test_a_change_of_what_was_corrected_belongs_to_its_correction() -> None:
    wrong = build.side_effect("dizzy", 1, 5)
    right = build.side_effect("vertigo", 1, 5)
    session = build.session(
        wrong,
        build.side_effect_change(wrong, 8, grade=2),
        right,
        build.amendment(wrong, 9, replacement=right),
    )

    assert effect_course(session, right).peak_grade == 2


def test_the_time_to_treatment_runs_from_the_onset() -> None:
    session, _effect = a_course()

    (course,) = effect_courses(session)
    (given,) = course.treatments

    assert given.response == timedelta(minutes=8)
    assert given.words == "for Nausea, 8 min after it began"


def test_what_was_given_before_the_onset_has_no_response_time() -> None:
    effect = build.side_effect("nausea", 1, 10)
    session = build.session(effect, build.event("drug", 4, text="ondansetron", linked_to=effect.id))

    (course,) = effect_courses(session)

    assert course.treatments[0].response is None
    assert course.treatments[0].words == "for Nausea"


def test_a_drug_given_for_an_alert_counts_from_its_onset() -> None:
    high = build.observation("sbp", 190, 12)
    alert = build.alert(build.session(high), high, text="BP high: SBP 190 ≥ 180")
    event = build.event("drug", 17, text="labetalol 5 mg IV", linked_to=alert.id)
    session = build.session(build.rate("0.1"), high, event)

    given = treatments(session, [alert])[event.id]

    assert given.response == timedelta(minutes=5)
    assert given.about == "the alert BP high"
    assert treatments(session) == {}, "without the alerts nothing is claimed"


def test_chart_and_list_say_what_was_given_for_what() -> None:
    session, _effect = a_course()

    (bar,) = effect_bars(session, at(60), UTC)
    texts = [event.text for event in numbered_events(session, UTC)]

    assert bar.detail.splitlines() == [
        "Nausea, grade 1→3→2",
        "09:10 to 09:40",
        "worst grade 3 at 09:16",
        "related to the drug: probably",
        "action: slowed",
        "action: paused",
        "given 09:18 ondansetron 4 mg IV (8 min after it began)",
    ]
    assert "Drug: ondansetron 4 mg IV, for Nausea, 8 min after it began" in texts


def test_the_export_has_the_course_of_a_side_effect() -> None:
    text = b"".join(export.side_effects_csv([a_course()[0]])).decode("utf-8-sig")

    header, row = (line.split(",") for line in text.splitlines())
    cells = dict(zip(header, row, strict=True))

    assert cells["worst_grade"] == "3"
    assert cells["onset_to_worst_min"] == "6.0"
    assert cells["lasted_min"] == "30.0"
    assert cells["relation"] == "probable"
    assert cells["actions"] == "slow;pause"
    assert (cells["treated_with"], cells["treated_after_min"]) == ("ondansetron 4 mg IV", "8.0")
