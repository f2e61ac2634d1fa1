"""How the chart looks: Okabe-Ito colours with redundant shapes, light and dark (clinical.md 8)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Palette:
    """Okabe-Ito with redundant shapes (clinical.md 8); the dark theme has lighter twins."""

    ink: str
    soft: str
    line: str
    grid: str
    card: str
    cell: str
    sbp: str
    dbp: str
    hr: str
    spo2: str
    dose: str
    dose_fill: str
    effect: str
    accent: str
    warning: str
    warning_ink: str
    warning_line: str
    critical: str
    critical_ink: str
    warning_band: str
    critical_band: str


LIGHT = Palette(
    ink="#14181f",
    soft="#5b6472",
    line="#b9c0ca",
    grid="#e6e9ee",
    card="#ffffff",
    cell="#eef0f3",
    sbp="#D55E00",
    dbp="#0072B2",
    hr="#000000",
    spo2="#009E73",
    dose="#E69F00",
    dose_fill="rgba(230,159,0,0.20)",
    effect="#e3b3cf",
    accent="#0b5cad",
    warning="#ffd54a",
    warning_ink="#1d1600",
    warning_line="#8a6100",
    critical="#b3261e",
    critical_ink="#ffffff",
    warning_band="rgba(255,213,74,0.28)",
    critical_band="rgba(179,38,30,0.15)",
)


DARK = Palette(
    ink="#eef2f6",
    soft="#9aa6b4",
    line="#44505f",
    grid="#262f3a",
    card="#181e26",
    cell="#2a3440",
    sbp="#ff8f45",
    dbp="#62b8f0",
    hr="#ffffff",
    spo2="#3fcf9f",
    dose="#ffc04d",
    dose_fill="rgba(255,192,77,0.20)",
    effect="#8d4f74",
    accent="#5aa9f0",
    warning="#ffd54a",
    warning_ink="#1d1600",
    warning_line="#ffd54a",
    critical="#ff6b61",
    critical_ink="#1a0503",
    warning_band="rgba(255,213,74,0.26)",
    critical_band="rgba(255,107,97,0.20)",
)


FONT = "Inter, system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"


ICONS = {"warning": "▲", "critical": "◆"}
