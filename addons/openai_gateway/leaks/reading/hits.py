"""What the detector finds in one text, each noted with its place, as cuts of that text.

Two rules may find the same bytes: each is judged by itself, and their cuts become one later on.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from openai_gateway.leaks.engine.mark import mark
from openai_gateway.leaks.reading.budget import Budget
from openai_gateway.leaks.reading.edits import Cut
from openai_gateway.leaks.reading.ledger import Ledger
from openai_gateway.leaks.reading.places import Detector
from openai_gateway.leaks.rules.rule import MOST_BYTES, Hit

# Larger texts are scanned in pieces; a hit that begins in one is seen whole in it.
PIECE: Final = 1024 * 1024
# What stands before a piece tells whether a token begins there.
CONTEXT: Final = 256

type Place = Callable[[int], str]


class Hits:
    """The detector's finds in texts of one reading. `writable`: whether they can be replaced."""

    __slots__ = ("_budget", "_detector", "_ledger", "_writable")

    def __init__(
        self, detector: Detector, ledger: Ledger, budget: Budget, *, writable: bool
    ) -> None:
        self._detector, self._ledger, self._budget = detector, ledger, budget
        self._writable = writable

    def of(
        self,
        text: bytes,
        place: Place,
        *,
        before: bytes = b"",
        writable: bool = True,
        strong: bool = False,
    ) -> list[Cut]:
        """The cuts of a text as it stands."""
        cuts: list[Cut] = []
        writable = writable and self._writable
        for hit in self._found(text, before, strong):
            secret = text[hit.start : hit.end]
            number, done = self._ledger.note(hit, secret, place(hit.start), writable=writable)
            start, end = whole_characters(text, hit.start, hit.end)
            put = mark(hit.rule.id)
            cuts.append(Cut(start, end, put if done == "redact" else None, put, (number,)))
        return cuts

    def _found(self, text: bytes, before: bytes, strong: bool) -> Iterator[Hit]:
        if len(text) <= PIECE + MOST_BYTES:
            yield from self._find(text, before, strong)
            return
        for at in range(0, len(text), PIECE):
            if at and self._budget.is_late():
                return
            piece = text[at : at + PIECE + MOST_BYTES]
            context = text[max(0, at - CONTEXT) : at] or before
            for hit in self._find(piece, context, strong):
                if hit.start < PIECE:
                    yield replace(hit, start=at + hit.start, end=at + hit.end)

    def _find(self, text: bytes, before: bytes, strong: bool) -> list[Hit]:
        return self._detector.find(text, before=before, strong=strong, limit=self._budget)


def whole_characters(text: bytes, start: int, end: int) -> tuple[int, int]:
    """The range without half a character of UTF-8 at either side."""
    for _ in range(3):
        start -= start > 0 and 0x80 <= text[start] < 0xC0
        end += end < len(text) and 0x80 <= text[end] < 0xC0
    return start, end
