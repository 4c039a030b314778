"""How much of an answer's text may leave, piece by piece: what may still become a secret stays.

What is held too long is dropped, never sent: a secret longer than what is held would leave unseen.
"""

from collections import deque
from typing import Final

from openai_gateway.leaks.answers import answer_cuts as cuts
from openai_gateway.leaks.answers.answer_lookout import DROPPED, Lookout, quotes
from openai_gateway.leaks.answers.answer_splice import begins_json, in_json
from openai_gateway.leaks.reading.edits import Edit, applied

# As much of what left is looked at again: a secret may have a name before it, and what may be a
# value of a file a kind and a header.
NEAR: Final = 256
FAR: Final = 4096
# So much of a text tells whether it is JSON.
_BEGINNING: Final = 64
_MOST_EDITED: Final = 64
# Taken in at a time: so much more than what may be held is dropped with it at most.
_PIECE: Final = 8 * 1024


class Hold:
    """One stream of text in UTF-8.

    `json`: whether it is JSON, whose numbers become strings; None: its first character tells.
    `drops`: an endless run is dropped; else it slides through, as in base64 of pictures.
    `passed`: how much of what was fed has been decided; `edited`: which parts of that are changed.
    """

    __slots__ = ("_begun", "_dropped", "_drops", "_drops_key", "_held", "_in_string", "_json",
                 "_lookout", "_place", "_sent", "edited", "passed")  # fmt: skip

    def __init__(
        self, lookout: Lookout, place: str, *, json: bool | None = None, drops: bool = True
    ) -> None:
        self._lookout = lookout
        self._place = place
        self._json = json
        self._begun = b""
        self._drops = drops
        self._held = b""
        self._sent = b""  # the end of what was decided, as it was
        self._dropped: bytes | None = None  # the end of what is being dropped; None: nothing is
        self._drops_key = False
        self._in_string = False
        self.passed = 0
        self.edited: deque[tuple[int, int]] = deque(maxlen=_MOST_EDITED)

    @property
    def fed(self) -> int:
        """How much has come."""
        return self.passed + len(self._held)

    def feed(self, text: bytes) -> bytes:
        """A piece of the text; gives what may leave now."""
        if len(text) <= _PIECE:
            return self._feed(text)
        pieces = [text[at : at + _PIECE] for at in range(0, len(text), _PIECE)]
        return b"".join([self._feed(piece) for piece in pieces])

    def _feed(self, text: bytes) -> bytes:
        if self._json is None:
            self._begun = (self._begun + text)[:_BEGINNING]
            self._json = begins_json(self._begun)
        if self._dropped is not None:
            text = self._behind(self._dropped, text)
        held = self._held + text if self._held else text
        cut = cuts.safe(held, bool(self._json))
        self._held = held[cut:]
        passed = self._pass(held[:cut]) if cut else b""
        return passed + self._overflow() if len(held) - cut > cuts.LONGEST else passed

    def end(self) -> bytes:
        """The text is at its end; gives the rest. A key without its end is no less a key."""
        held = self._take()
        if held.startswith(cuts.BEGIN) and cuts.is_open_key(held, bool(self._json)):
            return self._mark(held)
        return self._pass(held) if held else b""

    def idle(self) -> bytes:
        """Nothing came for a while; gives what cannot be a secret's beginning, or is one whole."""
        held = self._held
        if not held or cuts.BEGIN in held or held.endswith(b"\\"):
            return b""
        if not cuts.is_harmless(held) and not self._is_found(held):
            return b""
        return self._pass(self._take())

    def expel(self) -> bytes:
        """There is no room for it any more; gives a mark for what was held."""
        return self._mark(self._take()) if self._held else b""

    def _take(self) -> bytes:
        held, self._held = self._held, b""
        return held

    def abort(self) -> None:
        """Nothing of what is held will leave."""
        self._held = b""

    def _is_found(self, held: bytes) -> bool:
        sent = len(self._sent)
        hits = self._lookout.hits(self._sent + held, escaped=bool(self._json))
        return any(hit.end > sent for hit in hits)

    def _overflow(self) -> bytes:
        held = self._held
        is_key = held.startswith(cuts.BEGIN)
        if is_key and len(held) <= cuts.LONGEST_KEY:
            return b""
        cut = 0 if is_key else cuts.token_cut(held)
        if not cut and not is_key and not self._drops:
            cut = cuts.slide_cut(held)
        self._held = held[cut:]
        return self._pass(held[:cut]) if cut else self._drop(held, is_key)

    def _drop(self, held: bytes, is_key: bool) -> bytes:
        """It was held too long: it goes, and so does all of it that is still to come."""
        self._held, self._dropped, self._drops_key = b"", held[-cuts.LONGEST :], is_key
        return self._mark(held)

    def _mark(self, held: bytes) -> bytes:
        """A mark instead of it: of the rule that finds something in it, else a general one."""
        self._lookout.over_budget = True
        edits = self._lookout.edits(held, 0, self._place, escaped=bool(self._json))
        self._stain(0, len(held))
        self.passed += len(held)
        self._sent = b""
        return edits[0].new if edits else DROPPED

    def _behind(self, dropped: bytes, text: bytes) -> bytes:
        """What of a text stands behind what is being dropped; nothing while that goes on."""
        joined, since = dropped + text, len(dropped)
        if self._drops_key:
            at = cuts.end_of_key(joined, since, bool(self._json))
        else:
            at = cuts.end_of_run(joined, since)
        gone = len(text) if at < 0 else at - since
        self._stain(0, gone)
        self.passed += gone
        self._dropped = joined[-cuts.LONGEST :] if at < 0 else None
        return text[gone:]

    def _pass(self, text: bytes) -> bytes:
        """What of a text may leave, told from what left before it."""
        far = FAR if cuts.may_be_value(text) else NEAR
        before = self._sent[-far:]
        window, sent = before + text, len(before)
        edits = self._lookout.edits(window, sent, self._place, escaped=bool(self._json))
        if edits:
            edits = [Edit(edit.start - sent, edit.end - sent, edit.new) for edit in edits]
            for edit in edits:
                self._stain(edit.start, edit.end)
            if self._json:
                edits = in_json(text, edits, in_string=self._in_string)
        if self._json and quotes(text) % 2:
            self._in_string = not self._in_string
        self.passed += len(text)
        self._sent = (self._sent + text)[-FAR:]
        return applied(text, edits)

    def _stain(self, start: int, end: int) -> None:
        self.edited.append((self.passed + start, self.passed + end))
