"""What waits to be written: rows, their bodies, and charges; each bounded, and never in the way.

What there is no room for is dropped, the newest first, and counted.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from openai_gateway.accounting.bodies import Body
from openai_gateway.accounting.record import Row

QUEUE_MAX: Final = 10_000
BODIES_MAX_BYTES: Final = 64 * 2**20
CHARGES_MAX: Final = 10_000
CHARGE_ID_MAX: Final = 256
BATCH: Final = 200
BATCH_BYTES: Final = 4 * 2**20


class Counts(Protocol):
    """Where it is counted what became of rows, or of bodies.

    Results: `written`, or `dropped` (lost for good), each row once; and `failed`, once for a row
    whose writing failed, whether or not it was written later.
    """

    def add(self, result: str, rows: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Entry:
    """A row with its bodies: written together or not at all."""

    row: Row
    bodies: tuple[Body, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of its bodies."""
        return sum(len(body.data) for body in self.bodies)


class Waiting:
    """The queues between the event loop, which puts, and the writer's thread, which takes."""

    def __init__(self, counts: Counts, bodies: Counts, full: Callable[[], None]) -> None:
        """`full` is called when there is a batch to write."""
        self._counts = counts
        self._bodies = bodies
        self._full = full
        self._entries: deque[Entry] = deque()
        self._charges: deque[tuple[str, bool]] = deque()
        self._body_bytes = 0  # put by one thread, taken by another: see `_taken`
        self._taken_bytes = 0
        self._room = QUEUE_MAX

    def __len__(self) -> int:
        return len(self._entries)

    def __bool__(self) -> bool:
        return bool(self._entries or self._charges)

    def put(self, row: Row, bodies: tuple[Body, ...] = ()) -> None:
        """Takes a row; never waits and never raises."""
        waiting = len(self._entries)
        if waiting >= self._room:
            self._counts.add("dropped", 1)
            return
        entry = Entry(row, bodies)
        if bodies and self._body_bytes - self._taken_bytes + entry.size > BODIES_MAX_BYTES:
            self._bodies.add("dropped", len(bodies))
            entry = Entry(row)
        self._body_bytes += entry.size
        self._entries.append(entry)
        if waiting >= BATCH - 1:
            self._full()

    def put_charge(self, name: str, charged: bool) -> None:
        """Takes an id that was charged or is still to be; never waits and never raises.

        An id that no database takes, or that there is no room for, is known to this process only.
        """
        fit = 0 < len(name) <= CHARGE_ID_MAX and name.isascii() and name.isprintable()
        if fit and self._room and len(self._charges) < CHARGES_MAX:
            self._charges.append((name, charged))

    def entries(self) -> list[Entry]:
        """The next batch, the oldest first; smaller where its bodies are large."""
        taken: list[Entry] = []
        size = 0
        while self._entries and len(taken) < BATCH and size < BATCH_BYTES:
            taken.append(self._entries.popleft())
            size += taken[-1].size
        self._taken_bytes += size
        return taken

    def charges(self) -> dict[str, bool]:
        """All the charges; of several for one id, that it was charged counts."""
        noted: dict[str, bool] = {}
        for _ in range(len(self._charges)):
            name, charged = self._charges.popleft()
            noted[name] = charged or noted.get(name, False)
        return noted

    def close(self) -> None:
        """Takes nothing more."""
        self._room = 0
