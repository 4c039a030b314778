"""The call log against real databases: no call waits for one, and no row is lost unseen."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, inspect
from sqlalchemy.exc import OperationalError

from openai_gateway.accounting.charges import DurableCharged
from openai_gateway.accounting.database import connect, locate
from openai_gateway.accounting.migrations import NewerDatabase
from openai_gateway.accounting.retention import Keep
from openai_gateway.accounting.schema import METADATA
from openai_gateway.accounting.steps import STEPS
from openai_gateway.accounting.table import CallsTable
from openai_gateway.accounting.waiting import BATCH, CHARGES_MAX, QUEUE_MAX
from openai_gateway.accounting.writer import Policy
from tests.stores.rig import HandClock, Log, Place, made_row, until

ADDONS = Path(__file__).parents[2] / "addons"


@pytest.fixture
def locked(log: Log) -> Iterator[Connection]:
    with log.place.locked() as connection:
        yield connection


def test_a_row_is_written_within_a_second(log: Log) -> None:
    log.writer.put(made_row(id="gw_1"))
    until(log.ask, within_s=1.0)
    assert log.ask("SELECT id FROM calls") == "gw_1"
    assert (log.counts["written"], log.writer.waiting()) == (1, 0)
    assert log.writer.healthy() == (True, "")


def test_more_rows_than_a_batch_are_all_written_once(log: Log) -> None:
    for _ in range(BATCH * 3 + 7):
        log.writer.put(made_row())
    until(lambda: log.counts["written"] == BATCH * 3 + 7)
    assert log.ask() == BATCH * 3 + 7


def test_a_locked_database_delays_rows_and_loses_none(log: Log, locked: Connection) -> None:
    began = time.perf_counter()
    for _ in range(50):
        log.writer.put(made_row())
    assert time.perf_counter() - began < 0.5
    until(lambda: log.counts["failed"])
    assert not log.writer.healthy()[0]
    assert re.search("the call log cannot be written: .*lock", log.writer.healthy()[1])
    locked.rollback()
    until(lambda: log.writer.healthy()[0] and log.writer.waiting() == 0)
    assert log.ask() == 50
    assert (log.counts["written"], log.counts["dropped"]) == (50, 0)
    assert 1 <= log.counts["failed"] <= 50  # each row once, however often it was tried


def test_a_full_queue_drops_the_newest_and_counts_them(log: Log, locked: Connection) -> None:
    log.writer.put(made_row(id="first"))
    until(lambda: log.counts["failed"] == 1)
    for _ in range(QUEUE_MAX):
        log.writer.put(made_row())
    for _ in range(5):
        log.writer.put(made_row(status=599))
    assert (log.counts["dropped"], log.writer.waiting()) == (5, QUEUE_MAX + 1)
    locked.rollback()
    until(lambda: log.counts["written"] == QUEUE_MAX + 1)
    assert log.ask() == QUEUE_MAX + 1
    assert log.ask("SELECT count(*) FROM calls WHERE status = 599") == 0


def test_a_row_that_no_retry_can_help_does_not_hold_up_the_others(log: Log) -> None:
    for status in (200, 2**70, 201):
        log.writer.put(made_row(status=status))
    log.writer.put(made_row(outcome=None))
    log.writer.put(made_row(started_at="never"))
    until(lambda: log.writer.waiting() == 0 and log.counts["dropped"] == 3)
    assert log.place.column("SELECT status FROM calls ORDER BY 1") == [200, 201]
    assert (log.counts["written"], log.counts["failed"]) == (2, 3)
    assert log.writer.healthy()[0]


def test_closing_writes_what_waits(place: Place) -> None:
    log = Log(place)
    log.writer.start()
    for _ in range(1000):
        log.writer.put(made_row())
    log.writer.close(5)
    assert (log.ask(), log.counts["written"], log.counts["dropped"]) == (1000, 1000, 0)


def test_closing_is_bounded_and_counts_what_is_lost(log: Log, locked: Connection) -> None:
    del locked
    for _ in range(30):
        log.writer.put(made_row())
    began = time.monotonic()
    log.writer.close(0.5)
    assert time.monotonic() - began < 1.5
    log.writer.close(0.5)  # a second end counts nothing again
    assert log.counts["dropped"] == 30


def test_a_row_after_the_end_is_counted_as_dropped(place: Place) -> None:
    log = Log(place)
    log.writer.start()
    log.writer.close(5)
    log.writer.put(made_row())
    assert log.counts["dropped"] == 1


def test_a_newer_database_stops_the_start(place: Place) -> None:
    log = Log(place)
    log.writer.start()
    log.writer.close(5)
    place.run("INSERT INTO schema_version VALUES (99, '2027-01-01 00:00:00')")
    with pytest.raises(NewerDatabase, match="schema version 99"):
        Log(place).writer.start()


def test_errors_only_writes_errors_only_until_the_policy_changes(log: Log) -> None:
    log.writer.policy = Policy(which="errors")
    log.writer.put(made_row())
    log.writer.put(made_row(status=500))
    log.writer.policy = Policy()
    log.writer.put(made_row(status=201))
    until(lambda: log.counts["written"] == 2)
    assert log.place.column("SELECT status FROM calls ORDER BY 1") == [201, 500]


def test_old_rows_go_while_new_ones_are_written(place: Place) -> None:
    clock = HandClock()
    log = Log(place, policy=Policy(keep=Keep(rows=100)), clock=clock)
    log.writer.start()
    for _ in range(2000):
        log.writer.put(made_row())
    until(lambda: log.counts["written"] == 2000)
    clock.at += 601

    def fewer() -> bool:
        clock.at += 0.05  # the pause between two pieces
        return bool(log.ask() == 100)

    until(fewer)
    log.writer.close(5)


def test_two_thousand_rows_a_second_are_written_without_a_drop(log: Log) -> None:
    rows = [made_row() for _ in range(4000)]
    began = time.perf_counter()
    for number, made in enumerate(rows):
        log.writer.put(made)
        if number % 20 == 19:  # 20 rows, then what is left of 10 ms
            time.sleep(max(0.0, began + number / 2000 - time.perf_counter()))
    assert time.perf_counter() - began < 6
    until(lambda: log.counts["written"] == 4000, within_s=2.0)
    assert (log.ask(), log.counts["dropped"], log.counts["failed"]) == (4000, 0, 0)


def engine_of(place: Place) -> Engine:
    return connect(locate(place.url, place.root))


def test_the_schema_is_what_the_tables_say(log: Log) -> None:
    found = inspect(engine_of(log.place))
    for table in METADATA.sorted_tables:
        columns = [(column["name"], column["nullable"]) for column in found.get_columns(table.name)]
        assert columns == [(column.name, column.nullable) for column in table.columns]
        kinds = {
            column["name"]: column["type"].as_generic() for column in found.get_columns(table.name)
        }
        for column in table.columns:
            assert kinds[column.name].python_type is column.type.python_type, column
        indexes = {index["name"] for index in found.get_indexes(table.name)}
        assert indexes == {index.name for index in table.indexes}


def test_times_come_back_as_they_were_and_the_view_tells_dollars(log: Log) -> None:
    at = datetime(2026, 11, 24, 12, 0, 0, 250_000, tzinfo=UTC)
    log.writer.put(made_row(started_at=at, cost_nano_usd=1_234_567_890, model_sent="gpt-5-mini"))
    until(log.ask)
    with engine_of(log.place).begin() as connection:
        told = connection.exec_driver_sql("SELECT model, total_cost FROM request_log").one()
        when = connection.execute(METADATA.tables["calls"].select()).one().started_at
    assert (told.model, float(told.total_cost)) == ("gpt-5-mini", 1.23456789)
    assert when.replace(tzinfo=UTC) == at


def written(table: CallsTable) -> None:
    """As the writer does: what another holds for longer than SQLite waits is tried again."""
    for _ in range(5):
        try:
            table.write([made_row()])
        except OperationalError as fault:
            if "locked" not in str(fault):
                raise
        else:
            return
    raise AssertionError("locked five times")


def test_gateways_that_start_at_once_make_one_schema(place: Place) -> None:
    faults: list[Exception] = []

    def start() -> None:
        table = CallsTable(place.url, place.root)
        try:
            written(table)
        except Exception as fault:  # noqa: BLE001 - whatever it is, it fails the test below
            faults.append(fault)
        table.close()

    starting = [threading.Thread(target=start) for _ in range(6)]
    for thread in starting:
        thread.start()
    for thread in starting:
        thread.join(60)
    assert faults == []
    versions = place.column("SELECT version FROM schema_version ORDER BY 1")
    assert versions == list(range(1, len(STEPS) + 1))
    assert place.ask() == 6


def test_a_charge_is_known_after_a_restart(place: Place) -> None:
    first = Log(place)
    first.writer.start()
    before = DurableCharged(first.writer)
    before.note("resp_background", charged=False)
    before.note("resp_done", charged=False)
    before.note("resp_done", charged=True)
    first.writer.put(made_row())
    first.writer.close(5)
    second = Log(place)
    second.writer.start()
    after = DurableCharged(second.writer)
    assert after.awaited("resp_background")
    assert "resp_background" not in after
    assert "resp_done" in after
    after.note("resp_background", charged=True)
    second.writer.close(5)
    third = Log(place)
    third.writer.start()
    assert "resp_background" in DurableCharged(third.writer)
    third.writer.close(5)


def test_a_charge_without_a_row_is_written_within_a_second(log: Log) -> None:
    log.writer.put_charge("resp_1", charged=False)
    until(lambda: log.ask("SELECT count(*) FROM charges"), within_s=1.0)
    assert log.counts["written"] == 0  # rows are counted, charges are not


def test_charges_wait_for_a_locked_database_up_to_a_bound(log: Log, locked: Connection) -> None:
    log.writer.put(made_row())
    until(lambda: log.counts["failed"])
    began = time.perf_counter()
    for number in range(CHARGES_MAX + 100):
        log.writer.put_charge(f"resp_{number}", charged=True)
    assert time.perf_counter() - began < 1.0
    locked.rollback()
    until(lambda: log.writer.healthy()[0] and log.counts["written"] == 1)
    until(lambda: log.ask("SELECT count(*) FROM charges") == CHARGES_MAX)


@pytest.mark.parametrize("name", ["", "x" * 257, "a\x00b", "\ud800", "prompt\ntext"])
def test_an_id_that_no_database_takes_is_left_out(log: Log, name: str) -> None:
    log.writer.put_charge(name, charged=True)
    log.writer.put_charge("resp_1", charged=True)
    until(lambda: log.ask("SELECT count(*) FROM charges") == 1)
    assert log.ask("SELECT id FROM charges") == "resp_1"


def test_a_refused_row_takes_no_charge_with_it(log: Log) -> None:
    for made in (made_row(outcome=None), made_row(id="gw_1")):
        log.writer.put_charge(f"resp_{made['id']}", charged=True)
        log.writer.put(made)
    until(lambda: log.counts["dropped"] == 1 and log.ask() == 1)
    until(lambda: log.ask("SELECT count(*) FROM charges") == 2)


def test_rows_past_their_age_go_and_charges_of_that_age_too(place: Place) -> None:
    past = datetime.now(UTC) - timedelta(days=31)
    table = CallsTable(place.url, place.root)
    old = [made_row(started_at=past) for _ in range(700)]
    table.write([*old, made_row(id="young")], [{"id": "resp_1", "charged": True, "at": past}])
    while table.sweep(Keep(days=30), Keep(days=3), time.time()):
        pass
    table.close()
    assert place.column("SELECT id FROM calls") == ["young"]
    assert place.ask("SELECT count(*) FROM charges") == 0


PROGRAM = """
import sys, time
from pathlib import Path
from tests.stores.rig import Log, Place, made_row
log = Log(Place(sys.argv[1], Path(sys.argv[2])))
log.writer.start()
number = 0
while True:
    log.writer.put(made_row(status=number))
    print(number, time.time(), flush=True)
    number += 1
    time.sleep(0.002)
"""


def test_a_killed_process_loses_no_row_older_than_a_second(place: Place) -> None:
    path = f"{ADDONS}{os.pathsep}{ADDONS.parent}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", PROGRAM, place.url, str(place.root)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
        text=True,
    )
    assert process.stdout
    said = [process.stdout.readline() for _ in range(700)]
    process.send_signal(signal.SIGKILL)
    killed_at = time.time()
    out, err = process.communicate(timeout=30)
    told = [line.split() for line in [*said, *out.splitlines()] if line.endswith("\n") or line]
    old = [int(number) for number, at in told if float(at) < killed_at - 1]
    assert len(old) > 50, err
    assert set(old) <= set(place.column("SELECT status FROM calls"))
