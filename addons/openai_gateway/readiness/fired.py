"""How often each fault that was made on purpose fired, and when last: by the rule in the rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, func, select

from openai_gateway.accounting.schema import CALLS


@dataclass(frozen=True, slots=True)
class Fired:
    """`last`: when the last call that it hit began, in UTC."""

    calls: int = 0
    last: datetime | None = None


def fired(connection: Connection, since: datetime | None) -> Mapping[str, Fired]:
    """`since` None is the whole log."""
    rule = CALLS.c.fault
    query = select(rule, func.count(), func.max(CALLS.c.started_at))
    query = query.where(rule.is_not(None)).group_by(rule).order_by(rule)
    if since is not None:
        query = query.where(CALLS.c.started_at >= since)
    return {name: Fired(int(calls), _utc(last)) for name, calls, last in connection.execute(query)}


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
