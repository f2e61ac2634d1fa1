"""Writing a session as a folder that reads back as an equal session."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

from monitor.errors import ImportRefused
from monitor.folder_format import FILES, FORMULA_STARTS, AlertAnswer
from monitor.parameters import PARAMETERS
from monitor.protocols import PinnedVersion, seed_versions
from monitor.record import (
    Amendment,
    Bolus,
    DoseStep,
    DosingWeight,
    DrugMovement,
    Fact,
    GateAnswer,
    InfusionSession,
    Observation,
    PatientDoseLimit,
    SessionEvent,
    SideEffect,
    SideEffectChange,
    SyringeChange,
)


def write_folder(
    session: InfusionSession,
    path: Path,
    *,
    versions: Iterable[PinnedVersion] | None = None,
    answers: Iterable[AlertAnswer] = (),
    title: str = "",
    synthetic: bool = False,
) -> None:
    """Write a session as a folder that read_folder turns back into an equal session.

    The folder carries its own copy of protocol and threshold set, so it can be read anywhere.

    Raises:
        ImportRefused: the folder exists and is not empty, or the pinned versions are not known.
        OSError: nobody may write there; what was written of the folder is taken away again.
    """
    check_new_folder(path)
    known = {v.id: v for v in (seed_versions() if versions is None else versions)}
    try:
        protocol, thresholds = known[session.protocol_id], known[session.threshold_set_id]
    except KeyError as error:
        reason = f"the session's protocol or threshold set {error} is not known"
        raise ImportRefused([f"{path.name}:1:folder: {reason}"]) from None
    texts = {
        "protocol.json": protocol.text + "\n",
        "threshold_set.json": thresholds.text + "\n",
    }
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in FILES}
    for fact in session.facts():
        file, row = _fact_row(fact)
        rows[file].append(row)
    rows["answers.csv"] = [
        {
            "at": answer.at,
            "recorded_at": answer.recorded_at,
            "by": answer.by,
            "group": answer.group,
            "trigger": answer.trigger_id,
            "action": answer.action,
            "text": answer.text,
        }
        for answer in answers
    ]
    for name, lines in rows.items():
        if lines or name == "observations.csv":
            texts[name] = csv_text(name, lines)
    # The header last: a folder that was cut off while it was written is refused by whoever reads it.
    texts["session.toml"] = _header_text(session, protocol, thresholds, title, synthetic=synthetic)
    _write_files(path, texts)


def check_new_folder(path: Path) -> None:
    """See that a folder of this name can be made, before anything is done for it.

    Raises:
        ImportRefused: something is there already.
    """
    if path.exists() and not path.is_dir():
        raise ImportRefused([f"{path} exists and is no folder; name a new one."])
    if path.is_dir() and any(path.iterdir()):
        raise ImportRefused([f"{path} exists and is not empty; name a new folder."])


def _write_files(path: Path, texts: Mapping[str, str]) -> None:
    """Every file of a new folder, or none."""
    existed = path.exists()
    path.mkdir(parents=True, exist_ok=True)
    try:
        for name, text in texts.items():
            (path / name).write_bytes(text.encode("utf-8"))
    except BaseException:
        for name in texts:
            (path / name).unlink(missing_ok=True)
        if not existed:
            path.rmdir()
        raise


def csv_text(name: str, rows: Iterable[Mapping[str, Any]]) -> str:
    """A CSV file of a folder, its columns in the order of FILES."""
    out = io.StringIO(newline="")
    # CRLF as in RFC 4180; with a bare LF the csv module would leave a carriage return unquoted.
    writer = csv.writer(out, lineterminator="\r\n")
    columns = [column.name for column in FILES[name]]
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row.get(column)) for column in columns])
    return out.getvalue()


def _cell(value: object) -> str:
    """A cell that reads back as the same value; text that looks like a formula is guarded."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, Enum):
        return str(value.value)
    text = str(value)
    return f"'{text}" if text == "" or text.startswith(FORMULA_STARTS) else text


def _fact_row(fact: Fact) -> tuple[str, dict[str, Any]]:
    """The file a fact belongs to and its row, column by column."""
    row: dict[str, Any] = {
        "id": fact.id,
        "taken_at": fact.taken_at,
        "recorded_at": fact.recorded_at,
        "recorded_by": fact.recorded_by,
        "source": fact.source,
    }
    match fact:
        case Observation():
            unit = PARAMETERS[fact.parameter].unit if fact.value is not None else None
            return "observations.csv", row | {
                "set_id": fact.set_id,
                "parameter": fact.parameter,
                "value": fact.value,
                "unit": unit,
                "not_taken": fact.not_taken,
                "really_so": fact.really_so,
                "note": fact.note,
                "entered_value": fact.entered_value,
                "entered_unit": fact.entered_unit,
            }
        case DoseStep() | Bolus():
            row |= {
                "value": fact.entered_value,
                "unit": fact.entered_unit,
                "reason": fact.reason,
                "ordered_by": fact.ordered_by,
                "second_person": fact.second_person,
                "overrides": ";".join(fact.overrides) or None,
            }
            if isinstance(fact, DoseStep):
                return "doses.csv", row | {"kind": fact.kind, "mg_per_h": fact.rate_mg_per_h}
            return "doses.csv", row | {
                "kind": "bolus",
                "mg": fact.amount_mg,
                "over_s": fact.over_s,
                "fully_given": fact.fully_given,
            }
        case SyringeChange():
            return "doses.csv", row | {
                "kind": "syringe",
                "value": fact.concentration_mg_per_ml,
                "unit": "mg/mL",
                "batch": fact.batch,
                "second_person": fact.second_person,
            }
        case DosingWeight():
            return "doses.csv", row | {
                "kind": "weight",
                "value": fact.weight_kg,
                "unit": "kg",
                "weight_basis": fact.basis,
                "measured": fact.measured,
                "measured_on": fact.measured_on,
                "height_cm": fact.height_cm,
                "reason": fact.reason,
                "typed": fact.typed,
            }
        case SideEffect():
            return "side_effects.csv", row | {
                "term": fact.term,
                "grade": fact.grade,
                "relation": fact.relation,
                "action": fact.action,
                "serious": fact.serious,
                "note": fact.note,
            }
        case SideEffectChange():
            return "side_effects.csv", row | {
                "of": fact.side_effect_id,
                "grade": fact.grade,
                "ended": fact.ended,
                "action": fact.action,
                "note": fact.note,
            }
        case SessionEvent():
            return "events.csv", row | {
                "kind": fact.kind,
                "text": fact.text,
                "linked_to": fact.linked_to,
            }
        case GateAnswer():
            return "gate.csv", row | {
                "question": fact.question,
                "answer": fact.answer,
                "override_reason": fact.override_reason,
                "override_by": fact.override_by,
                "second_person": fact.second_person,
                "note": fact.note,
            }
        case DrugMovement():
            return "drug_ledger.csv", row | {
                "kind": fact.kind,
                "amount_mg": fact.amount_mg,
                "ampoules": fact.ampoules,
                "batch": fact.batch,
                "expires_on": fact.expires_on,
                "witness": fact.witness,
                "reason": fact.reason,
            }
        case PatientDoseLimit():
            return "patient_limits.csv", row | {
                "quantity": fact.quantity,
                "value": fact.value,
                "approved_by": fact.approved_by,
                "reason": fact.reason,
            }
        case Amendment():
            return "amendments.csv", row | {
                "amends": fact.amends,
                "replacement": fact.replacement,
                "reason": fact.reason,
            }
        case _:
            raise TypeError(f"{type(fact).__name__} has no file in a session folder")


def _header_text(
    session: InfusionSession,
    protocol: PinnedVersion,
    thresholds: PinnedVersion,
    title: str,
    *,
    synthetic: bool,
) -> str:
    top: dict[str, Any] = {
        "title": title,
        "synthetic": synthetic,
        "id": session.id,
        "clinic": session.clinic,
        "chair": session.chair,
        "protocol": protocol.code,
        "protocol_version": protocol.version,
        "protocol_id": protocol.id,
        "threshold_set": thresholds.code,
        "threshold_set_version": thresholds.version,
        "threshold_set_id": thresholds.id,
        "drug_form": session.drug_form,
        "route": session.route,
        "concentration_mg_per_ml": session.concentration_mg_per_ml,
        "sedation_scale": session.sedation_scale,
        "spo2_scale": session.spo2_scale,
        "indication": session.indication,
        "setting": session.setting,
        "course_id": session.course_id,
        "series_number": session.series_number,
        "infusion_number": session.infusion_number,
        "created_at": session.created_at,
        "created_by": session.created_by,
    }
    patient = session.patient
    person = {
        "id": patient.id,
        "mrn": patient.mrn,
        "family_name": patient.family_name,
        "given_name": patient.given_name,
        "born_on": patient.born_on,
        "sex": patient.sex,
        "allergies": patient.allergies,
    }
    if not title:
        del top["title"]
    lines = [f"{key} = {_toml_value(value)}" for key, value in top.items() if value is not None]
    lines += ["", "[patient]"]
    lines += [f"{key} = {_toml_value(value)}" for key, value in person.items()]
    return "\n".join(lines) + "\n"


def _toml_value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, datetime):
        value = value.astimezone(UTC).isoformat()
    elif isinstance(value, date):
        value = value.isoformat()
    elif isinstance(value, Decimal):
        value = format(value, "f")
    elif isinstance(value, Enum):
        value = value.value
    # JSON's escapes are TOML's, except that TOML also wants DEL escaped.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
