"""What a client is told when a budget is used up: OpenAI's sentence first, then which budget, how
much of it is gone, when it begins anew and how to lift it.
"""

from typing import Final

from openai_gateway.api.errors import CATALOGUE, refusal
from openai_gateway.budgets.ledger import Part
from openai_gateway.budgets.period import told
from openai_gateway.budgets.store import Balance
from openai_gateway.core.money import dollars
from openai_gateway.core.verdict import Refusal

CODE: Final = "project_spend_limit_exceeded"


def exceeded(part: Part, balance: Balance) -> Refusal:
    """The refusal of a call that this budget does not hold."""
    rule, words = part.rule, CATALOGUE[CODE].public
    name = f"budget {rule.name}, {rule.where}" if rule.where else f"budget {rule.name}"
    resets = told(part.account.end)
    until = f"resets at {resets}" if resets else "never resets"
    message = (
        f"{words} ({name}: spent {dollars(balance.spent)} of {dollars(part.limit)}"
        f"{_reserved(balance)}, this call may take {dollars(part.amount)}; {until}. {_lift(part)})"
    )
    return refusal(CODE, message, reason=rule.name)


def _reserved(balance: Balance) -> str:
    if not balance.reserved:
        return ""
    return f", {dollars(balance.reserved)} more is reserved by calls under way"


def _lift(part: Part) -> str:
    """What to do about it."""
    name = part.rule.name
    if part.amount > part.limit and part.rule.worst:
        return (
            "The budget reserves the most that a call can cost, and this one alone may take more "
            "than all of it: give the call a maximum of output, or set `reserve: expected`."
        )
    return (
        f"To lift it: `openai-gateway budgets raise {name} --to USD --until TIME`, or change `usd` "
        f"of this budget"
    )


def refused(parts: tuple[Part, ...], balances: tuple[Balance, ...]) -> Refusal:
    """Of all budgets that do not hold the call, the one that lasts longest is named."""
    full = [
        (part, balance)
        for part, balance in zip(parts, balances, strict=True)
        if part.rule.hard and balance.spent + balance.reserved + part.amount > part.limit
    ]
    return exceeded(*max(full, key=lambda one: one[0].account.end or float("inf")))
