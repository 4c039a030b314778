"""Times every step of this process's event loop; for the watched_*.py scripts.

SIGUSR1 begins anew, SIGUSR2 writes loop.json into the working directory. Both are handled within a
step, so the report itself is the last step and is not in it.
"""

import asyncio
import gc
import heapq
import json
import resource
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

SLOWEST: Final = 12
HOOK: Final = "handle_hook("  # how mitmproxy names the task in which the addons' hooks run
SUSPECT_NS: Final = 200_000  # only slower steps are asked whether they were interrupted

_run: Final[Callable[[asyncio.Handle], None]] = asyncio.Handle._run


class Stopwatch:
    """The times of all steps so far, and the names of the slowest."""

    def __init__(self) -> None:
        self.steps: list[int] = []
        self.slowest: list[tuple[int, int, str]] = []
        self.hook = 0
        self.interrupted = 0
        self.collecting_since = 0
        self.collected = 0

    def clear(self, *_: object) -> None:
        self.steps, self.slowest, self.hook, self.interrupted = [], [], 0, 0

    def collection(self, phase: str, _: dict[str, int]) -> None:
        """The collector's own times, to be taken off the step in which it ran."""
        now = time.perf_counter_ns()
        if phase == "start":
            self.collecting_since = now
        else:
            self.collected += now - self.collecting_since

    def run(self, handle: asyncio.Handle) -> None:
        collected, preempted = self.collected, _preemptions()
        began = time.perf_counter_ns()
        try:
            _run(handle)
        finally:
            took = time.perf_counter_ns() - began - (self.collected - collected)
            if took > SUSPECT_NS and _preemptions() != preempted:
                self.interrupted += 1
            else:
                self.note(took, handle)

    def note(self, took: int, handle: asyncio.Handle) -> None:
        self.steps.append(took)
        if took > self.hook and describe(handle).startswith(HOOK):
            self.hook = took
        if len(self.slowest) < SLOWEST or took > self.slowest[0][0]:
            heapq.heappush(self.slowest, (took, len(self.steps), describe(handle)))
            if len(self.slowest) > SLOWEST:
                heapq.heappop(self.slowest)

    def write(self, *_: object) -> None:
        ordered = sorted(self.steps) or [0]
        report = {
            "steps": len(self.steps),
            "interrupted": self.interrupted,
            "p999_ms": ordered[len(ordered) * 999 // 1000] / 1e6,
            "hook_ms": self.hook / 1e6,
            "longest_ms": ordered[-1] / 1e6,
            "longest": [{"ms": ns / 1e6, "what": what} for ns, _, what in
                        sorted(self.slowest, reverse=True)],
        }  # fmt: skip
        beside = Path("loop.json.new")
        beside.write_text(json.dumps(report))
        beside.replace("loop.json")


def _preemptions() -> int:
    return resource.getrusage(resource.RUSAGE_THREAD).ru_nivcsw


def describe(handle: asyncio.Handle) -> str:
    """The callback, or the coroutine whose step it is."""
    callback: Any = getattr(handle, "_callback", None)
    owner = getattr(callback, "__self__", None)
    if isinstance(owner, asyncio.Task):
        return f"{owner.get_name()} {getattr(owner.get_coro(), '__qualname__', '')}"[:100]
    return str(getattr(callback, "__qualname__", callback))[:100]


def install() -> None:
    """From now on every step of any loop of this process is timed."""
    watch = Stopwatch()

    setattr(asyncio.Handle, "_run", lambda handle: watch.run(handle))  # noqa: B010 -- a patch
    gc.callbacks.append(watch.collection)
    signal.signal(signal.SIGUSR1, watch.clear)
    signal.signal(signal.SIGUSR2, watch.write)
