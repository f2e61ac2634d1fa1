"""observations.csv of a session folder: values, reasons why there is none, and corrections."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from monitor.entry_fields import stored_value_problem
from monitor.folder_cells import Row
from monitor.folder_facts import FactRows
from monitor.ids import derived_id
from monitor.parameters import PARAMETERS
from monitor.record import Amendment, NotTaken, Observation


def read_observation(rows: FactRows, row: Row) -> None:
    values = rows.common(row)
    key = row.raw("parameter")
    parameter = PARAMETERS.get(key)
    if parameter is None:
        row.fail("parameter", f'"{key}" is not known; use one of: {", ".join(PARAMETERS)}')
        return
    amends = rows.reference(row, "amends", Observation)
    not_taken = row.code("not_taken", NotTaken)
    value, reason = row.number("value"), row.text("reason")
    if amends is not None and not reason:
        row.fail("reason", "is empty; a correction names its reason")
    if amends is None and reason:
        row.fail("reason", "stands without amends; write remarks into note")
    if amends is not None and not row.raw("value") and not_taken is None:
        if not row.broken:
            _amend(rows, values, amends, None, reason or "")
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
        _check_limits(rows, row, key, value, really_so=really_so, note=note)
        told = stored_value_problem(
            parameter,
            value,
            rows.session,
            dissociation_scale=rows.dissociation_scale,
            converted=entered is not None,
        )
        confirmed = really_so and note and parameter.kind == "vital"
        if told is not None and not row.broken and not confirmed:
            row.fail("value", told.message)
    label = row.raw("set_id")
    set_id = rows.named(row, "set_id") if label else None
    values |= {
        "set_id": set_id or derived_id(rows.session.id, "set", values["taken_at"].isoformat()),
        "parameter": key,
        "value": value,
        "not_taken": not_taken,
        "entered_value": entered,
        "entered_unit": entered_unit,
        "really_so": really_so,
        "note": note,
    }
    rows.add(row, Observation, values)
    if amends is not None and not row.broken:
        _amend(rows, values, amends, values["id"], reason or "")


def _check_limits(
    rows: FactRows, row: Row, key: str, value: Decimal, *, really_so: bool, note: str | None
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


def _amend(
    rows: FactRows,
    values: Mapping[str, Any],
    amends: UUID,
    replacement: UUID | None,
    reason: str,
) -> None:
    """The amendment an observation row states beside its value, made when it was saved."""
    rows.facts.append(
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


def check_sets(rows: FactRows) -> None:
    """Within a set: no parameter twice, and pressures that fit each other (clinical.md 3.1)."""
    amended = {fact.amends for fact in rows.facts if isinstance(fact, Amendment)}
    sets: dict[UUID, dict[str, Observation]] = {}
    for fact in rows.facts:
        if not isinstance(fact, Observation) or fact.id in amended:
            continue
        held = sets.setdefault(fact.set_id, {})
        if fact.parameter in held:
            rows.lines[fact.id].fail("parameter", f"{fact.parameter} is twice in its set")
        held[fact.parameter] = fact
    for held in sets.values():
        _check_pressures(rows, held)


def _check_pressures(rows: FactRows, held: Mapping[str, Observation]) -> None:
    """Diastolic below systolic, the mean between them, unless it really was so."""
    sbp, dbp, mean = (held.get(key) for key in ("sbp", "dbp", "map"))
    if sbp is None or dbp is None or sbp.value is None or dbp.value is None:
        return
    if dbp.value >= sbp.value:
        if not (sbp.really_so or dbp.really_so):
            rows.lines[dbp.id].fail(
                "value", f"diastolic {dbp.value} is not below systolic {sbp.value}"
            )
        return
    if mean is None or mean.value is None or dbp.value <= mean.value <= sbp.value:
        return
    if not (sbp.really_so or dbp.really_so or mean.really_so):
        rows.lines[mean.id].fail(
            "value",
            f"mean pressure {mean.value} is not between diastolic {dbp.value} "
            f"and systolic {sbp.value}",
        )
