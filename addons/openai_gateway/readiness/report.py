"""Sums of the call log over a window of time, by one column; the database adds up, not Python."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, Text, case, cast, func, select

from openai_gateway.accounting.schema import CALLS, TOKENS

type Number = Mapping[str, int]

BY: Final = ("key", "model", "client", "endpoint", "day")
SUMS: Final = ("calls", "cost_nano_usd", "unpriced_calls", "estimated_calls", *TOKENS)


@dataclass(frozen=True, slots=True)
class Group:
    """`name` is None for calls that have none: a refused one was sent to no model."""

    name: str | None
    sums: Number


@dataclass(frozen=True, slots=True)
class Report:
    """The groups, the dearest first (days in their order), and what they add up to."""

    by: str
    groups: Sequence[Group]
    total: Number

    def as_json(self) -> dict[str, object]:
        """`{"rows": [{BY, "calls", …}], "total": {…}}`."""
        rows = [{self.by: group.name, **group.sums} for group in self.groups]
        return {"rows": rows, "total": dict(self.total)}


def report(connection: Connection, by: str, since: datetime | None) -> Report:
    """`by` is one of BY; `since` None is the whole log."""
    name = _column(by).label("name")
    query = select(name, *_sums()).select_from(CALLS).group_by(name)
    if since is not None:
        query = query.where(CALLS.c.started_at >= since)
    groups = [
        Group(row[0], {column: int(row[number]) for number, column in enumerate(SUMS, 1)})
        for row in connection.execute(query)
    ]
    groups.sort(key=lambda group: _order(by, group))
    total = {column: sum(group.sums[column] for group in groups) for column in SUMS}
    return Report(by, groups, total)


def _column(by: str) -> ColumnElement[str]:
    """`model` is the model sent; a day is one of UTC."""
    if by == "day":
        return cast(func.date(CALLS.c.started_at), Text)
    return CALLS.c["model_sent" if by == "model" else by]


def _sums() -> list[ColumnElement[int]]:
    """In the order of SUMS. A call without a cost is counted, not added up as 0 unseen."""
    estimated = CALLS.c.usage_source.in_(("estimated", "reserved"))
    return [
        func.count(),
        func.coalesce(func.sum(CALLS.c.cost_nano_usd), 0),
        func.sum(case((CALLS.c.cost_nano_usd.is_(None), 1), else_=0)),
        func.sum(case((estimated, 1), else_=0)),
        *(func.coalesce(func.sum(CALLS.c[column]), 0) for column in TOKENS),
    ]


def _order(by: str, group: Group) -> tuple[object, ...]:
    name = group.name or ""
    if by == "day":
        return (name,)
    return (-group.sums["cost_nano_usd"], -group.sums["calls"], name)
