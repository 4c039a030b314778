"""Characters that are not seen, or look like others: zero-width, fullwidth, mathematical, Cyrillic.

Honest texts in other scripts are full of them, so letters of other alphabets count only where they
stand beside Latin ones.
"""

import re
import string
import unicodedata
from collections.abc import Iterator
from typing import Final

from openai_gateway.leaks.budget import Budget
from openai_gateway.leaks.char_map import CharMap, Piece
from openai_gateway.leaks.escape_layer import timely
from openai_gateway.leaks.run_layer import classed, end_of

UNSEEN: Final = (
    *(0xAD, 0x34F, 0x61C, 0x115F, 0x180E, 0x3164, 0xFEFF, *range(0x200B, 0x2010)),
    *(*range(0x202A, 0x202F), *range(0x2060, 0x2070), *range(0xFE00, 0xFE10)),
)
DASHES: Final = (*range(0x2010, 0x2016), 0x2043, 0x2212, 0xFE58, 0xFE63, 0xFF0D)
TAGS: Final = range(0xE0020, 0xE007F)
# Of the fullwidth forms not the punctuation of Chinese texts: it is too common.
ALIKE: Final = (
    *(0xFF03, 0xFF05, 0xFF06, 0xFF0B, 0xFF0E, 0xFF1D, 0xFF3C, 0xFF3F, *range(0xFF0F, 0xFF1A)),
    *(*range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B), *range(0x1D400, 0x1D800)),
    *(*range(0x2460, 0x24EA), *range(0x2102, 0x2139), *range(0x2070, 0x209D), 0xAA, 0xBA),
)
# Letters that look like Latin ones, in pairs.
CYRILLIC: Final = "АAВBЕEКKМMНHОOРPСCТTХXЅSІIЈJҮYԚQԜWаaеeоoрpсcуyхxѕsіiјjԁdһhԛqԝwҽeɡgӏlкkмmтtвbнh"  # noqa: RUF001 - what it is about
GREEK: Final = "ΑAΒBΕEΖZΗHΙIΚKΜMΝNΟOΡPΤTΥYΧXοoνvιiκkρpυuχxαaτt"  # noqa: RUF001 - as above
OTHERS: Final = CYRILLIC + GREEK

LETTERS: Final = dict(zip(OTHERS[::2], OTHERS[1::2], strict=True))


def _meant() -> dict[int, str | None]:
    found: dict[int, str | None] = dict.fromkeys(UNSEEN)
    found |= dict.fromkeys(DASHES, "-") | {code: chr(code - 0xE0000) for code in TAGS}
    for code in ALIKE:
        plain = unicodedata.normalize("NFKC", chr(code))
        if plain.isascii():
            found[code] = plain
    return found | {ord(letter): latin for letter, latin in LETTERS.items()}


MEANT: Final = _meant()


_SIGNS: Final = "".join(chr(code) for code in MEANT if chr(code) not in LETTERS)
_OTHER: Final = "".join(LETTERS)
HIDDEN: Final = re.compile(f"[{re.escape(_SIGNS)}]++")
ANY: Final = re.compile(f"[{re.escape(_SIGNS)}{_OTHER}]++")
NOT_ASCII: Final = bytes(97 if c >= 0x80 else 32 for c in range(256))
ASCII: Final = bytes(range(0x80))
BESIDE: Final = frozenset((string.ascii_letters + string.digits + "_-").encode())
# What is not UTF-8 is kept apart.
LENIENT: Final = ("utf-8", "surrogateescape")


def undisguised(text: bytes, budget: Budget) -> CharMap | None:
    """The text in plain letters; None where it is plain."""
    if text.isascii() or not ANY.search(text.translate(None, ASCII).decode(*LENIENT)):
        return None
    found = list(timely(pieces(text), budget))
    return CharMap(text, found, within) if found else None


def pieces(text: bytes) -> Iterator[Piece]:
    """Looks into what is not ASCII alone: it is little, or words of another script."""
    classes = classed(text, NOT_ASCII)
    start = classes.find(b"a")
    while start >= 0:
        end = end_of(classes, start)
        mixed = text[start - 1 : start] + text[end : end + 1]
        pattern = HIDDEN if BESIDE.isdisjoint(mixed) else ANY
        yield from pieces_in(text[start:end].decode(*LENIENT), start, pattern)
        start = classes.find(b"a", end)


def pieces_in(text: str, start: int, pattern: re.Pattern[str]) -> Iterator[Piece]:
    done = 0
    for found in pattern.finditer(text):
        start += size_of(text[done : found.start()])
        end = start + size_of(found[0])
        yield start, end, found[0].translate(MEANT).encode()
        start, done = end, found.end()


def size_of(text: str) -> int:
    return len(text.encode(*LENIENT))


def within(piece: bytes, size: int) -> list[Piece]:  # noqa: ARG001 - as of every layer
    """Each character of a piece."""
    singles: list[Piece] = []
    at = 0
    for character in piece.decode():
        end = at + len(character.encode())
        singles.append((at, end, character.translate(MEANT).encode()))
        at = end
    return singles
