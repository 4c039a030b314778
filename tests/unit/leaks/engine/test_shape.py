"""What a pattern's tree tells about every match of it."""

import random

import pytest

from openai_gateway.leaks.engine.compiled import expression
from openai_gateway.leaks.engine.pattern import parse
from openai_gateway.leaks.engine.shape import front, holds, least, most, written
from tests.support.leak_texts import drawn


@pytest.mark.parametrize(
    ("pattern", "shortest", "longest"),
    [
        ("ghp_[a-z]{36}", 40, 40),
        ("a|bcd", 1, 3),
        ("(?:ab){2,5}c?", 4, 11),
        ("a+", 1, None),
        ("(a*)b", 1, None),
        (r"\bkey$", 3, 3),
        (r"(?:^)*x", 1, 1),
        ("é", 2, 2),
    ],
)
def test_lengths_are_of_bytes(pattern: str, shortest: int, longest: int | None) -> None:
    tree = parse(pattern)
    assert (least(tree), most(tree)) == (shortest, longest)


@pytest.mark.parametrize(
    ("pattern", "beginning"),
    [
        ("ghp_[a-z]{36}", "ghp_(?:[a-z]){35}[a-z]"),
        ("k[a-z]{20,}", "k(?:[a-z]){19}[a-z]"),
        ("k[a-z]{20,60}", "k(?:[a-z]){19}[a-z]"),
        ("ab?", "a"),
        ("ab*c", "a(?:b){0,}c"),
        ("a(?:b+|c{3,4})", "a(?:b|(?:c){2}c)"),
        (r"a(?:[;]|$)", "a"),
        ("a?", ""),
        ("k(?:=([a-z_]{15,99}[a-z]))", "k=(?:(?:[_a-z]){14}[_a-z])"),
        ("k[a-z]{15,99}_", "k(?:[a-z]){15,99}_"),
    ],
)
def test_the_beginning_ends_where_a_match_may(pattern: str, beginning: str) -> None:
    assert written(front(parse(pattern))) == beginning


@pytest.mark.parametrize(
    "pattern", ["k[a-z]{2,}=?x*", "(?:ab|c+)d{1,3}", "a.{0,3}b+", "(?i)Key(?:s|ring)?:[0-9]+"]
)
def test_every_match_has_the_beginning(pattern: str) -> None:
    chance = random.Random(pattern)  # noqa: S311 -- a test's text
    beginning = expression(written(front(parse(pattern))))
    for _ in range(50):
        assert beginning.match(drawn(parse(pattern), chance)) is not None


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("ghp_[a-z]{36}", ["ghp_"]),
        ("(?i)API[_-]?KEY=.", ["api_key", "api-key", "apikey"]),
        ("gh[pousr]_x", ["ghp_", "gho_", "ghu_", "ghs_", "ghr_"]),
        ("(?:secret|token)s?=.", ["secret", "token"]),
        ("x{0,9}(?:ab){2}", ["abab"]),
        (r"A3T[A-Z0-9]\b|AKIA", ["a3t", "akia"]),
        ("[a-z]{40}key[a-z]{40}", ["key"]),
    ],
)
def test_a_word_of_every_match_is_proven(pattern: str, words: list[str]) -> None:
    assert holds(parse(pattern), [word.encode() for word in words])


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("ghp_[a-z]{36}", ["gho_"]),
        ("(?:secret|token)=.", ["secret"]),
        ("(?:key)?=.", ["key"]),
        ("(?:key)*=.", ["key"]),
        ("[a-z]{3}", ["key"]),
        ("k.ey", ["key"]),
        ("key", []),
    ],
)
def test_what_a_match_may_lack_is_not_proven(pattern: str, words: list[str]) -> None:
    assert not holds(parse(pattern), [word.encode() for word in words])


def test_proving_stays_quick_where_a_pattern_has_many_spellings() -> None:
    assert not holds(parse("(?:[a-f]{1,60}|[0-9]{1,60}){1,60}" * 8), [b"key"])
