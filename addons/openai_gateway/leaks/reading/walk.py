"""Reads a text through every layer that is coded in it, and says where in it what was found stands.

One function finds the cuts of a text: what the detector finds in it, and what is found in each
coded stretch, brought back to where that stretch stands. What cannot be brought back is blocked.
"""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from typing import Final

from openai_gateway.leaks.files.files import as_text, readers_of, texts_of
from openai_gateway.leaks.files.plain import is_utf8
from openai_gateway.leaks.reading.base_layer import Coded, coded
from openai_gateway.leaks.reading.budget import Budget
from openai_gateway.leaks.reading.char_map import CharMap
from openai_gateway.leaks.reading.disguise_layer import undisguised
from openai_gateway.leaks.reading.edits import Cut, masks, redactions
from openai_gateway.leaks.reading.escape_layer import escapes
from openai_gateway.leaks.reading.hits import Hits, Place
from openai_gateway.leaks.reading.json_layer import Flat, flatten, is_document, is_lines
from openai_gateway.leaks.reading.ledger import Ledger
from openai_gateway.leaks.reading.neighbours import Beside
from openai_gateway.leaks.reading.places import Detector, Names, in_document
from openai_gateway.leaks.reading.run_layer import BASE64, HEX
from openai_gateway.leaks.reading.sniff import inflated_texts, is_binary, is_media
from openai_gateway.leaks.reading.structure import Structure
from openai_gateway.leaks.reading.wide_layer import widened

# A document in a run in a document in a run.
DEEPEST: Final = 4
# Escapes of escapes of one text: each level of JSON in JSON is a round.
ROUNDS: Final = 6

type Label = Callable[[], str]


class Walk:
    """One reading of one thing. `beside`: also look at what shows only when put together."""

    def __init__(
        self,
        detector: Detector,
        ledger: Ledger,
        budget: Budget,
        *,
        writable: bool = True,
        beside: bool = True,
    ) -> None:
        self.ledger, self.budget = ledger, budget
        self.names = Names(detector)
        self._hits = Hits(detector, ledger, budget, writable=writable)
        self._beside = Beside(detector, ledger, budget) if beside else None

    def unit(
        self, text: bytes, label: str, *, before: bytes = b"", bare: bool = False
    ) -> list[Cut]:
        """The cuts of one thing with a place of its own; of documents, places have their path."""
        self.budget.unit(len(text))
        if is_document(text):
            return self.document(text, label, bare=bare)
        if is_lines(text):
            return self.document(text, label, bare=bare, lines=True)
        return self.level(text, lambda: label, 0, before=before)

    def spread(self, text: bytes, place: Place) -> list[Cut]:
        """The cuts of one thing of which each byte has a place of its own, as a file has lines."""
        self.budget.unit(len(text))
        if is_document(text) or is_lines(text):
            return self._document(text, Structure(text, self.names.step), place, 0, writable=True)
        if is_binary(text) and (readers_of(text) or not is_utf8(text)):
            return self._binary(text, partial(place, 0), 0, writable=True)
        return self._text(text, place, 0)

    def document(
        self, text: bytes, label: str, *, bare: bool = False, lines: bool = False
    ) -> list[Cut]:
        """A JSON document, or many, each on a line."""
        structure = Structure(text, self.names.step, lines=lines)
        here = partial(_spotted, structure, label, bare)
        return self._document(text, structure, here, 0, writable=True)

    def level(
        self, text: bytes, label: Label, depth: int, *, before: bytes = b"", writable: bool = True
    ) -> list[Cut]:
        """The cuts of a text all of which has one place."""
        if is_document(text):
            structure = Structure(text, self.names.step)
            return self._document(text, structure, _anywhere(label), depth, writable=writable)
        if is_binary(text):
            return self._binary(text, label, depth, writable=writable)
        return self._text(text, _anywhere(label), depth, before=before, writable=writable)

    def _document(
        self, text: bytes, structure: Structure, here: Place, depth: int, *, writable: bool
    ) -> list[Cut]:
        flat = flatten(text, partial(self._may_enter, depth))
        inner = self._text(flat.map.text, _outside(here, flat.map), depth, writable=writable)
        cuts = self._placed(flat, structure, inner)
        for nested in flat.nested:
            label = partial(here, nested.start)
            cuts += nested.back(self.level(nested.text, label, depth + 1, writable=writable))
        if self._beside is not None:
            self._beside.document(text, cuts, here, depth)
        return cuts

    def _may_enter(self, depth: int, text: bytes) -> bool:
        return depth < DEEPEST and is_document(text) and self.budget.take(len(text))

    def _placed(self, flat: Flat, structure: Structure, cuts: Sequence[Cut]) -> list[Cut]:
        """Cuts of a written-out document as cuts of its text."""
        placed: list[Cut] = []
        for cut in sorted(flat.map.back(cuts), key=lambda cut: cut.start):
            fitting = structure.fitting(cut)
            if fitting is None:
                self.ledger.block(cut.found)
            else:
                placed.append(fitting)
        return placed

    def _text(
        self,
        text: bytes,
        place: Place,
        depth: int,
        *,
        before: bytes = b"",
        writable: bool = True,
        rounds: int = ROUNDS,
    ) -> list[Cut]:
        """As it stands, then with its escapes undone; what is coded, in the plainest form."""
        cuts = self._hits.of(text, place, before=before, writable=writable)
        plainer = escapes(text, self.budget) or undisguised(text, self.budget)
        if plainer is not None and rounds:
            inner = self._text(plainer.text, _outside(place, plainer), depth,
                               before=before, writable=writable, rounds=rounds - 1)  # fmt: skip
            cuts += plainer.back(inner)
        else:
            self.budget.over |= plainer is not None
            cuts += self._coded(text, place, depth, writable=writable)
        if rounds == ROUNDS and self._beside is not None:
            self._beside.text(text, cuts, place, depth)
        return cuts

    def _coded(self, text: bytes, place: Place, depth: int, *, writable: bool) -> list[Cut]:
        cuts: list[Cut] = []
        for run in (run for codec in (BASE64, HEX) for run in coded(text, codec)):
            label = partial(place, run.start)
            if run.media:
                self._hits.of(run.text, _anywhere(label), strong=True, writable=False)
            elif depth >= DEEPEST:
                self.budget.over = True
            elif self.budget.take(len(run.text)):
                inner = self.level(run.text, label, depth + 1, writable=writable)
                cuts += self._rewritten(run, inner)
        return cuts

    def _rewritten(self, run: Coded, inner: Sequence[Cut]) -> list[Cut]:
        """The run written again without what is to go, and without anything that was found."""
        if not inner:
            return []
        cuts: list[Cut] = []
        edits, found = redactions(inner), _redacted(inner)
        mask, new = run.rewritten(masks(inner)), run.rewritten(edits) if edits else None
        if mask is None:
            self.ledger.block(found)
            return [Cut(run.start, run.run.end, None, b"", again=True)]
        cuts.append(Cut(mask.start, mask.end, None, mask.new, again=True))
        if new is not None:
            cuts.append(Cut(new.start, new.end, new.new, new.new, found, again=True))
        elif edits:
            self.ledger.block(found)
        return cuts

    def _binary(self, data: bytes, label: Label, depth: int, *, writable: bool) -> list[Cut]:
        """A text in UTF-16, or a file: what is found in one can only be blocked."""
        wide = widened(data)
        if wide is not None:
            # Half as long each time.
            return wide.back(self.level(wide.text, label, depth, writable=writable))
        if is_media(data):
            self._hits.of(data, _anywhere(label), strong=True, writable=False)
        else:
            self._text(as_text(data), _anywhere(label), depth, writable=False)
        if depth >= DEEPEST:
            self.budget.over = True
            return []
        for name, text in chain(texts_of(data, self.budget), inflated_texts(data, self.budget)):
            inside = partial(_inside, label, self.names.shown(name))
            self.level(text, inside, depth + 1, writable=False)
        return []


def _redacted(cuts: Sequence[Cut]) -> tuple[int, ...]:
    return tuple(number for cut in cuts if cut.new is not None for number in cut.found)


def _spotted(structure: Structure, label: str, bare: bool, at: int) -> str:
    return in_document(label, structure.at(at), bare=bare)


def _anywhere(label: Label) -> Place:
    return lambda _: label()


def _outside(place: Place, inner: CharMap) -> Place:
    return lambda at: place(inner.begin(at))


def _inside(label: Label, name: str) -> str:
    return f"{label()}, {name}"
