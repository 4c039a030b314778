"""A pattern's tree matches what RE2 matches: else a scan would look for something else."""

import random

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from openai_gateway.leaks.engine.compiled import expression
from openai_gateway.leaks.engine.pattern import DEEPEST, NotBytes, parse
from openai_gateway.leaks.engine.shape import written
from tests.support.leak_texts import drawn

PATTERNS = (
    r"ghp_[A-Za-z0-9]{36}",
    r"(?i)api[_-]?key['\"]?\s*[:=]\s*([a-z0-9]{16,})",
    r"a(?i)b(?-i)c|d(?i:e)f",
    r"(?i)a|b",
    r"x(?i)(?:y|Z)q",
    r"\Qa.b\E+c",
    r"\Q.\E",
    r"[\w.-]{0,5}?=\S+",
    r"[^\s\"'`]{3}",
    r"(?s).{2}\n?.",
    r".{3}",
    r"[[:alpha:]_]+[[:^digit:]]",
    r"[]a]b[^]]",
    r"[a\-z]-[-a]",
    r"\x41\x{42}\x7e\103\07",
    r"\bkey\b.\B",
    r"(?m)^a$",
    r"\Aab\z|^cd$",
    r"(?P<name>a)(?<other>b)(c)",
    r"a{2}b{1,}c{0,2}d{,3}e{x}",
    r"a*?b+?c??",
    r"ab{0}c(?:d|e){0,0}f",
    r"(?:)x|",
    r"[\d\W]{2}",
    r"\D\.\*\/\-",
    r"é[éa]",
    r"(?i)É",
    r"[\x80-\xff]{2}",
    r"\C{2}",
    r"(?U)a{1,3}b",
    r"[a-]",
)


@pytest.mark.parametrize("pattern", PATTERNS)
@given(text=st.binary(max_size=40), seed=st.integers(0, 2**32))
def test_the_tree_written_down_again_matches_the_same(pattern: str, text: bytes, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 -- a test's text
    tree = parse(pattern)
    again = expression(written(tree))
    for tried in (text, drawn(tree, chance), text[:8] + drawn(tree, chance) + text[8:]):
        assert _spans(expression(pattern), tried) == _spans(again, tried)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_what_is_drawn_from_the_tree_is_matched(pattern: str) -> None:
    chance = random.Random(pattern)  # noqa: S311 -- a test's text
    for _ in range(20):
        text = drawn(parse(pattern), chance)
        if "\\b" not in pattern:
            assert expression(pattern).search(text) is not None


@pytest.mark.parametrize("pattern", [r"\pL", r"[\p{Greek}]", r"\x{100}", r"[\x{4e00}-\x{4e01}]"])
def test_what_bytes_cannot_tell_is_refused(pattern: str) -> None:
    with pytest.raises(NotBytes, match=r"bytes"):
        parse(pattern)


def test_groups_nested_without_end_are_refused() -> None:
    with pytest.raises(NotBytes, match="nested"):
        parse("(" * (DEEPEST + 2) + ")" * (DEEPEST + 2))


@pytest.mark.parametrize("pattern", ["(", "[a", "a)", "\\", "(?P<a", "a\\x{"])
def test_what_re2_would_refuse_raises_nothing_but_a_named_error(pattern: str) -> None:
    with pytest.raises(NotBytes):
        parse(pattern)


def _spans(compiled: "re2._Regexp", text: bytes) -> list[tuple[int, int]]:
    return [one.span() for one in compiled.finditer(text)]
