"""What is worked out step by step, from save to save, is what is worked out at once."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.actions.opening import protocol_of
from monitor.breaches import find_breaches, rules_end_at
from monitor.dose_timeline import dose_timeline
from monitor.lifecycle import status_changes
from monitor.observation_sets import observation_sets
from monitor.parameters import MINIMUM_SET
from monitor.readings import SessionReadings, baseline, session_readings
from monitor.record import (
    DoseStep,
    Fact,
    InfusionSession,
    Observation,
    SideEffect,
)
from monitor.schedule import dues
from monitor.thresholds import SIGNS, ThresholdSet, parse_threshold_set
from tests.build import (
    T0,
    amendment,
    an_id,
    at,
    bolus,
    event,
    observation,
    rate,
    seeded,
    session,
    side_effect,
    side_effect_change,
)
from tests.monitor.limits import default_set, packaged
from tests.monitor.test_breaches_properties import VALUES

PROTOCOL = protocol_of(seeded("protocol", "P02"))
DEFAULT = default_set()
#: Slots of a session: what a summary or a rule reads besides the vital signs.
TICKS = ("asleep", "distress", "unresponsive", "chest_pain", "vomited", "map", "etco2")


def _other_set() -> ThresholdSet:
    """The same rows with one other limit, and another pause between in time and late."""
    content = packaged()
    row = next(rule for rule in content["rule"] if rule["id"] == "sbp_high")
    row["warning"] |= {"fires": "value >= 120", "clears": "value < 115"}
    content["readings"]["late_after_s"] = 60
    return parse_threshold_set(content)


OTHER = _other_set()
ALL_VALUES = VALUES | {key: [0, 1] for key in TICKS[:5]} | {"map": [60, 95], "etco2": [30, 60]}


@st.composite
def saves(draw: st.DrawFn) -> list[tuple[Fact, ...]]:
    """What is saved, save by save: sets in time and late, doses, corrections, gaps.

    A few parameters only, so that they meet often: sets that contradict each other, one that comes
    after the start for before it, one that is added to.
    """
    keys = draw(st.lists(st.sampled_from(sorted(ALL_VALUES)), unique=True, min_size=1, max_size=4))
    if draw(st.integers(0, 3)) == 0:
        keys = [*MINIMUM_SET, *draw(st.sampled_from([["rr"], ["o2_flow"], []]))]
    gaps = draw(st.sampled_from([[1, 20, 60], [60, 61, 120], [20, 300, 600], [60, 600, 2400]]))
    now = -20 * 60
    first = {"taken_at": T0 - timedelta(seconds=draw(st.sampled_from([1200, 900])))}
    found: list[tuple[Fact, ...]] = [(rate("0.1", 0, recorded_at=at(-20), **first),)]
    if draw(st.booleans()):
        found = []
    held: list[Fact] = []
    for _ in range(draw(st.integers(3, 10))):
        now += draw(st.sampled_from(gaps))
        saved = {"recorded_at": T0 + timedelta(seconds=now)}
        ago = draw(st.sampled_from([0, 0, 0, 0, 0, 20, 90, 700]))
        taken = {"taken_at": T0 + timedelta(seconds=now - ago)} | saved
        kind = draw(st.sampled_from(["set"] * 8 + ["amend", "dose", "effect", "event"]))
        new = list(_SAVES[kind](draw, held, taken, keys))
        held += new
        found.append(tuple(new))
    return found


def _set(
    draw: st.DrawFn, held: list[Fact], taken: dict[str, datetime], keys: list[str]
) -> Iterator[Fact]:
    """A set, now and then one that is added to, or with one value taken a little earlier."""
    set_id = an_id()
    seen = [item.set_id for item in held if isinstance(item, Observation)]
    if seen and draw(st.integers(0, 9)) == 0:
        set_id = draw(st.sampled_from(seen))
    for key in keys:
        value = draw(st.sampled_from([*ALL_VALUES[key], None]))
        own = dict(taken)
        if draw(st.integers(0, 9)) == 0:
            own["taken_at"] -= timedelta(seconds=30)
        if value is not None:
            yield observation(key, value, set_id=set_id, **own)


def _amend(
    draw: st.DrawFn, held: list[Fact], taken: dict[str, datetime], _keys: list[str]
) -> Iterator[Fact]:
    """Something struck out, or a value put right at its own time."""
    wrong = [item for item in held if isinstance(item, Observation | DoseStep | SideEffect)]
    if not wrong:
        return
    target, put = draw(st.sampled_from(wrong)), None
    if isinstance(target, Observation) and draw(st.booleans()):
        put = observation(
            target.parameter,
            draw(st.sampled_from(ALL_VALUES[target.parameter])),
            set_id=target.set_id,
            taken_at=target.taken_at,
            recorded_at=taken["recorded_at"],
        )
        yield put
    yield amendment(target, 0, put, **(taken | {"taken_at": taken["recorded_at"]}))


def _dose(
    draw: st.DrawFn, _held: list[Fact], taken: dict[str, datetime], _keys: list[str]
) -> Iterator[Fact]:
    yield draw(st.sampled_from([rate("0.1", 0, **taken), bolus(20, 0, **taken)]))


def _effect(
    draw: st.DrawFn, held: list[Fact], taken: dict[str, datetime], _keys: list[str]
) -> Iterator[Fact]:
    effects = [item for item in held if isinstance(item, SideEffect)]
    if effects and draw(st.booleans()):
        yield side_effect_change(draw(st.sampled_from(effects)), 0, grade=3, **taken)
    else:
        term = draw(st.sampled_from(["vomiting", "dizzy", "seizure"]))
        yield side_effect(term, draw(st.integers(1, 3)), 0, **taken)


def _event(
    draw: st.DrawFn, _held: list[Fact], taken: dict[str, datetime], _keys: list[str]
) -> Iterator[Fact]:
    yield event(draw(st.sampled_from(["vomited", "discharged"])), 0, **taken)


_SAVES: dict[str, Callable[..., Iterator[Fact]]] = {
    "set": _set,
    "amend": _amend,
    "dose": _dose,
    "effect": _effect,
    "event": _event,
}


def anew(grown: InfusionSession) -> InfusionSession:
    """The same facts in an object of its own, which has nothing worked out yet."""
    fresh = replace(grown)
    assert not vars(fresh).keys() - {item.name for item in fields(fresh)}
    return fresh


def streams(readings: SessionReadings) -> dict[str, list[Any]]:
    return {
        sign: [
            (item.at, item.known_at, item.set_id, item.value, item.measures, item.facts)
            for item in readings.of(sign)
        ]
        for sign in SIGNS
        if sign != "side_effect"
    }


@settings(max_examples=120, deadline=None)
@given(saves(), st.data())
def test_step_by_step_is_the_same_as_at_once(
    given_: list[tuple[Fact, ...]], data: st.DataObject
) -> None:
    """Also when nobody looked in between, and when another threshold set was asked too."""
    grown = session()
    tables = st.sampled_from([DEFAULT, DEFAULT, OTHER])
    late_s = st.sampled_from([0, 0, 0, 150, -90])
    for number, facts in enumerate(given_):
        grown = grown.with_facts(facts)
        if data.draw(st.integers(0, 5)) == 0 and number + 1 < len(given_):
            continue
        now = max((fact.recorded_at for fact in grown.facts()), default=T0)
        table = data.draw(tables)
        # Now, as the next tick has it, or a look back as a replay takes it.
        moment = now + timedelta(seconds=data.draw(late_s))
        at_once = anew(grown)
        assert find_breaches(grown, table, moment, protocol=PROTOCOL) == find_breaches(
            anew(grown), table, moment, protocol=PROTOCOL
        )
        rules = PROTOCOL.schedule_profile.rules
        assert observation_sets(grown, rules, moment) == observation_sets(
            anew(grown), rules, moment
        )
        for window in (timedelta(0), table.newest_within):
            continued = session_readings(grown, window)
            fresh = session_readings(at_once, window)
            assert streams(continued) == streams(fresh)
            assert continued.baseline == fresh.baseline
            for sign in SIGNS.keys() - {"side_effect"}:
                assert continued.extremes(sign) == fresh.extremes(sign)
        assert baseline(grown) == baseline(at_once)
        assert grown.started_at == at_once.started_at
        assert grown.amended_ids == at_once.amended_ids
        assert grown.known_at(now) is grown
        assert dose_timeline(grown) == dose_timeline(at_once)
        assert rules_end_at(grown) == rules_end_at(at_once)
        for asked_at in (moment, T0 + timedelta(minutes=5)):
            assert status_changes(grown, asked_at) == status_changes(anew(grown), asked_at)
            assert dues(grown, PROTOCOL, (), asked_at) == dues(anew(grown), PROTOCOL, (), asked_at)


def test_a_later_set_goes_on_from_the_streams_there_are() -> None:
    """Otherwise the test above would compare two things that are both made anew."""
    before = session(rate("0.1", 0), observation("sbp", 172, 10))
    find_breaches(before, DEFAULT, at(10))
    after = before.with_facts([observation("sbp", 174, 15)])
    window = DEFAULT.newest_within
    earlier = session_readings(before, window).of("sbp")
    assert session_readings(after, window).of("sbp")[: len(earlier)] == earlier
    late = after.with_facts([observation("sbp", 120, 12, recorded=16)])
    assert session_readings(late, window).of("sbp")[0] is not earlier[0]


def test_a_session_does_not_hold_on_to_those_it_grew_from() -> None:
    current = session(rate("0.1", 0))
    first = weakref.ref(current)
    for minute in range(1, 6):
        find_breaches(current, DEFAULT, at(minute))
        if minute % 2:
            baseline(current)
            session_readings(current, timedelta(0)).of("sbp")
        current = current.with_facts([observation("sbp", 172, minute)])
    find_breaches(current, DEFAULT, at(9))
    gc.collect()
    assert first() is None


def test_two_that_grew_from_one_do_not_see_each_other() -> None:
    """A save that was refused leaves nothing behind for the one that is made next."""
    common = session(rate("0.1", 0), observation("sbp", 172, 10))
    find_breaches(common, DEFAULT, at(10))
    refused = common.with_facts([observation("sbp", 190, 12)])
    find_breaches(refused, DEFAULT, at(12))
    saved = common.with_facts([observation("sbp", 120, 12)])
    assert find_breaches(saved, DEFAULT, at(12)) == find_breaches(anew(saved), DEFAULT, at(12))
    assert find_breaches(common, DEFAULT, at(12)) == find_breaches(anew(common), DEFAULT, at(12))


def test_a_set_of_the_same_moment_may_change_what_was_read_before() -> None:
    """A flow holds from its own moment on, also for a saturation that was saved first."""
    grown = session(rate("0.1", 0), observation("spo2", 89, 10))
    find_breaches(grown, DEFAULT, at(10))
    grown = grown.with_facts([observation("o2_flow", 4, 10, recorded=11)])
    continued = session_readings(grown, DEFAULT.newest_within)
    assert streams(continued) == streams(session_readings(anew(grown), DEFAULT.newest_within))
    assert continued.of("spo2")[0].measures["o2_flow"] == 4


def test_a_set_entered_for_before_the_start_makes_the_baseline_anew() -> None:
    """No set stands between it and the start, so it is later than everything before it."""
    grown = session(observation("hr", 70, -10), rate("0.1", 0))
    assert "sbp" not in session_readings(grown, DEFAULT.newest_within).baseline
    grown = grown.with_facts([observation("sbp", 120, -5, recorded=1)])
    assert session_readings(grown, DEFAULT.newest_within).baseline["sbp"] == 120


def _grown_and_judged(facts: list[Fact], minutes: list[float]) -> None:
    """Saved one by one and looked at each time; each look is as if it were the first."""
    grown = session()
    for fact, minute in zip(facts, minutes, strict=True):
        grown = grown.with_facts([fact])
        for table in (DEFAULT, OTHER):
            found = find_breaches(grown, table, at(minute))
            assert found == find_breaches(anew(grown), table, at(minute)), (fact, table.label)


def test_a_worse_value_of_the_same_minute_takes_back_what_one_inside_refuted() -> None:
    minutes = [0, 10, 11.5, 12, 14]
    values = zip([172, 120, 178, 176], minutes[1:], strict=True)
    pressures: list[Fact] = [observation("sbp", value, minute) for value, minute in values]
    _grown_and_judged([rate("0.1", 0), *pressures], minutes)


def test_each_table_is_judged_by_its_own_limits() -> None:
    minutes = [0, 10, 13, 16]
    pressures: list[Fact] = [observation("sbp", 130, minute) for minute in minutes[1:]]
    _grown_and_judged([rate("0.1", 0), *pressures], minutes)


def test_a_start_entered_later_changes_what_a_tick_before_it_says() -> None:
    grown = session(observation("distress", 1, 1))
    find_breaches(grown, DEFAULT, at(1))
    grown = grown.with_facts([rate("0.1", 0, recorded=2)])
    continued = session_readings(grown, DEFAULT.newest_within)
    assert streams(continued) == streams(session_readings(anew(grown), DEFAULT.newest_within))
    assert continued.of("dissociation")[0].measures["last_distress"] == 1


def test_vomiting_between_two_scores_is_read_in_its_place() -> None:
    facts = [
        rate("0.1", 0),
        observation("nausea", 3, 5),
        observation("nausea", 0, 10),
        event("vomited", 7, recorded=12),
        observation("nausea", 0, 40),
    ]
    _grown_and_judged(facts, [0, 5, 10, 12, 40])


def test_two_threads_that_build_one_stream_at_once_build_the_same() -> None:
    """The second begins before the first has put its stream there, and ends after it."""
    ticks = [None, 1, 0, 1]
    first = session(rate("0.1", -30))
    for number, tick in enumerate(ticks):
        first = first.with_facts(_dissociation(2 + number, number * 5, distress=tick))
    readings = session_readings(first, DEFAULT.newest_within)
    for sign in SIGNS:
        if sign == "side_effect":
            continue
        once = [item.measures for item in readings.of(sign)]
        again = [item.measures for item in readings._read_sets(sign)]
        assert again == once[: len(again)], sign
    grown = first.with_facts(_dissociation(1, 25, distress=0))
    breaches = find_breaches(grown, DEFAULT, at(26), protocol=PROTOCOL)
    assert breaches == find_breaches(anew(grown), DEFAULT, at(26), protocol=PROTOCOL)


def _dissociation(score: int, minute: int, *, distress: int | None) -> list[Observation]:
    set_id = an_id()
    found = [observation("dissociation", score, minute, set_id=set_id)]
    if distress is not None:
        found.append(observation("distress", distress, minute, set_id=set_id))
    return found
