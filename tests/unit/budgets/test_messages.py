"""What a client reads when a budget is used up."""

import pytest

from openai_gateway.api import errors
from openai_gateway.budgets.ledger import Part
from openai_gateway.budgets.messages import exceeded, refused
from openai_gateway.budgets.rule import Rule, rules
from openai_gateway.budgets.store import Account, Balance
from openai_gateway.core.money import dollars
from tests.budgets.rig import USD, budget

OPENAI = (
    "You exceeded your current quota, please check your plan and billing details. For more "
    "information on this error, read the docs: "
    "https://platform.openai.com/docs/guides/error-codes/api-errors."
)
END = 1_795_564_800  # 2026-11-25T00:00:00Z


def rule(name: str = "team", usd: float = 25, **known: object) -> Rule:
    return rules([budget(name, usd, **known)], lambda _: "gateway.yaml:12")[0]  # type: ignore[arg-type]


def part(of: Rule, amount: int, end: int | None = END) -> Part:
    return Part(of, Account(of.name, of.period, END - 86_400, end), of.limit, amount)


@pytest.mark.parametrize(
    ("nanos", "text"),
    [
        (0, "$0.00"),
        (25 * USD, "$25.00"),
        (24_970_000_000, "$24.97"),
        (350_000, "$0.00035"),
        (1, "$0.000000001"),
        (1_500_000_000_000_000, "$1500000.00"),
    ],
)
def test_amounts_are_exact_with_two_decimals_at_least(nanos: int, text: str) -> None:
    assert dollars(nanos) == text


def test_the_refusal_says_it_as_openai_and_then_everything() -> None:
    said = exceeded(part(rule(), 300_000_000), Balance(24_700_000_000, 10_000_000))
    assert said.message == (
        f"{OPENAI} (budget team, gateway.yaml:12: spent $24.70 of $25.00, $0.01 more is reserved "
        "by calls under way, this call may take $0.30; resets at 2026-11-25T00:00:00Z. To lift it: "
        "`openai-gateway budgets raise team --to USD --until TIME`, or change `usd` of this budget)"
    )
    assert (said.status, said.type, said.code) == (
        429,
        "insufficient_quota",
        "project_spend_limit_exceeded",
    )
    assert (said.retry, said.outcome, said.reason) == (False, "over_budget", "team")
    names = [name for name, _ in errors.headers(said, "gw_1")]
    assert "retry-after" not in names
    assert ("x-should-retry", "false") in errors.headers(said, "gw_1")
    assert errors.public(said).message == OPENAI


def test_a_call_that_may_take_more_than_the_whole_budget_is_told_what_helps() -> None:
    said = exceeded(part(rule(usd=1, reserve="worst"), 2 * USD, None), Balance(0, 0))
    assert "this call may take $2.00; never resets. The budget reserves the most" in said.message
    assert "give the call a maximum of output, or set `reserve: expected`" in said.message


def test_of_several_full_budgets_the_one_that_lasts_longest_is_named() -> None:
    parts = (
        part(rule("soft", hard=False), USD, None),
        part(rule("day"), USD),
        part(rule("fits"), USD, END + 10**6),
        part(rule("month"), USD, END + 10**5),
    )
    full, empty = Balance(25 * USD, 0), Balance(0, 0)
    assert refused(parts, (full, full, empty, full)).reason == "month"
    assert refused(parts, (full, full, empty, empty)).reason == "day"
