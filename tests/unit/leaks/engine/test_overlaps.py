"""Hits of two rules that overlap are both told, but for a vaguer name of the same secret."""

from hypothesis import given
from hypothesis import strategies as st

from openai_gateway.leaks.engine.overlaps import acts, distinct
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


def test_what_lies_in_a_vaguer_one_is_told_beside_it() -> None:
    two = [Hit(NAMED, 5, 14), Hit(FIXED, 5, 10)]
    assert distinct(reversed(two)) == two


def test_a_vaguer_name_of_the_same_secret_is_not_told() -> None:
    assert distinct([Hit(NAMED, 5, 14), Hit(FIXED, 5, 14)]) == [Hit(FIXED, 5, 14)]
    assert distinct([Hit(NAMED, 6, 9), Hit(FIXED, 5, 14)]) == [Hit(FIXED, 5, 14)]


def test_what_is_only_reported_hides_nothing_that_is_more() -> None:
    two = [Hit(FIXED, 0, 50, lowered=True), Hit(NAMED, 5, 14)]
    assert distinct(two) == two
    assert distinct([Hit(REPORT, 5, 14), Hit(NAMED, 5, 14)]) == [
        Hit(NAMED, 5, 14),
        Hit(REPORT, 5, 14),
    ]


def test_two_that_meet_or_overlap_in_part_are_two() -> None:
    for start in (3, 5):
        two = [Hit(FIXED, 0, 5), Hit(NAMED, start, 9)]
        assert distinct(reversed(two)) == two


@given(st.lists(hits, max_size=20))
def test_whatever_is_left_out_lies_in_a_strong_one_that_stays(found: list[Hit]) -> None:
    kept = distinct(found)
    assert kept == sorted(kept, key=lambda one: (one.start, -one.end))
    for one in (one for one in found if one not in kept):
        assert any(
            two.rule.strong and two.start <= one.start and one.end <= two.end
            for two in kept
            if acts(two) or not acts(one)
        )
