"""The rows of a call log with a few columns only, from its beginning to its end, a million of them
in seconds: whatever judges a whole log reads it so."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Select, case, or_, select

from openai_gateway.accounting.schema import CALLS
from openai_gateway.readiness.arrivals import Lean, moment_of

# Each batch is a query of its own, so that SQLite's journal can end meanwhile; fewer rows would
# cost queries, more of them memory.
BATCH: Final = 20_000


def lean(
    connection: Connection, since: datetime | None, until: datetime
) -> Iterator[tuple[Any, ...]]:
    """All rows up to `until`, the oldest first, each as `Lean`."""
    at, last = CALLS.c.started_at, CALLS.c.id
    query = select(*_COLUMNS).where(at <= until).order_by(at, last).limit(BATCH)
    found = _batch(connection, query if since is None else query.where(at >= since))
    while found:
        yield from found
        if len(found) < BATCH:
            return
        moment, name = moment_of(found[-1][0]), found[-1][1]
        # the first condition is the one that finds its way by the index
        after = query.where(at >= moment, or_(at > moment, last > name))
        found = _batch(connection, after)


# In the order of Lean.
_COLUMNS: Final = (
    *(CALLS.c[name] for name in Lean._fields[:-1]),
    case((CALLS.c.injected_ms > 0, CALLS.c.trace)),
)


def _batch(connection: Connection, query: Select[Any]) -> Sequence[tuple[Any, ...]]:
    """As the driver gives them: what is made of rows and times above it takes as long again."""
    cursor = connection.execute(query).cursor
    return cursor.fetchall() if cursor is not None else []
