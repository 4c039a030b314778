"""A mark is no secret; what only looks like one, or has more beside it, may be."""

import pytest

from openai_gateway.leaks.engine.mark import is_marked, mark

IDS = frozenset(("github-pat", "named-value"))


def test_a_mark_has_no_letter_that_json_escapes() -> None:
    assert mark("github-pat") == b"[REDACTED:github-pat]"


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        (b"[REDACTED:github-pat]", True),
        (b"%5BREDACTED%3Agithub-pat%5D", True),
        (b"%5bREDACTED%3agithub-pat%5d", True),
        (b"[REDACTED:github-pat],[REDACTED:named-value]", True),
        (b"[REDACTED:unknown-rule]", False),
        (b"[REDACTED:github-pat]and much more", False),
        (b"a value of its own", False),
        (b"short", False),
    ],
)
def test_only_marks_of_known_rules_are_let_be(text: bytes, marked: bool) -> None:
    whole = b"key=" + text + b" "
    assert is_marked(whole, 4, 4 + len(text), IDS) is marked


def test_a_piece_of_a_mark_is_let_be_too() -> None:
    text = b"x=[REDACTED:github-pat]"
    assert is_marked(text, 3, 11, IDS)
    assert not is_marked(b"x=[REDACTED:github-pat] y=something-else", 26, 40, IDS)
