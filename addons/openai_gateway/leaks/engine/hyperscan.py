"""The engine with Hyperscan: one pass over the text for what every match of a rule begins with.

Its hits have only an end, so each is a place that RE2 looks at again. A text that gives too many
of them, such as a long run of one letter, is left to the keywords.
"""

import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final

import hyperscan

from openai_gateway.leaks.engine.engine import Places, Span, merged
from openai_gateway.leaks.engine.keywords import Keywords
from openai_gateway.leaks.engine.matcher import Matcher
from openai_gateway.leaks.engine.trigger import trigger

# An event costs a third of a microsecond; one in sixteen bytes is no longer worth it.
_LEAST_FLOOD: Final = 2_000
_BYTES_AN_EVENT: Final = 16

type Event = tuple[int, int]


class Hyperscan:
    """One database in block mode; a scratch of its own for every thread."""

    name = "hyperscan"

    def __init__(self, matchers: Sequence[Matcher]) -> None:
        self.keywords = Keywords(matchers)
        self.reach = tuple(one.reach for one in matchers)
        triggers = [trigger(one.rule, one.compiled.tree) for one in matchers]
        self.back = tuple(one.back for one in triggers)
        expressions = {at: one.expressions for at, one in enumerate(triggers)}
        self.refused: tuple[int, ...] = ()
        database = _database(expressions)
        if database is None:
            fine = {at: one for at, one in expressions.items() if _database({at: one}) is not None}
            self.refused = tuple(at for at in expressions if at not in fine)
            database = _database(fine)
        self.database = database
        self.local = threading.local()

    def places(self, text: bytes) -> Places:
        events: list[Event] = []
        if self.database is not None and not self._scanned(text, events):
            return self.keywords.places(text)
        ends: dict[int, list[int]] = {at: [] for at in self.refused}
        for at, end in events:
            ends.setdefault(at, []).append(end)
        return {at: self._around(at, found, len(text)) for at, found in ends.items()}

    def _around(self, at: int, ends: list[int], size: int) -> list[Span]:
        if at in self.refused:
            return [(0, size)]
        back, reach = self.back[at], self.reach[at]
        ends.sort()  # Hyperscan promises no order
        return merged((max(0, end - back), min(end + reach, size)) for end in ends)

    def _scanned(self, text: bytes, events: list[Event]) -> bool:
        """Whether all of the text was scanned; else it gave more events than are worth it."""
        most = _LEAST_FLOOD + len(text) // _BYTES_AN_EVENT

        def take(at: int, _start: int, end: int, _flags: int, _context: object) -> bool:
            events.append((at, end))
            return len(events) > most

        try:
            self.database.scan(text, take, scratch=self._scratch())
        except hyperscan.ScanTerminated:
            return False
        return True

    def _scratch(self) -> Any:
        """Two threads cannot use the same one at once."""
        scratch = getattr(self.local, "scratch", None)
        if scratch is None:
            scratch = self.local.scratch = hyperscan.Scratch(self.database)
        return scratch


def _database(expressions: Mapping[int, Sequence[str]]) -> Any:
    """The expressions compiled together; None where Hyperscan refuses one, or there is none."""
    every = [(at, one.encode()) for at, several in expressions.items() for one in several]
    if not every:
        return None
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    try:
        database.compile(
            expressions=[one for _, one in every], ids=[at for at, _ in every], flags=0
        )
    except hyperscan.error:  # its CompilerError is only one of those that a compile raises
        return None
    return database
