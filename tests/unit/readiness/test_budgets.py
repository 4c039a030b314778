"""Where budgets stand by the log alone and by a shared store: each number worked out by hand."""

from pathlib import Path

import pytest

from openai_gateway.accounting.database import connect, locate
from openai_gateway.accounting.spend import SpendBook, write_override, write_sums
from openai_gateway.budgets.rule import rules
from openai_gateway.cli.budget_lines import as_json, lines
from openai_gateway.config.spending import Spending
from openai_gateway.core.secret import Secret
from openai_gateway.readiness.budgets import Standing, standings
from openai_gateway.readiness.source import reading
from tests.budgets.rig import USD, HandClock, budget
from tests.support.call_log import DATABASE, place_of, write

# The day in Berlin begins at 23:00 UTC and has 24 hours; at 11:00 UTC half of it is gone.
CLOCK = HandClock("2026-11-24T11:00:00Z")
START = int(CLOCK.at) - 12 * 3600
RULES = rules([budget("team", 50.0, timezone="Europe/Berlin", alert_at=(0.5, 0.8))])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two gateways have spent 20.25 and 10.25 USD, and the first has told of a half."""
    write(tmp_path, [])
    with connect(locate(DATABASE, tmp_path)).begin() as connection:
        for amount, told in ((20_250_000_000, ["0.5"]), (10_250_000_000, [])):
            book = SpendBook()
            book.add("team", "day", START, amount, told)
            book.add("team", "day", START - 86_400, 99 * USD)
            write_sums(connection, book.rows())
        write_override(connection, ("team", 61 * USD, CLOCK.at + 3600, "ana", CLOCK.at - 60))
    return tmp_path


def standing(root: Path, clock: HandClock = CLOCK, said: Spending | None = None) -> Standing:
    with reading(place_of(root)) as log:
        (found,) = standings(log, RULES, said or Spending(), clock).budgets
    return found


def test_all_gateways_of_the_log_add_up(root: Path) -> None:
    """30.50 of 61 USD; half a day foretells twice as much; what is reserved nobody here knows."""
    assert as_json(standing(root), Spending()) == {
        "name": "team",
        "environment": "staging",
        "period": "day",
        "timezone": "Europe/Berlin",
        "limit_nano_usd": 61 * USD,
        "configured_nano_usd": 50 * USD,
        "override": {
            "limit_nano_usd": 61 * USD,
            "until": "2026-11-24T12:00:00Z",
            "by": "ana",
            "at": "2026-11-24T10:59:00Z",
        },
        "spent_nano_usd": 30_500_000_000,
        "reserved_nano_usd": None,
        "remaining_nano_usd": 30_500_000_000,
        "percent": 50.0,
        "started_at": "2026-11-23T23:00:00Z",
        "resets_at": "2026-11-24T23:00:00Z",
        "forecast_nano_usd": 61 * USD,
        "alert_at": [0.5, 0.8],
        "alerts_sent": [0.5],
        "hard": True,
        "reserve": "expected",
    }


def test_it_reads_the_same_in_words(root: Path) -> None:
    assert [text for text, _ in lines(standing(root), CLOCK.at)] == [
        "team  day, Europe/Berlin; hard, reserves expected",
        "  limit      $61.00, raised from $50.00",
        "  until      2026-11-24T12:00:00Z, by ana",
        "  spent      $30.50  50.0 %  ██████████",
        "  reserved   -",
        "  remaining  $30.50",
        "  resets     2026-11-24T23:00:00Z, in 12 h 0 min",
        "  forecast   $61.00  100.0 %",
        "  alerts     sent at 0.5; to come at 0.8",
    ]


def test_an_override_that_has_ended_is_none(root: Path) -> None:
    found = standing(root, HandClock("2026-11-24T12:00:00Z"))
    assert (found.status.limit, found.override) == (50 * USD, None)
    assert found.remaining == 19_500_000_000


def test_the_next_period_begins_with_nothing_and_without_a_forecast(root: Path) -> None:
    found = standing(root, HandClock("2026-11-24T23:00:00Z"))
    assert (found.status.spent, found.alerted, found.per_mille) == (0, (), 0)
    told = [text for text, _ in lines(found, HandClock("2026-11-24T23:00:00Z").at)]
    assert "  forecast   -  (too early in the period)" in told
    assert "  resets     2026-11-25T23:00:00Z, in 1 d 0 h" in told


def test_a_store_that_is_away_leaves_the_log_alone_to_tell(root: Path) -> None:
    said = Spending(store=Secret("redis://127.0.0.1:1/0"))
    with reading(place_of(root)) as log:
        found = standings(log, RULES, said, CLOCK)
    assert found.why_not == "the store of limits.store does not answer"
    assert found.budgets[0].status.spent == 30_500_000_000
    assert found.budgets[0].reserved is None
