"""What may stand beside a secret, and what makes it a piece of something longer."""

import pytest

from openai_gateway.leaks.engine import bounds
from openai_gateway.leaks.engine.compiled import expression
from openai_gateway.leaks.rules.rule import Alphabet


@pytest.mark.parametrize("before", [
    b"", b" ", b"(", b"<", b"k=", b"key_", b"key-", b"/", b'"', b"\n", b"\xe4\xb8\xad", b"\x00",
    rb"\n", rb"\t", rb"\x0a", rb"\u000a", b"%20", b"\x1b[31m", rb"\x1b[0;1m",
])  # fmt: skip
def test_prose_and_escapes_may_stand_before(before: bytes) -> None:
    assert _free(before, b"")


@pytest.mark.parametrize("before", [b"a", b"Z", b"0", b"xn", b"%2", rb"\q", b"31m"])
def test_more_of_a_token_may_not_stand_before(before: bytes) -> None:
    assert not _free(before, b"")


@pytest.mark.parametrize(
    ("alphabet", "after", "free"),
    [
        ("base62", b"-x", True),
        ("base62", b"_", True),
        ("base62", b"x", False),
        ("base64url", b"-x", False),
        ("base64url", b"/", True),
        ("base64", b"/x", False),
        ("base64", b"=", True),
        ("hex", b"g", True),
        ("hex", b"F", False),
        ("none", b"a", True),
    ],
)
def test_more_of_the_alphabet_may_not_stand_after(
    alphabet: Alphabet, after: bytes, free: bool
) -> None:
    assert _free(b"", after, alphabet) is free


@pytest.mark.parametrize("after", [b")", b",", b">", b"&x", b".", b"\\n", b'"', b"", b"%20"])
def test_nothing_is_asked_to_stand_after(after: bytes) -> None:
    assert _free(b"", after)


def _free(before: bytes, after: bytes, alphabet: Alphabet = "base62") -> bool:
    """Both ways to ask, which have to agree."""
    text = before + b"key" + after
    said = bounds.stands_free(text, len(before), len(before) + 3, alphabet)
    pattern = f"{bounds.left(alphabet)}(key){bounds.right(alphabet)}"
    assert said == (expression(pattern).search(text) is not None)
    return said
