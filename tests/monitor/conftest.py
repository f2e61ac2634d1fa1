"""Running the command line inside the test's process."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from monitor.__main__ import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run one command in this process: status, standard output, standard error."""
    monkeypatch.delenv("MONITOR_DATABASE_URL", raising=False)

    def call(*arguments: object) -> tuple[int, str, str]:
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as ended:
            status = int(ended.code or 0)
        told = capsys.readouterr()
        return status, told.out, told.err

    return call
