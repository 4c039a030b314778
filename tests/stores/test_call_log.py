"""The call log against real databases: no call waits for one, and no row is lost unseen."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from openai_gateway.accounting.migrations import NewerDatabase
from openai_gateway.accounting.record import Row, row
from openai_gateway.accounting.retention import Keep
from openai_gateway.accounting.writer import BATCH, QUEUE_MAX, LogWriter, Policy
from openai_gateway.core.call import Call, Request

ADDONS = Path(__file__).parents[2] / "addons"
URL = "sqlite:///var/calls.db"


class Counts:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: Counter[str] = Counter()

    def add(self, result: str, rows: int) -> None:
        with self._lock:
            self._seen[result] += rows

    def __getitem__(self, result: str) -> int:
        with self._lock:
            return self._seen[result]


class HandClock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = 1_000.0

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return self.at


class Log:
    """A writer on a folder of its own, and a look into its file from outside."""

    def __init__(self, root: Path, **settings: Any) -> None:
        self.file = root / "var/calls.db"
        self.counts = Counts()
        self.writer = LogWriter(URL, root, self.counts, **settings)

    def ask(self, query: str = "SELECT count(*) FROM calls") -> Any:
        with closing(sqlite3.connect(self.file)) as connection:
            return connection.execute(query).fetchone()[0]


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    made = Log(tmp_path)
    made.writer.start()
    yield made
    made.writer.close(5)


def made_row(**known: Any) -> Row:
    call = Call(Request("GET", "api.openai.com", b"/v1/models", []), endpoint="models.list")
    return {**row(call), "status": 200, "outcome": "forwarded", **known}


def until(true: Callable[[], object], within_s: float = 15.0) -> None:
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.01)


@pytest.fixture
def locked(log: Log) -> Iterator[sqlite3.Connection]:
    """Somebody else holds the database's lock until `rollback`."""
    with closing(sqlite3.connect(log.file, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield connection
        with suppress(sqlite3.OperationalError):
            connection.rollback()


def test_a_row_is_in_the_file_within_a_second(log: Log) -> None:
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


def test_a_locked_database_delays_rows_and_loses_none(log: Log, locked: Any) -> None:
    began = time.perf_counter()
    for _ in range(50):
        log.writer.put(made_row())
    assert time.perf_counter() - began < 0.5
    until(lambda: log.counts["failed"])
    assert not log.writer.healthy()[0]
    assert "the call log cannot be written: database is locked" in log.writer.healthy()[1]
    locked.rollback()
    until(lambda: log.writer.healthy()[0] and log.writer.waiting() == 0)
    assert log.ask() == 50
    assert (log.counts["written"], log.counts["dropped"]) == (50, 0)
    assert 1 <= log.counts["failed"] <= 50  # each row once, however often it was tried


def test_a_full_queue_drops_the_newest_and_counts_them(log: Log, locked: Any) -> None:
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


def test_a_folder_that_cannot_be_made_does_not_stop_the_start(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file where the folder should be")
    log = Log(tmp_path)
    log.writer.start()
    log.writer.put(made_row())
    assert not log.writer.healthy()[0]
    (tmp_path / "var").unlink()
    until(lambda: log.writer.healthy()[0])
    until(lambda: log.counts["written"] == 1)
    log.writer.close(5)
    assert log.ask() == 1


def test_an_idle_log_becomes_ready_again_by_itself(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file where the folder should be")
    log = Log(tmp_path)
    log.writer.start()
    assert not log.writer.healthy()[0]
    (tmp_path / "var").unlink()
    until(lambda: log.writer.healthy()[0])
    log.writer.close(5)


def test_a_folder_that_is_deleted_is_made_again(log: Log) -> None:
    log.writer.put(made_row())
    until(lambda: log.counts["written"] == 1)
    shutil.rmtree(log.file.parent)
    log.writer.put(made_row())
    until(lambda: log.counts["written"] == 2)
    assert log.ask() == 1


def test_a_row_that_no_retry_can_help_does_not_hold_up_the_others(log: Log) -> None:
    for status in (200, 2**70, 201):
        log.writer.put(made_row(status=status))
    log.writer.put(made_row(outcome=None))
    log.writer.put(made_row(started_at="yesterday"))
    until(lambda: log.writer.waiting() == 0 and log.counts["dropped"] == 3)
    assert log.ask("SELECT group_concat(status) FROM calls") == "200,201"
    assert (log.counts["written"], log.counts["failed"]) == (2, 3)
    assert log.writer.healthy()[0]


def test_closing_writes_what_waits(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.writer.start()
    for _ in range(1000):
        log.writer.put(made_row())
    log.writer.close(5)
    assert (log.ask(), log.counts["written"], log.counts["dropped"]) == (1000, 1000, 0)
    assert [file.name for file in log.file.parent.iterdir()] == ["calls.db"]  # nothing left open


def test_closing_is_bounded_and_counts_what_is_lost(log: Log, locked: Any) -> None:
    del locked
    for _ in range(30):
        log.writer.put(made_row())
    began = time.monotonic()
    log.writer.close(0.5)
    assert time.monotonic() - began < 1.5
    log.writer.close(0.5)  # a second end counts nothing again
    assert log.counts["dropped"] == 30


def test_a_row_after_the_end_is_counted_as_dropped(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.writer.start()
    log.writer.close(5)
    log.writer.put(made_row())
    assert log.counts["dropped"] == 1


def test_a_newer_database_stops_the_start(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.writer.start()
    log.writer.close(5)
    with closing(sqlite3.connect(log.file)) as connection, connection:
        connection.execute("INSERT INTO schema_version VALUES (99, '2027-01-01 00:00:00')")
    with pytest.raises(NewerDatabase, match="schema version 99"):
        Log(tmp_path).writer.start()


def test_errors_only_writes_errors_only_until_the_policy_changes(log: Log) -> None:
    log.writer.policy = Policy(which="errors")
    log.writer.put(made_row())
    log.writer.put(made_row(status=500))
    log.writer.policy = Policy()
    log.writer.put(made_row(status=201))
    until(lambda: log.counts["written"] == 2)
    assert log.ask("SELECT group_concat(status) FROM calls") == "500,201"


def test_old_rows_go_while_new_ones_are_written(tmp_path: Path) -> None:
    clock = HandClock()
    log = Log(tmp_path, policy=Policy(keep=Keep(rows=100)), clock=clock)
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


PROGRAM = """
import resource, sys, time
from pathlib import Path
from tests.stores.test_call_log import Log, made_row, until
log = Log(Path(sys.argv[1]))
log.writer.start()
"""
ENDLESSLY = """
number = 0
while True:
    log.writer.put(made_row(status=number))
    print(number, time.time(), flush=True)
    number += 1
    time.sleep(0.002)
"""
DISK_FULL = """
log.writer.put(made_row())
until(lambda: log.counts["written"] == 1)
unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, unlimited[1]))
for _ in range(300):
    log.writer.put(made_row())
until(lambda: not log.writer.healthy()[0])
print(log.counts["written"], log.counts["failed"], log.counts["dropped"])
resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
until(lambda: log.counts["written"] == 301)
print(log.writer.healthy(), log.ask(), log.counts["dropped"])
log.writer.close(5)
"""


def run(program: str, root: Path) -> subprocess.Popen[str]:
    path = f"{ADDONS}{os.pathsep}{ADDONS.parent}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", PROGRAM + program, str(root)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
        text=True,
    )


def test_a_killed_process_loses_no_row_older_than_a_second(tmp_path: Path) -> None:
    process = run(ENDLESSLY, tmp_path)
    assert process.stdout
    said = [process.stdout.readline() for _ in range(700)]
    process.send_signal(signal.SIGKILL)
    killed_at = time.time()
    out, err = process.communicate(timeout=30)
    told = [line.split() for line in [*said, *out.splitlines()] if line.endswith("\n") or line]
    old = [int(number) for number, at in told if float(at) < killed_at - 1]
    assert len(old) > 50, err
    with closing(sqlite3.connect(tmp_path / "var/calls.db")) as connection:
        written = {found[0] for found in connection.execute("SELECT status FROM calls")}
    assert set(old) <= written


def test_a_full_disk_is_waited_out_and_every_row_written(tmp_path: Path) -> None:
    out, err = run(DISK_FULL, tmp_path).communicate(timeout=60)
    full, after = out.splitlines() or pytest.fail(err)
    written, failed, dropped = map(int, full.split())
    assert (written, dropped) == (1, 0)
    assert 1 <= failed <= 300
    assert after == "(True, '') 301 0"
