"""One text of a streamed answer that is redacted: what of it is held, the log probabilities that
go with it, and how an event with its rest would look."""

from collections import deque
from typing import Final

from openai_gateway.leaks.answers.answer_hold import Hold
from openai_gateway.leaks.answers.answer_own_event import Pattern

# Log probabilities of so many events wait for their text; further ones are left out.
MOST_ODDS: Final = 1024


class Stream:
    """One text. Log probabilities leave with their text, and not at all where that was changed:
    they spell it out."""

    __slots__ = ("_hold", "_odds", "_pattern", "fed_at")

    def __init__(self, hold: Hold, pattern: Pattern) -> None:
        self._hold = hold
        self._pattern = pattern
        self._odds: deque[tuple[int, int, bytes]] = deque(maxlen=MOST_ODDS)
        self.fed_at = 0

    def feed(self, text: bytes, odds: bytes, *, ends: bool) -> bytes:
        """A piece of the text and the inside of its list; gives the text that may leave now."""
        begun = self._hold.fed
        passed = self._hold.feed(text)
        if odds:
            self._odds.append((begun, self._hold.fed, odds))
        return passed + self._hold.end() if ends else passed

    def due(self) -> bytes:
        """The log probabilities of the text that has left, as the inside of a list."""
        leaving = []
        while self._odds and self._odds[0][1] <= self._hold.passed:
            start, end, odds = self._odds.popleft()
            if not any(first < end and start < last for first, last in self._hold.edited):
                leaving.append(odds)
        return b",".join(leaving)

    def rest(self, number: object) -> bytes:
        """The text is over: an event with the rest of it; nothing where nothing is left."""
        return self._event(self._hold.end(), number)

    def idle(self, number: object) -> bytes:
        """Nothing came for a while: an event with what is surely no secret."""
        return self._event(self._hold.idle(), number)

    def expel(self, number: object) -> bytes:
        """There is no room for it: an event with a mark, where something was held."""
        self._odds.clear()
        return self._event(self._hold.expel(), number)

    def _event(self, text: bytes, number: object) -> bytes:
        odds = self.due()
        return self._pattern.event(text, odds, number) if text or odds else b""
