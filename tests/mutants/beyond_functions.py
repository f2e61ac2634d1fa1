"""The slips mutmut leaves out: outside of functions, and in functions that are decorated.

mutmut's own operators make them.  Each is tried in a process of its own into which the module is
imported anew: tables are made when a module is imported, and cached functions keep what they said.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import resource
import sys
from collections.abc import Iterator
from pathlib import Path

import libcst as cst
from explained import Slip
from libcst.metadata import MetadataWrapper
from mutmut.mutation.file_mutation import MutationVisitor, deep_replace
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.pragma_handling import get_ignored_lines

#: The tests of each module, the quickest to notice first.
TESTS = {
    "thresholds": (
        *("test_thresholds", "test_limit_set_check", "test_breaches", "test_every_edge"),
        *("test_news2_flags", "test_escalation", "test_clock_alerts"),
    ),
    "breaches": ("test_breaches", "test_every_edge", "test_news2_flags", "test_alerts"),
    "alerts": ("test_alerts", "test_clock_alerts", "test_escalation", "test_alert_story"),
    "alert_course": ("test_alerts", "test_clock_alerts", "test_escalation"),
    "clock_alerts": ("test_clock_alerts", "test_escalation"),
    "escalation": ("test_escalation", "test_alerts", "test_clock_alerts"),
    "news2": ("test_news2", "test_news2_flags"),
    "schedule": ("test_schedule", "test_clock_alerts", "test_discharge"),
    "scales": ("test_scales", "test_recovery", "test_breaches"),
}
#: Functions that run when their module is imported: mutmut never sees a test reach them.
AT_IMPORT = frozenset({"_load", "_scale", "_vital"})
#: More processor time than the tests of any module need, in s.
ENOUGH_S = 300


def is_of_mutmut(function: cst.CSTNode | None) -> bool:
    """Whether mutmut puts the slips of a function to the tests that reach it."""
    if not isinstance(function, cst.FunctionDef) or function.name.value in AT_IMPORT:
        return False
    names = [getattr(item.decorator, "value", "") for item in function.decorators]
    return names in ([], ["classmethod"], ["staticmethod"])


def is_of_mutmut_named(mangled: str) -> bool:
    """The same by the name mutmut has for a slip in it; what is decorated has none."""
    return mangled.partition("__mutmut")[0].removeprefix("x_") not in AT_IMPORT


class _Everything(MutationVisitor):
    """Goes into decorated functions too, and past lists of names and names of types."""

    def _skip_node_and_children(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.FunctionDef):
            return False
        if isinstance(node, cst.Assign) and isinstance(node.targets[0].target, cst.Name):
            name = node.targets[0].target.value
            # ``_Taken = tuple[...]`` is only ever read by the type checker.
            is_type = isinstance(node.value, cst.Subscript) and name.strip("_")[:1].isupper()
            return name == "__all__" or is_type
        return bool(super()._skip_node_and_children(node))


def _mutants(path: Path) -> Iterator[tuple[str, str]]:
    """Where each slip is, and the module's text with it."""
    code = path.read_text("utf-8")
    wrapper = MetadataWrapper(cst.parse_module(code))
    visitor = _Everything(mutation_operators, get_ignored_lines(str(path), code, wrapper, None))
    module = wrapper.visit(visitor)
    homes = {
        id(node): statement.name.value
        for statement in module.body
        if isinstance(statement, cst.ClassDef | cst.FunctionDef)
        for node in _within(statement)
    }
    for mutation in visitor.mutations:
        function = mutation.contained_by_top_level_function
        if is_of_mutmut(function):
            continue
        home = homes.get(id(mutation.original_node), "")
        if isinstance(function, cst.FunctionDef) and function.name.value != home:
            home = f"{home}.{function.name.value}"
        changed = deep_replace(module, mutation.original_node, mutation.mutated_node)
        assert isinstance(changed, cst.Module)
        yield home, changed.code


def _within(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    yield node
    for child in node.children:
        yield from _within(child)


def _warm_up() -> None:
    """Import once what every process needs and no slip changes."""
    import hypothesis
    import psycopg
    import pytest
    import sqlalchemy

    assert all(map(bool, (hypothesis, psycopg, pytest, sqlalchemy)))
    assert not any(name.partition(".")[0] in ("monitor", "tests") for name in sys.modules)


def _outcome(copy: Path, module: str) -> str:
    """Run the module's tests in a process of its own: killed, survived or timeout."""
    pid = os.fork()
    if not pid:
        os._exit(_run_tests(copy, module))
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status == 0:
        return "survived"
    return "killed" if status > 0 else "timeout"


def _run_tests(copy: Path, module: str) -> int:
    import pytest

    resource.setrlimit(resource.RLIMIT_CPU, (ENOUGH_S, ENOUGH_S))
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    os.chdir(copy)
    sys.path.insert(0, str(copy))
    files = [f"tests/monitor/{name}.py" for name in TESTS[module]]
    quick = ("-x", "-q", "-p", "no:cacheprovider", "-k", "not postgresql and not sqlite")
    # What is imported already cannot be rewritten, which pytest would say.
    warm = ("-W", "ignore::pytest.PytestAssertRewriteWarning")
    return int(pytest.main([*quick, *warm, *files]))


def run_beyond_functions(module: str, copy: Path, kept: Path) -> list[tuple[Slip, str]]:
    """Every slip of a module that mutmut leaves out, and how it ended.

    The module is replaced in a ``copy`` of everything the tests need.  What was caught once, which
    is ``kept``, is not tried again while the module is the same.
    """
    _warm_up()
    path = copy / "monitor" / f"{module}.py"
    original = path.read_text("utf-8")
    results: dict[str, str] = json.loads(kept.read_text("utf-8")) if kept.exists() else {}
    found: list[tuple[Slip, str]] = []
    # Not the clock: two slips within a second would look like the same file to Python's cache.
    moment = path.stat().st_mtime_ns // 10**9 - 10**6
    if _outcome(copy, module) != "survived":
        raise SystemExit(f"The tests of {module} fail without any slip.")
    for number, (where, changed) in enumerate(_mutants(path)):
        key = hashlib.sha256(changed.encode()).hexdigest()
        if results.get(key, "survived") == "survived":
            path.write_text(changed, "utf-8")
            os.utime(path, (moment + number, moment + number))
            results[key] = _outcome(copy, module)
            kept.write_text(json.dumps(results), "utf-8")
        lines = difflib.unified_diff(original.splitlines(), changed.splitlines(), n=0)
        found.append((Slip.of_lines(module, where, list(lines)[2:]), results[key]))
    path.write_text(original, "utf-8")
    os.utime(path, (moment + 10**6, moment + 10**6))
    return found
