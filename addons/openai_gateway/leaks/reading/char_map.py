"""A text in which some characters are coded, written out, with the way back to where each stood.

The codes are those that go character by character (escapes of JSON, URLs, HTML): what is found in
the written-out text can be replaced where it stands, and nothing else changes.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from dataclasses import replace

from openai_gateway.leaks.reading.edits import Cut

# Where a code stands in the coded text, and what it means.
type Piece = tuple[int, int, bytes]
# The single codes of a piece, and the size of what it means.
type Pieces = Callable[[bytes, int], Iterable[Piece]]


class CharMap:
    """`text` is `coded` with these pieces replaced by what they mean.

    A piece may be many codes in a row; `within` takes it apart, which is only asked for where
    something was found in it. Without `within` a piece is one character.
    """

    __slots__ = ("_coded", "_from", "_last", "_start", "_stop", "_to", "_within", "text")

    def __init__(self, coded: bytes, pieces: Iterable[Piece], within: Pieces | None = None) -> None:
        self._coded, self._within = coded, within
        # Of piece i: from _from[i] to _to[i] in the coded text, _start[i] to _stop[i] in `text`.
        # Four bytes for each, as a hostile text may have a piece for every second character.
        self._from, self._to = array("I"), array("I")
        self._start, self._stop = array("I"), array("I")
        self._last: tuple[int, CharMap] | None = None
        self.text = self._written_out(pieces)

    def _written_out(self, pieces: Iterable[Piece]) -> bytes:
        text = bytearray()
        done = 0
        for begin, end, meant in pieces:
            text += self._coded[done:begin]
            self._from.append(begin)
            self._to.append(end)
            self._start.append(len(text))
            text += meant
            self._stop.append(len(text))
            done = end
        text += self._coded[done:]
        return bytes(text)

    def begin(self, at: int) -> int:
        """Where in the coded text the character at `at` begins."""
        i = bisect_right(self._start, at) - 1
        if i < 0:
            return at
        if at >= self._stop[i]:
            return self._to[i] + at - self._stop[i]
        inner = self._inside(i)
        return self._from[i] + (inner.begin(at - self._start[i]) if inner else 0)

    def end(self, at: int) -> int:
        """Where in the coded text ends what ends at `at`."""
        i = bisect_left(self._start, at) - 1
        if i < 0:
            return at
        if at >= self._stop[i]:
            return self._to[i] + at - self._stop[i]
        inner = self._inside(i)
        return self._from[i] + inner.end(at - self._start[i]) if inner else self._to[i]

    def _inside(self, i: int) -> "CharMap | None":
        if self._within is None:
            return None
        if self._last is None or self._last[0] != i:
            piece = self._coded[self._from[i] : self._to[i]]
            self._last = (i, CharMap(piece, self._within(piece, self._stop[i] - self._start[i])))
        return self._last[1]

    def back(self, cuts: Iterable[Cut], write: Callable[[bytes], bytes] = bytes) -> list[Cut]:
        """Cuts of `text` as cuts of the coded text; `write` codes what is put in."""
        return [
            replace(
                cut,
                start=self.begin(cut.start),
                end=self.end(cut.end),
                new=None if cut.new is None else write(cut.new),
                mask=write(cut.mask),
            )
            for cut in cuts
        ]
