"""Writes the rows from a thread of its own, so that no call ever waits for a disk.

Whatever the database does, `put` returns at once: rows wait in a bounded queue, the newest are
dropped (and counted) when it is full, and writing is tried again until it succeeds.
"""

import logging
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import inf
from pathlib import Path
from typing import Final, NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from openai_gateway.accounting.bodies import Body, BodyRow, Redact, WhichBodies, stored
from openai_gateway.accounting.claims import NOBODYS, Bid
from openai_gateway.accounting.faults import FAULTS, of_the_row, reason
from openai_gateway.accounting.record import Row, Which, wanted
from openai_gateway.accounting.retention import Keep
from openai_gateway.accounting.spend import Row as Sum
from openai_gateway.accounting.spend import SpendBook
from openai_gateway.accounting.table import CallsTable
from openai_gateway.accounting.waiting import RIPE_S, Counts, Entry, Note, Waiting, is_fit, merged
from openai_gateway.core.clock import Clock, SystemClock

FLUSH_S: Final = 0.5
SWEEP_EVERY_S: Final = 600.0
SWEEP_PAUSE_S: Final = 0.05
SWEEP_AGAIN_S: Final = 10.0
OVERRIDES_EVERY_S: Final = 1.0
_BACKOFF_S: Final = (0.1, 0.2, 0.5, 1.0, 2.0)

_LOG: Final = logging.getLogger(__name__)


class Piece(NamedTuple):
    """One entry as it is written; see Entry."""

    row: Row | None
    bodies: list[BodyRow]
    bid: Bid | None


@dataclass(frozen=True, slots=True)
class Policy:
    """What of section `log` may change while it runs: what is kept, how long, how much of it."""

    which: Which = "all"
    keep: Keep = field(default_factory=Keep)
    bodies: WhichBodies = "off"
    bodies_max_bytes: int = 65_536
    keep_bodies: Keep = field(default_factory=lambda: Keep(days=3))

    def wants_bodies(self, made: Row) -> bool:
        """Whether this call's bodies are kept."""
        return self.bodies != "off" and wanted(made, self.bodies)


class LogWriter:
    """The queue and its thread. `put` belongs to one thread (the event loop).

    `policy` and `redact` (which takes secrets out of bodies) may be replaced at any time; another
    database needs another LogWriter. `spend` is what budgets keep beyond the process.
    """

    def __init__(
        self,
        database_url: str,
        root: Path,
        counts: Counts,
        policy: Policy | None = None,
        clock: Clock | None = None,
        body_counts: Counts | None = None,
    ) -> None:
        """Raises: DatabaseFault where the URL names no database that rows can go to."""
        self.policy = policy or Policy()
        self.redact: Redact = _withheld
        self._table = CallsTable(database_url, root)
        self._counts = counts
        self._clock = clock or SystemClock()
        self._wake = threading.Event()
        self._body_counts = body_counts or counts
        self._queue = Waiting(counts, self._body_counts, self._wake.set)
        self._batch: list[Piece] = []
        self._noted: dict[str, Note] = {}  # of the charges, those being written
        self._earlier: dict[str, bool] | None = None
        self.spend = SpendBook()
        self._sums: list[Sum] = []  # of budgets, those being written
        self._next_overrides = 0.0
        self._singly = False  # the batch holds a row that the database refuses: which one?
        self._counted = False  # the batch has failed before
        self._fault = "the call log is not open yet"
        self._failures = 0
        self._next_sweep = 0.0
        self._deadline = 0.0
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="call-log", daemon=True)

    def start(self) -> None:
        """Opens the database and starts the thread.

        A dead database does not stop the start: it is tried again, and `healthy` tells.
        Raises: NewerDatabase.
        """
        try:
            self._earlier = self._table.charges(self._clock.now())
            self._read_spend()
        except (SQLAlchemyError, OSError) as error:
            # mitmproxy ends a start in which an error is logged
            self._failed(error, logging.WARNING)
        else:
            self._recovered()
        self._table.close()  # SQLite wants a connection used where it was made: in the thread
        self._thread.start()

    def put(self, made: Row, kept: tuple[Body, ...] = (), bid: Bid | None = None) -> None:
        """Takes a row and its bodies; never waits and never raises.

        With a bid the row tells what is so if another call is charged.
        """
        row = made if wanted(made, self.policy.which) else None
        bodies = kept if row and self.policy.wants_bodies(made) else ()
        if bid is not None:
            self._queue.put_claim(row, bodies, bid, self._clock.monotonic() + RIPE_S)
        elif row is not None:
            self._queue.put(row, bodies)

    def put_charge(self, name: str, charged: bool, budgets: str | None = None) -> None:
        """Takes an id that was charged or is still to be; never waits and never raises.

        `budgets`: which of them wait for its bill, as JSON.
        """
        self._queue.put_charge(name, charged, budgets)

    def decides(self, name: str) -> bool:
        """Whether bids may be put for this id."""
        return is_fit(name)

    def earlier_charges(self) -> dict[str, bool] | None:
        """The ids kept by earlier processes, and whether each was charged; None: not read yet."""
        return self._earlier

    def waiting(self) -> int:
        """How many rows are not written yet."""
        return len(self._queue) + len(self._batch)

    def healthy(self) -> tuple[bool, str]:
        """Whether rows get written, and if not, what is in the way."""
        fault = self._fault
        if not fault and not self._thread.is_alive():
            fault = "the call log's writer has stopped"
        return not fault, fault

    def close(self, timeout_s: float) -> None:
        """Writes what is waiting, within the time; what is left then is counted as dropped."""
        if self._closing.is_set():
            return
        self._deadline = self._clock.monotonic() + timeout_s
        self._queue.close()
        self._closing.set()
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        if left := self.waiting():
            self._counts.add("dropped", left)
            _LOG.error("call log: %d rows could not be written before the end", left)

    def _run(self) -> None:
        while not self._closing.is_set():
            self._wake.wait(self._pause_s())
            self._wake.clear()
            if not (self._flush() and self._remember() and self._sweep()):
                self._closing.wait(_BACKOFF_S[min(self._failures, len(_BACKOFF_S)) - 1])
        while not self._flush() and self._clock.monotonic() < self._deadline:
            self._wake.wait(_BACKOFF_S[0])
        self._table.close()

    def _pause_s(self) -> float:
        return min(FLUSH_S, max(0.0, self._next_sweep - self._clock.monotonic()))

    def _flush(self) -> bool:
        """Writes all that waits, a batch at a time; false where the database failed."""
        if self._fault and not self._pending():
            return self._open()
        while self._pending():
            self._take()
            if not self._write(1 if self._singly else len(self._batch)):
                return False
        return True

    def _pending(self) -> bool:
        ready = self._queue.ready(self._now())
        return bool(self._batch or ready or self._noted or self._sums or self.spend)

    def _now(self) -> float:
        """By which claims are ripe; at the end all are."""
        return inf if self._closing.is_set() else self._clock.monotonic()

    def _take(self) -> None:
        """The next batch, and then the charges: one is noted before its row is put.

        Both are written together, so that a killed process neither charges twice nor not at all.
        """
        taken: list[Entry] = []
        if not self._batch:
            self._singly = self._counted = False
            taken = self._queue.entries(self._now())
            self._batch = [Piece(one.row, self._fit(one), one.bid) for one in taken]
        if not self._noted or taken:  # a claim that was taken comes behind its announcement
            self._noted = merged(self._noted, self._queue.charges())
        if not self._sums:
            self._sums = self.spend.rows()

    def _fit(self, entry: Entry) -> list[BodyRow]:
        """The bodies as they are stored. One that cannot be judged is not kept."""
        try:
            return [stored(body, self.redact) for body in entry.bodies]
        except Exception as error:  # noqa: BLE001  # the thread must live on, and write the row
            _LOG.error("call log: a body was not kept (%s)", type(error).__name__)
            self._body_counts.add("failed", len(entry.bodies))
            return []

    def _open(self) -> bool:
        try:
            self._table.open()
        except FAULTS as error:
            return self._failed(error)
        self._recovered()
        return True

    def _write(self, size: int) -> bool:
        # where something is refused the rows go one by one, and the rest when they are through
        noted, sums = self._noted, self._sums
        if self._singly and size:
            claimed = {piece.bid.name for piece in self._batch[:size] if piece.bid is not None}
            noted, sums = {name: noted[name] for name in claimed if name in noted}, []
        at = datetime.fromtimestamp(self._clock.now(), UTC)
        charges = [{"id": name, "at": at, **told._asdict()} for name, told in noted.items()]
        batch = self._batch[:size]
        rows = [piece.row for piece in batch if piece.row is not None]
        kept = [body for piece in batch for body in piece.bodies]
        bids = [piece.bid for piece in batch if piece.bid is not None]
        try:
            decided = self._table.write(rows, charges, kept, sums, bids)
        except FAULTS as error:
            return self._refused(error, size) if of_the_row(error) else self._failed(error)
        self._recovered()
        for bid in bids:
            bid.decided(decided[bid.call])
        if rows:
            self._counts.add("written", len(rows))
        if kept:
            self._body_counts.add("written", len(kept))
        del self._batch[:size]
        noted.clear()
        if sums:
            self.spend.written()
            sums.clear()
        return True

    def _remember(self) -> bool:
        """Reads what the start could not, and what people say since; false where that failed."""
        try:
            if self._earlier is None:
                self._earlier = self._table.charges(self._clock.now())
            if self.spend.used and self._clock.monotonic() >= self._next_overrides:
                self._read_spend()
        except FAULTS as error:
            return self._failed(error)
        return True

    def _read_spend(self) -> None:
        unread, now = self.spend.unread, self._clock.now()
        kept = self._table.spend(now, self.spend.source) if unread else None
        self.spend.told(kept, self._table.overrides())
        self._next_overrides = self._clock.monotonic() + OVERRIDES_EVERY_S

    def _sweep(self) -> bool:
        """A piece of the old rows, when it is time; false where the database failed."""
        if self._clock.monotonic() < self._next_sweep:
            return True
        try:
            policy = self.policy
            more = self._table.sweep(policy.keep, policy.keep_bodies, self._clock.now())
        except FAULTS as error:
            self._next_sweep = self._clock.monotonic() + SWEEP_AGAIN_S
            return self._failed(error)
        pause_s = SWEEP_PAUSE_S if more else SWEEP_EVERY_S
        self._next_sweep = self._clock.monotonic() + pause_s
        self._recovered()
        return True

    def _refused(self, error: Exception, size: int) -> bool:
        """What no retry can help must not keep the rest from being written."""
        if size > 1 or (size and (self._noted or self._sums) and not self._singly):
            self._singly = True
            return True
        if not size:
            _LOG.error("call log: charges or spend were refused (%s)", type(error).__name__)
            self._noted.clear()
            self._sums.clear()
            return True
        _LOG.error("call log: a row was refused (%s) and is lost", type(error).__name__)
        self._counts.add("failed", 1)
        self._counts.add("dropped", 1)
        if (bid := self._batch[0].bid) is not None:
            bid.decided(NOBODYS)
        del self._batch[:size]
        return True

    def _failed(self, error: Exception, level: int = logging.ERROR) -> bool:
        self._table.close()
        self._failures += 1
        if self._batch and not self._counted:
            self._counted = True
            self._counts.add("failed", len(self._batch))
        if self._failures == 1:
            _LOG.log(level, "call log: %s; calls go on, rows wait", reason(error))
        self._fault = f"the call log cannot be written: {reason(error)}"
        return False

    def _recovered(self) -> None:
        if self._failures:
            _LOG.warning("call log: rows are written again")
        self._failures = 0
        self._fault = ""


def _withheld(_: bytes) -> None:
    """Until it is known what may be kept."""
