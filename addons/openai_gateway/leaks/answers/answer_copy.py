"""The copy of one text of an answer that has left already: read now and then, so that a secret
spread over many events is found, and each only once."""

from typing import Final

from openai_gateway.leaks.answers.answer_lookout import Lookout
from openai_gateway.leaks.answers.answer_splice import begins_json

# Reading at each event would find the same, at some hundred times the cost.
EVERY: Final = 2 * 1024
# The longest secrets are private keys.
KEPT: Final = 8 * 1024
BEFORE: Final = 64
_BEGINNING: Final = 64


class Gathered:
    """One stream of text in UTF-8. `json`: whether it is JSON; None: its first character tells."""

    __slots__ = (
        "_before",
        "_begun",
        "_done",
        "_fresh",
        "_json",
        "_kept",
        "_lookout",
        "_parts",
        "_place",
    )

    def __init__(self, lookout: Lookout, place: str, *, json: bool | None = None) -> None:
        self._lookout = lookout
        self._place = place
        self._json = json
        self._begun = b""
        self._before = b""  # what stood before all that is kept
        self._kept = b""  # what was read, and may be the beginning of what is still to come
        self._done: dict[str, int] = {}  # where in that the last finding of each rule ends
        self._parts: list[bytes] = []
        self._fresh = 0

    def feed(self, text: bytes) -> None:
        """A piece of the text."""
        if self._json is None:
            self._begun = (self._begun + text)[:_BEGINNING]
            self._json = begins_json(self._begun)
        self._parts.append(text)
        self._fresh += len(text)
        if self._fresh >= EVERY:
            self._read(ended=False)

    def end(self) -> None:
        """The text is at its end, or nobody gets the rest."""
        if self._fresh or self._kept:
            self._read(ended=True)

    def _read(self, ended: bool) -> None:
        text = b"".join((self._kept, *self._parts))
        for hit in self._lookout.hits(text, self._before, escaped=bool(self._json)):
            # what reaches the end may be the beginning of something longer
            done = self._done.get(hit.rule.id, 0)
            if hit.start >= done and (ended or hit.end < len(text)):
                self._lookout.must_go(hit, text, self._place, escaped=bool(self._json))
                self._done[hit.rule.id] = hit.end
        cut = max(0, len(text) - KEPT)
        self._before = (self._before + text[:cut])[-BEFORE:]
        self._kept = text[cut:]
        self._done = {rule: end - cut for rule, end in self._done.items() if end > cut}
        self._parts.clear()
        self._fresh = 0
