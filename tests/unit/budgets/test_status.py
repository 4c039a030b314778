"""Where a budget stands and where it will: each number worked out by hand."""

from datetime import datetime

import pytest

from openai_gateway.budgets.period import Kind, span_at
from openai_gateway.budgets.status import forecast, status_of
from openai_gateway.budgets.store import Account, Balance

# 30 days of November 2026
START, END = 1_793_491_200, 1_796_083_200
MONTH = Account("team", "month", START, END)
DAY_S = 86_400
USD = 10**9


@pytest.mark.parametrize(
    ("elapsed_days", "spent", "foretold"),
    [
        (1.0, 5, None),  # below a twentieth of 30 days
        (1.5, 5, 100),
        (10.0, 5, 15),
        (15.0, 0, 0),
        (30.0, 7, 7),
        (31.0, 7, 7),
    ],
)
def test_spend_goes_on_as_so_far(elapsed_days: float, spent: int, foretold: int | None) -> None:
    found = forecast(MONTH, spent * USD, START + elapsed_days * DAY_S)
    assert found == (None if foretold is None else foretold * USD)


@pytest.mark.parametrize(
    ("kind", "now", "spent", "foretold"),
    [
        # 28 days, half of them gone at the start of the 15th
        ("month", "2026-02-15T00:00:00+01:00", 10, 20),
        # March loses an hour on the 29th: 743 hours, and the 31st begins after 719 of them
        ("month", "2026-03-31T00:00:00+02:00", 719, 743),
        # 23 hours: at 12:00 eleven are gone
        ("day", "2026-03-29T12:00:00+02:00", 11, 23),
        # 25 hours: at 12:00 thirteen are gone
        ("day", "2026-10-25T12:00:00+01:00", 13, 25),
        # a week of 169 hours; Sunday 01:00, the second time 02:00 comes, is hour 147
        ("week", "2026-10-25T02:00:00+01:00", 147, 169),
        ("hour", "2026-10-25T02:30:00+02:00", 3, 6),
        # an hour before the month ends, of 720
        ("month", "2026-11-30T23:00:00+01:00", 719, 720),
        # the month that has just begun is too young, whatever the last one cost
        ("month", "2026-12-01T00:00:00+01:00", 719, None),
        # a twentieth of 24 hours is 72 minutes
        ("day", "2026-11-24T01:11:59+01:00", 1, None),
        ("day", "2026-11-24T01:12:00+01:00", 1, 20),
    ],
)
def test_months_that_end_and_days_without_24_hours(
    kind: Kind, now: str, spent: int, foretold: int | None
) -> None:
    at = datetime.fromisoformat(now).timestamp()
    span = span_at(kind, "Europe/Berlin", at)
    found = forecast(Account("team", kind, span.start, span.end), spent * USD, at)
    assert found == (None if foretold is None else foretold * USD)


def test_what_never_ends_is_not_foretold() -> None:
    assert forecast(Account("all", "total", 0, None), USD, START) is None


def test_a_status_tells_all_of_it() -> None:
    told = status_of(MONTH, 25 * USD, Balance(10 * USD, USD), START + 15 * DAY_S, hard=False)
    assert (told.name, told.period, told.limit, told.hard) == ("team", "month", 25 * USD, False)
    assert (told.spent, told.reserved, told.forecast) == (10 * USD, USD, 20 * USD)
    assert (told.resets_at, told.resets) == (END, "2026-12-01T00:00:00Z")
