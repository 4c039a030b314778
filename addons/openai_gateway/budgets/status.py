"""Where a budget stands, and where it will at its period's end if spending goes on as so far."""

from dataclasses import dataclass
from typing import Final

from openai_gateway.budgets.period import told
from openai_gateway.budgets.store import Account, Balance

# Below a twentieth of the period one dear call would foretell ruin: it is not known.
TELLING: Final = 20


@dataclass(frozen=True, slots=True)
class BudgetStatus:
    """Money in nano-dollars. `forecast` is None where it is not known; `resets_at` is seconds since
    the epoch, None for what never ends."""

    name: str
    period: str
    limit: int
    spent: int
    reserved: int
    forecast: int | None
    resets_at: int | None
    hard: bool = True

    @property
    def resets(self) -> str | None:
        """`resets_at` as users read it."""
        return told(self.resets_at)


def status_of(
    account: Account, limit: int, balance: Balance, now: float, hard: bool = True
) -> BudgetStatus:
    """What is told of an account."""
    return BudgetStatus(
        account.budget,
        account.period,
        limit,
        balance.spent,
        balance.reserved,
        forecast(account, balance.spent, now),
        account.end,
        hard,
    )


def forecast(account: Account, spent: int, now: float) -> int | None:
    """The spend at the period's end, in a straight line; None too early, and where none ends."""
    if account.end is None:
        return None
    length, elapsed = account.end - account.start, int(now) - account.start
    if elapsed * TELLING < length:
        return None
    return spent * length // min(elapsed, length)
