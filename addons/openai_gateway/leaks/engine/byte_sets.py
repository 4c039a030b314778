"""Sets of bytes, and what RE2's classes stand for when a text is read byte by byte.

A set is a mask: bit N stands for byte N.
"""

from typing import Final

ALL: Final = (1 << 256) - 1


def span(first: int, last: int) -> int:
    """The bytes from `first` to `last`."""
    return (1 << (last + 1)) - (1 << first)


def members(text: str) -> int:
    mask = 0
    for letter in text:
        mask |= 1 << ord(letter)
    return mask


DIGITS: Final = span(48, 57)
UPPER: Final = span(65, 90)
LOWER: Final = span(97, 122)
WORD: Final = DIGITS | UPPER | LOWER | members("_")
SPACE: Final = members("\t\n\f\r ")
NEWLINE: Final = members("\n")

PERL: Final = {"d": DIGITS, "w": WORD, "s": SPACE}
POSIX: Final = {
    "alnum": DIGITS | UPPER | LOWER,
    "alpha": UPPER | LOWER,
    "ascii": span(0, 127),
    "blank": members("\t "),
    "cntrl": span(0, 31) | span(127, 127),
    "digit": DIGITS,
    "graph": span(33, 126),
    "lower": LOWER,
    "print": span(32, 126),
    "punct": span(33, 126) & ~(DIGITS | UPPER | LOWER),
    "space": span(9, 13) | members(" "),
    "upper": UPPER,
    "word": WORD,
    "xdigit": DIGITS | span(65, 70) | span(97, 102),
}


def fold(mask: int) -> int:
    """The set, and each of its letters in the other case; beyond ASCII there is none, as in RE2."""
    return mask | (mask & UPPER) << 32 | (mask & LOWER) >> 32
