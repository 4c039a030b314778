"""What the kernel says of processes and of the machine: CPU time, memory, who else was at work."""

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_PROCESS_CLOCK: Final = 2  # CPUCLOCK_SCHED of the kernel: the run time of all threads, in ns
_IDLE: Final = (3, 4)  # idle and iowait among the columns of /proc/stat
_TICK_S: Final = 1 / os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """User and system time of a process so far. Finer than the 10 ms steps of /proc/PID/stat."""
    return time.clock_gettime_ns((~pid << 3) | _PROCESS_CLOCK) / 1e9


def rss_mb(pid: int) -> float:
    """Resident memory of a process in MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def busy_s(stat: str) -> float:
    """The time that all processors worked since the start, out of the text of /proc/stat."""
    ticks = [int(word) for word in stat.splitlines()[0].split()[1:9]]
    return sum(tick for column, tick in enumerate(ticks) if column not in _IDLE) * _TICK_S


@dataclass(slots=True)
class Others:
    """Measures the share of the machine that processes other than `own` took since it was made."""

    own: tuple[int, ...]
    _began: float = field(default_factory=time.monotonic)
    _busy: float = field(default_factory=lambda: busy_s(Path("/proc/stat").read_text()))
    _ours: float = -1.0

    def __post_init__(self) -> None:
        self._ours = total_cpu(self.own)

    def share(self) -> float:
        """Between 0 and 1; 1 is every processor of the machine."""
        busy = busy_s(Path("/proc/stat").read_text()) - self._busy
        ours = total_cpu(self.own) - self._ours
        whole = (time.monotonic() - self._began) * (os.cpu_count() or 1)
        return share_of(busy - ours, whole)


def share_of(theirs: float, whole: float) -> float:
    """Clocks of different fineness may disagree: never below 0 or above 1."""
    return max(0.0, min(1.0, theirs / whole)) if whole > 0 else 0.0


def total_cpu(pids: Iterable[int]) -> float:
    return sum(cpu_s(pid) for pid in pids)


def cores() -> tuple[int, int] | None:
    """One processor for the proxies and one for the load; None where there is only one."""
    allowed = sorted(os.sched_getaffinity(0))
    return (allowed[0], allowed[1]) if len(allowed) > 1 else None


def pin(pid: int, core: int) -> None:
    """Keeps a process, with all the threads that it has, on one processor."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(task.name), {core})
