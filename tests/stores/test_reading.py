"""What the reading commands ask of the call log, on both databases, beside its own writer."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from openai_gateway.core.secret import Secret
from openai_gateway.readiness.place import NoLog, Place
from openai_gateway.readiness.report import BY, report
from openai_gateway.readiness.rows import Tail, every, newest, one
from openai_gateway.readiness.source import reading
from tests.stores.rig import Log, made_row, until

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
def source(log: Log) -> Place:
    return Place(Secret(log.place.url), log.place.root)


def put(log: Log, *rows: dict[str, object]) -> list[str]:
    made = [made_row(**row) for row in rows]
    before = log.counts["written"]
    for row in made:
        log.writer.put(row)
    until(lambda: log.counts["written"] == before + len(rows))
    return [str(row["id"]) for row in made]


@pytest.mark.parametrize("by", BY)
def test_a_report_is_exact_numbers_of_python(log: Log, source: Place, by: str) -> None:
    put(
        log,
        {"started_at": NOON, "cost_nano_usd": 2**40, "total_tokens": 7, "model_sent": "a"},
        {"started_at": NOON, "cost_nano_usd": None, "model_sent": "a"},
        {"started_at": NOON - timedelta(hours=13), "cost_nano_usd": 1, "model_sent": None},
    )
    with reading(source) as connection:
        made = report(connection, by, None)
        recent = report(connection, by, NOON - timedelta(hours=1))
    assert (made.total["calls"], made.total["cost_nano_usd"]) == (3, 2**40 + 1)
    assert (made.total["unpriced_calls"], made.total["total_tokens"]) == (1, 7)
    assert {type(value) for value in made.total.values()} == {int}
    assert recent.total["calls"] == 2
    names = [group.name for group in made.groups]
    if by == "day":
        assert names == ["2026-11-23", "2026-11-24"]
    if by == "model":
        assert names == ["a", None]


def test_rows_come_in_order_with_their_time_in_utc(log: Log, source: Place) -> None:
    ids = put(log, *({"started_at": NOON + timedelta(seconds=n)} for n in range(3)))
    with reading(source) as connection:
        assert [row["id"] for row in newest(connection, None, 2)] == ids[:0:-1]
        assert [row["id"] for row in every(connection, None, NOON + timedelta(days=1))] == ids
        found = one(connection, ids[0])
    assert found is not None
    assert found["started_at"] == NOON
    assert found["started_at"].utcoffset() == timedelta(0)


def test_a_tail_has_each_new_row_once(log: Log, source: Place) -> None:
    put(log, {})
    with reading(source) as connection:
        tail = Tail(connection)
    for _ in range(2):
        new = put(log, {}, {})
        with reading(source) as connection:
            assert sorted(row["id"] for row in tail.fresh(connection)) == sorted(new)
        with reading(source) as connection:
            assert tail.fresh(connection) == []


def test_nothing_can_be_written(log: Log, source: Place) -> None:
    put(log, {})
    with pytest.raises(NoLog), reading(source) as connection:
        connection.execute(text("DELETE FROM calls"))
    assert log.ask() == 1
