"""Mutation testing: slips are made in the rules one at a time, and a test has to notice each.

``make mutants`` runs this; ``make mutants ONLY="schedule scales"`` for some modules.  mutmut makes
the slips.  Its own runner takes hours, leaves out what is decorated or outside of functions, and
forks from a process whose caches are full; so the tests are run by ``loop.py`` and, for what mutmut
leaves out, by ``beyond_functions.py``, with the same operators.  The tests are those that read
like the specification: no database, no browser, nothing drawn at random.

What the type checker refuses is not put to the tests: ``make check`` runs wherever they do.  What
cannot be told from the original stands in ``equivalent.toml`` with the reason.  Exit status 1 when
a slip is left, or an explanation is of nothing that survives.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[0] = str(Path(__file__).resolve().parent)

import pytest
from beyond_functions import is_of_mutmut_named, run_beyond_functions
from explained import Slip, explanations
from loop import Loop
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.mutation.file_mutation import MutatedFile, mutate_file_contents

#: The rules whose every line has to be held by a test.
MODULES = (
    *("thresholds", "breaches", "alerts", "alert_course", "clock_alerts", "escalation"),
    *("news2", "schedule", "scales"),
)
TESTS = (
    *("alert_story", "alerts", "breaches", "clock_alerts", "conflicts"),
    *("device_breaches", "discharge", "escalation", "limit_set_check", "news2", "news2_flags"),
    *("recovery", "scales", "schedule", "thresholds", "timeline"),
)
#: Tests of databases, and of what is drawn at random.
LEFT_OUT = (
    "not postgresql and not sqlite and not replay and not order_of_arrival and not exactly_one_of"
)

WORK = ROOT / "build" / "mutants"
_FOLDERS = ("monitor", "db", "pages", "migrations", "sample_sessions", "docs", "tests")
_FILES = ("dashboard.py", "README.md", "pyproject.toml", "tests/mutants/setup.cfg")


def fresh_copy(name: str) -> Path:
    """Everything the tests need, where it can be changed."""
    copy = WORK / name
    shutil.rmtree(copy, ignore_errors=True)
    for folder in _FOLDERS:
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in _FILES:
        shutil.copy2(ROOT / file, copy / Path(file).name)
    return copy


class Functions:
    """The slips mutmut makes in functions, how each ended, and what the type checker says of it."""

    def __init__(self, modules: list[str]) -> None:
        self.copy = fresh_copy("functions")
        os.chdir(self.copy)
        self.mutated = {module: self._mutate(module) for module in modules}
        self.lines = {module: item.code.splitlines() for module, item in self.mutated.items()}
        self.outcomes: dict[str, str] = {}
        self.kept = WORK / "functions.json"

    def _mutate(self, module: str) -> MutatedFile:
        path = Path("monitor", f"{module}.py")
        mutated = mutate_file_contents(str(path), path.read_text("utf-8"))
        path.write_text(mutated.code, "utf-8")
        return mutated

    def names(self) -> dict[str, str]:
        """Every slip by the name mutmut has for it, with its module."""
        return {
            f"monitor.{module}.{name}": module
            for module, mutated in self.mutated.items()
            for name in mutated.mutant_names
            if is_of_mutmut_named(name)
        }

    def run(self) -> None:
        """Put to the tests what the type checker does not refuse; not again what was killed once."""
        names = self.names()
        self.outcomes = dict.fromkeys(self._refused(), "types")
        keys = {name: self._key(name, module) for name, module in names.items()}
        before = json.loads(self.kept.read_text("utf-8")) if self.kept.exists() else {}
        for name, key in keys.items():
            if before.get(key, "survived") != "survived":
                self.outcomes.setdefault(name, before[key])

        def ended(name: str, outcome: str) -> None:
            self.outcomes[name] = before[keys[name]] = outcome
            self.kept.write_text(json.dumps(before), "utf-8")

        sys.path.insert(0, str(self.copy))
        loop = Loop([name for name in keys if name not in self.outcomes], ended)
        quiet = ("-q", "--no-header", "--no-summary", "-s", "-p", "no:cacheprovider")
        files = [f"tests/monitor/test_{name}.py" for name in TESTS]
        status = pytest.main([*quiet, "-p", "no:xdist", "-k", LEFT_OUT, *files], plugins=[loop])
        if status not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            raise SystemExit(f"the tests were not run: {status}")

    def _refused(self) -> list[str]:
        """What the type checker refuses: nobody would get as far as the tests with it."""
        command = [sys.executable, "-m", "mypy", "monitor", "--output", "json"]
        command += ["--disable-error-code", "unused-ignore"]
        said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        errors: dict[str, list[tuple[int, str]]] = {}
        for line in filter(str.strip, said.splitlines()):
            error = json.loads(line)
            if error["severity"] == "error":
                found = errors.setdefault(Path(error["file"]).stem, [])
                found.append((error["line"], error["code"]))

        def wrong(module: str, name: str) -> set[str]:
            span = self.mutated[module].line_span_by_function_name[name]
            return {code for line, code in errors[module] if span.start <= line <= span.end}

        refused = []
        for full_name, module in self.names().items():
            name = full_name.rpartition(".")[2]
            # That a method stands in its class many times is wrong in its original, too.
            original = f"{name.partition('__mutmut_')[0]}__mutmut_orig"
            if module in errors and wrong(module, name) - wrong(module, original):
                refused.append(full_name)
        return refused

    def _key(self, name: str, module: str) -> str:
        span = self.mutated[module].line_span_by_function_name[name.rpartition(".")[2]]
        text = "\n".join([module, *self.lines[module][span.start - 1 : span.end]])
        return hashlib.sha256(text.encode()).hexdigest()

    def results(self, module: str) -> list[tuple[Slip, str]]:
        """Every slip in a function of a module, and how it ended."""
        found = []
        for name, home in self.names().items():
            if home != module:
                continue
            where = name.rpartition(".")[2].partition("__mutmut")[0].removeprefix("x_")
            where = where.removeprefix("xǁ").replace("ǁ", ".")
            lines: list[str] = []
            if self.outcomes[name] == "survived":
                code = self.mutated[module].code
                lines = get_diff_for_mutant(name, source=code, path=module).splitlines()[2:]
            found.append((Slip.of_lines(module, where, lines), self.outcomes[name]))
        return found


def report(found: dict[str, list[tuple[Slip, str]]]) -> int:
    """The score of each module and every slip that is left; 1 when something is to be done."""
    known = explanations()
    columns = ("killed", "timeout", "types", "explained", "survived")
    print(f"\n{'module':14}{'slips':>7}" + "".join(f"{column:>11}" for column in columns))
    left: list[Slip] = []
    idle = {slip for slip in known if slip.module in found}
    for module, slips in found.items():
        ended: Counter[str] = Counter()
        for slip, outcome in slips:
            explained = outcome == "survived" and slip in known
            ended["explained" if explained else outcome] += 1
            idle -= {slip} if explained else set()
            left += [slip] if outcome == "survived" and not explained else []
        print(f"{module:14}{len(slips):7}" + "".join(f"{ended[key]:11}" for key in columns))
    for slip in left:
        print(f"\nnobody noticed {slip}")
    for slip in sorted(idle):
        print(f"\nexplained, but noticed or gone: {slip}")
    return 1 if left or idle else 0


def main(wanted: list[str]) -> int:
    unknown = set(wanted) - set(MODULES)
    if unknown:
        print(f"Not among the modules: {', '.join(sorted(unknown))}.", file=sys.stderr)
        return 2
    modules = [module for module in MODULES if not wanted or module in wanted]
    # Where a test draws values they are the same each time.
    os.environ["CI"] = "true"
    WORK.mkdir(parents=True, exist_ok=True)
    copy = fresh_copy("beyond")
    # mutmut reads its settings where it is; a test's process goes to the copy anyway.
    os.chdir(copy)
    beyond = {
        module: run_beyond_functions(module, copy, WORK / f"beyond-{module}.json")
        for module in modules
    }
    functions = Functions(modules)
    functions.run()
    return report({module: [*functions.results(module), *beyond[module]] for module in modules})


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
