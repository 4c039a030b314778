"""Where in a JSON document a byte stands: in which string or number, and by which path.

It goes through the document once, as far as it is asked, and only where something was found.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from openai_gateway.leaks.reading.edits import Cut
from openai_gateway.leaks.reading.json_layer import unescaped, written

TOKEN: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[{}\[\],:]', re.DOTALL)
COLON: Final = re.compile(rb"[ \t\r\n]*+:")
IN_NUMBER: Final = b"+-.0123456789eE"
LONGEST_NUMBER: Final = 4096
MOST_STEPS: Final = 16
QUOTE, OPEN, CLOSE, COMMA, COLON_SIGN = b'"', b"{[", b"}]", b",", b":"


@dataclass(frozen=True, slots=True)
class Spot:
    """A string from `start` to `end` with its quotes, or what stands between strings (`end` 0)."""

    path: str
    is_name: bool = False
    start: int = 0
    end: int = 0


class Structure:
    """Answers in the order of the text; a step back begins again."""

    __slots__ = (
        "_at",
        "_line",
        "_lines",
        "_shown",
        "_stack",
        "_string",
        "_token",
        "_tokens",
        "text",
    )

    def __init__(self, text: bytes, shown: Callable[[str], str], *, lines: bool = False) -> None:
        """`shown` gives a name as it may be shown; `lines`: each line is a document."""
        self.text = text
        self._shown, self._lines = shown, lines
        self._rewind()

    def _rewind(self) -> None:
        self._at, self._line = 0, 1
        # Of each open list the index, of each open object where its last name stands.
        self._stack: list[int | tuple[int, int] | None] = []
        self._string = (0, 0)
        self._tokens = TOKEN.finditer(self.text)
        self._token = next(self._tokens, None)

    def at(self, offset: int) -> Spot:
        if offset < self._at:
            self._rewind()
        while self._token is not None and self._token.end() <= offset:
            self._pass(self._token)
            self._token = next(self._tokens, None)
        if self._lines:
            self._line += self.text.count(b"\n", self._at, offset)
        self._at = offset
        token = self._token
        if token is None or token.start() > offset or self.text[token.start()] != ord(QUOTE):
            return Spot(self._path(self._stack))
        start, end = token.span()
        if COLON.match(self.text, end):
            return Spot(self._path(self._stack[:-1]), True, start, end)
        return Spot(self._path(self._stack), False, start, end)

    def _pass(self, token: re.Match[bytes]) -> None:
        sign = self.text[token.start() : token.start() + 1]
        stack = self._stack
        if sign == QUOTE:
            self._string = token.span()
        elif sign in OPEN:
            stack.append(0 if sign == b"[" else None)
        elif stack and sign in CLOSE:
            stack.pop()
        elif stack and sign == COMMA:
            top = stack[-1]
            stack[-1] = top + 1 if isinstance(top, int) else None
        elif stack and sign == COLON_SIGN:
            stack[-1] = self._string

    def _path(self, stack: list[int | tuple[int, int] | None]) -> str:
        steps = [self._step(step) for step in stack[:MOST_STEPS] if step is not None]
        path = "".join(steps).removeprefix(".") + ("…" if len(stack) > MOST_STEPS else "")
        if not self._lines:
            return path
        return f"line {self._line}, {path}" if path else f"line {self._line}"

    def _step(self, step: int | tuple[int, int]) -> str:
        if isinstance(step, int):
            return f"[{step}]"
        raw = self.text[step[0] + 1 : step[1] - 1]
        return "." + self._shown(unescaped(raw).decode("utf-8", "replace"))

    def fitting(self, cut: Cut) -> Cut | None:
        """The cut as it may stand in the document: in one string, or for one number a string.

        None where it would take what gives the document its shape.
        """
        spot = self.at(cut.start)
        if spot.end:
            if cut.end > spot.end:
                return None
            start, end = max(cut.start, spot.start + 1), min(cut.end, spot.end - 1)
            return recut(cut, start, end, written)
        number = self._number(cut.start, cut.end)
        return recut(cut, *number, quoted) if number else None

    def _number(self, start: int, end: int) -> tuple[int, int] | None:
        """The whole number in which this stands; None where it stands in none."""
        text, left, right = self.text, start, end
        while left > 0 and start - left < LONGEST_NUMBER and text[left - 1] in IN_NUMBER:
            left -= 1
        while right < len(text) and right - end < LONGEST_NUMBER and text[right] in IN_NUMBER:
            right += 1
        inside = all(sign in IN_NUMBER for sign in text[left:right])
        return (left, right) if inside and right - left < LONGEST_NUMBER else None


def recut(cut: Cut, start: int, end: int, put: Callable[[bytes], bytes]) -> Cut:
    new = None if cut.new is None else put(cut.new)
    return replace(cut, start=start, end=end, new=new, mask=put(cut.mask))


def quoted(text: bytes) -> bytes:
    return b'"%s"' % written(text)
