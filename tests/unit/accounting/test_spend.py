"""A process' sums of budgets, before they are written."""

import threading
from datetime import UTC, datetime

from openai_gateway.accounting.spend import SpendBook

DAY = int(datetime(2026, 11, 24, tzinfo=UTC).timestamp())


def sums(book: SpendBook) -> list[tuple[object, ...]]:
    return [(row["budget"], row["spent_nano_usd"], row["alerted"]) for row in book.rows()]


def test_what_has_changed_is_taken_whole_and_once() -> None:
    book = SpendBook()
    assert not book
    book.add("team", "day", DAY, 5)
    book.add("team", "day", DAY, 0, ["0.5"])
    book.add("all", "total", 0, 7)
    assert book
    assert sums(book) == [("all", 7, ""), ("team", 5, "0.5")]
    assert not book
    assert sums(book) == []
    book.add("team", "day", DAY, 6, ["0.8"])
    assert sums(book) == [("team", 11, "0.5 0.8")]


def test_a_row_says_whose_and_of_when_it_is() -> None:
    book = SpendBook()
    book.add("team", "day", DAY, 5)
    (row,) = book.rows()
    assert row == {
        "budget": "team",
        "period": "day",
        "period_start": datetime(2026, 11, 24, tzinfo=UTC),
        "source": book.source,
        "spent_nano_usd": 5,
        "alerted": "",
    }
    assert SpendBook().source != book.source


def test_a_ticket_is_booked_once_what_it_stands_for_is_written() -> None:
    book = SpendBook()
    first = book.add("team", "day", DAY, 5)
    book.rows()
    second = book.add("team", "day", DAY, 5)
    assert not book.booked(first)
    book.written()
    assert book.booked(first)
    assert not book.booked(second)
    book.rows()
    book.written()
    assert book.booked(second)


def test_what_others_kept_is_not_known_before_it_was_read() -> None:
    book = SpendBook()
    assert not book.used
    assert book.load() is None
    assert (book.used, book.unread, book.overrides()) == (True, True, ())
    book.told([("team", "day", DAY, 5, ("0.5",))], [])
    assert not book.unread
    book.told(None, [("team", 10**9, 2.0, "ana", 1.0)])
    assert book.load() == [("team", "day", DAY, 5, ("0.5",))]
    assert book.overrides() == [("team", 10**9, 2.0, "ana", 1.0)]


def test_nothing_is_lost_between_threads() -> None:
    book = SpendBook()
    seen: dict[object, int] = {}
    done = threading.Event()

    def take() -> None:
        while not done.is_set() or book:
            for row in book.rows():
                seen[row["budget"]] = row["spent_nano_usd"]  # type: ignore[assignment]

    taker = threading.Thread(target=take)
    taker.start()
    for number in range(20_000):
        book.add(f"b{number % 7}", "day", DAY, 1)
    done.set()
    taker.join(20)
    assert sum(seen.values()) == 20_000
