"""Work that several gateways see the end of is charged once, on both databases."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from openai_gateway.accounting.claims import Bid, Decision
from openai_gateway.accounting.record import Row
from openai_gateway.accounting.table import CallsTable
from openai_gateway.accounting.writer import Policy
from tests.stores.rig import HandClock, Log, Place, made_row, until

COSTS = "SELECT cost_nano_usd FROM calls ORDER BY id"


class Told:
    """What a gateway hears of its bids, by call."""

    def __init__(self) -> None:
        self.heard: dict[str, list[Decision]] = {}

    def bid(self, name: str, row: Row, paid: int = 7) -> Bid:
        call = str(row["id"])
        heard = self.heard.setdefault(call, [])
        return Bid(name, call, {**row, "cost_nano_usd": paid}, heard.append)

    @property
    def wins(self) -> list[str]:
        return [call for call, said in self.heard.items() if said[0].won]

    @property
    def done(self) -> bool:
        return all(self.heard.values())


def read(call: str, **known: object) -> Row:
    """The row of a call that reads again what another is charged for."""
    return made_row(id=call, cost_nano_usd=0, **known)


@pytest.fixture
def gateways(place: Place) -> Iterator[tuple[Log, Log]]:
    both = Log(place), Log(place)
    for log in both:
        log.writer.start()
    yield both
    for log in both:
        log.writer.close(5)


def test_of_two_gateways_that_see_the_end_one_is_charged(gateways: tuple[Log, Log]) -> None:
    told = Told()
    a, b = gateways
    a.writer.put_charge("resp_1", False, '[["team", "day", 0, 86400]]')
    for log, call in ((a, "a1"), (b, "b1"), (b, "b2")):
        log.writer.put(read(call), (), told.bid("resp_1", read(call)))
    until(lambda: told.done, within_s=1.5)
    assert len(told.wins) == 1
    winner = told.heard[told.wins[0]]
    assert winner == [Decision(True, True, '[["team", "day", 0, 86400]]')]
    assert sorted(a.place.column(COSTS)) == [0, 0, 7]
    paid = a.ask("SELECT id FROM calls WHERE cost_nano_usd = 7")
    assert told.wins == [paid] == a.place.column("SELECT call FROM charges")


def test_an_announcement_is_written_at_once(gateways: tuple[Log, Log]) -> None:
    """Before the client that got the id can ask another gateway for its end."""
    gateways[0].writer.put_charge("resp_1", charged=False)
    until(lambda: gateways[1].ask("SELECT count(*) FROM charges") == 1, within_s=0.3)


@pytest.mark.parametrize("charged", [True, None])
def test_what_was_charged_or_never_announced_is_free(log: Log, charged: bool | None) -> None:
    told = Told()
    if charged:
        log.writer.put_charge("resp_1", charged=True)
    log.writer.put(read("b1"), (), told.bid("resp_1", read("b1")))
    until(lambda: told.done)
    assert told.heard == {"b1": [Decision(False, bool(charged))]}
    assert log.place.column(COSTS) == [0]
    if charged is None:  # whoever announces it late is still to be charged
        assert log.ask("SELECT count(*) FROM charges") == 0


def test_many_claims_at_once_block_nobody_and_charge_each_once(
    gateways: tuple[Log, Log],
) -> None:
    names = [f"resp_{number}" for number in range(60)]
    for place, name in enumerate(names):
        gateways[place % 2].writer.put_charge(name, charged=False)
    told = (Told(), Told())
    orders = (names, names[::-1])

    def bids(which: int) -> None:
        for name in orders[which]:
            call = f"{which}_{name}"
            gateways[which].writer.put_charge(f"{name}_{which}", charged=False)
            bid = told[which].bid(name, read(call))
            gateways[which].writer.put(read(call), (), bid)

    threads = [threading.Thread(target=bids, args=(which,)) for which in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until(lambda: told[0].done and told[1].done)
    won = [call[2:] for one in told for call in one.wins]
    assert sorted(won) == sorted(names)
    assert gateways[0].ask("SELECT sum(cost_nano_usd) FROM calls") == 7 * len(names)
    assert gateways[0].ask("SELECT count(*) FROM calls") == 2 * len(names)
    assert [log.counts["failed"] for log in gateways] == [0, 0]


def test_a_claim_whose_commit_was_not_heard_decides_the_same_again(place: Place) -> None:
    told = Told()
    with closing(CallsTable(place.url, place.root)) as table:
        table.write([], [{"id": "resp_1", "charged": False, "at": made_row()["started_at"]}])
        first = table.write([read("a1")], bids=[told.bid("resp_1", read("a1"))])
        again = table.write([read("a1")], bids=[told.bid("resp_1", read("a1"))])
        other = table.write([read("b1")], bids=[told.bid("resp_1", read("b1"))])
    assert (first["a1"].won, again["a1"].won, other["b1"].won) == (True, True, False)
    assert place.column(COSTS) == [7, 0]


def test_the_claim_is_decided_where_no_row_is_kept(place: Place) -> None:
    told, log = Told(), Log(place, policy=Policy("errors"))
    log.writer.start()
    log.writer.put_charge("resp_1", charged=False)
    log.writer.put(read("a1"), (), told.bid("resp_1", read("a1")))
    until(lambda: told.done)
    assert told.wins == ["a1"]
    assert (log.ask(), log.counts["written"]) == (0, 0)
    log.writer.close(5)


def test_a_row_that_is_refused_claims_nothing(log: Log) -> None:
    told = Told()
    log.writer.put_charge("resp_1", charged=False)
    bad = read("a1", status=2**70)
    log.writer.put(bad, (), told.bid("resp_1", bad))
    until(lambda: told.done)
    assert told.wins == []
    until(lambda: log.counts["dropped"] == 1)
    log.writer.put(read("a2"), (), told.bid("resp_1", read("a2")))
    until(lambda: told.done)
    assert told.wins == ["a2"]


def test_a_database_that_is_away_decides_when_it_is_back(log: Log) -> None:
    told = Told()
    log.writer.put_charge("resp_1", charged=False)
    until(lambda: log.ask("SELECT count(*) FROM charges") == 1)
    with log.place.locked():
        log.writer.put(read("a1"), (), told.bid("resp_1", read("a1")))
        until(lambda: log.counts["failed"])
        assert not told.done
    until(lambda: told.done)
    assert (told.wins, log.place.column(COSTS)) == (["a1"], [7])


def test_a_refused_row_beside_it_does_not_make_a_claim_nobodys(place: Place) -> None:
    """Rows then go one by one, and each claim still comes behind its announcement."""
    told, clock = Told(), HandClock()
    log = Log(place, clock=clock)
    log.writer.put_charge("resp_1", charged=False)
    log.writer.put(read("a1"), (), told.bid("resp_1", read("a1")))
    log.writer.put(read("b1", status=2**70))
    clock.at += 1
    log.writer.start()
    with closing_in(log, 5):
        until(lambda: told.done)
    assert (told.wins, place.column(COSTS)) == (["a1"], [7])


def test_what_is_announced_and_ends_while_the_database_is_away_is_charged(place: Place) -> None:
    """Also behind an announcement that is being written, and fails, when it comes."""
    if not place.sqlite:
        pytest.skip("a lock on PostgreSQL's calls does not hold up announcements")
    told, clock = Told(), HandClock()
    log = Log(place, clock=clock)
    log.writer.start()
    with closing_in(log, 5):
        for count in (1, 2):  # by the second the first sweep is over, which could fail instead
            log.writer.put_charge(f"before_{count}", charged=True)
            until(lambda count=count: place.ask("SELECT count(*) FROM charges") == count)
        with place.locked():
            log.writer.put_charge("resp_0", charged=False)
            until(lambda: not log.writer.healthy()[0])
            log.writer.put_charge("resp_1", charged=False)
            log.writer.put(read("a1"), (), told.bid("resp_1", read("a1")))
            clock.at += 1
        until(lambda: told.done)
    assert (told.wins, place.column(COSTS)) == (["a1"], [7])


@contextmanager
def closing_in(log: Log, within_s: float) -> Iterator[None]:
    try:
        yield
    finally:
        log.writer.close(within_s)


def test_closing_decides_what_is_not_ripe_yet(place: Place) -> None:
    told, log = Told(), Log(place)
    log.writer.start()
    log.writer.put_charge("resp_1", charged=False)
    log.writer.put(read("a1"), (), told.bid("resp_1", read("a1")))
    log.writer.close(5)
    assert told.wins == ["a1"]


def test_a_full_queue_wins_nothing_and_is_counted(log: Log) -> None:
    told = Told()
    log.writer.close(5)
    log.writer.put(read("a1"), (), told.bid("resp_1", read("a1")))
    assert told.heard == {"a1": [Decision()]}
    assert log.counts["dropped"] == 1
