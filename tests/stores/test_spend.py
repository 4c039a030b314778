"""What budgets have spent, over restarts and several gateways, on both databases."""

import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from openai_gateway.accounting.database import connect, locate, prepare
from openai_gateway.accounting.migrations import migrate
from openai_gateway.accounting.retention import Keep
from openai_gateway.accounting.spend import FORGOTTEN_AT_ONCE, read_changes
from openai_gateway.accounting.steps import STEPS
from openai_gateway.accounting.table import CallsTable
from openai_gateway.accounting.writer import Policy
from openai_gateway.budgets.ledger import Ledger, Reached
from openai_gateway.budgets.memory import MemorySpend
from openai_gateway.budgets.rule import rules
from openai_gateway.core.clock import SystemClock
from tests.budgets.rig import USD, budget
from tests.stores.rig import Log, Place, made_row, until

NOW = time.time()
BEFORE = 4  # the step that made `overrides`; the next one tells more of each
DAY = int(NOW // 86_400 * 86_400)
KEY = ("team", "day", DAY)


@pytest.fixture
def table(place: Place) -> Iterator[CallsTable]:
    made = CallsTable(place.url, place.root)
    yield made
    made.close()


def kept(place: Place) -> dict[Any, Any]:
    made = CallsTable(place.url, place.root)
    found = {one[:3]: one[3:] for one in made.spend(NOW)}
    made.close()
    return found


def spend(place: Place, *amounts: int) -> Log:
    """A process that spends, and ends."""
    log = Log(place)
    log.writer.start()
    for amount in amounts:
        log.writer.spend.add(*KEY, amount)
    log.writer.close(5)
    return log


def test_spend_is_written_within_a_second_whatever_is_kept_of_calls(place: Place) -> None:
    log = Log(place, policy=Policy("errors"))
    log.writer.start()
    ticket = log.writer.spend.add(*KEY, 5, ["0.5"])
    log.writer.put(made_row())
    until(lambda: log.writer.spend.booked(ticket), within_s=1.0)
    assert kept(place) == {KEY: (5, ("0.5",))}
    assert log.ask() == 0
    log.writer.close(5)


def test_processes_add_up_and_none_writes_over_another(place: Place) -> None:
    spend(place, 5, 6)
    spend(place, 7)
    assert kept(place) == {KEY: (18, ())}
    assert place.ask("SELECT count(*) FROM spend") == 2


def test_the_next_process_reads_what_the_others_have_spent(place: Place) -> None:
    spend(place, 5)
    log = Log(place)
    assert log.writer.spend.load() is None
    log.writer.start()
    assert log.writer.spend.load() == [(*KEY, 5, ())]
    log.writer.spend.add(*KEY, 1)
    log.writer.close(5)
    assert kept(place) == {KEY: (6, ())}


def test_only_periods_that_may_still_run_are_read(place: Place) -> None:
    log = Log(place)
    log.writer.start()
    for days in (0, 31, 33):
        log.writer.spend.add("team", "month", DAY - days * 86_400, days + 1)
    log.writer.spend.add("all", "total", 0, 9)
    log.writer.close(5)
    assert kept(place) == {
        ("team", "month", DAY): (1, ()),
        ("team", "month", DAY - 31 * 86_400): (32, ()),
        ("all", "total", 0): (9, ()),
    }


def test_a_database_that_fails_for_a_while_loses_and_doubles_nothing(log: Log) -> None:
    with log.place.locked() as connection:
        connection.execute(text("SELECT 1"))
        log.writer.put(made_row())
        log.writer.spend.add(*KEY, 5)
        until(lambda: log.counts["failed"])
        log.writer.spend.add(*KEY, 6)
    until(lambda: kept(log.place) == {KEY: (11, ())})


def test_a_row_that_is_refused_does_not_keep_the_spend_from_being_written(log: Log) -> None:
    log.writer.put(made_row(status=2**70))
    log.writer.put(made_row())
    ticket = log.writer.spend.add(*KEY, 5)
    until(lambda: log.writer.spend.booked(ticket))
    assert kept(log.place) == {KEY: (5, ())}
    assert log.counts["dropped"] == 1


def test_a_database_that_was_dead_at_the_start_is_read_when_it_comes_back(place: Place) -> None:
    if not place.sqlite:
        pytest.skip("its lock keeps nobody from reading")
    spend(place, 5)
    log = Log(place)
    with place.locked():
        log.writer.start()
        assert log.writer.spend.load() is None
    until(lambda: log.writer.spend.load() is not None)
    assert log.writer.spend.load() == [(*KEY, 5, ())]
    log.writer.close(5)


def test_an_override_is_seen_by_a_gateway_that_runs(log: Log, table: CallsTable) -> None:
    log.writer.spend.load()
    said = ("team", 50 * USD, NOW + 3600.0, "ana", NOW)
    table.override(said)
    table.override(("team", 60 * USD, NOW + 7200.0, "ö", NOW + 1))
    until(lambda: len(log.writer.spend.overrides()) == 2, within_s=3.0)
    newest, first = log.writer.spend.overrides()
    assert newest[:2] == ("team", 60 * USD)
    assert (first[0], first[1], first[3]) == ("team", 50 * USD, "ana")
    assert first[2] == pytest.approx(NOW + 3600, abs=1e-3)
    assert first[4] == pytest.approx(NOW, abs=1e-3)
    assert log.place.column('SELECT "by" FROM overrides ORDER BY number') == ["ana", "ö"]


def test_a_change_is_noted_with_what_held_before_and_by_which_command(
    place: Place, table: CallsTable
) -> None:
    until = datetime.fromtimestamp(int(NOW) + 3600, UTC)
    table.override(("team", 50 * USD, until.timestamp(), "ana", NOW), 25 * USD, "raise")
    table.override(("team", 25 * USD, NOW, "bo", NOW + 1), 50 * USD, "end")
    with table.open().begin():
        ended, raised = read_changes(table.open())
    assert (raised.budget, raised.before, raised.nano_usd) == ("team", 25 * USD, 50 * USD)
    assert (raised.until, raised.by, raised.command) == (until, "ana", "raise")
    assert (ended.before, ended.nano_usd, ended.by, ended.command) == (
        50 * USD,
        25 * USD,
        "bo",
        "end",
    )
    assert raised.at.timestamp() == pytest.approx(NOW, abs=1e-3)
    assert place.ask("SELECT from_nano_usd / 1000000000 FROM overrides WHERE number = 1") == 25


def test_overrides_of_the_version_before_stay_in_force_and_in_the_log(place: Place) -> None:
    """A database with the steps of the release that could not tell from what was raised."""
    url = locate(place.url, place.root)
    prepare(url)
    migrate(connect(url), STEPS[:BEFORE])
    place.run(
        'INSERT INTO overrides (number, budget, nano_usd, until, "by", at) VALUES '
        "(1, 'team', 50, '2030-01-01 00:00:00.000000', 'ana', '2026-11-24 12:00:00.000000')"
    )
    table = CallsTable(place.url, place.root)
    with table.open().begin():
        (change,) = read_changes(table.open())
        assert (change.nano_usd, change.by, change.before, change.command) == (
            50,
            "ana",
            None,
            None,
        )
    assert [said[:2] for said in table.overrides()] == [("team", 50)]
    table.override(("team", 60, NOW, "bo", NOW), 50, "raise")
    assert place.column("SELECT command FROM overrides ORDER BY number") == [None, "raise"]
    table.close()


def test_amounts_are_exact(place: Place) -> None:
    spend(place, 10**18, 1)
    assert kept(place) == {KEY: (10**18 + 1, ())}


def test_a_budget_goes_on_where_it_stood_and_tells_no_threshold_twice(place: Place) -> None:
    told: list[str] = []

    def run(amount: int) -> bool:
        """A process: one call of so many nano-dollars, if the budget holds it."""
        log, clock = Log(place), SystemClock()
        log.writer.start()

        def reached(one: Reached) -> None:
            told.append(one.share)
            until(one.kept, within_s=1.0)

        ledger = Ledger(MemorySpend(clock), log.writer.spend, clock, reached)
        (rule,) = rules([budget(period="total")])
        parts = (ledger.part(rule, amount, clock.now()),)
        said = ledger.reserve(parts, "a")
        assert isinstance(said, tuple)
        if said.admitted:
            ledger.settle("a", parts, [amount], granted=True)
        log.writer.close(5)
        return said.admitted

    assert [run(6 * USD // 10), run(3 * USD // 10), run(USD // 5), run(USD // 10)] == [
        True, True, False, True,
    ]  # fmt: skip
    assert told == ["0.5", "0.8", "0.95", "1.0"]
    assert kept(place)["team", "total", 0][0] == USD


def test_the_table_is_for_people_too(place: Place) -> None:
    spend(place, 1_500_000_000)
    told = place.ask("SELECT spent_nano_usd / 1000000000.0 FROM spend")
    assert float(told) == 1.5
    start = place.ask("SELECT period_start FROM spend")
    wanted = datetime.fromtimestamp(DAY, UTC)
    assert str(start)[:10] == str(wanted)[:10]


def test_sums_of_periods_that_ended_long_ago_go_in_pieces_and_totals_stay(place: Place) -> None:
    """A period that began 432 days ago ended at least 400 days ago, whatever its kind."""
    log = Log(place)
    log.writer.start()
    for hour in range(FORGOTTEN_AT_ONCE + 5):
        log.writer.spend.add("hours", "hour", DAY - 433 * 86_400 - hour * 3600, 1)
    log.writer.spend.add("month", "month", DAY - 431 * 86_400, 2)
    log.writer.spend.add("all", "total", 0, 3)
    log.writer.close(5)
    with closing(CallsTable(place.url, place.root)) as table:
        pieces = 1
        while table.sweep(Keep(), Keep(days=3), NOW):
            pieces += 1
    assert pieces == 2
    assert sorted(place.column("SELECT budget FROM spend")) == ["all", "month"]
