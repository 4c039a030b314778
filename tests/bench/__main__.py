"""`make bench`: the gateway with everything on against an empty mitmdump, figure by figure."""

import argparse
import asyncio
import json
import platform
import sys
import time
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, Final

from tests.bench import large, loop_watch, machine, measure, memory, table
from tests.bench.figures import QUIET_SHARE, Figure
from tests.bench.plan import CONNECTIONS, DEFAULT, LONG, QUICK, Plan, Timetable
from tests.bench.proof import Proof, prove
from tests.bench.rig import Rig, rig

# Of the stages in their order: memory, kept connections, paced, streams, bodies, uploads, beside;
# and what is left for the event loop's steps, which have no rounds.
WEIGHTS: Final = (2, 1, 1, 1, 2, 1, 2, 0.5, 0.5, 1)


class Bench:
    """One run: its figures in order, and what there is to say about them."""

    def __init__(self, plan: Plan, quiet: bool) -> None:
        self.plan = plan
        self.quiet = quiet
        self.figures: list[Figure] = []
        self.others = 0.0
        self.proof: Proof | None = None

    async def run(self) -> None:
        async with rig() as built:
            watch = machine.Others(built.own)
            await self._all(built)
            self.others = watch.share()
            self.say("counting the work")
            self.proof = await prove(built)
        self.say("longest step of the event loop")
        steps = await loop_watch.watch(self.plan.watched)
        self.figures += step_figures(steps)

    async def _all(self, built: Rig) -> None:
        times = Timetable(self.plan, list(WEIGHTS))
        self.say(f"memory, {self.plan.memory_calls} calls through each")
        await built.connect(max(CONNECTIONS))
        grown = await memory.life(built, times.stage())
        for connections in CONNECTIONS:
            self.say(f"{connections} kept connections")
            self.figures += await measure.kept(built, times.stage(), connections)
        self.say("paced")
        cpu_us = self.figures[3].noop or 1000.0  # CPU per call at 16 connections
        self.figures += await measure.at_pace(built, times.stage(), cpu_us)
        self.say("streams")
        self.figures += await measure.streams(built, times.stage())
        self.say("large bodies")
        self.figures += await large.bodies(built, times.stage())
        self.figures += await large.uploads(built, times.stage())
        self.figures += await large.beside(built, times.stage())
        self.figures += grown

    def say(self, what: str) -> None:
        if not self.quiet:
            sys.stderr.write(f"bench: {what} …\n")

    @property
    def passed(self) -> bool:
        kept = all(figure.verdict != "MISSED" for figure in self.figures)
        return kept and self.proof is not None and self.proof.holds


def step_figures(steps: loop_watch.Watched) -> list[Figure]:
    """The addons' own steps have a bar; the longest of all is mostly mitmproxy's."""
    noop, gateway, others = steps.noop, steps.gateway, steps.others
    return [
        Figure("longest step of a hook", "ms", noop.hook_ms, gateway.hook_ms, "value",
               bar=1.0, others=others),
        Figure("longest step of the loop", "ms", noop.longest_ms, gateway.longest_ms, "value",
               others=others),
    ]  # fmt: skip


def words(bench: Bench, seconds: float) -> list[str]:
    """What stands under the table."""
    noise = "noisy" if bench.others >= QUIET_SHARE else "quiet"
    cores = "both proxies on one core, load and upstream on another"
    pinned = cores if machine.cores() else "one core for everything: times mean little"
    return [
        "",
        bench.proof.line if bench.proof else "work: not counted",
        f"on:   mitmproxy {version('mitmproxy')}, Python {platform.python_version()}, {pinned}",
        f"      other processes took {bench.others:.0%} of the machine: {noise}; {seconds:.0f} s",
        "aim and ok: kept. MISSED: the bar is broken. noisy: cannot be told now.",
    ]


def report(bench: Bench, seconds: float, as_json: bool) -> str:
    if not as_json:
        return "\n".join([*table.lines(bench.figures), *words(bench, seconds)])
    proof = bench.proof
    data: dict[str, Any] = {
        "figures": table.data(bench.figures),
        "others": bench.others,
        "proven": proof is not None and proof.holds,
        "passed": bench.passed,
        "seconds": seconds,
        "mitmproxy": version("mitmproxy"),
        "python": platform.python_version(),
    }
    return json.dumps(data, indent=2)


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument("--quick", action="store_true", help="under 40 s; for a first look only")
    sizes.add_argument("--long", action="store_true", help="memory after 50,000 calls")
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> int:
    """The exit code is 0 if the work was proven and no bar was missed."""
    asked = arguments(given)
    plan = QUICK if asked.quick else LONG if asked.long else DEFAULT
    bench, began = Bench(plan, quiet=asked.json), time.monotonic()
    asyncio.run(bench.run())
    sys.stdout.write(report(bench, time.monotonic() - began, asked.json) + "\n")
    return 0 if bench.passed else 1


if __name__ == "__main__":
    sys.exit(main())
