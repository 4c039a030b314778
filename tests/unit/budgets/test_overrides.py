"""Another limit for a while: what can be said, and which of several words holds."""

import pytest

from openai_gateway.budgets.overrides import NotRaised, newest, raised
from openai_gateway.budgets.rule import rules
from openai_gateway.budgets.store import Override
from tests.budgets.rig import USD, HandClock, budget

NOW = HandClock("2026-11-24T12:00:00Z").at
RULES = rules([budget("team", 25), budget("all", 100)])


def test_a_budget_is_raised_until_a_moment() -> None:
    said = raised(RULES, "team", "50.5", "2026-11-24T19:00:00+01:00", "ana", NOW)
    assert said == Override("team", 50_500_000_000, NOW + 6 * 3600, "ana", NOW)


@pytest.mark.parametrize(
    ("name", "usd", "until", "why"),
    [
        (
            "taem",
            "50",
            "2026-11-25T00:00:00Z",
            "no budget `taem`; those of gateway.yaml: team, all",
        ),
        ("team", "lots", "2026-11-25T00:00:00Z", "--to must be a number"),
        ("team", "-1", "2026-11-25T00:00:00Z", "--to must be a number"),
        ("team", "nan", "2026-11-25T00:00:00Z", "--to must be a number"),
        ("team", "25", "2026-11-25T00:00:00Z", "--to must be above the budget's own 25 US"),
        ("team", "50", "tomorrow", "--until is no time; write it as 2026-11-30T18:00:00Z"),
        ("team", "50", "2026-11-25T00:00:00", "--until needs a time zone"),
        ("team", "50", "2026-11-24T12:00:00Z", "has passed; it is 2026-11-24T12:00:00Z now"),
    ],
)
def test_what_cannot_be_says_why(name: str, usd: str, until: str, why: str) -> None:
    with pytest.raises(NotRaised, match=why):
        raised(RULES, name, usd, until, "ana", NOW)


def test_the_last_word_on_each_budget_holds_until_it_ends() -> None:
    early = Override("team", 30 * USD, NOW + 10, "ana", NOW - 5)
    late = ("team", 40 * USD, NOW + 10, "bo", NOW - 4)
    over = Override("all", 200 * USD, NOW, "ana", NOW - 9)
    assert newest([early, over], [late], NOW) == {"team": Override(*late)}
    assert newest([Override(*late), over], [early_of(early)], NOW) == {"team": Override(*late)}
    assert newest([], [], NOW) == {}


def early_of(said: Override) -> tuple[str, int, float, str, float]:
    return (said.budget, said.limit, said.until, said.by, said.at)


def test_a_last_word_that_has_ended_does_not_bring_back_the_one_before() -> None:
    first = Override("team", 30 * USD, NOW + 100, "ana", NOW - 5)
    second = Override("team", 40 * USD, NOW - 1, "ana", NOW - 4)
    assert newest([first, second], [], NOW) == {}
