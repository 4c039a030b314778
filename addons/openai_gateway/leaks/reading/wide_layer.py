"""A text in UTF-16, with a mark or without: as files and PowerShell have it."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from openai_gateway.leaks.reading.edits import Cut

LITTLE: Final = "utf-16-le"
BIG: Final = "utf-16-be"
MARKS: Final = {b"\xff\xfe": LITTLE, b"\xfe\xff": BIG}
SAMPLE: Final = 4096


class Wide:
    """`text` is the text in UTF-8; cuts of it go back to where each character stood."""

    __slots__ = ("_codec", "_skip", "text")

    def __init__(self, data: bytes, codec: str, skip: int) -> None:
        self._codec, self._skip = codec, skip
        units = memoryview(data)[skip : skip + (len(data) - skip) // 2 * 2]
        self.text = str(units, codec, "surrogatepass").encode("utf-8", "surrogatepass")

    def back(self, cuts: Iterable[Cut]) -> list[Cut]:
        """Each stretch between two cuts is counted once."""
        placed: list[Cut] = []
        at, outer = 0, self._skip
        where: dict[int, int] = {}
        cuts = list(cuts)
        for edge in sorted({edge for cut in cuts for edge in (cut.start, cut.end)}):
            outer += len(self._coded(self.text[at:edge]))
            where[edge] = outer
            at = edge
        for cut in cuts:
            new = None if cut.new is None else self._coded(cut.new)
            mask = self._coded(cut.mask)
            placed.append(
                replace(cut, start=where[cut.start], end=where[cut.end], new=new, mask=mask)
            )
        return placed

    def _coded(self, text: bytes) -> bytes:
        return text.decode("utf-8", "surrogatepass").encode(self._codec, "surrogatepass")


def widened(data: bytes) -> Wide | None:
    """The text, where the data is one in UTF-16: by its mark, or by a zero in every second byte."""
    codec = MARKS.get(data[:2])
    if codec is not None:
        return Wide(data, codec, 2)
    sample = data[:SAMPLE]
    half = len(sample) // 2
    first, second = sample[::2].count(0), sample[1::2].count(0)
    if half and second > half * 0.7 and first < half * 0.1:
        return Wide(data, LITTLE, 0)
    if half and first > half * 0.7 and second < half * 0.1:
        return Wide(data, BIG, 0)
    return None
