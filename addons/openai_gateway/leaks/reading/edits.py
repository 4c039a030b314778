"""What is to be replaced in a text, and how many replacements become one pass over it.

Where two overlap, the outer and longer wins; what only one of them covers goes as well, as part of
a secret is too much.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Edit:
    """text[start:end] is replaced by `new`."""

    start: int
    end: int
    new: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Cut:
    """Where something was found: `new` replaces it, or is None where it may stay.

    `mask` takes it out in any case, for looking at what else is there. `found` are the ledger's
    numbers of what stands here. `again`: the text of a code written again, and not a mark.
    """

    start: int
    end: int
    new: bytes | None = field(repr=False)
    mask: bytes = field(repr=False)
    found: tuple[int, ...] = ()
    again: bool = False


def redacted(text: bytes, cuts: Iterable[Cut]) -> bytes:
    """The text without what must not stay; the same object where all may stay."""
    return applied(text, redactions(cuts))


def masked(text: bytes, cuts: Iterable[Cut]) -> bytes:
    """The text without anything that was found."""
    return applied(text, masks(cuts))


def redactions(cuts: Iterable[Cut]) -> list[Edit]:
    kept = settled(cut for cut in cuts if cut.new is not None)
    return [Edit(cut.start, cut.end, cut.new or b"") for cut in kept]


def masks(cuts: Iterable[Cut]) -> list[Edit]:
    return [Edit(cut.start, cut.end, cut.mask) for cut in settled(cuts)]


def settled(cuts: Iterable[Cut]) -> list[Cut]:
    """In order and without overlaps."""
    kept: list[Cut] = []
    for cut in sorted(cuts, key=lambda cut: (cut.start, -cut.end, cut.again)):
        if kept and cut.start < kept[-1].end:
            kept[-1] = one_of(kept[-1], cut)
        else:
            kept.append(cut)
    return kept


def one_of(first: Cut, second: Cut) -> Cut:
    """One for two that overlap. A code written again would keep the part of the other in it."""
    if second.end <= first.end:
        return first
    ranked = sorted((first, second), key=lambda cut: (cut.again, cut.start - cut.end))
    best = ranked[0]
    return Cut(first.start, second.end, best.new, best.mask, first.found + second.found)


def applied(text: bytes, edits: Sequence[Edit]) -> bytes:
    """The text with these edits, which are in order and do not overlap."""
    if not edits:
        return text
    pieces: list[bytes] = []
    at = 0
    for edit in edits:
        pieces += (text[at : edit.start], edit.new)
        at = edit.end
    pieces.append(text[at:])
    return b"".join(pieces)
