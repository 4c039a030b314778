"""One rule over a text: what it finds, what it lets be, and that it never runs away."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_gateway.leaks.checks.checked import Checked
from openai_gateway.leaks.checks.validators import VALIDATORS
from openai_gateway.leaks.engine.compiled import BadPattern, compiled
from openai_gateway.leaks.engine.engine import merged
from openai_gateway.leaks.engine.limit import NoLimit
from openai_gateway.leaks.engine.matcher import MOST_HITS, MOST_REFUSED, Matcher
from openai_gateway.leaks.rules.rule import Exemption, Hit, Rule
from tests.support.leak_texts import alnum, drawn

FIXED = Rule("fixed", "", "tok_[A-Za-z0-9]{30}", keywords=("tok_",), max_bytes=34)
ENDLESS = Rule("endless", "", "run_[A-Za-z0-9]{20,}", keywords=("run_",), max_bytes=60)
NAMED = Rule("named", "", "(?i)pass(?:word)? ?= ?([A-Za-z0-9]{16,40})", group=1)
TOKEN = "tok_" + alnum(30)


type Register = Callable[[Callable[[bytes], Checked]], None]


@pytest.fixture
def validator(monkeypatch: pytest.MonkeyPatch) -> Register:
    """Makes a function of the secret the validator `tried`."""

    def register(checks: Callable[[bytes], Checked]) -> None:
        monkeypatch.setitem(VALIDATORS, "tried", lambda secret, _text, _start, _end: checks(secret))

    return register


def spans(rule: Rule, text: bytes) -> list[tuple[int, int]]:
    found = Matcher(compiled(rule)).hits(text, [(0, len(text))])
    return [(hit.start, hit.end) for hit in found]


def test_the_hit_is_the_secret_alone() -> None:
    text = f"x PASS = {alnum(20)};".encode()
    assert spans(NAMED, text) == [(9, 29)]
    assert spans(FIXED, f"({TOKEN})".encode()) == [(1, 35)]


def test_neighbours_with_one_letter_between_are_all_found() -> None:
    assert len(spans(FIXED, b",".join([TOKEN.encode()] * 5))) == 5


def test_a_longer_match_than_the_rule_allows_is_none() -> None:
    assert spans(ENDLESS, f"run_{alnum(56)}".encode()) == [(0, 60)]
    assert spans(ENDLESS, f"run_{alnum(57)}".encode()) == []


def test_a_refused_match_hides_none_that_begins_inside_it(validator: Register) -> None:
    secret = b"!" + alnum(12).encode() + b"!"
    rule = Rule("inner", "", "![A-Za-z0-9!]{4,40}!", bounds="none", validator="tried")
    validator(lambda found: "keep" if found == secret else "drop")
    assert spans(rule, b"!ab" + secret) == [(3, 17)]


def test_a_value_that_is_refused_is_judged_once(validator: Register) -> None:
    seen: list[bytes] = []
    validator(lambda found: "drop" if seen.append(found) is None else "keep")
    value = alnum(20)
    rule = Rule("named", "", r"[\w.]{0,20}key=([A-Za-z0-9]{8,20})", group=1, validator="tried")
    assert spans(rule, f"a.long.name.of.a.key={value} ".encode()) == []
    assert seen == [value.encode()]


def test_a_flood_of_hits_ends_the_search_and_says_so() -> None:
    text, limit = f"{TOKEN} ".encode() * (MOST_HITS + 5), NoLimit()
    found = Matcher(compiled(FIXED)).hits(text, [(0, len(text))], limit)
    assert [hit.end - hit.start for hit in found] == [34] * MOST_HITS
    assert limit.over


def test_a_flood_of_refused_ones_hides_nothing_behind_it_and_is_told() -> None:
    text = b"tok_" + b"a" * 30 + b" "
    text, limit = text * (MOST_REFUSED + 5) + TOKEN.encode(), NoLimit()
    found = Matcher(compiled(FIXED)).hits(text, [(0, len(text))], limit)
    assert [(hit.start, hit.end) for hit in found] == [(len(text) - 34, len(text))]
    assert limit.over


def test_what_was_looked_at_in_full_is_not_over() -> None:
    limit = NoLimit()
    text = (b"tok_" + b"a" * 30 + b" ") * 20 + TOKEN.encode()
    assert len(Matcher(compiled(FIXED)).hits(text, [(0, len(text))], limit)) == 1
    assert not limit.over


def test_a_validator_drops_or_lowers(validator: Register) -> None:
    rule = Rule("fixed", "", "tok_[A-Za-z0-9]{30}", validator="tried")
    text = TOKEN.encode()
    validator(lambda _: "drop")
    assert spans(rule, text) == []
    validator(lambda _: "lower")
    assert Matcher(compiled(rule)).hits(text, [(0, len(text))]) == [
        Hit(rule, 0, 34, "lowered by tried", lowered=True)
    ]


@pytest.mark.parametrize(
    ("exemption", "let_be"),
    [
        (Exemption(regexes=("^tok_",)), True),
        (Exemption(regexes=("^ok_",)), False),
        (Exemption(stopwords=("zzz", "tok_")), True),
        (Exemption(regexes=("tested",)), False),
        (Exemption(regexes=("tested",), target="line"), True),
        (Exemption(regexes=("other",), target="line"), False),
        (Exemption(regexes=("^tok_",), stopwords=("zzz",), every=True), False),
        (Exemption(regexes=("^tok_",), stopwords=("tok",), every=True), True),
        (Exemption(regexes=("^tok_",), every=True), True),
    ],
)
def test_exemptions_let_be_what_they_say(exemption: Exemption, let_be: bool) -> None:
    rule = Rule("fixed", "", "tok_[A-Za-z0-9]{30}", exemptions=(exemption,))
    assert (spans(rule, f"other\n tested {TOKEN}\nother".encode()) == []) is let_be


def test_without_a_group_of_its_own_the_first_that_took_part_is_the_secret() -> None:
    rule = Rule("any", "", r"a=(x{4})?|b=([a-z0-9]{20})", group=None, bounds="none")
    text = f"b={alnum(20).lower()}".encode()
    assert spans(rule, text) == [(2, 22)]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (Rule("r", "", "a("), "no RE2 pattern"),
        (Rule("r", "", r"(?=a)b"), "no RE2 pattern"),
        (Rule("r", "", r"(a)\1"), "no RE2 pattern"),
        (Rule("r", "", "a{1001}"), "no RE2 pattern"),
        (Rule("r", "", "(?:[a-z]{900}x?){1,1}" * 60), "too large"),
        (Rule("r", "", "a" * 9000), "longer than"),
        (Rule("r", "", "a*"), "an empty text"),
        (Rule("r", "", "a{40}", max_bytes=30), "can match 40 bytes"),
        (Rule("r", "", "abc", group=1), "has 0 groups"),
        (Rule("r", "", r"\p{Greek}"), "look at bytes"),
    ],
)
def test_a_pattern_that_could_run_away_is_refused(rule: Rule, said: str) -> None:
    with pytest.raises(BadPattern, match=said):
        compiled(rule)


@given(seed=st.integers(0, 2**32), cuts=st.lists(st.integers(0, 400), max_size=6))
def test_what_is_found_does_not_depend_on_how_the_places_are_cut(
    seed: int, cuts: list[int]
) -> None:
    chance = random.Random(seed)  # noqa: S311 -- a test's text
    for rule in (FIXED, ENDLESS, NAMED):
        matcher = Matcher(compiled(rule))
        pieces = [drawn(matcher.compiled.tree, chance) for _ in range(chance.randint(1, 6))]
        text = b"".join(chance.choice((b"", b" ", b"\\n", b"x")) + piece for piece in pieces)
        whole = matcher.hits(text, [(0, len(text))])
        around = sorted({(max(0, hit.start - 40), hit.end + matcher.reach) for hit in whole})
        assert matcher.hits(text, _apart(around, cuts, len(text))) == whole


def _apart(spans: list[tuple[int, int]], cuts: list[int], size: int) -> list[tuple[int, int]]:
    """The places, a few more of no meaning, merged as an engine does."""
    every = sorted([*spans, *((cut, cut + 90) for cut in cuts)])
    return [(low, min(high, size)) for low, high in merged(every) if low < size]
