"""What staff are told in the sample sessions: warnings where nothing happened, criticals where it did.

The samples say in clinical terms what must be found (expected.toml), written beside the record and
not taken from the rules.  *Uneventful* is a session in which nothing was confirmed and every set came
in time: what is told there disturbs for nothing, a reading that its repeat refuted and a typing slip
included.  A critical is *missed* when what must be found was never told as critical while it lasted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from monitor.expected import Findings, findings
from monitor.folder_reading import read_folder
from tests.benchmarks.report import Figure

SAMPLES = Path(__file__).resolve().parent.parent.parent / "sample_sessions"
#: Goals: warnings in an uneventful session, and criticals that nobody is told of.
WARNINGS_AT_MOST, MISSED_AT_MOST = 1, 0


@dataclass(frozen=True)
class Sample:
    """A sample session, what must be found in it and what was told."""

    name: str
    expected: dict[str, Any]
    found: Findings

    @property
    def is_uneventful(self) -> bool:
        """Whether nothing was confirmed and no set was late."""
        confirmed = [row for row in self.expected.get("breach", ()) if "confirmed" in row]
        schedule = self.expected["schedule"]
        return not (confirmed or schedule["late"] or schedule["missed"])

    def told(self, level: str) -> int:
        """How many alerts went as far as that level, and no further."""
        return sum(self._highest(alert.id) == level for alert in self.found.alerts)

    def _highest(self, alert_id: object) -> str:
        levels = [alert.level for alert in self.found.alerts if alert.id == alert_id]
        levels += [event.level for event in self.found.alert_events if event.alert_id == alert_id]
        return "critical" if "critical" in levels else "warning"

    def criticals(self) -> tuple[str, ...]:
        """The groups in which a critical must be told."""
        return tuple(
            row["group"]
            for row in self.expected.get("alert", ())
            if row["level"] == "critical" and row["state"] != "invalidated"
        )

    def missed(self) -> tuple[str, ...]:
        """Those of them in which nobody was told while it lasted."""
        return tuple(group for group in self.criticals() if not self._was_told(group))

    def _was_told(self, group: str) -> bool:
        for view in self.found.views:
            if view.alert.group != group or self._highest(view.alert.id) != "critical":
                continue
            told_at = [view.alert.detected_at] if view.alert.level == "critical" else []
            told_at += [
                event.recorded_at
                for event in self.found.alert_events
                if event.alert_id == view.alert.id and event.level == "critical"
            ]
            if view.cleared_at is None or min(told_at) < view.cleared_at:
                return True
        return False


@cache
def samples() -> tuple[Sample, ...]:
    """Every folder of sample_sessions/, its alerts raised as its record grew."""
    read = [read_folder(path) for path in sorted(SAMPLES.iterdir()) if path.is_dir()]
    names = sorted(path.name for path in SAMPLES.iterdir() if path.is_dir())
    return tuple(
        Sample(name, dict(folder.expected), findings(folder))
        for name, folder in zip(names, read, strict=True)
    )


def _figure(name: str, value: float, unit: str, n: int, note: str) -> Figure:
    return Figure(name, value, unit, n, "expected.toml of the sample sessions", note)


def _per_session(of: Iterable[Sample], level: str) -> float:
    counted = [sample.told(level) for sample in of]
    return round(sum(counted) / len(counted), 3)


def measure() -> list[Figure]:
    """Alerts per uneventful session by level, and the criticals nobody was told of."""
    uneventful = [sample for sample in samples() if sample.is_uneventful]
    eventful = [sample for sample in samples() if not sample.is_uneventful]
    most = max(sample.told("warning") for sample in uneventful)
    expected = sum(len(sample.criticals()) for sample in eventful)
    return [
        _figure(
            "warnings_uneventful",
            _per_session(uneventful, "warning"),
            "each",
            len(uneventful),
            f"most in one session {most}; goal <= {WARNINGS_AT_MOST} in each",
        ),
        _figure(
            "criticals_uneventful",
            _per_session(uneventful, "critical"),
            "each",
            len(uneventful),
            "a slip that was put right 80 s later is told as critical until then",
        ),
        _figure(
            "criticals_missed",
            sum(len(sample.missed()) for sample in eventful),
            "alerts",
            expected,
            f"{len(eventful)} eventful sessions; goal {MISSED_AT_MOST}",
        ),
    ]
