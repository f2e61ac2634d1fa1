"""Every slip is put to the tests that reach it, in a fork of one process that has read them once.

A pytest plugin.  First each test is run without a slip, and noted which functions it reaches and how
long it takes.  Then for each slip a fork runs the tests that reach it, the quickest first, until one
fails.  mutmut's own runner collects the tests anew for every slip, which takes ten times as long.
"""

from __future__ import annotations

import functools
import gc
import os
import resource
import time
from collections import defaultdict
from collections.abc import Callable, Iterable

import pytest
from _pytest.runner import runtestprotocol
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.state import state
from mutmut.utils.format_utils import mangled_name_from_mutant_name

#: Processor time: at least this, or so many times what the tests take without a slip, in s.
LEAST_S, TIMES = 10, 15
AT_ONCE = 2


class Loop:
    """Takes the place of pytest's loop over the tests; ``ended`` is told how each slip ended."""

    def __init__(self, slips: Iterable[str], ended: Callable[[str, str], None]) -> None:
        self.slips, self.ended = list(slips), ended
        self.reach: dict[str, list[pytest.Item]] = defaultdict(list)
        self.took_s: dict[pytest.Item, float] = {}
        self.running: dict[int, str] = {}
        #: A name no slip has: what fails under it, before or after the others, is no slip.
        self.nothing = ""

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if not self.slips:
            return True
        caches = [
            item
            for item in gc.get_objects()
            if isinstance(item, functools._lru_cache_wrapper)
            and (getattr(item, "__module__", None) or "").partition(".")[0] in ("monitor", "tests")
        ]
        self._note_reach(session.items, caches)
        gc.freeze()
        self.nothing = f"{max(self.reach, key=lambda name: len(self.reach[name]))}__mutmut_0"
        for slip in (self.nothing, *self.slips, self.nothing):
            items = self.reach[mangled_name_from_mutant_name(slip)]
            if not items:
                self.ended(slip, "survived")
                continue
            if len(self.running) == AT_ONCE:
                self._wait()
            pid = os.fork()
            if not pid:
                os._exit(self._try(slip, items, caches))
            self.running[pid] = slip
        while self.running:
            self._wait()
        return True

    def _note_reach(
        self, items: list[pytest.Item], caches: list[functools._lru_cache_wrapper[object]]
    ) -> None:
        set_mutant_under_test("stats")
        for item in items:
            for cache in caches:
                cache.cache_clear()
            state()._stats.clear()
            began = time.process_time()
            if any(report.failed for report in runtestprotocol(item, log=False)):
                raise pytest.UsageError(f"{item.nodeid} fails without any slip")
            self.took_s[item] = time.process_time() - began
            for function in state()._stats:
                self.reach[function].append(item)
        for reached in self.reach.values():
            reached.sort(key=lambda item: self.took_s[item])

    def _try(
        self,
        slip: str,
        items: list[pytest.Item],
        caches: list[functools._lru_cache_wrapper[object]],
    ) -> int:
        limit_s = int(LEAST_S + TIMES * sum(self.took_s[item] for item in items))
        resource.setrlimit(resource.RLIMIT_CPU, (limit_s, limit_s))
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        set_mutant_under_test(slip)
        # What cached functions were told without the slip would hide it.
        for cache in caches:
            cache.cache_clear()
        for index, item in enumerate(items):
            after = items[index + 1] if index + 1 < len(items) else None
            if any(report.failed for report in runtestprotocol(item, log=False, nextitem=after)):
                return 1
        return 0

    def _wait(self) -> None:
        pid, status = os.wait()
        code = os.waitstatus_to_exitcode(status)
        outcome = "survived" if code == 0 else "killed" if code > 0 else "timeout"
        slip = self.running.pop(pid)
        if slip != self.nothing:
            self.ended(slip, outcome)
        elif outcome != "survived":
            raise pytest.UsageError("the tests fail where there is no slip: no score is true")
