"""Another limit for a budget, for a while: said by a person, kept in the store and in the table."""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from openai_gateway.budgets.period import told
from openai_gateway.budgets.rule import Rule, nano_of
from openai_gateway.budgets.store import Override
from openai_gateway.budgets.table import Raised
from openai_gateway.core.money import decimal, dollars

LONGEST_S: Final = 366 * 86_400
_AGE: Final = re.compile(r"([0-9]{1,9})([smhd])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_HOW: Final = "write it as 2026-11-30T18:00:00Z, or as 2h or 7d from now"


class NotRaised(ValueError):
    """The override cannot be; the message says why, and what would be."""


def named(rules: Sequence[Rule], budget: str) -> Rule:
    """The budget of this name. What was typed is not repeated. Raises: NotRaised."""
    found = {rule.name: rule for rule in rules}
    if budget in found:
        return found[budget]
    if not found:
        raise NotRaised("gateway.yaml has no budgets")
    near = difflib.get_close_matches(budget, found, 1)
    meant = f"; did you mean `{near[0]}`?" if near else "."
    raise NotRaised(f"there is no such budget{meant} gateway.yaml has {', '.join(found)}")


def raised(
    rule: Rule, usd: str, until: str, by: str, now: float, standing: Override | None = None
) -> Override:
    """What `budgets raise NAME --to USD --until TIME` asks for; `standing` is the override that
    holds now. Raises: NotRaised."""
    try:
        limit = nano_of(decimal(usd))
    except ValueError as error:
        raise NotRaised(f"--to {error}") from error
    if limit <= rule.limit:
        raise NotRaised(
            f"--to must be above the budget's own {dollars(rule.limit)}; what lowers it is `usd` "
            f"in gateway.yaml"
        )
    if standing is not None and limit < standing.limit:
        raise NotRaised(
            f"--to is below the {dollars(standing.limit)} that hold until "
            f"{told(int(standing.until))}; end that first: openai-gateway budgets raise "
            f"{rule.name} --end"
        )
    moment = _moment(until, now)
    if moment <= now:
        raise NotRaised(f"--until has passed; it is {told(int(now))} now")
    if moment > now + LONGEST_S:
        raise NotRaised("--until is more than 366 days away; change `usd` in gateway.yaml instead")
    return Override(rule.name, limit, moment, by, _after(standing, now))


def ended(rule: Rule, by: str, now: float, standing: Override | None) -> Override:
    """What ends an override before its time: one that has ended itself. Raises: NotRaised."""
    if standing is None:
        raise NotRaised(f"{rule.name} is not raised; its own {dollars(rule.limit)} hold")
    at = _after(standing, now)
    return Override(rule.name, rule.limit, min(now, at), by, at)


def _after(standing: Override | None, now: float) -> float:
    """When it was said: the last word holds, also where another machine's clock is ahead."""
    return now if standing is None else max(now, standing.at + 0.001)


def _moment(text: str, now: float) -> float:
    if found := _AGE.fullmatch(text):
        return now + int(found[1]) * _SECONDS[found[2]]
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise NotRaised(f"--until is no time; {_HOW}") from error
    if moment.tzinfo is None:
        raise NotRaised(f"--until needs a time zone; {_HOW}")
    return moment.timestamp()


def newest(kept: Iterable[Override], noted: Iterable[Raised], now: float) -> Mapping[str, Override]:
    """Of what the store and the table say, the last word on each budget that still holds."""
    found: dict[str, Override] = {}
    for one in (*kept, *(Override(*said) for said in noted)):
        if one.budget not in found or found[one.budget].at < one.at:
            found[one.budget] = one
    return {name: one for name, one in found.items() if now < one.until}
