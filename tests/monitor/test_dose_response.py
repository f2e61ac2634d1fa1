"""What a dose did: the values before it and 5 and 15 minutes after, and no others (F30)."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from monitor import frames
from monitor.dose_response import dose_responses, response_sentence
from monitor.record import NotTaken
from tests import build

BERLIN = ZoneInfo("Europe/Berlin")


def _column(session: object, sign: str) -> list[str]:
    table = frames.response_table(session, BERLIN)  # type: ignore[arg-type]
    (name,) = [column for column in table.columns if column.startswith(sign)]
    return list(table[name])


def test_every_step_and_bolus_has_its_values_before_and_after() -> None:
    session = build.session(
        build.rate("0.1", 0),
        build.sbp(120, 131, 142, 138, start=-5, every=5),
        build.sedation(0, 1, 2, start=-1, every=8),
        build.bolus(5, 30),
        build.sbp(150, start=35),
    )
    # At 0, 5 and 10 min: the last one before or at the dose, 5 min after; none near 15.
    assert _column(session, "SBP") == ["131 → 142 → –", "– → 150 → –"]
    assert _column(session, "Sed") == ["0 → 1 → 2", "2 → – → –"]
    table = frames.response_table(session, BERLIN)
    assert list(table["No"]) == ["1", "2"]
    assert list(table["Time"]) == ["10:00", "10:30"]
    assert table.columns[3] == "SBP (mmHg): before → 5 → 15 min"


def test_the_nearest_value_within_the_grace_counts_and_nothing_is_carried_forward() -> None:
    session = build.session(
        build.rate("0.1", 0),
        *(build.sbp(value, start=minute) for minute, value in ((2.9, 1), (7.1, 2), (18.1, 3))),
    )
    (response,) = dose_responses(session)
    assert response.signs[0].after == (None, None)
    near = session.with_facts([*build.sbp(4, start=3), *build.sbp(5, start=6)])
    (found, _later) = dose_responses(near)[0].signs[0].after
    assert found is not None
    assert found.value == 5


def test_what_was_not_taken_says_so_and_an_old_value_is_no_value_before() -> None:
    session = build.session(
        build.sbp(120, start=-16), build.rate("0.1", 0), build.sbp(NotTaken.REFUSED, start=5)
    )
    assert _column(session, "SBP") == ["– → refused → –"]
    assert _column(session, "SpO") == [""]


def test_the_details_of_a_dose_say_it_in_one_line() -> None:
    session = build.session(build.sbp(120, 131, start=-1, every=6), build.rate("0.1", 0))
    (response,) = dose_responses(session)
    assert response_sentence(response) == "Before it, then 5, 15 min after: SBP 120 → 131 → –."
    assert response_sentence(dose_responses(build.session(build.rate("0.1", 0)))[0]) == ""
