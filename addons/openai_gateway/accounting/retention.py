"""Which rows go: those past their age and those above the maximum, in small pieces.

In pieces, because one large delete would hold the write lock, and with it the new rows, for long.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Connection, delete, func, select

from openai_gateway.accounting.schema import CALLS

CHUNK: Final = 500
_PAGES: Final = 500  # given back to the file system a piece: more than a piece's rows fill


@dataclass(frozen=True, slots=True)
class Keep:
    """`log.retention_days` and `log.max_rows`."""

    days: int = 30
    rows: int = 5_000_000


def surplus(connection: Connection, keep: Keep, now: float) -> int:
    """How many of the oldest rows have to go."""
    limit = datetime.fromtimestamp(now, UTC) - timedelta(days=keep.days)
    rows = select(func.count()).select_from(CALLS)
    total = connection.scalar(rows) or 0
    aged = connection.scalar(rows.where(CALLS.c.started_at < limit)) or 0
    return max(aged, total - keep.rows)


def delete_oldest(connection: Connection, most: int) -> int:
    """Deletes up to CHUNK of the oldest rows, and never above `most`; returns how many."""
    oldest = select(CALLS.c.id).order_by(CALLS.c.started_at).limit(min(CHUNK, most))
    return connection.execute(delete(CALLS).where(CALLS.c.id.in_(oldest))).rowcount


def give_back(connection: Connection) -> None:
    """Returns freed pages to the file system."""
    # the driver's own cursor: SQLite frees one page a step, and SQLAlchemy steps once only where
    # a statement has no columns
    cursor = connection.connection.cursor()
    cursor.execute(f"PRAGMA incremental_vacuum({_PAGES})")
    cursor.fetchall()
    cursor.close()
