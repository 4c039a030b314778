"""What waits to be written: rows, their bodies, and charges; each bounded, and never in the way.

What there is no room for is dropped, the newest first, and counted.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import Final, NamedTuple, Protocol

from openai_gateway.accounting.bodies import Body
from openai_gateway.accounting.claims import NOBODYS, Bid
from openai_gateway.accounting.record import Row

QUEUE_MAX: Final = 10_000
BODIES_MAX_BYTES: Final = 64 * 2**20
CHARGES_MAX: Final = 10_000
CLAIMS_MAX: Final = 2_000
CHARGE_ID_MAX: Final = 256
BATCH: Final = 200
BATCH_BYTES: Final = 4 * 2**20
# What another gateway announces it writes at once; a claim waits until that must have arrived.
RIPE_S: Final = 0.3


class Counts(Protocol):
    """Where it is counted what became of rows, or of bodies.

    Results: `written`, or `dropped` (lost for good), each row once; and `failed`, once for a row
    whose writing failed, whether or not it was written later.
    """

    def add(self, result: str, rows: int) -> None: ...


class Note(NamedTuple):
    """What is said of an id: that it was charged, or will be, and which budgets wait (as JSON)."""

    charged: bool
    budgets: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A row with its bodies and its claim: written together or not at all.

    The row is None where only the claim is to be decided.
    """

    row: Row | None
    bodies: tuple[Body, ...] = ()
    bid: Bid | None = None
    ripe_at: float = 0.0

    @property
    def size(self) -> int:
        """Bytes of its bodies."""
        return sum(len(body.data) for body in self.bodies)


class Waiting:
    """The queues between the event loop, which puts, and the writer's thread, which takes."""

    def __init__(self, counts: Counts, bodies: Counts, full: Callable[[], None]) -> None:
        """`full` is called when there is what should be written at once."""
        self._counts = counts
        self._bodies = bodies
        self._full = full
        self._entries: deque[Entry] = deque()
        self._claims: deque[Entry] = deque()
        self._charges: deque[tuple[str, Note]] = deque()
        self._body_bytes = 0  # put by one thread, taken by another: see `_taken`
        self._taken_bytes = 0
        self._room = QUEUE_MAX

    def __len__(self) -> int:
        return len(self._entries) + len(self._claims)

    def ready(self, now: float) -> bool:
        """Whether there is something to write, by the monotonic clock."""
        return bool(self._entries or self._charges) or self._ripe(now)

    def put(self, row: Row, bodies: tuple[Body, ...] = ()) -> None:
        """Takes a row; never waits and never raises."""
        waiting = len(self._entries)
        if waiting >= self._room:
            self._counts.add("dropped", 1)
            return
        self._entries.append(self._fitting(Entry(row, bodies)))
        if waiting >= BATCH - 1:
            self._full()

    def put_claim(
        self, row: Row | None, bodies: tuple[Body, ...], bid: Bid, ripe_at: float
    ) -> None:
        """Takes a row whose charge is to be decided; never waits and never raises."""
        if len(self._claims) >= CLAIMS_MAX or not self._room:
            self._counts.add("dropped", 1)
            bid.decided(NOBODYS)
            return
        self._claims.append(self._fitting(Entry(row, bodies, bid, ripe_at)))

    def _fitting(self, entry: Entry) -> Entry:
        """With its bodies, if there is room for them."""
        if self._body_bytes - self._taken_bytes + entry.size > BODIES_MAX_BYTES:
            self._bodies.add("dropped", len(entry.bodies))
            entry = replace(entry, bodies=())
        self._body_bytes += entry.size
        return entry

    def put_charge(self, name: str, charged: bool, budgets: str | None = None) -> None:
        """Takes an id that was charged or is still to be; never waits and never raises.

        An id that no database takes, or that there is no room for, is known to this process only.
        """
        if not is_fit(name) or not self._room or len(self._charges) >= CHARGES_MAX:
            return
        self._charges.append((name, Note(charged, budgets)))
        if not charged:
            self._full()  # another gateway may be asked for its end next

    def entries(self, now: float = inf) -> list[Entry]:
        """The next batch, the oldest first; smaller where its bodies are large."""
        taken: list[Entry] = []
        size = 0
        while len(taken) < BATCH and size < BATCH_BYTES:
            source = self._claims if self._ripe(now) else self._entries
            if not source:
                break
            taken.append(source.popleft())
            size += taken[-1].size
        self._taken_bytes += size
        return taken

    def _ripe(self, now: float) -> bool:
        return bool(self._claims) and self._claims[0].ripe_at <= now

    def charges(self) -> dict[str, Note]:
        """All the charges; of several for one id, that it was charged counts."""
        noted: dict[str, Note] = {}
        for _ in range(len(self._charges)):
            name, said = self._charges.popleft()
            noted[name] = _both(noted.get(name, said), said)
        return noted

    def close(self) -> None:
        """Takes nothing more."""
        self._room = 0


def merged(before: Mapping[str, Note], then: Mapping[str, Note]) -> dict[str, Note]:
    """What both say, of an id as `charges` tells it."""
    return {**before, **{name: _both(before.get(name, said), said) for name, said in then.items()}}


def _both(before: Note, said: Note) -> Note:
    return Note(said.charged or before.charged, said.budgets or before.budgets)


def is_fit(name: str) -> bool:
    """Whether a database takes this id of what is charged."""
    return 0 < len(name) <= CHARGE_ID_MAX and name.isascii() and name.isprintable()
