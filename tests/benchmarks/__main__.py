"""``make bench``: run the measurements (all, or those whose names begin so) and write build/bench.json."""

from __future__ import annotations

import sys

from tests.benchmarks import alerts, commit, engine, journey, pin_switch, saving, slips, start
from tests.benchmarks.report import publish

#: Measurement -> the figures it gives; one run of a measurement gives all of its figures.
MEASUREMENTS = {
    commit.sqlite: ("commit_ratio_sqlite",),
    commit.postgres: ("commit_ratio_postgres",),
    engine.measure: (*("engine_copy_ratio", "engine_readings_per_s", "engine_peak_memory_ratio"),),
    saving.measure: (
        *("save_to_ack_ratio", "save_to_strip_ratio", "save_to_chart_ratio"),
        *("save_ack_ms", "save_ack_p95_ms"),
    ),
    start.measure: ("start_ratio",),
    alerts.measure: ("warnings_uneventful", "criticals_uneventful", "criticals_missed"),
    slips.measure: ("slips_stopped_share", "needless_question_share"),
    journey.count_touches: (
        *("touches_set", "seconds_set", "touches_late", "seconds_late", "touches_step"),
        *("seconds_step", "touches_bolus", "seconds_bolus", "touches_effect", "seconds_effect"),
        *("touches_amend", "seconds_amend", "keys_set", "seconds_set_keyboard"),
    ),
    pin_switch.measure: ("pin_switch_s", "pin_switch_p95_s", "pin_switch_ratio"),
    journey.time_warnings: ("warning_ms", "warning_p95_ms"),
}


def main(wanted: list[str]) -> int:
    known = {name for names in MEASUREMENTS.values() for name in names}
    if unknown := {begun for begun in wanted if not any(n.startswith(begun) for n in known)}:
        print(
            f"No figure begins with {', '.join(sorted(unknown))}. Known: {', '.join(sorted(known))}.",
            file=sys.stderr,
        )
        return 2
    for measurement, names in MEASUREMENTS.items():
        if not wanted or any(name.startswith(tuple(wanted)) for name in names):
            publish(measurement())
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
