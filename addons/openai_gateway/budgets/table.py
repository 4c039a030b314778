"""What the ledger asks of the table that outlives the process; accounting/ keeps it."""

from collections.abc import Sequence
from typing import Protocol

type Kept = tuple[str, str, int, int, tuple[str, ...]]
"""Budget, period, its start in seconds since the epoch, nano-dollars spent, shares claimed."""

type Raised = tuple[str, int, float, str, float]
"""Budget, its other limit in nano-dollars, until when, by whom, said when."""


class SpendTable(Protocol):
    """No method waits, and none raises: a database may be slow or dead."""

    def load(self) -> Sequence[Kept] | None:
        """What other processes had kept of the periods that may still run; None: not read yet."""
        ...

    def add(
        self, budget: str, period: str, start: int, nano_usd: int, alerted: Sequence[str] = ()
    ) -> int:
        """Takes spend, and shares claimed, to be written; the ticket is for `booked`."""
        ...

    def booked(self, ticket: int) -> bool:
        """Whether what was added under this ticket is written."""
        ...

    def overrides(self) -> Sequence[Raised]:
        """The overrides as they were last read, the newest of each budget."""
        ...


class NoTable:
    """Where nothing is to outlive the process: every start is a first one."""

    def load(self) -> Sequence[Kept]:
        return ()

    def add(
        self, budget: str, period: str, start: int, nano_usd: int, alerted: Sequence[str] = ()
    ) -> int:
        del budget, period, start, nano_usd, alerted
        return 0

    def booked(self, ticket: int) -> bool:
        return ticket == 0

    def overrides(self) -> Sequence[Raised]:
        return ()
