"""Another limit for a while: what can be said, and which of several words holds."""

import pytest

from openai_gateway.budgets.overrides import NotRaised, ended, named, newest, raised
from openai_gateway.budgets.rule import rules
from openai_gateway.budgets.store import Override
from tests.budgets.rig import USD, HandClock, budget

NOW = HandClock("2026-11-24T12:00:00Z").at
RULES = rules([budget("team", 25), budget("all", 100)])


TEAM = RULES[0]


@pytest.mark.parametrize(
    ("until", "after_s"),
    [
        ("2026-11-24T19:00:00+01:00", 6 * 3600),
        ("2026-11-24T12:00:01Z", 1),
        ("30s", 30),
        ("15m", 900),
        ("2h", 7200),
        ("7d", 7 * 86_400),
        ("366d", 366 * 86_400),
    ],
)
def test_a_budget_is_raised_until_a_moment(until: str, after_s: float) -> None:
    said = raised(TEAM, "50.5", until, "ana", NOW)
    assert said == Override("team", 50_500_000_000, NOW + after_s, "ana", NOW)


SOON = "2026-11-25T00:00:00Z"


@pytest.mark.parametrize(
    ("usd", "until", "why"),
    [
        ("lots", SOON, "--to must be a number"),
        ("", SOON, "--to must be a number"),
        ("-1", SOON, "--to must be a number"),
        ("nan", SOON, "--to must be a number"),
        ("1e10", SOON, "--to must be a number"),
        ("0", SOON, r"--to must be above the budget's own \$25.00; what lowers it is `usd`"),
        ("25", SOON, r"--to must be above the budget's own \$25.00"),
        ("50", "tomorrow", "--until is no time; write it as 2026-11-30T18:00:00Z, or as 2h"),
        ("50", "-2h", "--until is no time"),
        ("50", "2w", "--until is no time"),
        ("50", "", "--until is no time"),
        ("50", "2026-11-25T00:00:00", "--until needs a time zone"),
        ("50", "2026-11-24T12:00:00Z", "has passed; it is 2026-11-24T12:00:00Z now"),
        ("50", "0s", "has passed"),
        ("50", "0001-01-01T00:00:00+14:00", "has passed"),
        ("50", "367d", "more than 366 days away"),
        ("50", "999999999d", "more than 366 days away"),
        ("50", "9999-12-31T23:59:59-14:00", "more than 366 days away"),
    ],
)
def test_what_cannot_be_says_why(usd: str, until: str, why: str) -> None:
    with pytest.raises(NotRaised, match=why):
        raised(TEAM, usd, until, "ana", NOW)


def test_an_unknown_budget_is_not_repeated_and_the_known_ones_are_listed() -> None:
    assert named(RULES, "all") is RULES[1]
    with pytest.raises(NotRaised, match=r"no such budget; did you mean `team`\? .* has team, all"):
        named(RULES, "taem")
    key = "sk-proj-" + "FAKE" * 10
    with pytest.raises(NotRaised, match=r"no such budget\. gateway\.yaml has team, all") as told:
        named(RULES, key)
    assert key not in str(told.value)
    with pytest.raises(NotRaised, match=r"gateway\.yaml has no budgets"):
        named((), "team")


STANDING = Override("team", 50 * USD, NOW + 3600, "bo", NOW + 2)


def test_what_holds_already_is_raised_or_lengthened_and_never_lowered() -> None:
    more = raised(TEAM, "60", "2h", "ana", NOW, STANDING)
    assert (more.limit, more.until) == (60 * USD, NOW + 7200)
    assert raised(TEAM, "50", "2h", "ana", NOW, STANDING).limit == 50 * USD
    with pytest.raises(NotRaised, match=r"\$50.00 that hold until 2026-11-24T13:00:00Z; end that"):
        raised(TEAM, "49.99", "2h", "ana", NOW, STANDING)


def test_the_last_word_holds_also_where_the_other_s_clock_was_ahead() -> None:
    more = raised(TEAM, "60", "2h", "ana", NOW, STANDING)
    assert newest([more, STANDING], [], NOW) == {"team": more}
    over = ended(TEAM, "ana", NOW, STANDING)
    assert newest([STANDING, over], [], NOW) == {}


def test_what_is_not_raised_cannot_be_ended() -> None:
    with pytest.raises(NotRaised, match=r"team is not raised; its own \$25.00 hold"):
        ended(TEAM, "ana", NOW, None)


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
