"""Doses: one door to converting them, adding them up and holding them against the limits.

Every number is an exact ``Decimal``, worked out with 50 significant digits whatever the context of
the caller; rounding happens only in ``format_dose`` and ``RateView.lines``, at display.
"""

from __future__ import annotations

from monitor.bolus_checks import BOLUS_NOT_PLANNED, LONGEST_BOLUS_S, ProposedBolus, check_bolus
from monitor.dose_given import (
    DoseTotals,
    RateSegment,
    cumulative_mg,
    current_concentration_mg_per_ml,
    current_rate_mg_per_h,
    infusion_ended_at,
    infusion_window,
    is_paused,
    rate_segments,
    totals,
)
from monitor.dose_limits import (
    DoseCrossing,
    dose_limit_crossings,
    missing_limits,
    rate_ceilings,
    total_limits_mg,
    volume_mismatch,
)
from monitor.dose_outlook import LimitTime
from monitor.dose_plan import next_planned_step, planned_rate_mg_per_kg_h
from monitor.dose_preview import BolusPreview, DosePreview, preview_bolus, preview_rate
from monitor.dose_units import (
    RateView,
    format_dose,
    rate_for_amount,
    rate_in_all_units,
    to_mg,
    to_mg_per_h,
)
from monitor.rate_checks import ProposedRate, check_rate, large_decrease_text

__all__ = [
    "BOLUS_NOT_PLANNED",
    "LONGEST_BOLUS_S",
    "BolusPreview",
    "DoseCrossing",
    "DosePreview",
    "DoseTotals",
    "LimitTime",
    "ProposedBolus",
    "ProposedRate",
    "RateSegment",
    "RateView",
    "check_bolus",
    "check_rate",
    "cumulative_mg",
    "current_concentration_mg_per_ml",
    "current_rate_mg_per_h",
    "dose_limit_crossings",
    "format_dose",
    "infusion_ended_at",
    "infusion_window",
    "is_paused",
    "large_decrease_text",
    "missing_limits",
    "next_planned_step",
    "planned_rate_mg_per_kg_h",
    "preview_bolus",
    "preview_rate",
    "rate_ceilings",
    "rate_for_amount",
    "rate_in_all_units",
    "rate_segments",
    "to_mg",
    "to_mg_per_h",
    "total_limits_mg",
    "totals",
    "volume_mismatch",
]
