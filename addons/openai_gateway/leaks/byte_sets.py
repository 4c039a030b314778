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
# Latin-1's own letters, less the two signs among them; RE2 folds them too.
HIGH_UPPER: Final = span(0xC0, 0xDE) & ~span(0xD7, 0xD7)
HIGH_LOWER: Final = HIGH_UPPER << 32

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
    """The set, and each of its letters in the other case."""
    upper, lower = UPPER | HIGH_UPPER, LOWER | HIGH_LOWER
    return mask | (mask & upper) << 32 | (mask & lower) >> 32
