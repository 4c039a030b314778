"""Rows of the call log as they are: the newest, one by its id, all in turn, those just written."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Integer, Select, func, literal_column, or_, select

from openai_gateway.accounting.schema import BODIES, CALLS

type Row = Mapping[str, Any]

COLUMNS: Final = tuple(column.name for column in CALLS.c)
BATCH: Final = 1000
_JSON: Final = frozenset({"billed_units", "features", "upstream_limits", "trace"})
_ROWID: Final = literal_column("calls.rowid", Integer)
# A row is written when its call ends, and carries the time of its beginning.
_UNDER_WAY: Final = timedelta(minutes=20)


def newest(connection: Connection, since: datetime | None, limit: int) -> list[Row]:
    """Up to `limit` rows, the newest first."""
    query = _since(select(CALLS), since)
    order = (CALLS.c.started_at.desc(), CALLS.c.id.desc())
    return _rows(connection, query.order_by(*order).limit(limit))


def one(connection: Connection, call_id: str) -> Row | None:
    """The row with this id."""
    return next(iter(_rows(connection, select(CALLS).where(CALLS.c.id == call_id))), None)


def bodies(connection: Connection, call_id: str) -> list[dict[str, Any]]:
    """The stored bodies of a call, the request's first: side, content_type, size, cut, body."""
    told = [BODIES.c[name] for name in ("side", "content_type", "size", "cut", "body")]
    query = select(*told).where(BODIES.c.id == call_id).order_by(BODIES.c.side)
    return [dict(found) for found in connection.execute(query).mappings()]


def every(connection: Connection, since: datetime | None, until: datetime) -> Iterator[Row]:
    """All rows up to `until`, the oldest first, read in batches.

    Each batch is a query of its own: one that stays open for as long as somebody pages through an
    export would let SQLite's journal grow without an end.
    """
    place = (CALLS.c.started_at, CALLS.c.id)
    query = _since(select(CALLS), since).where(CALLS.c.started_at <= until)
    query = query.order_by(*place).limit(BATCH)
    rows = _rows(connection, query)
    while rows:
        yield from rows
        at, last = rows[-1]["started_at"], rows[-1]["id"]
        # the first condition is the one that finds its way by the index
        after = query.where(CALLS.c.started_at >= at, or_(CALLS.c.started_at > at, place[1] > last))
        rows = _rows(connection, after)


class Tail:
    """The rows that were written after it was made, each of them once."""

    def __init__(self, connection: Connection) -> None:
        self._last = 0
        self._seen: set[str] = set()
        if connection.dialect.name == "sqlite":
            self._last = connection.scalar(select(func.max(_ROWID)).select_from(CALLS)) or 0
        else:
            self._seen = self._recent(connection)

    def fresh(self, connection: Connection) -> list[Row]:
        """In the order of their writing, as far as the database knows it."""
        if connection.dialect.name == "sqlite":
            return self._after(connection)
        recent = self._recent(connection)
        new = recent - self._seen
        self._seen = recent
        query = select(CALLS).where(CALLS.c.id.in_(new))
        return _rows(connection, query.order_by(CALLS.c.started_at)) if new else []

    def _after(self, connection: Connection) -> list[Row]:
        """SQLite counts its rows; the count falls only where the table was emptied or made anew."""
        now = connection.scalar(select(func.max(_ROWID)).select_from(CALLS)) or 0
        before, self._last = self._last, now
        if now == before:
            return []
        begin = before if now > before else 0
        query = select(CALLS).where(_ROWID.between(begin + 1, now))
        return _rows(connection, query.order_by(_ROWID))

    def _recent(self, connection: Connection) -> set[str]:
        since = datetime.now(UTC) - _UNDER_WAY
        return set(connection.scalars(_since(select(CALLS.c.id), since)))


def as_json(row: Row) -> dict[str, Any]:
    """The row with its time as ISO 8601 in UTC, and what is kept as JSON as what it says."""
    made = {name: _opened(value) if name in _JSON else value for name, value in row.items()}
    made["started_at"] = iso(row["started_at"])
    return made


def iso(moment: datetime) -> str:
    """2026-11-24T12:00:00.250000Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _opened(text: str | None) -> object:
    if text is not None:
        with suppress(ValueError):
            return json.loads(text)
    return text


def _since[T: Select[Any]](query: T, since: datetime | None) -> T:
    return query if since is None else query.where(CALLS.c.started_at >= since)


def _rows(connection: Connection, query: Select[Any]) -> list[Row]:
    return list(_aware(connection.execute(query).mappings()))


def _aware(found: Iterable[Mapping[Any, Any]]) -> Iterator[Row]:
    """SQLite keeps no time zone; all times are in UTC."""
    for row in found:
        made = dict(row)
        if made["started_at"].tzinfo is None:
            made["started_at"] = made["started_at"].replace(tzinfo=UTC)
        yield made
