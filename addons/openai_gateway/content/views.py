"""Every reading of some bytes in which a value could hide: folded, decoded, unpacked, nested.

The first reading of every piece is always given; readings of decoded readings cost from a budget,
and running out of it is said, never hidden.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from openai_gateway.content.fold import fold
from openai_gateway.content.runs import decoded, legible, unpacked, without_noise

DEPTH: Final = 3
# Larger texts are read in pieces, so that no single step holds the interpreter for long.
PIECE: Final = 1024 * 1024
# The widest form of a key (each character escaped, four levels of JSON deep) is below this.
OVERLAP: Final = 8 * 1024
FLAT: Final = 8 * 1024 * 1024
PER_BYTE: Final = 4
MOST_VIEWS: Final = 2000

# For reading on the event loop: what keeps it below a millisecond.
FEW: Final = 4 * 1024
SHORT: Final = 32 * 1024
MANY: Final = 300
QUICK_BYTES: Final = 48 * 1024
QUICK_VIEWS: Final = 64
# What makes folding slow, by its first two bytes; of quoted-printable, all that begin with =.
ESCAPES: Final = (
    *(b"\\u", b"\\U", b"\\x", b"\\0", b"\\1", b"\\2", b"\\3", b"%", b"&"),
    *(b"=2", b"=3", b"=4", b"=5", b"=6", b"=7"),
)


@dataclass(slots=True)
class Budget:
    """How much derived text may still be read; `over` once something was left out."""

    bytes_left: int
    views_left: int = MOST_VIEWS
    over: bool = False

    def take(self, size: int) -> bool:
        """Whether a derived text of this size may be read."""
        if size > self.bytes_left or self.views_left <= 0:
            self.over = True
            return False
        self.bytes_left -= size
        self.views_left -= 1
        return True


def budget_for(size: int) -> Budget:
    """A budget that grows with the text, so that large honest bodies are read as well."""
    return Budget(FLAT + PER_BYTE * size, MOST_VIEWS + size // 1024)


def small_budget() -> Budget:
    """As much as may be read without holding the event loop."""
    return Budget(QUICK_BYTES, QUICK_VIEWS)


def is_quick(data: bytes) -> bool:
    """Whether folding the text takes less than a millisecond: it is short, or has few escapes."""
    if len(data) <= FEW:
        return True
    return len(data) <= SHORT and sum(map(data.count, ESCAPES)) < MANY


def views(data: bytes, budget: Budget) -> Iterator[bytes]:
    """All readings, the plainest first."""
    for piece in pieces(data):
        yield from readings(piece, budget, packed=len(data) <= PIECE)
    if len(data) > PIECE:
        # What is packed goes on over the seams of the pieces.
        for inner in affordable(unpacked(data, budget), budget):
            yield from readings(inner, budget, depth=1)


def pieces(data: bytes) -> Iterator[bytes]:
    """The text in pieces that overlap by more than any form of a key is long."""
    if len(data) <= PIECE:
        yield data
        return
    for at in range(0, len(data) - OVERLAP, PIECE - OVERLAP):
        yield data[at : at + PIECE]


def readings(
    piece: bytes, budget: Budget, *, depth: int = 0, packed: bool = True
) -> Iterator[bytes]:
    """A piece folded, then what is coded in it, then what is coded in that."""
    level = [piece]
    for at in range(depth, DEPTH + 1):
        deeper: list[bytes] = []
        for text in level:
            folded = fold(without_noise(text))
            yield folded
            if at < DEPTH:
                deeper += inner_texts(folded, budget)
                if packed or at:
                    deeper += affordable(unpacked(text, budget), budget)
        level = deeper


def inner_texts(folded: bytes, budget: Budget) -> Iterator[bytes]:
    """What is coded in the folded form of a text, or packed in that; noise is left out."""
    for inner in affordable(decoded(folded), budget):
        yield from affordable(unpacked(inner, budget), budget)
        if readable := legible(inner):
            yield readable


def affordable(found: Iterator[bytes], budget: Budget) -> Iterator[bytes]:
    for inner in found:
        if not budget.take(len(inner)):
            return
        if inner:
            yield inner
