"""The table: rows once, the oldest deleted in pieces, the file found again when it is gone."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import SQLAlchemyError

from openai_gateway.accounting.record import Row, row
from openai_gateway.accounting.retention import CHUNK, Keep
from openai_gateway.accounting.table import CHARGES_KEPT, CallsTable
from openai_gateway.core.call import Call, Request

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
def table(tmp_path: Path) -> Iterator[CallsTable]:
    made = CallsTable("sqlite:///var/calls.db", tmp_path)
    yield made
    made.close()


def made_row(age: timedelta = timedelta(0)) -> Row:
    at = (NOW - age).timestamp()
    return row(Call(Request("GET", "api.openai.com", b"/v1/models", []), started_at=at))


def ask(table: CallsTable, query: str) -> list[tuple[object, ...]]:
    assert table.path
    with closing(sqlite3.connect(table.path)) as connection:
        return connection.execute(query).fetchall()


def test_columns_without_a_value_are_null(table: CallsTable) -> None:
    table.write([made_row()])
    assert ask(
        table,
        "SELECT input_tokens, cost_nano_usd, leaks, features, upstream_limits, billed_units, fault,"
        " model_response, service_tier, usage_source, stream FROM calls",
    ) == [(None, 0, None, None, None, None, None, None, None, "none", 0)]


def test_a_row_written_again_is_there_once_and_as_it_was(table: CallsTable) -> None:
    first = made_row()
    table.write([first])
    table.write([{**first, "status": 500}, made_row()])
    assert ask(table, "SELECT count(*), max(status) FROM calls") == [(2, 0)]


def test_times_compare_with_sqlites_own_on_the_same_day(table: CallsTable) -> None:
    table.write([made_row(timedelta(hours=1)), made_row(timedelta(hours=3))])
    later = "started_at > datetime('2026-11-24 12:00:00', '-2 hours')"
    assert ask(table, f"SELECT count(*) FROM calls WHERE {later}") == [(1,)]  # noqa: S608 - ours


def sweep(table: CallsTable, keep: Keep) -> int:
    """Sweeps until there is no more to do; returns in how many pieces."""
    pieces = 1
    while table.sweep(keep, Keep(days=3), NOW.timestamp()):
        pieces += 1
    return pieces


def test_rows_past_their_age_go_in_pieces(table: CallsTable) -> None:
    old = [made_row(timedelta(days=30, seconds=1)) for _ in range(CHUNK * 2 + 1)]
    young = [made_row(timedelta(days=29, hours=23)) for _ in range(3)]
    table.write([*young, *old])
    assert sweep(table, Keep(days=30)) == 3
    assert ask(table, "SELECT id FROM calls ORDER BY id") == sorted((y["id"],) for y in young)


def test_rows_above_the_maximum_go_the_oldest_first(table: CallsTable) -> None:
    rows = [made_row(timedelta(minutes=minute)) for minute in range(10)]
    table.write(rows)
    sweep(table, Keep(rows=4))
    assert ask(table, "SELECT id FROM calls ORDER BY started_at DESC") == [
        (kept["id"],) for kept in rows[:4]
    ]


def note(name: str, charged: bool, age: timedelta = timedelta(0)) -> Row:
    return {"id": name, "charged": charged, "at": NOW - age}


def test_charges_are_written_with_rows_and_read_back(table: CallsTable) -> None:
    table.write([made_row()], [note("resp_1", True), note("resp_2", False)])
    table.write([], [note("resp_2", True)])
    assert table.charges(NOW.timestamp()) == {"resp_1": True, "resp_2": True}


def test_what_was_charged_once_stays_so(table: CallsTable) -> None:
    table.write([], [note("resp_1", True)])
    table.write([], [note("resp_1", False)])
    assert table.charges(NOW.timestamp()) == {"resp_1": True}


def test_a_row_and_its_charge_are_written_both_or_neither(table: CallsTable) -> None:
    with pytest.raises(SQLAlchemyError):
        table.write([{**made_row(), "outcome": None}], [note("resp_1", True)])
    assert table.charges(NOW.timestamp()) == {}


def test_charges_past_their_age_are_not_read_and_go(table: CallsTable) -> None:
    past = timedelta(days=CHARGES_KEPT.days, seconds=1)
    old = [note(f"resp_{number}", True, past) for number in range(CHUNK + 1)]
    table.write([made_row()], [*old, note("young", False)])
    assert table.charges(NOW.timestamp()) == {"young": False}
    assert sweep(table, Keep()) == 2
    assert ask(table, "SELECT id FROM charges") == [("young",)]
    assert ask(table, "SELECT count(*) FROM calls") == [(1,)]


def test_the_file_shrinks_when_rows_go(table: CallsTable) -> None:
    table.write([made_row() for _ in range(CHUNK * 6)])
    before = ask(table, "PRAGMA page_count")[0][0]
    sweep(table, Keep(rows=1))
    after = ask(table, "PRAGMA page_count")[0][0]
    assert isinstance(before, int)
    assert isinstance(after, int)
    assert after < before / 4


def test_nothing_to_delete_deletes_nothing(table: CallsTable) -> None:
    table.write([made_row()])
    assert not table.sweep(Keep(), Keep(), NOW.timestamp())
    assert ask(table, "SELECT count(*) FROM calls") == [(1,)]


def test_a_folder_that_was_deleted_is_made_again(table: CallsTable) -> None:
    table.write([made_row()])
    assert table.path
    shutil.rmtree(table.path.parent)
    kept = made_row()
    table.write([kept])
    assert ask(table, "SELECT id FROM calls") == [(kept["id"],)]


def body(name: str, side: str, age: timedelta = timedelta(0)) -> Row:
    told = {"content_type": "text/plain", "size": 5, "cut": False, "body": "hello"}
    return {"id": name, "side": side, "at": NOW - age, **told}


def test_bodies_are_written_with_their_row_and_go_before_it(table: CallsTable) -> None:
    old, young = made_row(timedelta(days=4)), made_row()
    kept = [body(str(young["id"]), side) for side in ("request", "response")]
    table.write([old, young], [], [body(str(old["id"]), "request", timedelta(days=4)), *kept])
    sweep(table, Keep(days=30))
    assert ask(table, "SELECT id, side FROM bodies ORDER BY side") == [
        (young["id"], "request"),
        (young["id"], "response"),
    ]
    assert ask(table, "SELECT count(*) FROM calls") == [(2,)]


def test_a_body_written_again_is_there_once(table: CallsTable) -> None:
    for _ in range(2):
        table.write([made_row()], [], [body("gw_1", "request")])
    assert ask(table, "SELECT count(*) FROM bodies") == [(1,)]
