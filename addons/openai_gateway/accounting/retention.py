"""Which rows go: those past their age and those above the maximum, in small pieces.

In pieces, because one large delete would hold the write lock, and with it the new rows, for long.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Column, Connection, Table, delete, func, select

CHUNK: Final = 500
_PAGES: Final = 500  # given back to the file system a piece: more than a piece's rows fill


@dataclass(frozen=True, slots=True)
class Keep:
    """`log.retention_days` and `log.max_rows`."""

    days: int = 30
    rows: int = 5_000_000


def surplus(connection: Connection, at: Column[datetime], keep: Keep, now: float) -> int:
    """How many of the oldest rows of `at`'s table have to go; `at` tells their age."""
    limit = datetime.fromtimestamp(now, UTC) - timedelta(days=keep.days)
    rows = select(func.count()).select_from(at.table)
    total = connection.scalar(rows) or 0
    aged = connection.scalar(rows.where(at < limit)) or 0
    return max(aged, total - keep.rows)


def delete_oldest(connection: Connection, at: Column[datetime], most: int) -> int:
    """Deletes up to CHUNK of the oldest rows, and never above `most`; returns how many.

    Rows that another gateway is deleting are passed by (SQLite has one writer at a time anyway).
    """
    table: Table = at.table
    oldest = select(table.c.id).order_by(at).limit(min(CHUNK, most))
    chosen = oldest.with_for_update(skip_locked=True)
    return connection.execute(delete(table).where(table.c.id.in_(chosen))).rowcount


def give_back(connection: Connection) -> None:
    """Returns freed pages to the file system; PostgreSQL uses them again by itself."""
    if connection.dialect.name != "sqlite":
        return
    # the driver's own cursor: SQLite frees one page a step, and SQLAlchemy steps once only where
    # a statement has no columns
    cursor = connection.connection.cursor()
    cursor.execute(f"PRAGMA incremental_vacuum({_PAGES})")
    cursor.fetchall()
    cursor.close()
