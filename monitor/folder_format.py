"""The columns of a session folder, described once: reading, writing and the documentation walk them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from monitor.parameters import PARAMETERS
from monitor.patient_dose_limits import PATIENT_LIMITS
from monitor.protocols import InfusionProtocol, PinnedVersion
from monitor.record import (
    Answer,
    DoseUnit,
    DrugForm,
    InfusionSession,
    MovementKind,
    NotTaken,
    Source,
    WeightBasis,
)
from monitor.scales import SEDATION_SCALES
from monitor.thresholds import ThresholdSet, parse_threshold_set

#: Text that begins like this is a formula to a spreadsheet; a leading apostrophe guards it.
#: The apostrophe is in the list so that guarding can be undone without guessing.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "'")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of one file: its name, what a cell may hold, and what it means."""

    name: str
    holds: str
    meaning: str
    required: bool = False


_COMMON = (
    Column("id", "UUID or label", "name of the row; empty = UUIDv5 of session, file and line"),
    Column("taken_at", "instant", "when it was true", required=True),
    Column("recorded_at", "instant", "when it was saved", required=True),
    Column("recorded_by", "username", "who saved it; empty = recorded_by of session.toml"),
    Column("source", "|".join(Source), "how it reached the record; empty = import"),
)

#: Every CSV file of a folder and its columns.  Only session.toml and observations.csv must exist.
FILES: dict[str, tuple[Column, ...]] = {
    "observations.csv": (
        Column("set_id", "UUID or label", "rows taken together; empty = same taken_at"),
        *_COMMON,
        Column("parameter", "|".join(PARAMETERS), "what was observed", required=True),
        Column("value", "number", "the value; a tick is 1 or 0"),
        Column("unit", "unit", "unit of the value; empty = the parameter's own"),
        Column("not_taken", "|".join(NotTaken), "in place of a value: why there is none"),
        Column("amends", "UUID or label", "the row this one corrects; no value = struck out"),
        Column("reason", "text", "why it was corrected"),
        Column("really_so", "yes|no", "a value beyond a hard limit that staff confirmed"),
        Column("note", "text", "what staff wrote beside the value"),
        Column("entered_value", "number", "what was typed, when that differs from value"),
        Column("entered_unit", "unit", "unit of what was typed"),
    ),
    "doses.csv": (
        *_COMMON,
        Column(
            "kind", "rate|hold|resume|stop|bolus|syringe|weight", "what happened", required=True
        ),
        Column("value", "number", "rate, bolus, new concentration or weight", required=True),
        Column("unit", "|".join([*DoseUnit, "mg/mL", "kg"]), "unit of the value", required=True),
        Column("mg_per_h", "number", "the rate in mg/h; empty = calculated from value and unit"),
        Column("mg", "number", "the bolus in mg; empty = calculated from value and unit"),
        Column("over_s", "whole number", "length of a bolus in seconds; 0 = at once"),
        Column("fully_given", "yes|no", "a bolus completed although the pump was stopped"),
        Column("reason", "text", "why the dose or the weight was changed"),
        Column("ordered_by", "username", "who ordered it"),
        Column("second_person", "username", "who checked it"),
        Column("overrides", "codes, ; between", "limits that were knowingly exceeded"),
        Column("batch", "text", "batch of a new syringe"),
        Column("weight_basis", "|".join(WeightBasis), "which weight; empty = ABW"),
        Column("measured", "yes|no", "the weight was measured; empty = yes"),
        Column("measured_on", "date", "the day of the weighing"),
        Column("height_cm", "number", "height, with a weight"),
        Column("typed", "text", "the weight as typed, where that was not in kg: 160 lb"),
    ),
    "side_effects.csv": (
        *_COMMON,
        Column("of", "UUID or label", "the side effect that changed; empty = a new one"),
        Column("term", "key of side_effects.py", "what the patient suffered (a new one only)"),
        Column("grade", "0-5", "clinical.md 6.1; 0 only with the term none"),
        Column("ended", "yes|no", "it ended at taken_at (a change only)"),
        Column("relation", "text", "relation to the drug (a new one only)"),
        Column("action", "text", "what was done"),
        Column("serious", "yes|no", "a serious event (a new one only)"),
        Column("note", "text", "free text"),
    ),
    "events.csv": (
        *_COMMON,
        Column("kind", "code of lifecycle.py", "what happened", required=True),
        Column("text", "text", "free text"),
        Column("linked_to", "UUID or label", "the fact it belongs to"),
    ),
    "gate.csv": (
        *_COMMON,
        Column("question", "code", "question of the pre-infusion gate", required=True),
        Column("answer", "|".join(Answer), "the answer", required=True),
        Column("override_reason", "text", "why a blocking answer was overridden"),
        Column("override_by", "username", "who overrode it"),
        Column("second_person", "username", "who confirmed it with their PIN"),
        Column("note", "text", "what was said beside it, such as the list of medicines"),
    ),
    "drug_ledger.csv": (
        *_COMMON,
        Column("kind", "|".join(MovementKind), "what happened to the drug", required=True),
        Column("amount_mg", "number", "how much; below 0 only when unaccounted", required=True),
        Column("ampoules", "whole number", "how many ampoules were issued"),
        Column("batch", "text", "batch on the ampoule"),
        Column("expires_on", "date", "expiry on the ampoule, 2027-03-31"),
        Column("witness", "username", "the second person"),
        Column("reason", "text", "why, when something is not accounted for"),
    ),
    "patient_limits.csv": (
        *_COMMON,
        Column("quantity", "|".join(PATIENT_LIMITS), "what is limited", required=True),
        Column("value", "number", "the hard limit in the unit of its name", required=True),
        Column("approved_by", "username", "the anaesthetist", required=True),
        Column("reason", "text", "why", required=True),
    ),
    "amendments.csv": (
        *_COMMON,
        Column("amends", "UUID or label", "the row of any file that was wrong", required=True),
        Column("replacement", "UUID or label", "the row in its place; empty = struck out"),
        Column("reason", "text", "why", required=True),
    ),
    "answers.csv": (
        Column("at", "instant", "when the alert was answered", required=True),
        Column("recorded_at", "instant", "when the answer was saved; empty = at"),
        Column("by", "username", "who answered", required=True),
        Column("group", "alert group", "which alert: its group", required=True),
        Column(
            "trigger",
            "UUID or label",
            "which alert: the row it was raised for; empty = the one of its group open at that time",
        ),
        Column("action", "code", "what was done"),
        Column("text", "text", "free text"),
    ),
}

#: Keys of session.toml: name, what it holds, meaning, required.
HEADER: tuple[Column, ...] = (
    Column("title", "text", "one line for the list of samples"),
    Column("synthetic", "true|false", "invented for demonstration; never a real person"),
    Column("id", "UUID", "empty = UUIDv5 of clinic, MRN and folder name"),
    Column("clinic", "code", "the clinic", required=True),
    Column("chair", "text", "chair or bed", required=True),
    Column("protocol", "code", "infusion protocol", required=True),
    Column("protocol_version", "whole number", "its version", required=True),
    Column("threshold_set", "code", "threshold set", required=True),
    Column("threshold_set_version", "whole number", "its version", required=True),
    Column("drug_form", "|".join(DrugForm), "racemic or S-ketamine", required=True),
    Column("route", "code", "IV", required=True),
    Column("concentration_mg_per_ml", "number as text", "first syringe", required=True),
    Column(
        "sedation_scale", "|".join(SEDATION_SCALES), "scale of the sedation codes", required=True
    ),
    Column("spo2_scale", "1|2", "2 only when a clinician set the target 88-92 %", required=True),
    Column("indication", "text", "why the patient is treated"),
    Column("setting", "text", "outpatient or inpatient"),
    Column("course_id", "UUID", "the course of infusions it belongs to"),
    Column("series_number", "whole number", "which course of this patient"),
    Column("infusion_number", "whole number", "which infusion of the course"),
    Column("created_at", "instant as text", "when the session was opened", required=True),
    Column("created_by", "username", "who opened it", required=True),
    Column("recorded_by", "username", "who saved rows that name nobody; empty = created_by"),
    Column("patient.id", "UUID", "empty = UUIDv5 of clinic and MRN"),
    Column("patient.mrn", "text", "record number", required=True),
    Column("patient.family_name", "text", "", required=True),
    Column("patient.given_name", "text", "", required=True),
    Column("patient.born_on", "date as text", "", required=True),
    Column("patient.sex", "text", "as recorded; empty = unknown"),
    Column("patient.allergies", "text", ""),
)


@dataclass(frozen=True, slots=True)
class AlertAnswer:
    """A person's answer to an alert, to be given again when a folder is loaded.

    ``trigger_id`` is the fact the alert was raised for, which with its group is the one alert there
    is; None means whichever alert of the group was open.
    """

    at: datetime
    recorded_at: datetime
    by: str
    group: str
    action: str | None = None
    text: str | None = None
    trigger_id: UUID | None = None
    line: int = field(default=1, compare=False)


@dataclass(frozen=True)
class SessionFolder:
    """A folder that was read without a problem, and the versions its session is judged by."""

    name: str
    title: str
    synthetic: bool
    session: InfusionSession
    protocol_version: PinnedVersion
    threshold_version: PinnedVersion
    answers: tuple[AlertAnswer, ...] = ()
    expected: Mapping[str, Any] = field(default_factory=dict)

    @property
    def protocol(self) -> InfusionProtocol:
        """The protocol the session was started under."""
        return self.protocol_version.protocol()

    @property
    def threshold_set(self) -> ThresholdSet:
        """The limits the session is judged by."""
        return parse_threshold_set(json.loads(self.threshold_version.text))


def format_tables() -> str:
    """The tables of docs/sample-format.md, generated from HEADER and FILES."""
    parts = ["### session.toml\n", _table(HEADER)]
    for name, columns in FILES.items():
        parts += [f"### {name}\n", _table(columns)]
    return "\n".join(parts)


def _table(columns: Iterable[Column]) -> str:
    lines = ["| name | holds | must be there | meaning |", "|---|---|---|---|"]
    for column in columns:
        holds = column.holds.replace("|", ", ")
        must = "yes" if column.required else ""
        lines.append(f"| `{column.name}` | {holds} | {must} | {column.meaning} |")
    return "\n".join(lines) + "\n"
