"""Where a budget stands and where it will: each number worked out by hand."""

import pytest

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


def test_what_never_ends_is_not_foretold() -> None:
    assert forecast(Account("all", "total", 0, None), USD, START) is None


def test_a_status_tells_all_of_it() -> None:
    told = status_of(MONTH, 25 * USD, Balance(10 * USD, USD), START + 15 * DAY_S, hard=False)
    assert (told.name, told.period, told.limit, told.hard) == ("team", "month", 25 * USD, False)
    assert (told.spent, told.reserved, told.forecast) == (10 * USD, USD, 20 * USD)
    assert (told.resets_at, told.resets) == (END, "2026-12-01T00:00:00Z")
