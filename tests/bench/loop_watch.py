"""The longest time that one step held the event loop, for `python -m tests.bench.loop_watch`.

The proxies run with a script that times each step of their loop; garbage collection is taken off,
and a step that another process interrupted is left out.
"""

import asyncio
import json
import signal
import sys
from dataclasses import dataclass
from typing import Any, Final

from tests.bench import machine
from tests.bench.load import flat_out
from tests.bench.plan import DEFAULT, QUICK
from tests.bench.proxies import HERE
from tests.bench.rig import Side, rig
from tests.bench.waiting import until

CONNECTIONS: Final = 16
WARM_CALLS: Final = 200
WAIT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Held:
    """What one proxy's loop reports. Times in milliseconds; `hook_ms` is the longest step in which
    addons ran, `longest` names the slowest of all steps."""

    steps: int
    interrupted: int
    p999_ms: float
    hook_ms: float
    longest_ms: float
    longest: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Watched:
    """Both reports, and the share of the machine that other processes took meanwhile."""

    noop: Held
    gateway: Held
    others: float


async def watch(calls: int) -> Watched:
    """Both proxies' steps while each serves `calls` calls of 2 kB."""
    scripts = HERE / "watched_gateway.py", HERE / "watched_noop.py"
    async with rig(*scripts) as built:
        await built.connect(CONNECTIONS)
        others = machine.Others(built.own)
        noop, gateway = [await _watched(side, calls) for side in built.sides]
        return Watched(noop, gateway, others.share())


async def _watched(side: Side, calls: int) -> Held:
    await flat_out(side.connections, side.small, WARM_CALLS)
    side.process.signal(signal.SIGUSR1)
    await asyncio.sleep(0.1)
    await flat_out(side.connections, side.small, calls)
    side.process.signal(signal.SIGUSR2)
    file = side.process.folder / "loop.json"
    await until(file.exists, WAIT_S)
    return Held(**json.loads(await asyncio.to_thread(file.read_text)))


def main() -> int:
    """Prints the slowest steps of both."""
    plan = QUICK if "--quick" in sys.argv else DEFAULT
    watched = asyncio.run(watch(plan.watched))
    sys.stdout.write(f"other processes took {watched.others:.0%} of the machine\n")
    for name, held in (("no-op", watched.noop), ("gateway", watched.gateway)):
        sys.stdout.write(
            f"{name}: longest step {held.longest_ms:.2f} ms, of a hook {held.hook_ms:.2f} ms,\n"
            f"  p99.9 {held.p999_ms:.2f} ms of {held.steps} steps; {held.interrupted} more were "
            "interrupted\n"
        )
        for step in held.longest:
            sys.stdout.write(f"  {step['ms']:6.2f} ms  {step['what']}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
