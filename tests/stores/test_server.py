"""What only a database on a server can meet: it is dead, it dies, it falls silent, it says no."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.stores.rig import Log, Place, made_row, until
from tests.stores.server import Server


@pytest.fixture
def place(server: Server, tmp_path: Path) -> Place:
    return Place(server.database(), tmp_path)


@pytest.fixture
def stopped(server: Server) -> Iterator[Server]:
    server.stop()
    yield server
    server.start()


def test_a_server_that_dies_delays_rows_and_loses_none(log: Log, server: Server) -> None:
    log.writer.put(made_row())
    until(lambda: log.counts["written"] == 1)
    server.stop()
    for _ in range(50):
        log.writer.put(made_row())
    until(lambda: not log.writer.healthy()[0])
    server.start()
    until(lambda: log.counts["written"] == 51)
    assert (log.ask(), log.counts["dropped"], log.writer.healthy()) == (51, 0, (True, ""))


def test_a_server_that_is_dead_does_not_stop_the_start(place: Place, stopped: Server) -> None:
    log = Log(place)
    began = time.monotonic()
    log.writer.start()
    assert time.monotonic() - began < 5
    log.writer.put(made_row())
    log.writer.put_charge("resp_1", charged=True)
    assert not log.writer.healthy()[0]
    assert log.writer.earlier_charges() is None
    stopped.start()
    until(lambda: log.counts["written"] == 1)
    until(lambda: log.writer.earlier_charges() == {"resp_1": True})
    log.writer.close(5)


def test_closing_is_bounded_while_the_server_is_dead(place: Place, stopped: Server) -> None:
    del stopped
    log = Log(place)
    log.writer.start()
    log.writer.put(made_row())
    assert seconds_to_close(log, 0.5) < 1.5
    assert log.counts["dropped"] == 1


def test_a_silent_server_delays_rows_and_holds_up_no_call(log: Log, server: Server) -> None:
    log.writer.put(made_row())
    until(lambda: log.counts["written"] == 1)
    with server.frozen():
        began = time.perf_counter()
        for _ in range(50):
            log.writer.put(made_row())
        assert time.perf_counter() - began < 0.5
        until(lambda: "did not answer within 5 s" in log.writer.healthy()[1])
    until(lambda: log.counts["written"] == 51)
    assert (log.ask(), log.counts["dropped"]) == (51, 0)


def test_closing_is_bounded_while_the_server_is_silent(log: Log, server: Server) -> None:
    log.writer.put(made_row())
    until(lambda: log.counts["written"] == 1)
    with server.frozen():
        log.writer.put(made_row())
        assert seconds_to_close(log, 0.5) < 1.5
        assert log.counts["dropped"] == 1


def test_a_start_is_bounded_while_the_server_is_silent(place: Place, server: Server) -> None:
    log = Log(place)
    with server.frozen():
        began = time.monotonic()
        log.writer.start()
        assert time.monotonic() - began < 5
        assert not log.writer.healthy()[0]
    log.writer.put(made_row())
    until(lambda: log.counts["written"] == 1)
    log.writer.close(5)


def test_a_table_that_is_gone_costs_no_row(place: Place, server: Server) -> None:
    del server
    log = Log(place)
    log.writer.start()
    place.run("ALTER TABLE calls RENAME TO elsewhere")
    for _ in range(5):
        log.writer.put(made_row())
    until(lambda: log.counts["failed"])
    assert 'relation "calls" does not exist' in log.writer.healthy()[1]
    place.run("ALTER TABLE elsewhere RENAME TO calls")
    until(lambda: log.counts["written"] == 5)
    assert log.counts["dropped"] == 0
    log.writer.close(5)


def test_times_are_real_times_for_whoever_queries(log: Log) -> None:
    log.writer.put(made_row())
    until(log.ask)
    recent = "SELECT count(*) FROM calls WHERE started_at > now() - interval '1 minute'"
    assert log.ask(recent) == 1
    kind = "SELECT pg_typeof(started_at)::text FROM calls"
    assert log.ask(kind) == "timestamp with time zone"


def test_a_fault_names_no_password(place: Place, stopped: Server) -> None:
    del stopped
    secret = "FAKE" * 4
    url = make_url(place.url).set(password=secret).render_as_string(hide_password=False)
    log = Log(Place(url, place.root))
    log.writer.start()
    healthy, fault = log.writer.healthy()
    assert not healthy
    assert secret not in fault
    log.writer.close(1)


def seconds_to_close(log: Log, limit_s: float) -> float:
    began = time.monotonic()
    log.writer.close(limit_s)
    return time.monotonic() - began
