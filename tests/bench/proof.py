"""Proves that the work was done: a benchmark of a gateway that does nothing looks splendid."""

import asyncio
import contextlib
import sqlite3
from dataclasses import dataclass
from typing import Final

from tests.bench.rig import Rig
from tests.bench.waiting import until

WAIT_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Proof:
    """Calls of the gateway's clients as each place counted them; `strays` came to the upstream
    with the production key that should have been swapped."""

    answered: int
    upstream: int
    counted: int
    logged: int
    strays: int

    @property
    def holds(self) -> bool:
        same = len({self.answered, self.upstream, self.counted, self.logged}) == 1
        return same and self.answered > 0 and self.strays == 0

    @property
    def line(self) -> str:
        return (
            f"work: {self.answered} answered = {self.upstream} at the upstream with the staging "
            f"key\n      = {self.counted} counted = {self.logged} logged, {self.strays} unswapped: "
            f"{'proven' if self.holds else 'NOT PROVEN'}"
        )


async def prove(rig: Rig) -> Proof:
    """Asks every place, once the rows are written."""
    answered = sum(kept.answered for kept in rig.gateway.connections)
    await until(lambda: logged(rig) >= answered, WAIT_S)
    counted = await asyncio.to_thread(
        rig.gateway.process.metric, "openai_gateway_requests_total", outcome="forwarded"
    )
    calls = rig.upstream.calls
    return Proof(answered, calls[rig.staging_key], int(counted), logged(rig),
                 calls[rig.gateway.key])  # fmt: skip


def logged(rig: Rig) -> int:
    """The forwarded calls in the log."""
    with contextlib.closing(sqlite3.connect(rig.gateway.process.database)) as log:
        found = log.execute("SELECT count(*) FROM calls WHERE outcome = 'forwarded'").fetchone()
    return int(found[0])
