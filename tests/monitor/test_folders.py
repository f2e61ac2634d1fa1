"""Session folders: what is read is what was written, and a broken folder is refused as a whole."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.errors import ImportRefused
from monitor.folders import FILES, AlertAnswer, format_tables, read_folder, write_folder
from monitor.ids import derived_id
from monitor.parameters import PARAMETERS
from monitor.patient_dose_limits import PATIENT_LIMITS
from monitor.protocols import seed_versions
from monitor.record import (
    Amendment,
    Answer,
    Bolus,
    DoseStep,
    DoseStepKind,
    DoseUnit,
    DosingWeight,
    DrugMovement,
    Fact,
    GateAnswer,
    InfusionSession,
    MovementKind,
    NotTaken,
    Observation,
    PatientDoseLimit,
    SessionEvent,
    SideEffect,
    SideEffectChange,
    Source,
    SyringeChange,
    WeightBasis,
)
from monitor.scales import SCALES
from tests import build

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "sample_sessions"
SAMPLE = SAMPLES / "uneventful_titration"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A sound folder to be broken in one place."""
    return Path(shutil.copytree(SAMPLE, tmp_path / SAMPLE.name))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def add(path: Path, line: str) -> int:
    """Append a line; the number it has."""
    text = path.read_text("utf-8") + line + "\n"
    path.write_text(text, "utf-8")
    return text.count("\n")


def refusal(folder: Path) -> str:
    with pytest.raises(ImportRefused) as refused:
        read_folder(folder)
    return "\n".join(refused.value.problems)


# -- writing and reading back ----------------------------------------------------------------------

#: Any text a person may type: no lone surrogates (not UTF-8) and no NUL (not text for a database).
TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12
) | st.sampled_from(["=1+1", "'quoted'", "-", "", "'", 'a,b\r\n"c"', "\t", "@x", "+", "''="])
MAYBE_TEXT = st.none() | TEXT
NAMES = st.sampled_from(["blum", "m.ortiz", "d.roth"])
PLAIN = st.decimals("0.1", "50", places=3, allow_nan=False)


@st.composite
def commons(draw: st.DrawFn) -> dict[str, Any]:
    taken_at = build.T0 + timedelta(seconds=draw(st.integers(-3600, 20_000)))
    return {
        "id": build.an_id(),
        "taken_at": taken_at,
        "recorded_at": taken_at + timedelta(microseconds=draw(st.integers(0, 10**10))),
        "recorded_by": draw(NAMES),
        "source": draw(st.sampled_from(Source)),
    }


@st.composite
def observations(draw: st.DrawFn) -> Observation:
    parameter = PARAMETERS[draw(st.sampled_from(sorted(set(PARAMETERS) - {"sedation"})))]
    values: dict[str, Any] = {"set_id": build.an_id(), "note": draw(MAYBE_TEXT)}
    if draw(st.booleans()):
        values["not_taken"] = draw(st.sampled_from(parameter.reasons))
    else:
        assert parameter.hard_below is not None
        assert parameter.hard_above is not None
        step = parameter.step or Decimal(1).scaleb(-parameter.decimals)
        low, high = int(parameter.hard_below / step), int(parameter.hard_above / step)
        values["value"] = draw(st.integers(low, high)) * step
        if draw(st.booleans()):
            values["entered_value"] = values["value"]
            values["entered_unit"] = parameter.unit
    return Observation(parameter=parameter.key, **values, **draw(commons()))


@st.composite
def sedations(draw: st.DrawFn) -> Observation:
    code = draw(st.sampled_from([answer.code for answer in SCALES["UK03"].codes]))
    return Observation(
        set_id=build.an_id(), parameter="sedation", value=Decimal(code), **draw(commons())
    )


@st.composite
def doses(draw: st.DrawFn) -> Fact:
    common = draw(commons())
    people = {name: draw(MAYBE_TEXT) for name in ("reason", "ordered_by", "second_person")}
    overrides = tuple(draw(st.lists(st.sampled_from(["rate.soft", "step.soft"]), max_size=2)))
    value = draw(PLAIN)
    kind = draw(st.sampled_from(["rate", "hold", "bolus", "syringe", "weight"]))
    if kind == "rate":
        return DoseStep(
            kind=draw(st.sampled_from([DoseStepKind.RATE, DoseStepKind.RESUME])),
            rate_mg_per_h=value * 70,
            entered_value=value,
            entered_unit=DoseUnit.MG_PER_KG_PER_H,
            overrides=overrides,
            **people,
            **common,
        )
    if kind == "hold":
        return DoseStep(
            kind=draw(st.sampled_from([DoseStepKind.HOLD, DoseStepKind.STOP])),
            rate_mg_per_h=Decimal(0),
            entered_value=Decimal(0),
            entered_unit=DoseUnit.ML_PER_H,
            **people,
            **common,
        )
    if kind == "bolus":
        return Bolus(
            amount_mg=value,
            over_s=draw(st.integers(0, 1800)),
            entered_value=value,
            entered_unit=DoseUnit.MG,
            fully_given=draw(st.booleans()),
            overrides=overrides,
            **people,
            **common,
        )
    if kind == "syringe":
        return SyringeChange(
            concentration_mg_per_ml=value,
            batch=draw(MAYBE_TEXT),
            second_person=people["second_person"],
            **common,
        )
    return DosingWeight(
        weight_kg=draw(st.decimals("25", "350", places=1)),
        basis=draw(st.sampled_from(WeightBasis)),
        measured=draw(st.booleans()),
        measured_on=draw(st.none() | st.dates(date(2020, 1, 1), date(2030, 1, 1))),
        height_cm=draw(st.none() | PLAIN),
        reason=people["reason"],
        typed=draw(st.sampled_from([None, "160 lb"])),
        **common,
    )


@st.composite
def others(draw: st.DrawFn) -> Fact:
    common = draw(commons())
    note = draw(MAYBE_TEXT)
    kind = draw(st.sampled_from(["effect", "none", "event", "gate", "ledger", "limit"]))
    if kind == "event":
        return SessionEvent(kind=draw(TEXT), text=note, **common)
    if kind == "limit":
        return PatientDoseLimit(
            quantity=draw(st.sampled_from(sorted(PATIENT_LIMITS))),
            value=draw(PLAIN.filter(bool)),
            approved_by=draw(TEXT.filter(bool)),
            reason=draw(TEXT.filter(bool)),
            **common,
        )
    if kind == "ledger":
        movement = draw(st.sampled_from(MovementKind))
        return DrugMovement(
            kind=movement,
            amount_mg=draw(PLAIN) * (-1 if movement is MovementKind.UNACCOUNTED else 1),
            ampoules=draw(st.none() | st.integers(1, 50)),
            batch=draw(MAYBE_TEXT),
            expires_on=draw(st.none() | st.dates()),
            witness=draw(MAYBE_TEXT),
            reason=note,
            **common,
        )
    if kind == "gate":
        return GateAnswer(
            question=draw(TEXT.filter(bool)),
            answer=draw(st.sampled_from(Answer)),
            override_reason=note,
            override_by=draw(MAYBE_TEXT),
            second_person=draw(MAYBE_TEXT),
            note=draw(MAYBE_TEXT),
            **common,
        )
    return SideEffect(
        term="none" if kind == "none" else "nausea",
        grade=0 if kind == "none" else draw(st.integers(1, 5)),
        relation=draw(MAYBE_TEXT),
        action=draw(MAYBE_TEXT),
        serious=draw(st.booleans()),
        note=note,
        **common,
    )


@st.composite
def sessions(draw: st.DrawFn) -> InfusionSession:
    """Any session the record can hold, with corrections and links between its facts."""
    facts: list[Fact] = [build.weight(70)]
    facts += draw(st.lists(observations() | sedations() | doses() | others(), max_size=12))
    effects = [fact for fact in facts if isinstance(fact, SideEffect)]
    for effect in effects:
        facts.append(
            SideEffectChange(
                side_effect_id=effect.id,
                grade=draw(st.none() | st.integers(1, 5)),
                ended=draw(st.booleans()),
                action=draw(MAYBE_TEXT),
                note=draw(MAYBE_TEXT),
                **draw(commons()),
            )
        )
    for fact in draw(st.lists(st.sampled_from(facts), max_size=2, unique=True)):
        replacement = draw(st.sampled_from([None, *facts]))
        facts.append(
            Amendment(
                amends=fact.id,
                replacement=replacement.id if replacement else None,
                reason=draw(TEXT.filter(bool)),
                **draw(commons()),
            )
        )
        facts.append(SessionEvent(kind="note", linked_to=fact.id, **draw(commons())))
    patient = build.patient(family_name=draw(TEXT), allergies=draw(TEXT))
    course = draw(st.none() | st.integers(1, 12))
    return build.session(
        *facts,
        weight_kg=None,
        patient=patient,
        chair=draw(TEXT),
        course_id=None if course is None else build.an_id(),
        series_number=course,
        infusion_number=course,
    )


@st.composite
def answered_sessions(draw: st.DrawFn) -> tuple[InfusionSession, tuple[AlertAnswer, ...]]:
    """A session with answers, some of them given after its last fact, some naming their alert."""
    session = draw(sessions())
    fact_ids = [fact.id for fact in session.facts()]
    answers = []
    for seconds in draw(st.lists(st.integers(-3600, 90_000), max_size=4, unique=True)):
        at = build.T0 + timedelta(seconds=seconds)
        answers.append(
            AlertAnswer(
                at=at,
                recorded_at=at + timedelta(microseconds=draw(st.integers(0, 999_999))),
                by=draw(NAMES),
                group=draw(st.sampled_from(["spo2", "nausea"])),
                action=draw(MAYBE_TEXT),
                text=draw(MAYBE_TEXT),
                trigger_id=draw(st.none() | st.sampled_from(fact_ids)),
            )
        )
    return session, tuple(sorted(answers, key=lambda answer: answer.at))


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(answered=answered_sessions())
def test_a_session_written_and_read_back_is_equal(
    tmp_path_factory: pytest.TempPathFactory,
    answered: tuple[InfusionSession, tuple[AlertAnswer, ...]],
) -> None:
    session, answers = answered
    path = tmp_path_factory.mktemp("folder") / "session"
    write_folder(session, path, answers=answers)
    read = read_folder(path)
    assert read.session == session
    assert read.answers == answers


def test_the_property_above_draws_every_kind_of_fact() -> None:
    from monitor.record import FACT_FIELDS

    drawn = {Observation, DoseStep, Bolus, SyringeChange, DosingWeight, SideEffect}
    drawn |= {SideEffectChange, SessionEvent, GateAnswer, DrugMovement, Amendment}
    drawn.add(PatientDoseLimit)
    assert drawn == set(FACT_FIELDS)


@pytest.mark.parametrize("path", sorted(SAMPLES.iterdir()), ids=lambda path: path.name)
def test_every_sample_reads_the_same_after_a_round_trip(path: Path, tmp_path: Path) -> None:
    first = read_folder(path)
    write_folder(first.session, tmp_path / "copy", answers=first.answers, title=first.title)
    second = read_folder(tmp_path / "copy")
    assert second.session == first.session
    assert second.answers == first.answers
    assert second.title == first.title
    assert second.protocol_version == first.protocol_version
    assert second.threshold_version == first.threshold_version


def test_reading_twice_gives_the_same_ids() -> None:
    assert read_folder(SAMPLE).session == read_folder(SAMPLE).session


def test_an_exported_folder_needs_no_packaged_versions(tmp_path: Path) -> None:
    first = read_folder(SAMPLE)
    write_folder(first.session, tmp_path / "copy")
    assert read_folder(tmp_path / "copy", versions=()).session == first.session


def test_a_folder_that_is_not_empty_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(ImportRefused, match="not empty"):
        write_folder(read_folder(SAMPLE).session, tmp_path)
    assert [item.name for item in tmp_path.iterdir()] == ["mine.txt"]


def test_formulas_are_guarded_in_the_file_and_not_in_the_session(tmp_path: Path) -> None:
    session = build.session(build.event("note", text='=HYPERLINK("http://x","y")'))
    write_folder(session, tmp_path / "x")
    assert "'=HYPERLINK" in (tmp_path / "x" / "events.csv").read_text("utf-8")
    assert read_folder(tmp_path / "x").session == session


# -- three things that are different ----------------------------------------------------------------


def test_zero_not_taken_and_nothing_stay_three_things(folder: Path) -> None:
    head = "2026-09-07T10:30:00+01:00,2026-09-07T10:30:20+01:00,keyed"
    edit(folder / "observations.csv", "value,unit", "value,unit,not_taken")
    text = (folder / "observations.csv").read_text("utf-8").splitlines()
    lines = [text[0], *(f"{line}," for line in text[1:])]
    lines += [f"{head},nausea,0,,", f"{head},pain,,,refused"]
    (folder / "observations.csv").write_text("\n".join(lines) + "\n")
    at = datetime(2026, 9, 7, 9, 30, tzinfo=UTC)
    taken = {
        item.parameter: item
        for item in read_folder(folder).session.observations
        if item.taken_at == at
    }
    assert taken["nausea"].value == 0
    assert taken["pain"].value is None
    assert taken["pain"].not_taken is NotTaken.REFUSED
    assert "dissociation" not in taken


def test_a_value_in_another_unit_is_kept_as_typed_and_converted(folder: Path) -> None:
    add(
        folder / "observations.csv",
        "2026-09-07T10:30:00+01:00,2026-09-07T10:30:20+01:00,keyed,temp,100.4,[degF]",
    )
    found = [o for o in read_folder(folder).session.observations if o.parameter == "temp"]
    assert found[0].value == 38
    assert (found[0].entered_value, found[0].entered_unit) == (Decimal("100.4"), "[degF]")


def test_rows_of_one_moment_are_one_set() -> None:
    session = read_folder(SAMPLE).session
    sets = {item.set_id: item.taken_at for item in session.observations}
    assert len(sets) == len(set(sets.values())) == 15


def test_a_correction_replaces_the_value_and_keeps_the_slip() -> None:
    session = read_folder(SAMPLES / "amendment_removes_breach").session
    (amendment,) = session.amendments
    wrong, right = session.fact(amendment.amends), session.fact(amendment.replacement)  # type: ignore[arg-type]
    assert isinstance(wrong, Observation)
    assert isinstance(right, Observation)
    assert (wrong.value, right.value) == (186, 126)
    assert wrong in session.observations
    assert wrong not in session.current_observations
    assert amendment.taken_at == right.recorded_at


def test_a_row_that_amends_without_a_value_strikes_out(folder: Path) -> None:
    path = folder / "observations.csv"
    edit(path, "taken_at,", "id,taken_at,")
    lines = path.read_text("utf-8").splitlines()
    body = [f"{'first' if n == 0 else ''},{line},," for n, line in enumerate(lines[1:])]
    strike = ",2026-09-07T09:18:00+01:00,2026-09-07T09:20:00+01:00,keyed,hr,,,first,wrong patient"
    path.write_text("\n".join([f"{lines[0]},amends,reason", *body, strike]) + "\n")
    session = read_folder(folder).session
    (amendment,) = session.amendments
    assert amendment.replacement is None
    assert amendment.reason == "wrong patient"
    assert len(session.observations) - len(session.current_observations) == 1


# -- refusing -------------------------------------------------------------------------------------

OBS = "2026-09-07T10:30:00+01:00,2026-09-07T10:30:20+01:00,keyed,"


@pytest.mark.parametrize(
    ("line", "column", "words"),
    [
        (OBS + "hr,12O,/min", "value", '"12O" is not a number'),
        (OBS + "hr,1e2,/min", "value", "not a number"),
        (OBS + 'hr,"72,5",/min', "value", "not a number"),
        (OBS + "hr,,/min", "value", "exactly one of value and not_taken"),
        (OBS + "hr,400,/min", "value", "not plausible"),
        (OBS + "spo2,101,%", "value", "not plausible"),
        (OBS + "heart,72,/min", "parameter", '"heart" is not known'),
        (OBS + "hr,72,mm[Hg]", "unit", "not recorded in"),
        (OBS + "sedation,5,", "value", "Choose one of: 0, S, 1, 2, 3"),
        (OBS + "nausea,1.5,", "value", "Choose one of: 0, 1, 2, 3"),
        (OBS + "dissociation,3.7,", "value", "has no 3.7"),
        (OBS + "distress,0.5,", "value", "has no 0.5"),
        (OBS + "hr,72.5,/min", "value", "is a whole number, not 72.5"),
        (OBS + "temp,36.55,Cel", "value", "has one decimal place, not 36.55"),
        (OBS + "o2_flow,2.3,L/min", "value", "is read in steps of 0.5, not 2.3"),
        ("2026-09-07T10:30:00,2026-09-07T10:30:20+01:00,keyed,hr,72,/min", "taken_at", "no offset"),
        ("soon,2026-09-07T10:30:20+01:00,keyed,hr,72,/min", "taken_at", "not a date and time"),
        (",2026-09-07T10:30:20+01:00,keyed,hr,72,/min", "taken_at", "is empty"),
        (
            "2026-09-07T10:33:00+01:00,2026-09-07T10:30:20+01:00,keyed,hr,72,/min",
            "taken_at",
            "lies after recorded_at",
        ),
        ("2026-09-07T10:30:00+01:00,2026-09-07T10:30:20+01:00,fax,hr,72,/min", "source", "fax"),
        (OBS + "hr,72", "row", "has 5 cells, the header has 6"),
    ],
)
def test_a_fault_is_named_with_file_line_column_and_reason(
    folder: Path, line: str, column: str, words: str
) -> None:
    number = add(folder / "observations.csv", line)
    told = refusal(folder)
    assert told.startswith(f"observations.csv:{number}:{column}: ")
    assert words in told
    assert "\n" not in told


def test_every_fault_of_every_file_is_named_at_once(folder: Path) -> None:
    edit(folder / "session.toml", 'drug_form = "R"', 'drug_form = "X"')
    first = add(folder / "observations.csv", OBS + "hr,x,/min")
    second = add(folder / "observations.csv", OBS + "sbp,y,/min")
    third = add(folder / "doses.csv", OBS + "rate,z,mg/kg/h,,")
    told = refusal(folder)
    # A header that cannot be read stops the rest: its scales and units decide what rows mean.
    assert told.startswith("session.toml:10:drug_form: ")
    edit(folder / "session.toml", 'drug_form = "X"', 'drug_form = "R"')
    places = [line.rsplit(": ", 1)[0].split(": ")[0] for line in refusal(folder).splitlines()]
    assert places == [
        f"observations.csv:{first}:value",
        f"observations.csv:{second}:value",
        f"doses.csv:{third}:value",
    ]


@pytest.mark.parametrize(
    ("old", "new", "place", "words"),
    [
        ("spo2_scale = 1", "spo2_scale = 3", "spo2_scale", "must be 1 or 2"),
        ('protocol = "P02"', 'protocol = "P99"', "protocol", "not known here"),
        ('protocol = "P02"', 'protocol = "P05"', "protocol", "no session ran under it"),
        ('mrn = "SYN-0001"', "", "patient.mrn", "is missing"),
        ('born_on = "1968-05-04"', 'born_on = "4 May 1968"', "patient.born_on", "4 May"),
        ('chair = "1"', "chair = 1", "chair", "must be text"),
        ('chair = "1"', 'chair = "1"\nchiar = "2"', "chiar", "is not a key"),
        ('concentration_mg_per_ml = "2"', 'concentration_mg_per_ml = "0"', "conc", "above 0"),
        ('clinic = "demo"', "clinic = demo", "10", "is not TOML"),
    ],
)
def test_a_fault_of_the_header_is_named_with_its_line(
    folder: Path, old: str, new: str, place: str, words: str
) -> None:
    edit(folder / "session.toml", old, new)
    told = refusal(folder)
    assert told.startswith("session.toml:")
    assert f":{place}" in told
    assert words in told


@pytest.mark.parametrize("key", ["clinic", "mrn", "sedation_scale", "created_by"])
def test_a_name_in_the_header_is_never_empty(folder: Path, key: str) -> None:
    text = (folder / "session.toml").read_text("utf-8").splitlines()
    lines = [f'{key} = " "' if line.startswith(f"{key} =") else line for line in text]
    assert lines != text
    (folder / "session.toml").write_text("\n".join(lines) + "\n", "utf-8")
    assert f"{key}: is empty and must not be" in refusal(folder)


@pytest.mark.parametrize(
    "content",
    [b"", b"[", b"[" * 100_000, b"[]", b"{}", b"3", b"\xff\xfe", b'{"code": "P02", "version": 1}'],
)
@pytest.mark.parametrize("name", ["protocol.json", "threshold_set.json"])
def test_a_version_that_is_none_is_refused_in_one_line(
    folder: Path, name: str, content: bytes
) -> None:
    (folder / name).write_bytes(content)
    (line,) = refusal(folder).splitlines()
    assert line.startswith(f"{name}:1:file: is not ")
    assert len(line) < 300
    assert "Error" not in line


@pytest.mark.parametrize("name", ["session.toml", "expected.toml"])
@pytest.mark.parametrize("content", [b"a = " + b"[" * 10_000, b"a = " + b"9" * 5_000])
def test_toml_without_an_end_is_refused_in_one_line(
    folder: Path, name: str, content: bytes
) -> None:
    (folder / name).write_bytes(content)
    assert refusal(folder).startswith(f"{name}:1:file: is not TOML")


@pytest.mark.parametrize(
    "name", ["session.toml", "observations.csv", "doses.csv", "events.csv", "expected.toml"]
)
def test_a_file_that_may_not_be_read_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    read = Path.read_bytes

    def refused(path: Path) -> bytes:
        if path.name == name:
            raise PermissionError(13, "Permission denied")
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refused)
    assert refusal(folder).startswith(f"{name}:1:file: cannot be read: Permission denied")


@pytest.mark.parametrize(
    "at",
    [
        "9999-12-31T23:59:59-14:00",
        "0001-01-01T00:00:00+14:00",
        "1899-12-31T23:59:59+00:00",
        "2201-01-01T00:00:00+00:00",
    ],
)
def test_a_year_no_session_lies_in_is_refused(folder: Path, at: str) -> None:
    number = add(folder / "observations.csv", f"{at},{at},keyed,hr,72,/min")
    assert f"observations.csv:{number}:taken_at" in refusal(folder)
    assert "lies in no year of a session" in refusal(folder)


def test_what_a_file_holds_neither_floods_nor_steers_the_terminal(folder: Path) -> None:
    add(folder / "observations.csv", OBS + f'"\x1b[2J{"9" * 5000}\n",72,/min')
    (line,) = refusal(folder).splitlines()
    assert "\x1b" not in line
    assert len(line) < 1000


def test_a_header_fault_names_the_line_of_its_key(folder: Path) -> None:
    edit(folder / "session.toml", "spo2_scale = 1", "spo2_scale = 3")
    lines = (folder / "session.toml").read_text("utf-8").splitlines()
    assert f"session.toml:{lines.index('spo2_scale = 3') + 1}:spo2_scale" in refusal(folder)


def test_an_unknown_column_is_refused(folder: Path) -> None:
    edit(folder / "observations.csv", "value,unit", "vlaue,unit")
    told = refusal(folder)
    assert 'observations.csv:1:header: has an unknown column "vlaue"' in told


def test_a_missing_file_of_observations_is_refused(folder: Path) -> None:
    (folder / "observations.csv").unlink()
    assert "observations.csv:1:file: is missing" in refusal(folder)


def test_bytes_that_are_not_utf8_are_refused_with_their_line(folder: Path) -> None:
    path = folder / "events.csv"
    path.write_bytes(path.read_bytes() + b"caf\xe9\n")
    assert "events.csv:" in refusal(folder)
    assert "not UTF-8" in refusal(folder)


def test_an_open_quote_is_refused(folder: Path) -> None:
    add(folder / "events.csv", 'x,"y')
    assert "is not CSV" in refusal(folder)


def test_a_reference_to_nothing_is_refused(folder: Path) -> None:
    (folder / "amendments.csv").write_text(
        "taken_at,recorded_at,amends,reason\n"
        "2026-09-07T10:30:00+01:00,2026-09-07T10:30:20+01:00,nobody,slip\n"
    )
    assert 'amendments.csv:2:amends: "nobody" is not the id of a row' in refusal(folder)


def test_a_dose_that_its_mg_contradict_is_refused(folder: Path) -> None:
    path = folder / "doses.csv"
    lines = path.read_text("utf-8").splitlines()
    lines = [lines[0] + ",mg_per_h", *(line + "," for line in lines[1:])]
    lines[2] = lines[2] + "64"
    path.write_text("\n".join(lines) + "\n")
    assert "doses.csv:3:mg_per_h: 64 contradicts 0.1 mg/kg/h" in refusal(folder)


def test_mg_per_kg_without_a_weight_is_refused(folder: Path) -> None:
    path = folder / "doses.csv"
    lines = path.read_text("utf-8").splitlines()
    path.write_text("\n".join([lines[0], *lines[2:]]) + "\n")
    assert "needs a weight" in refusal(folder)


def test_the_same_parameter_twice_in_a_set_is_refused(folder: Path) -> None:
    line = (folder / "observations.csv").read_text("utf-8").splitlines()[1]
    number = add(folder / "observations.csv", line)
    assert f"observations.csv:{number}:parameter: hr is twice in its set" in refusal(folder)


def test_diastolic_not_below_systolic_is_refused(folder: Path) -> None:
    edit(folder / "observations.csv", "sbp,127", "sbp,70")
    assert "diastolic 77 is not below systolic 70" in refusal(folder)


def test_a_mean_pressure_outside_its_pressures_is_refused(folder: Path) -> None:
    at = "2026-09-07T10:30:00+01:00,2026-09-07T10:30:20+01:00,keyed,"
    for line in ("sbp,120,mm[Hg]", "dbp,70,mm[Hg]"):
        add(folder / "observations.csv", at + line)
    number = add(folder / "observations.csv", at + "map,150,mm[Hg]")
    assert f"observations.csv:{number}:value: mean pressure 150 is not between" in refusal(folder)


def test_a_score_beyond_the_scale_of_the_protocol_is_refused(folder: Path) -> None:
    versions = [
        replace(item, text=item.text.replace('"NRS0-10"', '"DISS0-3"')) for item in seed_versions()
    ]
    add(folder / "observations.csv", OBS + "dissociation,7,")
    read_folder(folder)
    with pytest.raises(ImportRefused, match="Dissociation 0-3 has no 7"):
        read_folder(folder, versions=versions)


def test_a_value_beyond_a_hard_limit_is_taken_when_it_really_was_so(folder: Path) -> None:
    path = folder / "observations.csv"
    lines = path.read_text("utf-8").splitlines()
    lines = [lines[0] + ",really_so,note", *(line + ",," for line in lines[1:])]
    path.write_text("\n".join([*lines, OBS + "hr,0,/min,yes,asystole on the ECG"]) + "\n")
    found = [o for o in read_folder(folder).session.observations if o.really_so]
    assert [(item.value, item.note) for item in found] == [(0, "asystole on the ECG")]


def test_a_fault_in_a_quoted_cell_of_several_lines_has_the_line_it_begins_on(folder: Path) -> None:
    path = folder / "events.csv"
    before = path.read_text("utf-8").count("\n")
    add(path, '2026-09-07T10:30:00+01:00,soon,keyed,,note,"two\nlines"')
    assert f"events.csv:{before + 1}:recorded_at" in refusal(folder)


def test_a_byte_order_mark_is_not_part_of_the_header(folder: Path) -> None:
    path = folder / "observations.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_folder(folder).session == read_folder(SAMPLE).session


def test_answers_keep_their_order_and_their_times(folder: Path) -> None:
    (folder / "answers.csv").write_text(
        "at,by,group,action,text\n"
        "2026-09-07T10:31:00+01:00,m.ortiz,bp_high,slow,\n"
        "2026-09-07T10:30:00+01:00,a.blum,spo2,pause,'=x\n"
    )
    at = datetime(2026, 9, 7, 9, 30, tzinfo=UTC)
    first, second = read_folder(folder).answers
    assert first == AlertAnswer(at, at, "a.blum", "spo2", "pause", "=x")
    assert second.by == "m.ortiz"


def test_an_answer_saved_before_it_was_given_is_refused(folder: Path) -> None:
    (folder / "answers.csv").write_text(
        "at,recorded_at,by,group,action\n"
        "2026-09-07T10:31:00+01:00,2026-09-07T10:28:00+01:00,m.ortiz,bp_high,slow\n"
    )
    assert "answers.csv:2:at: lies after recorded_at" in refusal(folder)


def test_the_document_holds_the_tables_of_the_code() -> None:
    assert format_tables() in (ROOT / "docs" / "sample-format.md").read_text("utf-8")


def test_every_fact_names_its_session_in_its_id() -> None:
    session = read_folder(SAMPLE).session
    assert session.id == derived_id("session", "demo", "SYN-0001", SAMPLE.name)
    ids = {item.id for item in session.observations}
    assert derived_id(session.id, "observations.csv", 2) in ids
    assert set(FILES) >= {path.name for path in SAMPLE.glob("*.csv")}
