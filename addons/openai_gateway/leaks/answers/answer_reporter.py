"""Reads a copy of a stream of events that has left already."""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from openai_gateway.api.sse import Event, Events
from openai_gateway.leaks.answers.answer_copy import Gathered
from openai_gateway.leaks.answers.answer_deltas import told
from openai_gateway.leaks.answers.answer_document import ANSWER, redacted
from openai_gateway.leaks.answers.answer_lookout import Lookout
from openai_gateway.leaks.answers.answer_told import EVERYTHING, NOTHING, End, Key

MOST_STREAMS: Final = 128


class EventReporter:
    """One answer's events. What is fed is given back as it came."""

    __slots__ = ("_events", "_long", "_lookout", "_streams")

    def __init__(self, lookout: Lookout) -> None:
        self._lookout = lookout
        self._events = Events()
        self._streams: OrderedDict[Key, Gathered] = OrderedDict()
        self._long: Gathered | None = None  # of an event that comes in pieces

    def feed(self, chunk: bytes) -> bytes:
        """A piece of the answer."""
        for event in self._events.feed(chunk):
            self._event(event)
        return chunk

    def end(self) -> bytes:
        """The answer is at its end, or broke off: what has left is read in any case."""
        rest = self._events.end()
        if rest is not None:
            self._event(rest)
        self._over(EVERYTHING.ends)
        self._end_long()
        return b""

    def idle(self) -> bytes:
        """Nothing is held."""
        return b""

    def abort(self) -> None:
        """The client has got what came so far."""
        self.end()

    def _event(self, event: Event) -> None:
        if event.oversized:
            self._long = self._long or Gathered(self._lookout, ANSWER, json=True)
            self._long.feed(event.raw)
            return
        self._end_long()
        value = event.value
        tells = told(value) if isinstance(value, dict) else NOTHING
        for piece in tells.pieces:
            self._text(piece.key, piece.text.encode())
        self._over(tells.ends)
        looked_at = tells.more if tells.pieces else not tells.media
        if looked_at and event.data is not None:
            redacted(event.raw, self._lookout, json=value is not None)

    def _text(self, key: Key, text: bytes) -> None:
        stream = self._streams.get(key)
        if stream is None:
            stream = self._streams[key] = Gathered(self._lookout, key.place)
            if len(self._streams) > MOST_STREAMS:
                self._streams.popitem(last=False)[1].end()
        else:
            self._streams.move_to_end(key)
        stream.feed(text)

    def _over(self, ends: Iterable[End]) -> None:
        for end in ends:
            for key in [key for key in self._streams if end.of(key)]:
                self._streams.pop(key).end()

    def _end_long(self) -> None:
        if self._long is not None:
            self._long.end()
            self._long = None
