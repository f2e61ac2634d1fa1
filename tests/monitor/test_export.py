"""CSV that leaves the record: RFC 4180, units, offsets, no formulas, corrections marked, no names."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor import export
from monitor.alerts import acknowledge, alert_views, suppress
from monitor.breaches import find_breaches
from monitor.expected import Findings, findings
from monitor.folders import SessionFolder, read_folder
from monitor.record import Answer, InfusionSession, NotTaken
from monitor.summaries import summarise
from monitor.summary_columns import COLUMNS
from tests import build
from tests.monitor.limits import infusion, moment
from tests.monitor.test_alerts import Bedside, only

SAMPLES = Path(__file__).resolve().parents[2] / "sample_sessions"
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LONDON = ZoneInfo("Europe/London")
SECRET = export.Form(key=b"a key of this export only")


@cache
def folder(name: str) -> SessionFolder:
    return read_folder(SAMPLES / name)


@cache
def found(name: str) -> Findings:
    return findings(folder(name))


def summary_row(name: str) -> dict[str, object]:
    read, shown = folder(name), found(name)
    return summarise(
        read.session,
        read.protocol,
        read.threshold_set,
        shown.alerts,
        shown.alert_events,
        shown.as_of,
    )


def rows(pieces: Iterable[bytes]) -> list[dict[str, str]]:
    """The file as a program reads it."""
    text = b"".join(pieces).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def every_table(session: InfusionSession, form: export.Form) -> Iterator[bytes]:
    limits = folder("uneventful_titration").threshold_set
    breaches = find_breaches(session, limits, NOW)
    for table in (
        export.observations_csv([session], form),
        export.doses_csv([session], form),
        export.side_effects_csv([session], form),
        export.breaches_csv([(session, breaches)], form),
        export.alerts_csv([(session, alert_views(session, limits, (), (), NOW))], form),
    ):
        yield from table


# -- the form of the file -----------------------------------------------------------------------------


def test_lines_end_as_rfc_4180_says_and_the_file_is_utf8() -> None:
    content = b"".join(export.observations_csv([folder("uneventful_titration").session]))
    assert content.count(b"\r\n") == content.count(b"\n")
    assert content.endswith(b"\r\n")
    assert not content.startswith(export.BOM)
    content.decode("utf-8")


def test_a_byte_order_mark_only_when_asked() -> None:
    session = folder("uneventful_titration").session
    marked = b"".join(export.doses_csv([session], export.Form(bom=True)))
    assert marked.startswith(export.BOM)
    assert marked[3:] == b"".join(export.doses_csv([session]))


def test_quotes_commas_and_line_breaks_survive() -> None:
    note = 'said "it, hurts"\nand slept'
    session = build.session(build.observation("hr", 70, 5, note=note))
    assert rows(export.observations_csv([session]))[0]["note"] == note


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_text_that_would_run_as_a_formula_does_not(start: str) -> None:
    session = build.session(build.observation("hr", 70, 5, note=f"{start}cmd|' /C calc'!A0"))
    assert rows(export.observations_csv([session]))[0]["note"].startswith(f"'{start}cmd")


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20))
def test_no_text_cell_ever_begins_like_a_formula(text: str) -> None:
    session = build.session(build.side_effect("nausea", 1, 5, note=text or None))
    (row,) = rows(export.side_effects_csv([session]))
    assert not row["note"].startswith(export.FORMULA_STARTS)
    assert row["note"].removeprefix("'") == text.removeprefix("'")


def test_numbers_stay_numbers_below_zero_too() -> None:
    session = build.session(
        build.observation("sedation", -2, -5), build.rate("0.1", 0), sedation_scale="RASS"
    )
    (row,) = rows(export.observations_csv([session]))
    assert (row["value"], row["taken_min"]) == ("-2", "-5.0")


def test_instants_carry_the_offset_of_the_clinic_on_that_day() -> None:
    session = folder("four_hours_over_midnight_and_clock_change").session
    form = export.Form(zone=LONDON)
    at = [row["taken_at"] for row in rows(export.observations_csv([session], form))]
    assert "2026-10-25T01:55:00+01:00" in at
    assert "2026-10-25T01:25:00+00:00" in at
    assert at.index("2026-10-25T01:55:00+01:00") < at.index("2026-10-25T01:25:00+00:00")


def test_a_large_export_comes_in_pieces() -> None:
    session = folder("uneventful_titration").session
    pieces = list(export.observations_csv([session] * 20))
    assert len(pieces) > 5
    assert len(rows(pieces)) == 20 * len(session.observations)


# -- the content --------------------------------------------------------------------------------------


def test_zero_not_taken_and_nothing_stay_three_things() -> None:
    session = build.session(build.obs_set(5, normal=False, nausea=0, pain=NotTaken.REFUSED, hr=70))
    told = {row["parameter"]: row for row in rows(export.observations_csv([session]))}
    assert (told["nausea"]["value"], told["nausea"]["not_taken"]) == ("0", "")
    assert (told["pain"]["value"], told["pain"]["not_taken"]) == ("", "refused")
    assert "dissociation" not in told


def test_units_stand_with_every_value() -> None:
    told = rows(export.observations_csv([folder("desaturation_at_second_step").session]))
    units = {row["parameter"]: row["unit"] for row in told}
    assert (units["sbp"], units["spo2"], units["o2_flow"]) == ("mmHg", "%", "L/min")
    header = export.summary_header(deidentified=False)
    assert "baseline_sbp [mm[Hg]]" in header
    assert "dose_total_mg" in header
    assert "nadir_spo2 [%]" in header


def test_a_correction_marks_the_slip_and_gives_the_reason() -> None:
    told = rows(export.observations_csv([folder("amendment_removes_breach").session]))
    at_36 = [row for row in told if row["parameter"] == "sbp" and row["taken_min"] == "36.0"]
    assert sorted((row["value"], row["state"]) for row in at_36) == [
        ("126", "current"),
        ("186", "corrected"),
    ]
    slip = next(row for row in at_36 if row["state"] == "corrected")
    assert slip["correction_reason"] == "typed 186, the monitor shows 126"


def test_a_struck_out_value_says_so() -> None:
    wrong = build.observation("hr", 70, 5)
    session = build.session(wrong, build.amendment(wrong, 6))
    assert rows(export.observations_csv([session]))[0]["state"] == "struck_out"


def test_a_converted_value_keeps_its_digits() -> None:
    warm = build.observation("temp", "37.94", 5)
    assert rows(export.observations_csv([build.session(warm)]))[0]["value"] == "37.94"
    whole = build.observation("temp", "38", 5)
    assert rows(export.observations_csv([build.session(whole)]))[0]["value"] == "38.0"


def test_doses_with_what_was_given_until_then() -> None:
    told = rows(export.doses_csv([folder("pause_with_syringe_change").session]))
    assert [row["kind"] for row in told] == [
        "weight",
        "rate",
        "rate",
        "rate",
        "hold",
        "resume",
        "hold",
        "syringe",
        "resume",
        "stop",
    ]
    last = told[-1]
    assert (last["given_until_then_mg"], last["taken_min"]) == ("17.2", "120.0")
    resumed = told[-2]
    assert (resumed["entered_value"], resumed["entered_unit"]) == ("5.2", "mL/h")
    assert Decimal(resumed["rate_mg_per_h"]) == Decimal("10.4")


def test_side_effects_with_worst_grade_end_and_actions() -> None:
    told = rows(export.side_effects_csv([folder("nausea_with_vomiting_treated").session]))
    nausea = next(row for row in told if row["term"] == "nausea")
    assert (nausea["worst_grade"], nausea["lasted_min"], nausea["actions"]) == ("2", "29.2", "drug")
    assert nausea["snomed_ct"] == "422587007"


def test_breaches_with_their_readings() -> None:
    read, shown = (
        folder("hypertension_confirmed_by_repeat"),
        found("hypertension_confirmed_by_repeat"),
    )
    (row,) = rows(export.breaches_csv([(read.session, shown.breaches)]))
    assert (row["rule"], row["level"], row["state"]) == ("sbp_high", "warning", "resolved")
    assert (row["onset_min"], row["confirmed_min"], row["ended_min"]) == ("46.3", "49.0", "64.0")
    assert row["readings"] == "166;168;163"


def test_alerts_with_their_answers() -> None:
    name = "hypertension_confirmed_by_repeat"
    (row,) = rows(export.alerts_csv([(folder(name).session, found(name).views)]))
    assert (row["group"], row["acknowledged_by"]) == ("bp_high", "cdiaz")
    assert row["acknowledged_at"] == "2026-09-09T10:05:10+00:00"


def test_what_happened_to_an_alert_is_in_its_row() -> None:
    """clinical.md 7.3: who was told, what was hidden and why, what was done, when it was closed."""
    bedside = Bedside(infusion("", ""))
    view = only(bedside.save("10:00 sbp 185", "10:00"))
    bedside.save("12:00 sbp 187", "12:00")
    view = only(bedside.look("12:10"))
    bedside.events += (suppress(view, by="blum", reason="doctor beside me", now=moment("12:10")),)
    bedside.look("14:01")
    answered = acknowledge(
        only(bedside.look("16:00")), by="okoye", action="slow", text="halved", now=moment("16:00")
    )
    bedside.events += (answered,)
    views = bedside.save("25:00 sbp 130", "25:00")
    (row,) = rows(export.alerts_csv([(bedside.session, views)]))
    shown = {name: row[name] for name in row if name not in ("alert_id", "session_id", "mrn")}
    expected = {
        "state": "closed",
        "rule_version": "ADULT-CLINIC-1 v1",
        "priority": "high",
        "confirmed_level": "critical",
        "confirmed_min": "12.0",
        "trigger_value": "185",
        "trigger_unit": "mm[Hg]",
        "peak_value": "187",
        "peak_min": "12.0",
        "cleared_min": "25.0",
        "duration_s": "900",
        "resolved_min": "25.0",
        "answered_min": "16.0",
        "action_code": "slow",
        "action_text": "halved",
        "escalated_to": "anaesthetist",
        "escalated_min": "14.0",
        "suppressed_by": "blum",
        "suppressed_reason": "doctor beside me",
        "suppressions": "1",
        "closed_by": "okoye",
        "closed_min": "25.0",
        "amended": "N",
        "unconfirmed": "N",
        "retrospective": "N",
        "raised_late": "N",
    }
    assert {name: shown[name] for name in expected} == expected
    until = datetime.fromisoformat(row["suppressed_until"])
    assert until - datetime.fromisoformat(row["suppressed_at"]) == timedelta(minutes=2)
    assert len(row["source_ids"].split(";")) == 2
    (secret,) = rows(export.alerts_csv([(bedside.session, views)], SECRET))
    text = " ".join(secret.values())
    assert not [word for word in ("blum", "okoye", "halved", "doctor beside me") if word in text]
    assert secret["escalated_min"] == "14.0"


def test_an_alert_nobody_touched_has_empty_cells_and_not_zero() -> None:
    bedside = Bedside(infusion("", ""))
    views = bedside.save("10:00 spo2 88", "10:00")
    (row,) = rows(export.alerts_csv([(bedside.session, views)]))
    empty = (
        "cleared_min", "duration_s", "resolved_min", "answered_min", "action_code", "escalated_to",
        "escalated_min", "suppressed_by", "suppressed_until", "closed_by", "closed_min",
    )  # fmt: skip
    assert {row[name] for name in empty} == {""}


# -- one row per session ----------------------------------------------------------------------------


def test_the_summary_has_every_exported_column_once_and_in_order() -> None:
    header = export.summary_header(deidentified=False)
    names = [name.split(" [")[0] for name in header]
    assert names[:2] == ["export_version", "generated_at_utc"]
    assert names[2:] == [column.name for column in COLUMNS if column.exported]


def test_the_summary_row_says_what_the_session_was() -> None:
    name = "hypertension_confirmed_by_repeat"
    (row,) = rows(export.summaries_csv([summary_row(name)], NOW, export.Form(zone=LONDON)))
    assert row["patient_name"] == "Mensah, Kofi"
    assert row["started_at"] == "2026-09-09T10:15:00+01:00"
    assert (row["dose_total_mg"], row["dose_total_mg_per_kg"]) == ("20.7", "0.252")
    assert (row["peak_sbp [mm[Hg]]"], row["alerts_warn_n"]) == ("168", "1")
    assert row["signed_nurse"] == "Y"
    assert row["pain_fu_24h"] == ""


def test_an_empty_export_is_a_header() -> None:
    content = b"".join(export.summaries_csv([], NOW))
    assert content.count(b"\r\n") == 1


# -- without names ----------------------------------------------------------------------------------


def identifiers(session: InfusionSession) -> set[str]:
    patient = session.patient
    return {
        patient.mrn,
        patient.family_name,
        patient.given_name,
        patient.born_on.isoformat(),
        str(session.id),
        str(patient.id),
        session.clinic,
        "2026-",
        "ablum",
        "cdiaz",
    }


@pytest.mark.parametrize("name", sorted(path.name for path in SAMPLES.iterdir()))
def test_nothing_of_a_deidentified_export_names_or_dates_a_person(name: str) -> None:
    session = folder(name).session
    content = b"".join(every_table(session, SECRET)).decode()
    summary = b"".join(export.summaries_csv([summary_row(name)], NOW, SECRET)).decode()
    # The day of the export itself stands in it; nothing else of that form may.
    summary = summary.replace("2026-11-20T12:00:00+00:00", "")
    for identifier in identifiers(session):
        assert identifier not in content
        assert identifier not in summary


def test_free_text_stays_behind() -> None:
    secret = "her daughter Anna works at the bakery"
    session = build.session(
        build.observation("hr", 70, 5, note=secret),
        build.rate("0.1", 0, reason=secret),
        build.side_effect("nausea", 1, 5, note=secret),
    )
    assert secret not in b"".join(every_table(session, SECRET)).decode()


def test_a_pseudonym_joins_the_tables_of_one_export_and_of_no_other() -> None:
    session = folder("uneventful_titration").session
    observations = rows(export.observations_csv([session], SECRET))
    doses = rows(export.doses_csv([session], SECRET))
    other = rows(export.doses_csv([session], export.Form(key=b"another key")))
    assert observations[0]["session_key"] == doses[0]["session_key"]
    assert observations[0]["session_key"] != other[0]["session_key"]


def test_an_override_says_how_it_is_known_who_decided() -> None:
    override = {"override_reason": "=echo seen", "override_by": "okoye"}
    by_word = build.answer("heart_disease", Answer.YES, -20, **override)
    session = build.session(
        build.answer("heart_disease", Answer.NO, -25, note="murmur as a child"),
        by_word,
        build.answer("psychosis", Answer.YES, -19, second_person="okoye", **override),
        build.answer("epilepsy", Answer.NO, -18),
    )
    found = rows(export.gate_csv([session]))
    assert [(row["question"], row["in_force"], row["override_proof"]) for row in found] == [
        ("heart_disease", "N", ""),
        ("heart_disease", "Y", "verbal order, not confirmed"),
        ("psychosis", "Y", "confirmed by PIN"),
        ("epilepsy", "Y", ""),
    ]
    assert [row["note"] for row in found] == ["murmur as a child", "", "", ""]
    assert [row["overridden"] for row in found] == ["N", "Y", "Y", "N"]
    assert found[1]["override_reason"] == "'=echo seen"
    for row in rows(export.gate_csv([session], SECRET)):
        assert not {"note", "override_reason", "override_by", "second_person", "recorded_by"} & set(
            row
        )


def test_a_deidentified_summary_has_no_quarter_and_no_real_clinic() -> None:
    (row,) = rows(export.summaries_csv([summary_row("uneventful_titration")], NOW, SECRET))
    assert row["session_year [a]"] == "2026"
    assert "session_quarter" not in row
    assert row["clinic_code"] not in ("", "demo")
    assert (row["age_band"], row["weight_kg_band"]) == ("55-64", "60-69")


def test_the_columns_are_the_documented_ones() -> None:
    """A change of the columns is a decision: this list is what spreadsheets outside rely on."""
    session = folder("uneventful_titration").session
    alerted = "hypertension_confirmed_by_repeat"
    told = folder(alerted)
    headers = {
        "observations": list(rows(export.observations_csv([session]))[0]),
        "doses": list(rows(export.doses_csv([session]))[0]),
        "side_effects": list(rows(export.side_effects_csv([session]))[0]),
        "gate": list(rows(export.gate_csv([session]))[0]),
        "alerts": list(rows(export.alerts_csv([(told.session, found(alerted).views)]))[0]),
    }
    expected = json.loads((Path(__file__).parent / "export_columns.json").read_text("utf-8"))
    assert headers == expected
