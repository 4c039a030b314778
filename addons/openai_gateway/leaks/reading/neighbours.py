"""What shows only in texts that are put together or turned round: for strong rules, and blocked.

What was found in the clear is taken out first, so that it is not found again, glued to something.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Final

from openai_gateway.leaks.reading.budget import Budget
from openai_gateway.leaks.reading.edits import Cut, Edit, applied, masks
from openai_gateway.leaks.reading.hits import Place
from openai_gateway.leaks.reading.json_layer import unescaped
from openai_gateway.leaks.reading.ledger import Ledger
from openai_gateway.leaks.reading.places import Detector
from openai_gateway.leaks.rules.rule import Hit
from openai_gateway.leaks.views import readings as views

# Deeper texts are no longer turned round.
DEEPEST: Final = 1
# A piece of a text, and as much of the next as a value that begins in it can reach into.
PIECE: Final = views.PIECE - views.OVERLAP
SEAM: Final = views.OVERLAP
# Of a long string only its ends can belong to its neighbours.
END: Final = 2 * 1024
# So many are looked up by the place where they stand; of more, only by that of their text.
MOST_LOCATED: Final = 8
LARGE: Final = 512 * 1024
BACKSLASH: Final = ord("\\")
COLON: Final = re.compile(rb"[ \t\r\n]*+:")
APART: Final = b"\n\n"
STRING: Final = re.compile(rb'"([^"\\]*+(?:\\.[^"\\]*+)*+)"([ \t\r\n]*+:)?', re.DOTALL)


class Beside:
    """Looks at the odd views of texts, and at the neighbours in a document."""

    __slots__ = ("_budget", "_detector", "_ledger", "_located")

    def __init__(self, detector: Detector, ledger: Ledger, budget: Budget) -> None:
        self._detector, self._ledger, self._budget = detector, ledger, budget
        self._located = 0

    def text(self, text: bytes, cuts: Sequence[Cut], place: Place, depth: int) -> None:
        """The odd views of a text, of which the cuts are known."""
        if depth > DEEPEST or self._ledger.blocked:
            return
        edits = masks(cuts)
        rest, before = applied(text, edits), Before(edits)
        for at in range(0, len(rest), PIECE):
            self._piece(rest[at : at + PIECE + SEAM], _behind(at, lambda at: place(before(at))))

    def _piece(self, piece: bytes, place: Place) -> None:
        for kind, view in views.odd_views(piece, self._budget):
            for hit in self._detector.find(view, strong=True, limit=self._budget):
                secret = view[hit.start : hit.end]
                at = self._end_of(piece, kind, hit, secret)
                self._ledger.note(hit, secret, place(max(0, at - 1)), writable=False)

    def _end_of(self, piece: bytes, kind: str, hit: Hit, secret: bytes) -> int:
        """Where in the piece it ends: the shortest beginning in which it still shows."""
        self._located += 1
        if self._located > MOST_LOCATED:
            return 0
        low, high = 0, len(piece)
        while low < high:
            middle = (low + high) // 2
            if self._shows(piece[:middle], kind, hit, secret):
                high = middle
            else:
                low = middle + 1
        return high

    def _shows(self, piece: bytes, kind: str, hit: Hit, secret: bytes) -> bool:
        # What was afforded once may be afforded again.
        budget = replace(self._budget)
        found = (view for name, view in views.odd_views(piece, budget) if name == kind)
        return any(secret in view and self._is_found(view, hit, secret) for view in found)

    def _is_found(self, view: bytes, hit: Hit, secret: bytes) -> bool:
        found = self._detector.find(view, strong=True)
        return any(
            one.rule.id == hit.rule.id and view[one.start : one.end] == secret for one in found
        )

    def document(self, text: bytes, cuts: Sequence[Cut], place: Place, depth: int) -> None:
        """The strings of equal names, one after the other."""
        if depth > DEEPEST or self._ledger.blocked or self._budget.is_late():
            return
        edits = masks(cuts)
        rest = applied(text, edits)
        whole = neighbours(rest)
        before, origins = Before(edits), Origins(rest)

        def where(at: int) -> str:
            return place(before(origins.of(at)))

        for hit in self._detector.find(whole, strong=True, limit=self._budget):
            secret = whole[hit.start : hit.end]
            self._ledger.note(hit, secret, where(hit.start), writable=False)


def _behind(start: int, place: Place) -> Place:
    return lambda at: place(start + at)


def neighbours(document: bytes) -> bytes:
    """The strings of each name that has several, written out one after the other."""
    groups: dict[bytes, list[bytes]] = {}
    group = groups.setdefault(b"", [])
    for text, is_name in strings(document):
        if is_name:
            group = groups.setdefault(text, [])
        else:
            group.append(text)
    return APART.join(joined(group) for group in groups.values() if len(group) > 1)


def strings(document: bytes) -> Iterable[tuple[bytes, bool]]:
    """Each string, and whether it is a name."""
    if len(document) <= LARGE:
        return ((text, bool(colon)) for text, colon in STRING.findall(document))
    return large_strings(document)


def large_strings(document: bytes) -> Iterator[tuple[bytes, bool]]:
    """The same from quote to quote: a pattern would take long over a string of megabytes."""
    at = document.find(b'"')
    while at >= 0:
        end = end_of_string(document, at + 1)
        yield document[at + 1 : end], COLON.match(document, end + 1) is not None
        at = document.find(b'"', end + 1)


def end_of_string(document: bytes, at: int) -> int:
    """The quote that is not escaped."""
    end = document.find(b'"', at)
    while end > at and document[end - 1] == BACKSLASH:
        first = end
        while first > at and document[first - 1] == BACKSLASH:
            first -= 1
        if (end - first) % 2 == 0:
            break
        end = document.find(b'"', end + 1)
    return end if end >= 0 else len(document)


def joined(group: Sequence[bytes]) -> bytes:
    whole = b"".join(group)
    if len(whole) > 3 * END or b"\\" in whole:
        return b"".join(map(ends_of, group))
    return whole


def ends_of(raw: bytes) -> bytes:
    """A string written out; of a long one its two ends."""
    if len(raw) > 3 * END:
        return ends_of(raw[:END]) + b"\n" + ends_of(raw[-END:])
    return unescaped(raw) if b"\\" in raw else raw


class Origins:
    """Where the strings stand of which `neighbours` is made; only known once it is asked for."""

    __slots__ = ("_document", "_ends", "_starts")

    def __init__(self, document: bytes) -> None:
        self._document = document
        self._starts: list[int] = []
        self._ends: list[int] = []

    def of(self, at: int) -> int:
        if not self._starts:
            self._look_up()
        number = bisect_right(self._ends, at)
        return self._starts[min(number, len(self._starts) - 1)]

    def _look_up(self) -> None:
        groups: dict[bytes, list[tuple[int, bytes]]] = {}
        group = groups.setdefault(b"", [])
        for found in STRING.finditer(self._document):
            if found[2]:
                group = groups.setdefault(found[1], [])
            else:
                group.append((found.start() + 1, found[1]))
        end = 0
        for group in groups.values():
            for start, text in group if len(group) > 1 else ():
                end += len(ends_of(text))
                self._starts.append(start)
                self._ends.append(end)
            end += len(APART) if len(group) > 1 else 0


class Before:
    """Where a byte of the edited text stood before the edits."""

    __slots__ = ("_ends", "_shifts")

    def __init__(self, edits: Sequence[Edit]) -> None:
        self._shifts = [0, *accumulate(one.end - one.start - len(one.new) for one in edits)]
        # Where each edit ends in the edited text.
        pairs = zip(edits, self._shifts[1:], strict=True)
        self._ends = [one.end - shift for one, shift in pairs]

    def __call__(self, at: int) -> int:
        return at + self._shifts[bisect_right(self._ends, at)]
