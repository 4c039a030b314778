"""Characters that are not seen, or look like others: zero-width, fullwidth, mathematical, Cyrillic.

Honest texts in other scripts are full of them, so letters of other alphabets count only where they
stand beside Latin ones.
"""

import re
import string
import unicodedata
from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import chain
from typing import Final

from openai_gateway.leaks.reading.budget import Budget
from openai_gateway.leaks.reading.char_map import CharMap, Piece
from openai_gateway.leaks.reading.escape_layer import timely
from openai_gateway.leaks.reading.run_layer import MIB, classed

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


_SIGNS: Final = "".join(
    map(chr, (code for code in MEANT if code < 0x10000 and chr(code) not in LETTERS))
)
_OTHER: Final = "".join(LETTERS)
# In one set with those above U+FFFF, `re` would look through all of it for each character.
HIDDEN: Final = re.compile(f"[{re.escape(_SIGNS)}]++")
HIGH: Final = re.compile("[\U0001d400-\U0001d7ff\U000e0020-\U000e007e]++")
ANY: Final = re.compile(f"[{re.escape(_SIGNS)}{_OTHER}]++")
ASCII: Final = bytes(range(0x80))
# What is not UTF-8 is kept apart.
LENIENT: Final = ("utf-8", "surrogateescape")

BESIDE: Final = (string.ascii_letters + string.digits + "_-").encode()
# Latin letters, other scripts, and what stands between words.
CLASSES: Final = bytes(108 if c in BESIDE else 97 if c >= 0x80 else 32 for c in range(256))
# A text with less of other scripts than a part in so many is not looked through for them.
FEW: Final = 20
NOT_OTHER: Final = re.compile(rb"[ l]")


def undisguised(text: bytes, budget: Budget) -> CharMap | None:
    """The text in plain letters; None where it is plain."""
    if text.isascii():
        return None
    others = other_scripts(text)
    found = [mixed(text)] if ANY.search(others) else []
    found += [hidden(text, pattern) for pattern in (HIDDEN, HIGH) if pattern.search(others)]
    # One after the other, and never a list of them: there may be one for every other character.
    kept = apart(text, timely(merge(*found), budget))
    first = next(kept, None)
    return None if first is None else CharMap(text, chain((first,), kept), within)


def other_scripts(text: bytes) -> str:
    """All that is not ASCII, a MiB at a time."""
    parts = (text[at : at + MIB].translate(None, ASCII) for at in range(0, len(text), MIB))
    return b"".join(parts).decode(*LENIENT)


def hidden(text: bytes, pattern: re.Pattern[str]) -> Iterator[Piece]:
    """What is hidden or looks alike, wherever it stands."""
    classes = classed(text, CLASSES)
    if classes.count(b"a") * FEW > len(text):
        yield from pieces_in(text, 0, pattern)
        return
    start = classes.find(b"a")
    while start >= 0:
        end = end_of_other(classes, start)
        yield from pieces_in(text[start:end], start, pattern)
        start = classes.find(b"a", end)


def mixed(text: bytes) -> Iterator[Piece]:
    """Letters of other alphabets, in words that have Latin ones too."""
    classes = classed(text, CLASSES)
    done = 0
    for edge in merge(every(b"la", classes), every(b"al", classes)):
        if edge < done:
            continue
        # Behind a Latin letter, or from the beginning of the word.
        before = edge if classes.startswith(b"l", edge) else classes.rfind(b" ", done, edge)
        start, done = before + 1, end_of_other(classes, edge + 1)
        yield from pieces_in(text[start:done], start, ANY)


def every(sign: bytes, text: bytes) -> Iterator[int]:
    at = text.find(sign)
    while at >= 0:
        yield at
        at = text.find(sign, at + 1)


def end_of_other(classes: bytes, at: int) -> int:
    found = NOT_OTHER.search(classes, at)
    return found.start() if found else len(classes)


def pieces_in(text: bytes, at: int, pattern: re.Pattern[str]) -> Iterator[Piece]:
    """Those of a text that stands at `at`."""
    shown = text.decode(*LENIENT)
    done = 0
    for start in range(0, len(shown), MIB):
        for found in pattern.finditer(shown, start, start + MIB):
            at += size_of(shown[done : found.start()])
            end = at + size_of(found[0])
            yield at, end, plain(found[0])
            at, done = end, found.end()


def apart(text: bytes, pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Those that change something and begin behind the one before: some were found both ways."""
    done = 0
    for start, end, meant in pieces:
        if start >= done and text[start:end] != meant:
            yield start, end, meant
            done = end


def plain(text: str) -> bytes:
    return text.translate(MEANT).encode(*LENIENT)


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
