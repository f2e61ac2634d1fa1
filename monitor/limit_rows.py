"""The limits that bind a dose: the strictest of the protocol's own and of clinical.md 2.5 (U-24).

The rows of 2.5 are data (library/dosing.toml).  They come from racemic ketamine and hold for it
alone; nothing of them reaches a protocol of S-ketamine (U-01).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from monitor.dose_units import dosing_numbers
from monitor.protocols import InfusionProtocol
from monitor.record import DrugForm

Severity = Literal["soft", "hard"]

#: Limits of 2.5 whose longer value is the stricter one.
_LONGER_IS_STRICTER = frozenset({"step_interval_min"})
#: What an anaesthetist may allow beyond the general hard limit where the dose is fixed (U-21).
RAISABLE = frozenset({"rate_mg_per_h"})
_SEVERITIES: tuple[Severity, ...] = ("hard", "soft")


class Limit(NamedTuple):
    """A limit that binds, and whose it is in the words of a message."""

    kind: Severity
    value: Decimal
    whose: str


@dataclass(frozen=True, slots=True)
class LimitRow:
    """A row of clinical.md 2.5; ``setting`` and ``fixed_dose`` None hold for every protocol."""

    name: str
    field: str
    source: str
    soft: Decimal | None = None
    hard: Decimal | None = None
    setting: str | None = None
    fixed_dose: bool | None = None

    def holds_for(self, form: str, setting: str | None, *, fixed_dose: bool) -> bool:
        """Whether the row counts for a protocol of that form, setting and kind."""
        return (
            form == DrugForm.RACEMIC
            and self.setting in (None, setting)
            and self.fixed_dose in (None, fixed_dose)
        )

    def value(self, kind: Severity) -> Decimal | None:
        return self.hard if kind == "hard" else self.soft

    @property
    def words(self) -> str:
        return f"reference limit “{self.name}”"


def _read(row: dict[str, Any]) -> LimitRow:
    return LimitRow(
        name=row["name"],
        field=row["field"],
        source=row["source"],
        soft=Decimal(row["soft"]) if "soft" in row else None,
        hard=Decimal(row["hard"]) if "hard" in row else None,
        setting=row.get("setting"),
        fixed_dose=row.get("fixed_dose"),
    )


_LIBRARY = dosing_numbers()["limit"]
ROWS: tuple[LimitRow, ...] = tuple(_read(row) for row in _LIBRARY)
#: (protocol, field): what a row has for one protocol of the library alone.
_EXCEPTIONS: dict[tuple[str, str], dict[str, str]] = {
    (exception["protocol"], row["field"]): exception
    for row in _LIBRARY
    for exception in row.get("exception", ())
}


def excepted(code: str, field: str, kind: Severity) -> Decimal | None:
    """The limit that stands in place of the row's for this protocol alone."""
    value = _EXCEPTIONS.get((code, field), {}).get(kind)
    return None if value is None else Decimal(value)


def anaesthetist_above(protocol: InfusionProtocol, field: str) -> Decimal | None:
    """Above this an anaesthetist is present: where a protocol may go beyond the row (P14)."""
    value = _EXCEPTIONS.get((protocol.code, field), {}).get("anaesthetist_above")
    return None if value is None else Decimal(value)


def row_limits(
    code: str, form: str, setting: str | None, field: str, *, fixed_dose: bool
) -> Iterator[Limit]:
    """What 2.5 says about the field for such a protocol, hard first."""
    for kind in _SEVERITIES:
        for row in ROWS:
            value = row.value(kind)
            if (
                row.field == field
                and value is not None
                and row.holds_for(form, setting, fixed_dose=fixed_dose)
            ):
                yield Limit(kind, excepted(code, field, kind) or value, f"the {row.words}")


def _own(protocol: InfusionProtocol, field: str, kind: Severity) -> Decimal | None:
    """The protocol's own limit; 0 minutes between increases is none."""
    limits = protocol.limits
    if field == "step_interval_min":
        minutes = limits.step_interval_min_hard if kind == "hard" else limits.step_interval_min_soft
        return Decimal(minutes) if minutes else None
    if field == "step_percent":
        return limits.step_percent_soft if kind == "soft" else None
    value: Decimal | None = getattr(getattr(limits, field), kind)
    return value


def own_limit_name(kind: Severity, code: str) -> str:
    """Whose limit it is, as it stands in a message."""
    return f"the {'hard limit' if kind == 'hard' else 'usual maximum'} of {code}"


def is_stricter(field: str, value: Decimal, than: Decimal) -> bool:
    return value > than if field in _LONGER_IS_STRICTER else value < than


def binding(protocol: InfusionProtocol, field: str) -> Iterator[Limit]:
    """The limits of the field in force, hard first: the strictest at each severity (U-24).

    The protocol's own is named where both are the same.
    """
    rows = list(
        row_limits(
            protocol.code,
            protocol.form,
            protocol.setting,
            field,
            fixed_dose=protocol.limits.fixed_rate_mg_per_kg_h is not None,
        )
    )
    for kind in _SEVERITIES:
        own = _own(protocol, field, kind)
        best = None if own is None else Limit(kind, own, own_limit_name(kind, protocol.code))
        for row in rows:
            if row.kind == kind and (best is None or is_stricter(field, row.value, best.value)):
                best = row
        if kind == "hard":
            best = _with_patient(protocol, field, best)
        if best is not None:
            yield best


def _with_patient(protocol: InfusionProtocol, field: str, general: Limit | None) -> Limit | None:
    """The patient's own hard limit where it is the stricter one, or takes the place of a raisable."""
    for limit in protocol.patient_limits:
        if limit.quantity != field:
            continue
        replaces = field in RAISABLE and protocol.limits.fixed_rate_mg_per_kg_h is not None
        if general is None or replaces or is_stricter(field, limit.value, general.value):
            return Limit("hard", limit.value, "the limit for this patient")
    return general
