"""``make soak [FAULTS=n]``: the fault run; goes on where an earlier one was stopped."""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from monitor.commands.output import counted, tell
from tests.benchmarks.report import BUILD, publish
from tests.soak.figures import figures, read_journal, seconds_of
from tests.soak.plan import BEDS, SEED, rounds
from tests.soak.record import is_whole
from tests.soak.run import Shift
from tests.soak.ward import Ward

#: Figures that have to be 0.
GOALS = (
    *("faults_lost", "faults_doubled", "faults_vanished"),
    *("faults_offered_again", "faults_refused_unsaid"),
)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("faults", nargs="?", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--anew", action="store_true", help="throw an unfinished run away")
    asked = parser.parse_args(arguments)
    # Stopped either way, the run ends its server and browser and tells what it has.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = BUILD / f"soak-{asked.seed}-{asked.faults}"
    if asked.anew:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    journal = folder / "journal.jsonl"
    problems = _run(folder, journal, asked.faults, asked.seed)
    outcomes = read_journal(journal)
    note = "verify clean" if not problems else f"verify: {'; '.join(problems)}"
    found = figures(outcomes, note, asked.faults)
    publish(found, BUILD / "soak.json")
    print(seconds_of(outcomes))
    missed = [figure.name for figure in found if figure.name in GOALS and figure.value]
    left = asked.faults - sum(len(outcome["entries"]) for outcome in outcomes)
    if left:
        tell(f"Stopped with {left} of {asked.faults} faults to go: run it again to go on.")
    return 1 if missed or problems or left else 0


def _run(folder: Path, journal: Path, faults: int, seed: int) -> tuple[str, ...]:
    """Do the rounds that are not done yet; what ``verify`` says at the end."""
    done = read_journal(journal)
    journal.write_text("".join(json.dumps(outcome) + "\n" for outcome in done), "utf-8")
    numbers = {outcome["number"] for outcome in done}
    left = [one for one in rounds(faults, seed) if one.number not in numbers]
    with sync_playwright() as playwright:
        ward = Ward(folder, playwright.chromium, BEDS)
        try:
            for outcome in counted(Shift(ward, journal).outcomes(left), f"rounds of {len(left)}"):
                for line in outcome.notes:
                    tell(f"round {outcome.number}: {line}")
        except KeyboardInterrupt:
            tell("Stopping ...")
        finally:
            ward.close()
    problems = tuple(str(problem) for problem in ward.store.verify())
    ward.store.close()
    return problems if is_whole(ward.database) else (*problems, "the file is damaged")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
