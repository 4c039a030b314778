"""Another limit for a budget, for a while: said by a person, kept in the store and in the table."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from openai_gateway.budgets.period import told
from openai_gateway.budgets.rule import Rule, nano_of
from openai_gateway.budgets.store import Override
from openai_gateway.budgets.table import Raised
from openai_gateway.core.money import decimal


class NotRaised(ValueError):
    """The override cannot be; the message says why, and what would be."""


def raised(
    rules: Sequence[Rule], budget: str, usd: str, until: str, by: str, now: float
) -> Override:
    """What `budgets raise BUDGET --to USD --until TIME` asks for. Raises: NotRaised."""
    rule = next((one for one in rules if one.name == budget), None)
    if rule is None:
        known = ", ".join(one.name for one in rules) or "none"
        raise NotRaised(f"there is no budget `{budget}`; those of gateway.yaml: {known}")
    try:
        limit = nano_of(decimal(usd))
    except ValueError as error:
        raise NotRaised(f"--to {error}") from error
    if limit <= rule.limit:
        raise NotRaised(f"--to must be above the budget's own {rule.limit / 10**9:g} US dollars")
    moment = _moment(until)
    if moment <= now:
        raise NotRaised(f"--until has passed; it is {told(int(now))} now")
    return Override(budget, limit, moment, by, now)


def _moment(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise NotRaised("--until is no time; write it as 2026-11-30T18:00:00Z") from error
    if moment.tzinfo is None:
        raise NotRaised("--until needs a time zone; write it as 2026-11-30T18:00:00Z")
    return moment.timestamp()


def newest(kept: Iterable[Override], noted: Iterable[Raised], now: float) -> Mapping[str, Override]:
    """Of what the store and the table say, the last word on each budget that still holds."""
    found: dict[str, Override] = {}
    for one in (*kept, *(Override(*said) for said in noted)):
        if one.budget not in found or found[one.budget].at < one.at:
            found[one.budget] = one
    return {name: one for name, one in found.items() if now < one.until}
