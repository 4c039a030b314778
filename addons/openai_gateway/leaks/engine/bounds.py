"""What may stand directly before and after a secret: never more of the same kind of token.

Nothing is asked to stand there: prose writes `(key)`, `key,`, `<key>` and `k=key&x`.
"""

import re
from typing import Final

from openai_gateway.leaks.engine.byte_sets import ALL, DIGITS, LOWER, UPPER, members
from openai_gateway.leaks.engine.pattern import Byte
from openai_gateway.leaks.engine.shape import written
from openai_gateway.leaks.rules.rule import Alphabet, Rule

_LETTERS: Final = DIGITS | UPPER | LOWER
_HEX: Final = DIGITS | members("abcdefABCDEF")
# `_` and `-` before a token are how people glue it to a name; after it they are more of it.
BEFORE: Final[dict[Alphabet, int]] = {
    "base62": _LETTERS,
    "base64url": _LETTERS,
    "base64": _LETTERS | members("+/"),
    "hex": _HEX,
    "none": 0,
}
AFTER: Final[dict[Alphabet, int]] = {
    "base62": _LETTERS,
    "base64url": _LETTERS | members("_-"),
    "base64": _LETTERS | members("+/"),
    "hex": _HEX,
    "none": 0,
}
# These end in a letter or digit that is no part of what follows: `\n`, `\x0a`, `\u000a`, `%3D`,
# and what turns a terminal's colours on.
_ESCAPES: Final = (
    r"\\[abefnrtv0]|\\x[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|%[0-9A-Fa-f]{2}|\[[0-9;]{0,8}m"
)
_ESCAPED: Final = re.compile(f"(?:{_ESCAPES})\\Z".encode())
# More than the longest of them.
SLACK: Final = 16


def is_token(rule: Rule) -> bool:
    """Whether something is asked of the bytes before and after."""
    return rule.bounds == "token" and rule.alphabet != "none"


def left(alphabet: Alphabet) -> str:
    """A pattern of what may stand before."""
    return f"(?:{'|'.join(lefts(alphabet))})"


def lefts(alphabet: Alphabet) -> tuple[str, str]:
    """The same in two: Hyperscan is several times slower where plain bytes and escapes are one."""
    return rf"(?:\A|{written(Byte(ALL & ~BEFORE[alphabet]))})", f"(?:{_ESCAPES})"


def right(alphabet: Alphabet) -> str:
    """A pattern of what may stand after."""
    return rf"(?:{written(Byte(ALL & ~AFTER[alphabet]))}|\z)"


def stands_free(text: bytes, start: int, end: int, alphabet: Alphabet) -> bool:
    """The same of a place that was found."""
    if end < len(text) and AFTER[alphabet] >> text[end] & 1:
        return False
    if not start or not BEFORE[alphabet] >> text[start - 1] & 1:
        return True
    return _ESCAPED.search(text[max(0, start - SLACK) : start]) is not None
