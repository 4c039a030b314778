"""The odd views of a text, in which a value that was taken apart or spelled in codes shows.

For strong rules only: what is found in a view has no place to be replaced in. Hidden and look-alike
characters are undone elsewhere, as those have one.
"""

import string
from collections.abc import Callable, Iterator
from typing import Final

from openai_gateway.content.runs import decoded, legible
from openai_gateway.leaks.reading.budget import Budget
from openai_gateway.leaks.views.codes import from_base32, from_codes
from openai_gateway.leaks.views.rejoin import (
    joined,
    spaced,
    squeezed,
    unmailed,
    unmarked,
    unwrapped,
)

# No step may hold the interpreter for long, and a value with all its codes lies in one piece.
PIECE: Final = 256 * 1024
OVERLAP: Final = 8 * 1024
# What strong rules look for is longer.
SHORTEST: Final = 16
_LOWER, _UPPER = string.ascii_lowercase, string.ascii_uppercase
ROT13: Final = bytes.maketrans(
    (_LOWER + _UPPER).encode(), (_LOWER[13:] + _LOWER[:13] + _UPPER[13:] + _UPPER[:13]).encode()
)

type Views = Callable[[bytes], Iterator[bytes]]


def odd_views(text: bytes, budget: Budget) -> Iterator[tuple[str, bytes]]:
    """(kind, view) of everything a text may be besides what it says.

    Squeezed, reversed and ROT13 are always given, the others where something hints at them. No
    view is longer than its text; only what was coded costs of the budget.
    """
    if len(text) < SHORTEST:
        return
    for piece in pieces(text):
        if budget.is_late():
            return
        yield "squeezed", squeezed(piece)
        yield "reversed", piece[::-1]
        yield "ROT13", piece.translate(ROT13)
        for kind, views, is_coded in HINTED:
            for view in views(piece):
                if is_coded and not budget.take(len(view)):
                    return
                yield kind, view
                if is_coded:
                    yield from nested(kind, view, budget)


def pieces(text: bytes) -> Iterator[bytes]:
    if len(text) <= PIECE:
        yield text
        return
    for at in range(0, len(text) - OVERLAP, PIECE - OVERLAP):
        yield text[at : at + PIECE]


def nested(kind: str, view: bytes, budget: Budget) -> Iterator[tuple[str, bytes]]:
    """What was coded in base64 or contiguous hex before it was coded again."""
    for inner in decoded(view):
        if not budget.take(len(inner)):
            return
        if text := legible(inner):
            yield f"{kind} of base64 or hex", text


# Kind, what gives the views, and whether they were coded and not just taken apart.
HINTED: Final[tuple[tuple[str, Views, bool], ...]] = (
    ("joined", joined, False),
    ("unwrapped", unwrapped, False),
    ("spaced", spaced, False),
    ("quoted-printable", unmailed, False),
    ("marks", unmarked, False),
    ("codes", from_codes, True),
    ("base32", from_base32, True),
)
