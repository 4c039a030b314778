"""What this process knows of each budget."""

import pytest

from openai_gateway.budgets.books import Books
from openai_gateway.budgets.rule import rules
from openai_gateway.budgets.store import Account, Balance, Override
from tests.budgets.rig import USD, HandClock, Table, budget

NOW = HandClock().at
DAY = Account("team", "day", 1_795_478_400, 1_795_564_800)
(RULE,) = rules([budget()])


@pytest.mark.parametrize("shared", [False, True])
def test_what_the_table_tells_counts_before_anything_else_is_known(shared: bool) -> None:
    books = Books(Table(("team", "day", DAY.start, 7, ("0.5",))), shared)
    assert books.account(RULE, NOW) == DAY
    assert books.balance(DAY) == Balance(7, 0, frozenset({"0.5"}))
    assert books.floor(DAY) == 7


def test_a_store_of_this_process_is_told_once_what_was_spent_before() -> None:
    table = Table(("team", "day", DAY.start, 7, ()))
    table.unread = True
    books = Books(table, shared=False)
    assert not books.readable()
    assert books.floor(DAY) == 0
    books.learn(DAY, Balance(5, 0))  # spent since the start
    table.unread = False
    assert books.floor(DAY) == 12
    books.learn(DAY, Balance(12, 0))
    assert books.floor(DAY) == 12


def test_a_shared_store_knows_the_most_that_anybody_does() -> None:
    table = Table(("team", "day", DAY.start, 7, ("0.5",)))
    table.unread = True
    books = Books(table, shared=True)
    assert books.readable()
    books.learn(DAY, Balance(5, 1, frozenset({"0.8"})))
    table.unread = False
    assert books.balance(DAY) == Balance(7, 1, frozenset({"0.5", "0.8"}))
    books.learn(DAY, Balance(6, 2))
    assert books.floor(DAY) == 7
    books.learn(DAY, Balance(3, 0))  # an answer that was overtaken, or a store that lost it
    assert books.balance(DAY) == Balance(7, 0, frozenset({"0.5", "0.8"}))


def test_thresholds_that_were_claimed_are_asked_for_no_more() -> None:
    books = Books(Table(("team", "day", DAY.start, 0, ("0.5",))), shared=False)
    assert books.thresholds(RULE, DAY, 100) == (("0.8", 80), ("0.95", 95), ("1.0", 100))
    books.learn(DAY, Balance(1, 0, frozenset({"0.8", "0.95", "1.0"})))
    assert books.thresholds(RULE, DAY, 100) == ()
    assert len(books.thresholds(RULE, DAY._replace(start=1), 100)) == 4


def test_an_override_holds_until_it_ends_and_never_lowers() -> None:
    books = Books(Table(), shared=False)
    books.overrides = {"team": Override("team", 2 * USD, NOW + 10, "ana", NOW)}
    assert books.limit(RULE, NOW) == 2 * USD
    assert books.limit(RULE, NOW + 10) == USD
    books.overrides = {"team": Override("team", 2, NOW + 10, "ana", NOW)}
    assert books.limit(RULE, NOW) == USD


def test_the_period_goes_on_with_the_clock() -> None:
    books = Books(Table(), shared=False)
    assert books.account(RULE, DAY.end or 0).start == DAY.end
    assert books.account(RULE, NOW) == DAY
