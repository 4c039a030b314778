"""Of hits that overlap one stays, and nothing of a secret is left beside its mark."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from openai_gateway.leaks.engine.overlaps import resolved
from openai_gateway.leaks.rules.rule import Hit, Rule

FIXED = Rule("fixed", "", "k_[a-z]{8}", strong=True)
NAMED = Rule("named", "", "key=([a-z]{8})", group=1)
REPORT = Rule("mail", "", ".+@.+", action="report")
RULES = (FIXED, NAMED, REPORT)

hits = st.builds(
    lambda rule, start, size, lowered: Hit(rule, start, start + size, lowered=lowered),
    st.sampled_from(RULES),
    st.integers(0, 60),
    st.integers(1, 30),
    st.booleans(),
)


def test_the_longer_wins() -> None:
    assert resolved([Hit(FIXED, 5, 10), Hit(NAMED, 5, 14)]) == [Hit(NAMED, 5, 14)]


def test_of_two_alike_the_more_specific_rule_wins() -> None:
    assert resolved([Hit(NAMED, 5, 14), Hit(FIXED, 5, 14)]) == [Hit(FIXED, 5, 14)]


def test_the_winner_grows_by_what_the_loser_has_beyond_it() -> None:
    assert resolved([Hit(FIXED, 0, 10), Hit(NAMED, 8, 30)]) == [Hit(NAMED, 0, 30)]


def test_what_is_only_reported_never_hides_more_than_that() -> None:
    assert resolved([Hit(REPORT, 0, 50), Hit(FIXED, 5, 14)]) == [Hit(FIXED, 5, 14)]
    lowered = Hit(NAMED, 0, 50, lowered=True)
    assert resolved([lowered, Hit(FIXED, 5, 14)]) == [Hit(FIXED, 5, 14)]


def test_neighbours_are_two() -> None:
    two = [Hit(FIXED, 0, 5), Hit(FIXED, 5, 9)]
    assert resolved(reversed(two)) == two


@given(st.lists(hits, max_size=20))
def test_what_acts_is_covered_and_nothing_overlaps(found: list[Hit]) -> None:
    kept = resolved(found)
    assert all(one.end <= two.start for one, two in pairwise(kept))
    acting = [one for one in found if not one.lowered and one.rule.action != "report"]
    for one in acting:
        assert any(two.start <= one.start and one.end <= two.end for two in kept)
