"""What budgets have spent, kept beyond the process, and the overrides of their limits.

Each process writes its own sums, whole: a write that was lost on its way can be said again without
counting twice, and no gateway overwrites another's.
"""

import secrets
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Connection, Insert, delete, func, insert, or_, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from openai_gateway.accounting.schema import OVERRIDES, SPEND

type Key = tuple[str, str, int]
"""Budget, period, and its start in seconds since the epoch."""

type Kept = tuple[str, str, int, int, tuple[str, ...]]
"""The same, nano-dollars spent, and the shares of the limit that were told of."""

type Raised = tuple[str, int, float, str, float]
"""Budget, its other limit in nano-dollars, until when, by whom, said when."""

type Row = Mapping[str, object]

ENDLESS: Final = "total"
# No period that began earlier still runs.
LONGEST: Final = timedelta(days=32)
OVERRIDES_READ: Final = 1000
# A year can be compared with the one before; the period that began so long ago ended before KEPT.
KEPT: Final = timedelta(days=400)
FORGOTTEN_AT_ONCE: Final = 500


def _sum(insert: postgresql.Insert | sqlite.Insert) -> Insert:
    new = insert.excluded
    return insert.on_conflict_do_update(
        index_elements=list(SPEND.primary_key),
        set_={"spent_nano_usd": new.spent_nano_usd, "alerted": new.alerted},
    )


_SUMS: Final = {
    "sqlite": _sum(sqlite.insert(SPEND)),
    "postgresql": _sum(postgresql.insert(SPEND)),
}


class SpendBook:
    """This process' sums. The event loop adds, the writer's thread takes what has changed."""

    def __init__(self) -> None:
        self.source: Final = secrets.token_hex(8)
        self.used = False
        self._lock = threading.Lock()
        self._sums: dict[Key, tuple[int, tuple[str, ...]]] = {}
        self._changed: set[Key] = set()
        self._added = self._taken = self._written = 0
        self._earlier: Sequence[Kept] | None = None
        self._raised: Sequence[Raised] = ()

    def __bool__(self) -> bool:
        return bool(self._changed)

    def load(self) -> Sequence[Kept] | None:
        """What others had kept, of the periods that may still run; None: not read yet."""
        self.used = True
        return self._earlier

    def overrides(self) -> Sequence[Raised]:
        """The overrides as they were last read."""
        return self._raised

    def add(
        self, budget: str, period: str, start: int, nano_usd: int, alerted: Sequence[str] = ()
    ) -> int:
        """Takes spend and shares told of; never waits. The ticket is for `booked`."""
        key = (budget, period, start)
        with self._lock:
            spent, known = self._sums.get(key, (0, ()))
            self._sums[key] = (spent + nano_usd, (*known, *alerted))
            self._changed.add(key)
            self._added += 1
            return self._added

    def booked(self, ticket: int) -> bool:
        """Whether what was added under this ticket is written."""
        return ticket <= self._written

    def rows(self) -> list[Row]:
        """What has changed since it was last taken, as whole sums."""
        with self._lock:
            changed, self._changed = self._changed, set()
            self._taken = self._added
            return [self._row(key, *self._sums[key]) for key in sorted(changed)]

    def _row(self, key: Key, spent: int, alerted: Sequence[str]) -> Row:
        budget, period, start = key
        return {
            "budget": budget,
            "period": period,
            "period_start": datetime.fromtimestamp(start, UTC),
            "source": self.source,
            "spent_nano_usd": spent,
            "alerted": " ".join(alerted),
        }

    def written(self) -> None:
        """What was taken last is in the table."""
        self._written = self._taken

    def told(self, earlier: Sequence[Kept] | None, raised: Sequence[Raised]) -> None:
        """What was read: of others' sums at the start (None: known already), and overrides."""
        if earlier is not None:
            self._earlier = earlier
        self._raised = raised

    @property
    def unread(self) -> bool:
        """Whether the sums of others are still to be read."""
        return self._earlier is None


def write_sums(connection: Connection, rows: Sequence[Row]) -> None:
    """Puts a process' sums in the place of those that it wrote before."""
    connection.execute(_SUMS[connection.dialect.name], rows)


def read_sums(connection: Connection, now: float, but: str = "") -> list[Kept]:
    """All sums of the periods that may still run, without those of the source `but`."""
    since = datetime.fromtimestamp(now, UTC) - LONGEST
    running = or_(SPEND.c.period_start >= since, SPEND.c.period == ENDLESS)
    found: dict[Key, tuple[int, tuple[str, ...]]] = {}
    for row in connection.execute(select(SPEND).where(running, SPEND.c.source != but)):
        key = (row.budget, row.period, int(_utc(row.period_start).timestamp()))
        spent, alerted = found.get(key, (0, ()))
        found[key] = (spent + row.spent_nano_usd, (*alerted, *row.alerted.split()))
    return [(*key, spent, tuple(dict.fromkeys(told))) for key, (spent, told) in found.items()]


def forget_sums(connection: Connection, now: float) -> bool:
    """Deletes a piece of the sums of periods that ended above KEPT ago; whether there is more."""
    before = datetime.fromtimestamp(now, UTC) - KEPT - LONGEST
    key = list(SPEND.primary_key)
    gone = select(*key).where(SPEND.c.period != ENDLESS, SPEND.c.period_start < before)
    chosen = connection.execute(gone.limit(FORGOTTEN_AT_ONCE)).all()
    if chosen:
        connection.execute(delete(SPEND).where(tuple_(*key).in_([tuple(row) for row in chosen])))
    return len(chosen) == FORGOTTEN_AT_ONCE


@dataclass(frozen=True, slots=True)
class Change:
    """A budget's limit was changed: `nano_usd` in the place of `before` (None: not noted)."""

    budget: str
    before: int | None
    nano_usd: int
    until: datetime
    by: str
    at: datetime
    command: str | None


def write_override(
    connection: Connection, said: Raised, before: int | None = None, command: str | None = None
) -> None:
    """Notes another limit; none is ever taken out, so the table tells who raised what, and when.
    `before`: what held until now."""
    budget, nano_usd, until, by, at = said
    row = {
        "budget": budget,
        "nano_usd": nano_usd,
        "until": datetime.fromtimestamp(until, UTC),
        "by": by,
        "at": datetime.fromtimestamp(at, UTC),
        "from_nano_usd": before,
        "command": command,
        "number": (connection.scalar(select(func.max(OVERRIDES.c.number))) or 0) + 1,
    }
    connection.execute(insert(OVERRIDES).values(row))


def read_overrides(connection: Connection) -> list[Raised]:
    """The newest overrides, those that have ended included."""
    newest = select(OVERRIDES).order_by(OVERRIDES.c.number.desc()).limit(OVERRIDES_READ)
    return [
        (row.budget, row.nano_usd, _utc(row.until).timestamp(), row.by, _utc(row.at).timestamp())
        for row in connection.execute(newest)
    ]


def read_changes(connection: Connection, most: int = OVERRIDES_READ) -> list[Change]:
    """The newest changes of limits first."""
    newest = select(OVERRIDES).order_by(OVERRIDES.c.number.desc()).limit(most)
    return [
        Change(
            row.budget, row.from_nano_usd, row.nano_usd, _utc(row.until), row.by, _utc(row.at),
            row.command,
        )
        for row in connection.execute(newest)
    ]  # fmt: skip


def _utc(moment: datetime) -> datetime:
    """SQLite gives times back without their zone."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
