"""Puts together what was taken apart: strings that are added up, wrapped lines, spaced letters.

Rules ask what stands before and after a value, so each way of joining leaves the rest of the text
as it was; only the squeezed view takes everything out.
"""

import binascii
import re
import string
from collections.abc import Iterable, Iterator
from typing import Final

import re2

from openai_gateway.leaks.views.codes import BYTEWISE

# What may stand between the parts of a value. Not the point: it is a letter of many.
BETWEEN: Final = b" \t\r\n\v\f\"'`+,\\()[]{}*|&"
ESCAPED: Final = re.compile(rb"\\[nrt]")
# From the end of one quoted string to the beginning of the next.
JOINT: Final = tuple(
    (quote, re.compile(quote + rb"[ \t\r\n+,.&|()\[\]\\]*+" + quote))
    for quote in (b'"', b"'", b"`")
)

LETTERS: Final = (string.ascii_letters + string.digits + "_+/.$-").encode()
_LETTER: Final = rb"[A-Za-z0-9_+/.$-]"
# A line that ends with a long word and goes on in the next one; a line that says so by a backslash.
_WORD: Final = _LETTER * 7 + rb"[A-Za-z0-9_+/$-]"
WRAPPED: Final = re.compile(
    rb"\n(?:(?<=" + _WORD + rb"\n)|(?<=" + _WORD + rb"\r\n)|(?<=" + _LETTER * 3
    + rb"\\\n))[ \t>|#]*+" + _LETTER
)  # fmt: skip
INDENT: Final = b" \t>|#"
LINE_END: Final = b" \t\r\\"
# As much before the first line's end as may be of one word with it.
LONGEST_LINE: Final = 1024

# Letters at every second, third or fourth byte, as `s k -`, `s, k, -` or `s   k`; dashes are
# letters or stand between, and not both, as in the rules that people draw.
LEAST_SPACED: Final = 8
SPACED: Final = re2.compile(
    b"|".join(b"(?:[%b][^%b]{%d}){7}[%b]" % (letters, letters, gap, letters)
              for gap in (1, 2, 3) for letters in (b"0-9A-Za-z", b"0-9A-Za-z_-")), BYTEWISE
)  # fmt: skip
LONGEST_SPACED: Final = 2048
BACK: Final = 256
NUMBERS: Final = b"0123456789-_"

SOFT: Final = re.compile(rb"=(?:\r?\n[A-Za-z0-9_+/=-]|[0-9A-F]{2}=[0-9A-F]{2}=[0-9A-F]{2})")
# U+0300 to U+036F and U+20D0 to U+20F0.
LEADS: Final = (b"\xcc", b"\xcd", b"\xe2\x83")
MARKS: Final = re.compile(rb"(?:\xcc[\x80-\xbf]|\xcd[\x80-\xaf]|\xe2\x83[\x90-\xb0])++")


def squeezed(text: bytes) -> bytes:
    """With everything taken out that may stand between the parts of a value."""
    text = ESCAPED.sub(b"", text) if b"\\" in text else text
    return text.translate(None, BETWEEN)


def joined(text: bytes) -> Iterator[bytes]:
    """`"sk-" + "proj"`, lists of strings, and `sk-**proj**`, as one word each."""
    whole = text
    for quote, joint in JOINT:
        if quote in text:
            whole = joint.sub(b"", whole)
    if b"*" in text:
        whole = whole.replace(b"*", b"")
    if len(whole) != len(text):
        yield whole


def unwrapped(text: bytes) -> Iterator[bytes]:
    """The lines of each value that goes on in the next line, as one line each."""
    blocks: list[bytes] = []
    at = 0
    while found := WRAPPED.search(text, at):
        start = max(at, found.start() - LONGEST_LINE)
        start = text.rfind(b"\n", start, found.start()) + 1 or start
        block, at = block_at(text, start)
        blocks.append(block)
    if blocks:
        yield b"\n".join(blocks)


def block_at(text: bytes, start: int) -> tuple[bytes, int]:
    """The line there with those that go on with its last word, and where they end.

    All lines of a wrapped value but the last one are as long as the one before; a line that begins
    with a word longer than the line before did not come about by wrapping.
    """
    lines: list[bytes] = []
    width = last = 0
    at = start
    while at < len(text):
        end = text.find(b"\n", at)
        end = len(text) if end < 0 else end
        line = text[at:end].lstrip(INDENT).rstrip(LINE_END)
        head = len(line) - len(line.lstrip(LETTERS))
        if lines and not 0 < head <= width:
            return b"".join(lines), at
        lines.append(line)
        at = end + 1
        width, last = len(line), 0 if head < len(line) else last
        tail = len(line) - len(line.rstrip(LETTERS))
        if not tail or tail < last:
            break
        last = tail
    return b"".join(lines), at


def spaced(text: bytes) -> Iterator[bytes]:
    """Letters that stand apart, each by the same."""
    words: list[bytes] = []
    found = SPACED.search(text)
    while found:
        stride = (found.end() - found.start()) // (LEAST_SPACED - 1)
        word, end = spaced_at(text, found.start(), stride)
        if len(word) >= LEAST_SPACED and word.strip(NUMBERS):
            words.append(word)
        found = SPACED.search(text, max(end, found.end() - 1))
    if words:
        yield b"\n".join(words)


def spaced_at(text: bytes, at: int, stride: int) -> tuple[bytes, int]:
    """The letters of which one stands there, and where they end."""
    gap = text[at + 1 : at + stride]
    reach = text[at + 1 : at + LONGEST_SPACED]
    end = at + stride * steps((reach[i::stride] for i in range(stride - 1)), gap)
    reach = text[max(0, at - BACK) : at][::-1]
    first = at - stride * steps((reach[i::stride] for i in range(stride - 1)), gap[::-1])
    # At either end may be a word's last or first letter.
    if first < 0 or text[max(0, first - 1) : first].isalnum():
        first += stride
    whole = text[first : end + 1 : stride]
    return whole[:-1] if text[end + 1 : end + 2].isalnum() else whole, end + 1


def steps(columns: Iterable[bytes], gap: bytes) -> int:
    """How often the gap comes again, each of its bytes in a column of its own."""
    return min(len(column) - len(column.lstrip(gap[i : i + 1])) for i, column in enumerate(columns))


def unmailed(text: bytes) -> Iterator[bytes]:
    """Quoted-printable without a head that says so, as in a mail that was pasted."""
    if b"=" in text and SOFT.search(text):
        yield binascii.a2b_qp(text)


def unmarked(text: bytes) -> Iterator[bytes]:
    """Letters that carry marks of their own: accents, strokes, circles."""
    if not text.isascii() and any(lead in text for lead in LEADS) and MARKS.search(text):
        yield MARKS.sub(b"", text)
