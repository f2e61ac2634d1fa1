"""session.toml of a session folder: who, where, and under which protocol and limits."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from monitor.folder_cells import NUMBER, Problems, Toml, file_text, parse_instant
from monitor.ids import derived_id
from monitor.protocols import PinnedVersion, VersionStatus, canonical_content
from monitor.record import DrugForm, InfusionSession, Patient
from monitor.scales import SEDATION_SCALES
from monitor.thresholds import parse_threshold_set

EnumT = TypeVar("EnumT", bound=Enum)


@dataclass(frozen=True, slots=True)
class Header:
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


def read_header(
    path: Path, versions: tuple[PinnedVersion, ...], problems: Problems
) -> Header | None:
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
    clinic, mrn = toml.code_of("clinic"), toml.code_of("patient.mrn")
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
    scale, spo2_scale = toml.code_of("sedation_scale"), toml.whole_of("spo2_scale")
    if scale.strip() and scale not in SEDATION_SCALES:
        toml.fail(
            "sedation_scale", f'"{scale}" is not known; use one of: {", ".join(SEDATION_SCALES)}'
        )
    if spo2_scale not in (1, 2):
        toml.fail("spo2_scale", "must be 1 or 2")
    created_by = toml.code_of("created_by")
    header = {
        "chair": toml.text_of("chair"),
        "drug_form": toml.parsed("drug_form", _member(DrugForm)),
        "route": toml.text_of("route"),
        "concentration_mg_per_ml": toml.parsed("concentration_mg_per_ml", _number),
        "created_at": toml.parsed("created_at", parse_instant),
        "indication": toml.text_of("indication", ""),
        "setting": toml.text_of("setting", "outpatient"),
        "course_id": toml.parsed("course_id", UUID, ""),
        "series_number": toml.number_of("series_number"),
        "infusion_number": toml.number_of("infusion_number"),
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
    return Header(title, toml.get("synthetic") is True, recorded_by, session, protocol, thresholds)


def _pinned(
    toml: Toml, kind: str, path: Path, versions: tuple[PinnedVersion, ...]
) -> PinnedVersion | None:
    """The version the session was started under: the folder's own copy, else a known one."""
    code, number = toml.text_of(kind), toml.whole_of(f"{kind}_version")
    own = path / f"{kind}.json"
    if own.is_file():
        brought = _own_version(toml, kind, own)
        if brought is not None and (brought.code, brought.version) != (code, number):
            toml.fail(kind, f"{own.name} holds {brought.code} version {brought.version}")
        return brought
    wanted = (kind, code, number)
    known = next((v for v in versions if (v.kind, v.code, v.version) == wanted), None)
    if known is None:
        if code:
            toml.fail(kind, f'"{code}" version {number} is not known here')
        return None
    try:
        _parse_version(known)
    except _NOT_A_VERSION:
        toml.fail(kind, f'"{code}" version {number} is not complete: no session ran under it')
        return None
    return known


#: What JSON that is no protocol or threshold set makes its parser raise.
_NOT_A_VERSION = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RecursionError,
)


def _own_version(toml: Toml, kind: str, own: Path) -> PinnedVersion | None:
    """The version a folder brings along, or None and a problem when the file holds none."""
    content_text = file_text(own, toml.problems)
    if content_text is None:
        toml.broken = True
        return None
    try:
        content = json.loads(content_text)
        text, sha256 = canonical_content(content)
        found = PinnedVersion(
            id=toml.parsed(f"{kind}_id", UUID, "")
            or derived_id(kind, content["code"], content["version"], sha256),
            kind=kind,
            code=content["code"],
            version=content["version"],
            text=text,
            sha256=sha256,
            status=VersionStatus(content.get("status", "draft")),
        )
        _parse_version(found)
    except _NOT_A_VERSION as error:
        toml.broken = True
        why = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        toml.problems.add(own.name, 1, "file", f"is not a {kind.replace('_', ' ')}: {why}")
        return None
    return found


def _parse_version(version: PinnedVersion) -> None:
    if version.kind == "protocol":
        version.protocol()
    else:
        parse_threshold_set(json.loads(version.text))
