"""Every table, in one place: *record* tables are append-only and chained, *working* tables are not.

A working table can be emptied without losing a fact.  Fact tables have the fields of their
dataclass as columns, under the same names.
"""

from __future__ import annotations

from dataclasses import fields
from enum import Enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from db.columns import ExactDecimal, KeyText, ScaledDecimal, TextTuple, UtcDateTime
from monitor.accounts import UserEventKind
from monitor.alerts import AlertEventKind
from monitor.parameters import PARAMETERS
from monitor.permissions import Role
from monitor.protocols import VersionStatus
from monitor.record import (
    Amendment,
    Answer,
    Bolus,
    DoseStep,
    DoseStepKind,
    DoseUnit,
    DosingWeight,
    DrugForm,
    DrugMovement,
    Fact,
    GateAnswer,
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
from monitor.summary_columns import COLUMNS, SORTABLE, SummaryColumn

METADATA = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: The tables whose rows are never changed or removed, and those that only help.
RECORD: dict[str, sa.Table] = {}
WORKING: dict[str, sa.Table] = {}


class Code(sa.types.TypeDecorator[Any]):
    """A member of an enumeration, stored as its value."""

    impl = sa.Text
    cache_ok = True

    def __init__(self, kind: type[Enum]) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else str(self.kind(value).value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else self.kind(value)


# -- columns and constraints ------------------------------------------------------------------


def _id(name: str = "id") -> sa.Column[Any]:
    return sa.Column(name, sa.Uuid(), primary_key=True)


def _uuid(name: str, *, to: str = "", null: bool = False) -> sa.Column[Any]:
    foreign = [sa.ForeignKey(to)] if to else []
    return sa.Column(name, sa.Uuid(), *foreign, nullable=null)


def _text(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=null)


def _code(name: str, kind: type[Enum], *, null: bool = False) -> list[Any]:
    known = _one_of(name, [item.value for item in kind])
    return [sa.Column(name, Code(kind), nullable=null), known]


def _instant(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, UtcDateTime(), nullable=null)


def _int(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), nullable=null)


def _count(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _bool(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean(), nullable=False)


def _day(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Date(), nullable=null)


def _decimal(name: str, *, null: bool = False) -> list[Any]:
    return [sa.Column(name, ExactDecimal(), nullable=null), *_a_number(name)]


def _one_of(name: str, values: list[str]) -> sa.CheckConstraint:
    listed = ", ".join("'" + value.replace("'", "''") + "'" for value in values)
    return sa.CheckConstraint(f"{name} IN ({listed})", name=f"{name}_known")


def _a_number(name: str) -> list[sa.CheckConstraint]:
    """A finite number: on SQLite the form of the text, on PostgreSQL neither NaN nor Infinity."""
    text = f"{name} NOT GLOB '*[^0-9.-]*' AND {name} GLOB '*[0-9]*'"
    number = f"{name} > '-Infinity' AND {name} < 'Infinity'"
    return [
        sa.CheckConstraint(text, name=f"{name}_number").ddl_if(dialect="sqlite"),
        sa.CheckConstraint(number, name=f"{name}_number").ddl_if(dialect="postgresql"),
    ]


def _check(name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=name)


def _not_negative(name: str) -> sa.CheckConstraint:
    return _check(f"{name}_not_negative", f"CAST({name} AS NUMERIC) >= 0")


def _positive(name: str) -> sa.CheckConstraint:
    return _check(f"{name}_positive", f"CAST({name} AS NUMERIC) > 0")


def _record(name: str, *parts: Any, rowid: bool = False) -> sa.Table:
    """A record table; small rows lie in the order of their key on SQLite (WITHOUT ROWID)."""
    flat = (item for part in parts for item in (part if isinstance(part, list) else [part]))
    table = sa.Table(name, METADATA, *flat, sqlite_with_rowid=rowid)
    RECORD[name] = table
    return table


def _working(name: str, *parts: Any) -> sa.Table:
    table = sa.Table(name, METADATA, *parts)
    WORKING[name] = table
    return table


def _facts(name: str, *parts: Any) -> sa.Table:
    """A fact table.  ``write_no`` counts the writes of one session: newer facts have a higher."""
    return _record(
        name,
        _id(),
        _text("clinic"),
        _uuid("session_id", to="infusion_session.id"),
        _count("write_no"),
        _instant("taken_at"),
        _instant("recorded_at"),
        _text("recorded_by"),
        _code("source", Source),
        *parts,
        sa.Index(None, "session_id", "write_no"),
    )


# -- the record -------------------------------------------------------------------------------

PATIENT = _record(
    "patient",
    _id(),
    _text("clinic"),
    _text("mrn"),
    _text("family_name"),
    _text("given_name"),
    _day("born_on"),
    _text("sex"),
    _text("allergies"),
    # What a search by the beginning of a name or number compares with (keys.py).
    sa.Column("mrn_key", KeyText, nullable=False),
    sa.Column("name_key", KeyText, nullable=False),
    sa.Column("given_key", KeyText, nullable=False),
    sa.UniqueConstraint("clinic", "mrn_key"),
    sa.Index(None, "clinic", "name_key"),
    sa.Index(None, "clinic", "given_key"),
)

#: A patient as of a correction: the columns of ``patient`` with what is now right.
PATIENT_CHANGE = _record(
    "patient_change",
    _id(),
    _text("clinic"),
    _uuid("patient_id", to="patient.id"),
    _int("number"),
    _text("mrn"),
    _text("family_name"),
    _text("given_name"),
    _day("born_on"),
    _text("sex"),
    _text("allergies"),
    _text("reason"),
    _instant("recorded_at"),
    _text("recorded_by"),
    sa.Column("mrn_key", KeyText, nullable=False),
    sa.Column("name_key", KeyText, nullable=False),
    sa.Column("given_key", KeyText, nullable=False),
    sa.UniqueConstraint("patient_id", "number"),
    sa.Index(None, "clinic", "mrn_key"),
    sa.Index(None, "clinic", "name_key"),
    sa.Index(None, "clinic", "given_key"),
)

COURSE = _record(
    "course",
    _id(),
    _text("clinic"),
    _uuid("course_id"),
    _uuid("patient_id", to="patient.id"),
    _int("number"),
    _int("planned_infusions"),
    _int("interval_days"),
    _day("review_on"),
    _text("indication"),
    _text("protocol_code", null=True),
    _bool("ended"),
    _text("reason"),
    _instant("recorded_at"),
    _text("recorded_by"),
    sa.UniqueConstraint("course_id", "number"),
    sa.Index(None, "patient_id"),
)

VERSION = _record(
    "version",
    _id(),
    _text("clinic"),
    _text("kind"),
    _text("code"),
    _int("version"),
    _text("text"),
    _text("sha256"),
    _one_of("kind", ["protocol", "threshold_set"]),
    sa.UniqueConstraint("kind", "code", "version"),
    rowid=True,
)

VERSION_STATUS = _record(
    "version_status",
    _id(),
    _text("clinic"),
    _uuid("version_id", to="version.id"),
    _int("number"),
    _code("status", VersionStatus),
    _text("reason"),
    _instant("at"),
    _text("by"),
    sa.UniqueConstraint("version_id", "number"),
)

SESSION = _record(
    "infusion_session",
    _id(),
    _text("clinic"),
    _uuid("patient_id", to="patient.id"),
    _text("chair"),
    _uuid("protocol_id", to="version.id"),
    _uuid("threshold_set_id", to="version.id"),
    _code("drug_form", DrugForm),
    _text("route"),
    _decimal("concentration_mg_per_ml"),
    _text("sedation_scale"),
    _int("spo2_scale"),
    _instant("created_at"),
    _text("created_by"),
    _text("indication"),
    _text("setting"),
    _uuid("course_id", null=True),
    _int("series_number", null=True),
    _int("infusion_number", null=True),
    _positive("concentration_mg_per_ml"),
    _check("spo2_scale_known", "spo2_scale IN (1, 2)"),
    sa.Index(None, "patient_id", "created_at"),
    sa.Index(None, "clinic", "created_at"),
)

#: Units an observation may have been typed in: canonical ones, their labels and what is converted.
OBSERVATION_UNITS = sorted(
    {"°F", "degF"}
    | {unit for parameter in PARAMETERS.values() for unit in (parameter.unit, parameter.unit_label)}
    | {unit for parameter in PARAMETERS.values() for unit, _ in parameter.accepts}
)

OBSERVATION = _facts(
    "observation",
    _uuid("set_id"),
    _text("parameter"),
    _decimal("value", null=True),
    _code("not_taken", NotTaken, null=True),
    _decimal("entered_value", null=True),
    _text("entered_unit", null=True),
    _bool("really_so"),
    _text("note", null=True),
    _check("value_or_reason", "(value IS NULL) <> (not_taken IS NULL)"),
    _check(
        "value_possible",
        "value IS NULL OR ((CAST(value AS NUMERIC) >= 0 OR parameter = 'sedation')"
        " AND (CAST(value AS NUMERIC) <= 100 OR parameter <> 'spo2'))",
    ),
    _one_of("entered_unit", OBSERVATION_UNITS),
)

DOSE_STEP = _facts(
    "dose_step",
    _code("kind", DoseStepKind),
    _decimal("rate_mg_per_h"),
    _decimal("entered_value"),
    _code("entered_unit", DoseUnit),
    _text("reason", null=True),
    _text("ordered_by", null=True),
    _text("second_person", null=True),
    sa.Column("overrides", TextTuple(), nullable=False),
    _not_negative("rate_mg_per_h"),
    _not_negative("entered_value"),
    _check("rate_fits_kind", "kind NOT IN ('hold', 'stop') OR CAST(rate_mg_per_h AS NUMERIC) = 0"),
)

BOLUS = _facts(
    "bolus",
    _decimal("amount_mg"),
    _int("over_s"),
    _decimal("entered_value"),
    _code("entered_unit", DoseUnit),
    _bool("fully_given"),
    _text("reason", null=True),
    _text("ordered_by", null=True),
    _text("second_person", null=True),
    sa.Column("overrides", TextTuple(), nullable=False),
    _not_negative("amount_mg"),
    _not_negative("entered_value"),
    _check("over_s_window", "over_s BETWEEN 0 AND 1800"),
)

SYRINGE_CHANGE = _facts(
    "syringe_change",
    _decimal("concentration_mg_per_ml"),
    _text("batch", null=True),
    _text("second_person", null=True),
    _positive("concentration_mg_per_ml"),
)

DOSING_WEIGHT = _facts(
    "dosing_weight",
    _decimal("weight_kg"),
    _code("basis", WeightBasis),
    _bool("measured"),
    _day("measured_on", null=True),
    _decimal("height_cm", null=True),
    _text("reason", null=True),
    _text("typed", null=True),
    _positive("weight_kg"),
    _positive("height_cm"),
)

SIDE_EFFECT = _facts(
    "side_effect",
    _text("term"),
    _int("grade"),
    _text("relation", null=True),
    _text("action", null=True),
    _bool("serious"),
    _text("note", null=True),
    _check("grade_known", "grade BETWEEN 0 AND 5"),
)

SIDE_EFFECT_CHANGE = _facts(
    "side_effect_change",
    _uuid("side_effect_id", to="side_effect.id"),
    _int("grade", null=True),
    _bool("ended"),
    _text("action", null=True),
    _text("note", null=True),
    _check("grade_known", "grade BETWEEN 0 AND 5"),
)

SESSION_EVENT = _facts(
    "session_event",
    _text("kind"),
    _text("text", null=True),
    _uuid("linked_to", null=True),
)

GATE_ANSWER = _facts(
    "gate_answer",
    _text("question"),
    _code("answer", Answer),
    _text("override_reason", null=True),
    _text("override_by", null=True),
    _text("second_person", null=True),
    _text("note", null=True),
)

DRUG_MOVEMENT = _facts(
    "drug_movement",
    _code("kind", MovementKind),
    _decimal("amount_mg"),
    _int("ampoules", null=True),
    _text("batch", null=True),
    _day("expires_on", null=True),
    _text("witness", null=True),
    _text("reason", null=True),
    _check("amount_fits_kind", "kind = 'unaccounted' OR CAST(amount_mg AS NUMERIC) > 0"),
)

PATIENT_DOSE_LIMIT = _facts(
    "patient_dose_limit",
    _text("quantity"),
    _decimal("value"),
    _text("approved_by"),
    _text("reason"),
    _check("value_positive", "CAST(value AS NUMERIC) > 0"),
)

AMENDMENT = _facts(
    "amendment",
    _uuid("amends"),
    _uuid("replacement", null=True),
    _text("reason"),
)

ALERT = _record(
    "alert",
    _id(),
    _text("clinic"),
    _uuid("session_id", to="infusion_session.id"),
    _count("write_no"),
    sa.Column("group", sa.Text(), nullable=False, quote=True),
    _text("rule_id"),
    _uuid("threshold_set_id", to="version.id"),
    _text("level"),
    _bool("pending"),
    _instant("onset_at"),
    _instant("detected_at"),
    _uuid("trigger_id"),
    _text("parameter"),
    _decimal("trigger_value", null=True),
    _text("threshold_text"),
    _decimal("baseline_value", null=True),
    _text("text"),
    _one_of("level", ["warning", "critical"]),
    sa.Index(None, "session_id", "write_no"),
)

ALERT_EVENT = _record(
    "alert_event",
    _id(),
    _text("clinic"),
    _uuid("session_id", to="infusion_session.id"),
    _count("write_no"),
    _uuid("alert_id", to="alert.id"),
    _code("kind", AlertEventKind),
    _int("step"),
    _instant("at"),
    _instant("recorded_at"),
    _text("by"),
    _text("action", null=True),
    _text("text", null=True),
    _text("level", null=True),
    sa.UniqueConstraint("alert_id", "kind", "step"),
    sa.Index(None, "session_id", "write_no"),
)

USER_EVENT = _record(
    "user_event",
    _id(),
    _text("clinic"),
    _text("username"),
    _int("number"),
    _code("kind", UserEventKind),
    _text("name"),
    _code("role", Role),
    _bool("active"),
    _bool("shift_lead"),
    _instant("at"),
    _text("by"),
    sa.UniqueConstraint("username", "number"),
)

AUDIT = _record(
    "audit",
    sa.Column("clinic", sa.Text(), primary_key=True),
    sa.Column("seq", sa.BigInteger(), primary_key=True, autoincrement=False),
    _instant("at"),
    _text("by"),
    _text("action"),
    _uuid("session_id", null=True),
    _text("device", null=True),
    _text("text"),
    _text("previous_hash"),
    _text("hash"),
    sa.Index(None, "session_id", "clinic", "seq"),
    rowid=True,
)

# -- working tables ---------------------------------------------------------------------------

#: One row per chain; locked last in every writing transaction.
CHAIN_HEAD = _working(
    "chain_head",
    sa.Column("clinic", sa.Text(), primary_key=True),
    _count("seq"),
    _text("hash"),
)

#: One row per session; locked first when a session is written.  ``write_no`` is its version.
SESSION_HEAD = _working(
    "session_head",
    sa.Column("session_id", sa.Uuid(), primary_key=True),
    _text("clinic"),
    _count("write_no"),
    _bool("is_open"),
    sa.Index(None, "clinic", "is_open"),
)

CREDENTIAL = _working(
    "credential",
    sa.Column("username", sa.Text(), primary_key=True),
    _text("password_hash"),
    _text("pin_hash", null=True),
    _instant("changed_at"),
)

DEVICE_SESSION = _working(
    "device_session",
    sa.Column("token_hash", sa.Text(), primary_key=True),
    _text("username"),
    _text("label"),
    _bool("wall"),
    _instant("opened_at"),
    _instant("last_input_at"),
    _instant("expires_at"),
    _instant("locked_at", null=True),
    _instant("ended_at", null=True),
    _text("csrf_token"),
    sa.Index(None, "username"),
)

FAILED_ATTEMPT = _working(
    "failed_attempt",
    sa.Column("id", sa.Uuid(), primary_key=True),
    _text("key"),
    _instant("at"),
    sa.Index(None, "key", "at"),
)

DRAFT = _working(
    "draft",
    sa.Column("session_id", sa.Uuid(), primary_key=True),
    sa.Column("device", sa.Text(), primary_key=True),
    _text("username"),
    _text("content"),
    _instant("saved_at"),
)


def _summary_column(column: SummaryColumn) -> sa.Column[Any]:
    kinds: dict[str, Any] = {
        "text": KeyText if column.name in SORTABLE else sa.Text(),
        "int": sa.Integer(),
        "decimal": ScaledDecimal(column.decimals),
        "bool": sa.Boolean(),
        "instant": UtcDateTime(),
        "date": sa.Date(),
        "uuid": sa.Uuid(),
    }
    return sa.Column(
        column.name,
        kinds[column.kind],
        primary_key=column.name == "session_id",
        nullable=not column.required,
    )


SUMMARY = _working(
    "summary",
    *(_summary_column(column) for column in COLUMNS),
    *(sa.Index(None, "clinic_code", name, "session_id") for name in SORTABLE),
    sa.Index(None, "patient_id"),
    sa.Index(None, "clinic_code", "chair"),
)

#: The readings of closed sessions once more, packed (monitor/reading_packs.py).  In the order in
#: which one sign of one clinic is read, so that a question about years reads what it needs in a row.
READING_PACK = sa.Table(
    "reading_pack",
    METADATA,
    sa.Column("clinic", sa.Text(), primary_key=True),
    sa.Column("sign", sa.Text(), primary_key=True),
    sa.Column("started_at", UtcDateTime(), primary_key=True),
    sa.Column("session_id", sa.Uuid(), primary_key=True),
    _int("readings"),
    _text("baseline", null=True),
    sa.Column("ends_us", sa.BigInteger(), nullable=True),
    sa.Column("packed", sa.LargeBinary(), nullable=False),
    sa.Index(None, "session_id"),
    sqlite_with_rowid=False,
)
WORKING[READING_PACK.name] = READING_PACK

# -- what is where ----------------------------------------------------------------------------

#: The table of every kind of fact.
FACT_TABLES: dict[type[Fact], sa.Table] = {
    Observation: OBSERVATION,
    DoseStep: DOSE_STEP,
    Bolus: BOLUS,
    SyringeChange: SYRINGE_CHANGE,
    DosingWeight: DOSING_WEIGHT,
    SideEffect: SIDE_EFFECT,
    SideEffectChange: SIDE_EFFECT_CHANGE,
    SessionEvent: SESSION_EVENT,
    GateAnswer: GATE_ANSWER,
    DrugMovement: DRUG_MOVEMENT,
    PatientDoseLimit: PATIENT_DOSE_LIMIT,
    Amendment: AMENDMENT,
}


#: Names of the dataclass fields of every kind of fact, in the order its row is read.
FACT_NAMES: dict[type[Fact], tuple[str, ...]] = {
    kind: tuple(item.name for item in fields(kind)) for kind in FACT_TABLES
}


def row_of(instance: Any) -> dict[str, Any]:
    """A dataclass as the values of its columns."""
    return {item.name: getattr(instance, item.name) for item in fields(instance)}
