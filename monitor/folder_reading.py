"""Reading a session folder: every cell into its value, every problem with its place."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from monitor.dosing import LONGEST_BOLUS_S, to_mg_per_h
from monitor.errors import ImportRefused
from monitor.folder_cells import NUMBER, Problems, Row, Toml, file_text, parse_instant, rows_of
from monitor.folder_format import AlertAnswer, SessionFolder
from monitor.ids import derived_id
from monitor.parameters import PARAMETERS
from monitor.protocols import PinnedVersion, VersionStatus, canonical_content, seed_versions
from monitor.record import (
    Amendment,
    Answer,
    Bolus,
    DoseStep,
    DoseStepKind,
    DoseUnit,
    DosingWeight,
    DrugForm,
    Fact,
    GateAnswer,
    InfusionSession,
    NotTaken,
    Observation,
    Patient,
    SessionEvent,
    SideEffect,
    SideEffectChange,
    Source,
    SyringeChange,
    WeightBasis,
)
from monitor.scales import SCALES, SEDATION_SCALES
from monitor.side_effects import TERMS
from monitor.thresholds import parse_threshold_set

#: A fact may lie this far after its saving: clocks of tablet and server differ (clinical.md 9).
CLOCK_TOLERANCE = timedelta(minutes=2)

#: A derived mg/h or mg may differ this much from the one written beside it: the pump rounds.
DOSE_TOLERANCE = Decimal("0.05")

_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")

EnumT = TypeVar("EnumT", bound=Enum)


@dataclass(frozen=True, slots=True)
class _Header:
    """What session.toml says, with its values in the right types."""

    title: str
    synthetic: bool
    recorded_by: str
    session: InfusionSession
    protocol: PinnedVersion
    thresholds: PinnedVersion


def _number(text: str) -> Decimal:
    if not NUMBER.fullmatch(text) or Decimal(text) <= 0:
        raise ValueError("is not a number above 0")
    return Decimal(text)


def _member(kind: type[EnumT]) -> Callable[[str], EnumT]:
    def parse(text: str) -> EnumT:
        try:
            return kind(text)
        except ValueError:
            known = ", ".join(str(member.value) for member in kind)
            raise ValueError(f"is not known; use one of: {known}") from None

    return parse


def _read_header(
    path: Path, versions: tuple[PinnedVersion, ...], problems: Problems
) -> _Header | None:
    """The header of the session, without facts; None when it cannot be built."""
    file = path / "session.toml"
    if not file.is_file():
        problems.add("session.toml", 1, "file", "is missing; every session folder has one")
        return None
    text = file_text(file, problems)
    if text is None:
        return None
    toml = Toml(text, problems)
    if toml.broken and not toml.content:
        return None
    clinic, mrn = toml.text_of("clinic"), toml.text_of("patient.mrn")
    session_id = toml.parsed("id", UUID, "") or derived_id("session", clinic, mrn, path.name)
    patient = Patient(
        id=toml.parsed("patient.id", UUID, "") or derived_id("patient", clinic, mrn),
        mrn=mrn,
        family_name=toml.text_of("patient.family_name"),
        given_name=toml.text_of("patient.given_name"),
        born_on=toml.parsed("patient.born_on", date.fromisoformat) or date.min,
        sex=toml.text_of("patient.sex", "unknown"),
        allergies=toml.text_of("patient.allergies", ""),
    )
    protocol = _pinned(toml, "protocol", path, versions)
    thresholds = _pinned(toml, "threshold_set", path, versions)
    scale, spo2_scale = toml.text_of("sedation_scale"), toml.whole_of("spo2_scale")
    if scale and scale not in SEDATION_SCALES:
        toml.fail(
            "sedation_scale", f'"{scale}" is not known; use one of: {", ".join(SEDATION_SCALES)}'
        )
    if spo2_scale not in (1, 2):
        toml.fail("spo2_scale", "must be 1 or 2")
    created_by = toml.text_of("created_by")
    header = {
        "chair": toml.text_of("chair"),
        "drug_form": toml.parsed("drug_form", _member(DrugForm)),
        "route": toml.text_of("route"),
        "concentration_mg_per_ml": toml.parsed("concentration_mg_per_ml", _number),
        "created_at": toml.parsed("created_at", parse_instant),
        "indication": toml.text_of("indication", ""),
        "setting": toml.text_of("setting", "outpatient"),
    }
    recorded_by = toml.text_of("recorded_by", created_by)
    title = toml.text_of("title", path.name)
    if protocol is not None and header["drug_form"] is not None:
        planned = protocol.protocol().form
        if planned is not header["drug_form"]:
            toml.fail("drug_form", f'the protocol is for form "{planned}" only (U-01)')
    if toml.broken or protocol is None or thresholds is None:
        return None
    session = InfusionSession(
        id=session_id,
        clinic=clinic,
        patient=patient,
        protocol_id=protocol.id,
        threshold_set_id=thresholds.id,
        sedation_scale=scale,
        spo2_scale=spo2_scale,
        created_by=created_by,
        **header,
    )
    return _Header(title, toml.get("synthetic") is True, recorded_by, session, protocol, thresholds)


def _pinned(
    toml: Toml, kind: str, path: Path, versions: tuple[PinnedVersion, ...]
) -> PinnedVersion | None:
    """The version the session was started under: the folder's own copy, else a known one."""
    code, number = toml.text_of(kind), toml.whole_of(f"{kind}_version")
    own = path / f"{kind}.json"
    found: PinnedVersion | None = None
    if own.is_file():
        try:
            content = json.loads(own.read_text("utf-8"))
            text, sha256 = canonical_content(content)
            version_id = toml.parsed(f"{kind}_id", UUID, "") or derived_id(
                kind, content["code"], content["version"], sha256
            )
            found = PinnedVersion(
                id=version_id,
                kind=kind,
                code=content["code"],
                version=content["version"],
                text=text,
                sha256=sha256,
                status=VersionStatus(content.get("status", "draft")),
            )
            _parse_version(found)
        except (ValueError, KeyError, TypeError) as error:
            toml.broken = True
            toml.problems.add(own.name, 1, "file", f"is not a {kind.replace('_', ' ')}: {error!r}")
            return None
        if (found.code, found.version) != (code, number):
            toml.fail(kind, f"{own.name} holds {found.code} version {found.version}")
    else:
        wanted = (kind, code, number)
        matches = [v for v in versions if (v.kind, v.code, v.version) == wanted]
        found = matches[0] if matches else None
        if found is None and code:
            toml.fail(kind, f'"{code}" version {number} is not known here')
    return found


def _parse_version(version: PinnedVersion) -> None:
    if version.kind == "protocol":
        version.protocol()
    else:
        parse_threshold_set(json.loads(version.text))


@dataclass(slots=True)
class _Reader:
    """Builds the facts of one folder; labels become ids of this session."""

    header: _Header
    problems: Problems
    facts: list[Fact] = field(default_factory=list)
    lines: dict[UUID, Row] = field(default_factory=dict)
    references: list[tuple[Row, str, UUID, type[Fact] | None]] = field(default_factory=list)

    @property
    def session(self) -> InfusionSession:
        return self.header.session

    def named(self, row: Row, column: str) -> UUID | None:
        """The id that a UUID or a label stands for; None when the cell is empty."""
        cell = row.raw(column)
        if not cell:
            return None
        try:
            return UUID(cell)
        except ValueError:
            pass
        if not _LABEL.fullmatch(cell):
            row.fail(column, f'"{cell}" is neither a UUID nor a plain label')
            return None
        return derived_id(self.session.id, "label", cell)

    def reference(self, row: Row, column: str, kind: type[Fact] | None = None) -> UUID | None:
        """A reference to another row, checked when every file was read."""
        found = self.named(row, column)
        if found is not None:
            self.references.append((row, column, found, kind))
        return found

    def common(self, row: Row) -> dict[str, Any]:
        """The fields every fact has."""
        own = self.named(row, "id") or derived_id(self.session.id, row.file, row.line)
        taken_at, recorded_at = row.needed_instant("taken_at"), row.needed_instant("recorded_at")
        if not row.broken and taken_at > recorded_at + CLOCK_TOLERANCE:
            row.fail("taken_at", "lies after recorded_at; nothing is recorded before it happens")
        source = Source.IMPORTED
        if row.raw("source"):
            source = row.code("source", Source) or source
        return {
            "id": own,
            "taken_at": taken_at,
            "recorded_at": recorded_at,
            "recorded_by": row.text("recorded_by") or self.header.recorded_by,
            "source": source,
        }

    def add(self, row: Row, kind: Callable[..., Fact], values: dict[str, Any]) -> None:
        """Keep the fact, unless its row is broken or its id is taken."""
        if row.broken:
            return
        if values["id"] in self.lines:
            other = self.lines[values["id"]]
            row.fail("id", f"is already the id of {other.file} line {other.line}")
            return
        self.lines[values["id"]] = row
        self.facts.append(kind(**values))

    # -- observations ----------------------------------------------------------------------------
    def observation(self, row: Row) -> None:
        values = self.common(row)
        key = row.raw("parameter")
        parameter = PARAMETERS.get(key)
        if parameter is None:
            row.fail("parameter", f'"{key}" is not known; use one of: {", ".join(PARAMETERS)}')
            return
        amends = self.reference(row, "amends", Observation)
        not_taken = row.code("not_taken", NotTaken)
        value, reason = row.number("value"), row.text("reason")
        if amends is not None and not reason:
            row.fail("reason", "is empty; a correction names its reason")
        if amends is None and reason:
            row.fail("reason", "stands without amends; write remarks into note")
        if amends is not None and not row.raw("value") and not_taken is None:
            if not row.broken:
                self.amend(row, values, amends, None, reason or "")
            return
        if bool(row.raw("value")) == bool(row.raw("not_taken")):
            row.fail("value", "exactly one of value and not_taken must be filled")
        if not_taken is not None and not_taken not in parameter.reasons:
            known = ", ".join(parameter.reasons)
            row.fail("not_taken", f'"{not_taken}" does not fit {parameter.label}; use: {known}')
        entered, entered_unit = row.number("entered_value"), row.text("entered_unit")
        unit = row.raw("unit")
        if value is not None:
            own_units = (parameter.unit, parameter.unit_label, "")
            try:
                canonical = parameter.to_canonical(value, unit)
                if unit not in own_units and entered is None:
                    entered, entered_unit = value, unit
                value = canonical
            except ValueError as error:
                row.fail("unit", str(error))
        really_so, note = row.flag("really_so"), row.text("note")
        if value is not None and not row.broken:
            self.check_limits(row, key, value, really_so=really_so, note=note)
        label = row.raw("set_id")
        set_id = self.named(row, "set_id") if label else None
        values |= {
            "set_id": set_id or derived_id(self.session.id, "set", values["taken_at"].isoformat()),
            "parameter": key,
            "value": value,
            "not_taken": not_taken,
            "entered_value": entered,
            "entered_unit": entered_unit,
            "really_so": really_so,
            "note": note,
        }
        self.add(row, Observation, values)
        if amends is not None and not row.broken:
            self.amend(row, values, amends, values["id"], reason or "")

    def check_limits(
        self, row: Row, key: str, value: Decimal, *, really_so: bool, note: str | None
    ) -> None:
        """Beyond a hard limit only what staff confirmed as really so (design ruling 13)."""
        parameter = PARAMETERS[key]
        below = parameter.hard_below is not None and value < parameter.hard_below
        above = parameter.hard_above is not None and value > parameter.hard_above
        if (below or above) and not (really_so and note):
            row.fail(
                "value",
                f"{parameter.label} {value} is not plausible "
                f"({parameter.hard_below} to {parameter.hard_above}); "
                "if it really was so, write yes into really_so and say why in note",
            )
        if key == "sedation":
            codes = [code.code for code in SCALES[self.session.sedation_scale].codes]
            if value not in codes:
                row.fail(
                    "value",
                    f"{value} is not a code of {self.session.sedation_scale}; "
                    f"use one of: {', '.join(str(code) for code in codes)}",
                )

    def amend(
        self,
        row: Row,
        values: Mapping[str, Any],
        amends: UUID,
        replacement: UUID | None,
        reason: str,
    ) -> None:
        """The amendment an observation row states beside its value, made when it was saved."""
        self.facts.append(
            Amendment(
                id=derived_id(values["id"], "amendment"),
                taken_at=values["recorded_at"],
                recorded_at=values["recorded_at"],
                recorded_by=values["recorded_by"],
                source=values["source"],
                amends=amends,
                replacement=replacement,
                reason=reason,
            )
        )

    # -- doses -----------------------------------------------------------------------------------
    def weight_row(self, row: Row) -> None:
        values = self.common(row)
        if row.raw("unit") != "kg":
            row.fail("unit", "a weight is in kg")
        weight = row.needed_number("value")
        if not row.broken and not 25 <= weight <= 350:
            row.fail("value", f"a weight of {weight} kg is not plausible (25 to 350)")
        values |= {
            "weight_kg": weight,
            "basis": row.code("weight_basis", WeightBasis) or WeightBasis.ACTUAL,
            "measured": row.flag("measured", default=True),
            "height_cm": row.number("height_cm"),
        }
        self.add(row, DosingWeight, values)

    def syringe_row(self, row: Row) -> None:
        values = self.common(row)
        if row.raw("unit") != "mg/mL":
            row.fail("unit", "a syringe's concentration is in mg/mL")
        concentration = row.needed_number("value")
        if not row.broken and concentration <= 0:
            row.fail("value", "a concentration is above 0")
        values |= {
            "concentration_mg_per_ml": concentration,
            "batch": row.text("batch"),
            "second_person": row.text("second_person"),
        }
        self.add(row, SyringeChange, values)

    def dose_row(self, row: Row) -> None:
        """A change of rate or a bolus; weights and syringes are read before."""
        values = self.common(row)
        unit = row.code("unit", DoseUnit)
        value = row.needed_number("value")
        kind = row.raw("kind")
        is_bolus = kind == "bolus"
        if unit is not None and (unit in (DoseUnit.MG, DoseUnit.MG_PER_KG)) != is_bolus:
            row.fail("unit", f'"{unit}" does not fit {kind}')
        if not row.broken and value < 0:
            row.fail("value", "a dose is never below 0")
        if kind in ("hold", "stop") and not row.broken and value != 0:
            row.fail("value", f"a {kind} has rate 0")
        if row.broken or unit is None:
            return
        values |= {
            "entered_value": value,
            "entered_unit": unit,
            "reason": row.text("reason"),
            "ordered_by": row.text("ordered_by"),
            "second_person": row.text("second_person"),
            "overrides": tuple(part for part in row.raw("overrides").split(";") if part),
        }
        amount = self.amount(row, "mg" if is_bolus else "mg_per_h", value, unit)
        if is_bolus:
            over_s = row.whole("over_s") or 0
            if not 0 <= over_s <= LONGEST_BOLUS_S:
                row.fail(
                    "over_s", f"a bolus lasts at most {LONGEST_BOLUS_S} s; enter longer as a rate"
                )
            values |= {
                "amount_mg": amount,
                "over_s": over_s,
                "fully_given": row.flag("fully_given"),
            }
            self.add(row, Bolus, values)
        else:
            values |= {"kind": DoseStepKind(kind), "rate_mg_per_h": amount}
            self.add(row, DoseStep, values)

    def amount(self, row: Row, column: str, value: Decimal, unit: DoseUnit) -> Decimal:
        """The dose in mg/h or mg: as written, but never one that the entered dose contradicts."""
        given = row.number(column)
        at = row.needed_instant("taken_at")
        exact = self.candidates(value, unit)
        if given is None:
            if not exact:
                row.fail("value", "needs a weight: add a row of kind weight")
                return Decimal(0)
            return self.at_the_time(value, unit, at)
        if not any(abs(given - candidate) <= DOSE_TOLERANCE for candidate in exact):
            row.fail(column, f"{given} contradicts {value} {unit}")
        return given

    def weights(self) -> list[DosingWeight]:
        found = [fact for fact in self.facts if isinstance(fact, DosingWeight)]
        return sorted(found, key=lambda fact: fact.order)

    def syringes(self) -> list[SyringeChange]:
        found = [fact for fact in self.facts if isinstance(fact, SyringeChange)]
        return sorted(found, key=lambda fact: fact.order)

    def candidates(self, value: Decimal, unit: DoseUnit) -> list[Decimal]:
        """What the dose is in mg or mg/h under any weight and syringe of the session."""
        weights = [weight.weight_kg for weight in self.weights()]
        if not weights:
            if unit in (DoseUnit.MG_PER_KG, DoseUnit.MG_PER_KG_PER_H, DoseUnit.MCG_PER_KG_PER_MIN):
                return []
            weights = [Decimal(1)]
        syringes = [change.concentration_mg_per_ml for change in self.syringes()]
        return [
            _in_mg(value, unit, weight, concentration)
            for weight in weights
            for concentration in (self.session.concentration_mg_per_ml, *syringes)
        ]

    def at_the_time(self, value: Decimal, unit: DoseUnit, at: datetime) -> Decimal:
        """The dose in mg or mg/h with the weight and the syringe of that moment."""
        weights = self.weights()
        before = [weight for weight in weights if weight.taken_at <= at] or weights[:1]
        weight = before[-1].weight_kg if before else Decimal(1)
        concentration = self.session.concentration_mg_per_ml
        for change in self.syringes():
            if change.taken_at <= at:
                concentration = change.concentration_mg_per_ml
        return _in_mg(value, unit, weight, concentration)

    def doses(self, path: Path) -> None:
        rows = list(rows_of(path, self.problems))
        known = [str(kind) for kind in DoseStepKind] + ["bolus"]
        for row in rows:
            if row.raw("kind") == "weight":
                self.weight_row(row)
            elif row.raw("kind") == "syringe":
                self.syringe_row(row)
        for row in rows:
            kind = row.raw("kind")
            if kind in known:
                self.dose_row(row)
            elif kind not in ("weight", "syringe"):
                use = ", ".join([*known, "syringe", "weight"])
                row.fail("kind", f'"{kind}" is not known; use one of: {use}')

    # -- the rest --------------------------------------------------------------------------------
    def side_effect(self, row: Row) -> None:
        values = self.common(row)
        grade = row.whole("grade")
        of = self.reference(row, "of", SideEffect)
        values |= {"action": row.text("action"), "note": row.text("note")}
        if of is not None:
            if row.raw("term"):
                row.fail("term", "must be empty when of names the side effect")
            values |= {"side_effect_id": of, "grade": grade, "ended": row.flag("ended")}
            self.add(row, SideEffectChange, values)
            return
        term = row.raw("term")
        if term not in TERMS:
            row.fail("term", f'"{term}" is not a side effect; see the list in side_effects.toml')
        lowest, highest = (0, 0) if term == "none" else (1, 5)
        if grade is None or not lowest <= grade <= highest:
            row.fail("grade", f"must be from {lowest} to {highest}")
        if row.raw("ended"):
            row.fail("ended", "a new side effect cannot end on its own row; add one with of")
        values |= {
            "term": term,
            "grade": grade,
            "relation": row.text("relation"),
            "serious": row.flag("serious"),
        }
        self.add(row, SideEffect, values)

    def event(self, row: Row) -> None:
        values = self.common(row)
        values |= {
            "kind": row.needed_text("kind"),
            "text": row.text("text"),
            "linked_to": self.reference(row, "linked_to"),
        }
        self.add(row, SessionEvent, values)

    def gate(self, row: Row) -> None:
        values = self.common(row)
        answer = row.code("answer", Answer)
        if answer is None and not row.raw("answer"):
            row.fail("answer", "is empty; use yes, no or unknown")
        values |= {
            "question": row.needed_text("question"),
            "answer": answer,
            "override_reason": row.text("override_reason"),
            "override_by": row.text("override_by"),
        }
        self.add(row, GateAnswer, values)

    def amendment(self, row: Row) -> None:
        values = self.common(row)
        amends = self.reference(row, "amends")
        if amends is None and not row.raw("amends"):
            row.fail("amends", "is empty; name the row that was wrong")
        values |= {
            "amends": amends,
            "replacement": self.reference(row, "replacement"),
            "reason": row.needed_text("reason"),
        }
        self.add(row, Amendment, values)

    def check_references(self) -> None:
        """Every row another row speaks of must be there, and be of the right kind."""
        kinds = {fact.id: type(fact) for fact in self.facts}
        for row, column, target, kind in self.references:
            if target not in kinds:
                row.fail(column, f'"{row.raw(column)}" is not the id of a row of this folder')
            elif kind is not None and kinds[target] is not kind:
                row.fail(column, f'"{row.raw(column)}" is a {kinds[target].__name__}')

    def check_sets(self) -> None:
        """Within a set: no parameter twice, and diastolic below systolic (clinical.md 3.1)."""
        amended = {fact.amends for fact in self.facts if isinstance(fact, Amendment)}
        sets: dict[UUID, dict[str, Observation]] = {}
        for fact in self.facts:
            if not isinstance(fact, Observation) or fact.id in amended:
                continue
            held = sets.setdefault(fact.set_id, {})
            if fact.parameter in held:
                self.lines[fact.id].fail("parameter", f"{fact.parameter} is twice in its set")
            held[fact.parameter] = fact
        for held in sets.values():
            sbp, dbp = held.get("sbp"), held.get("dbp")
            if sbp is None or dbp is None or sbp.value is None or dbp.value is None:
                continue
            if dbp.value >= sbp.value and not (sbp.really_so or dbp.really_so):
                self.lines[dbp.id].fail(
                    "value", f"diastolic {dbp.value} is not below systolic {sbp.value}"
                )


def _in_mg(value: Decimal, unit: DoseUnit, weight: Decimal, concentration: Decimal) -> Decimal:
    if unit is DoseUnit.MG:
        return value
    if unit is DoseUnit.MG_PER_KG:
        return value * weight
    return to_mg_per_h(value, unit, weight_kg=weight, concentration_mg_per_ml=concentration)


def _read_answers(path: Path, problems: Problems) -> tuple[AlertAnswer, ...]:
    answers = []
    for row in rows_of(path, problems):
        at = row.needed_instant("at")
        answer = AlertAnswer(
            at=at,
            recorded_at=row.instant("recorded_at") or at,
            by=row.needed_text("by"),
            group=row.needed_text("group"),
            action=row.text("action"),
            text=row.text("text"),
            line=row.line,
        )
        if not row.broken:
            answers.append(answer)
    return tuple(sorted(answers, key=lambda item: (item.recorded_at, item.at)))


def read_folder(path: Path, versions: Iterable[PinnedVersion] | None = None) -> SessionFolder:
    """The session a folder holds.

    ``versions`` are the protocols and threshold sets known here; the packaged ones by default.

    Raises:
        ImportRefused: one line for every problem: file, line, column, reason.
    """
    problems = Problems()
    if not path.is_dir():
        raise ImportRefused([f"{path.name}:1:folder: is not a folder"])
    known = tuple(seed_versions()) if versions is None else tuple(versions)
    header = _read_header(path, known, problems)
    if header is None:
        problems.refuse()
        raise ImportRefused(["session.toml:1:file: cannot be read"])
    reader = _Reader(header, problems)
    reader.doses(path / "doses.csv")
    kinds: tuple[tuple[str, Callable[[Row], None]], ...] = (
        ("observations.csv", reader.observation),
        ("side_effects.csv", reader.side_effect),
        ("events.csv", reader.event),
        ("gate.csv", reader.gate),
        ("amendments.csv", reader.amendment),
    )
    for name, read in kinds:
        for row in rows_of(path / name, problems):
            read(row)
    reader.check_references()
    reader.check_sets()
    answers = _read_answers(path / "answers.csv", problems)
    expected = _read_expected(path / "expected.toml", problems)
    problems.refuse()
    return SessionFolder(
        name=path.name,
        title=header.title,
        synthetic=header.synthetic,
        session=header.session.with_facts(reader.facts),
        protocol_version=header.protocol,
        threshold_version=header.thresholds,
        answers=answers,
        expected=expected,
    )


def _read_expected(path: Path, problems: Problems) -> Mapping[str, Any]:
    if not path.is_file():
        return {}
    text = file_text(path, problems)
    if text is None:
        return {}
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"at line (\d+), column (\d+)", str(error))
        line, column = place.groups() if place else ("1", "1")
        problems.add(path.name, int(line), column, f"is not TOML: {error}")
        return {}
