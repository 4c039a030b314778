"""Redacts a stream of events: each leaves when it comes, with as much of its texts as is safe; what
was held goes with a later event of the same text, or by one of ours before the event that ends it.
"""

import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from openai_gateway.api.sse import Event, Events
from openai_gateway.leaks.answers.answer_deltas import told
from openai_gateway.leaks.answers.answer_document import ANSWER, redacted
from openai_gateway.leaks.answers.answer_event import one_line, respelled
from openai_gateway.leaks.answers.answer_hold import Hold
from openai_gateway.leaks.answers.answer_lookout import Lookout
from openai_gateway.leaks.answers.answer_own_event import pattern
from openai_gateway.leaks.answers.answer_splice import Path, spans, without_odds
from openai_gateway.leaks.answers.answer_stream import Stream
from openai_gateway.leaks.answers.answer_told import EVERYTHING, NOTHING, End, Key, Piece, Told

type Object = Mapping[str, object]

MOST_STREAMS: Final = 128
# A text without a delta while so many others came: it may be over without an event that says so.
PATIENCE: Final = 256
# How an event that is too long to be read says that all is over.
_LAST_LONG: Final = re.compile(rb'"type"[ \t]*+:[ \t]*+"response\.(?:completed|incomplete)"')
_HEAD: Final = 512


class EventRedactor:
    """One answer's events."""

    __slots__ = ("_events", "_long", "_lookout", "_number", "_streams", "_ticks")

    def __init__(self, lookout: Lookout) -> None:
        self._lookout = lookout
        self._events = Events()
        self._streams: OrderedDict[Key, Stream] = OrderedDict()  # the longest silent one first
        self._long: Hold | None = None  # of an event that comes in pieces
        self._number: object = None  # the last event's
        self._ticks = 0

    def feed(self, chunk: bytes) -> bytes:
        """A piece of the answer; gives what the client gets now."""
        return b"".join([self._event(event) for event in self._events.feed(chunk)])

    def end(self) -> bytes:
        """The answer is whole. An end that is no whole event is left out: no reader acts on it, and
        it may be half of a secret."""
        rest = self._events.end()
        last = b""
        if rest is not None and (rest.oversized or not rest.data or rest.value is not None):
            last = self._event(rest, last=True)
        elif rest is not None and rest.data == b"[DONE]":
            last = self._event(rest)
        return self._over(EVERYTHING.ends) + last + self._end_long()

    def idle(self) -> bytes:
        """Nothing came for a while; gives what may leave nevertheless."""
        return b"".join([stream.idle(self._number) for stream in self._streams.values()])

    def abort(self) -> None:
        """Nothing of what is held will leave."""
        self._streams.clear()
        self._long = None

    def _event(self, event: Event, last: bool = False) -> bytes:
        if event.oversized:
            return self._long_piece(event.raw)
        before = self._end_long()
        value = event.value
        tells = self._told(event, value)
        if tells.broken:
            self._streams.clear()
        ends = EVERYTHING.ends if last else tells.ends
        if isinstance(value, dict) and tells.pieces:
            passed = self._texts(event, value, tells, ends)
        else:
            passed = self._over(ends) + self._other(event, tells)
        if isinstance(value, dict):
            self._number = value.get("sequence_number", self._number)
        return before + passed if before else passed

    def _told(self, event: Event, value: object) -> Told:
        if isinstance(value, dict):
            return told(value)
        return EVERYTHING if event.data == b"[DONE]" else NOTHING

    def _other(self, event: Event, tells: Told) -> bytes:
        """An event that goes on with no text is looked at whole."""
        raw = without_odds(event.raw) if tells.odd else event.raw
        if tells.media:
            return raw
        return redacted(raw, self._lookout, json=event.value is not None)

    def _texts(self, event: Event, value: Object, tells: Told, ends: Iterable[End]) -> bytes:
        raw, pieces = one_line(event), tells.pieces
        if tells.odd:
            raw, pieces = without_odds(raw), tuple(replace(piece, odds=None) for piece in pieces)
        before, changed = self._made_room(), {}
        odds = self._odds(raw, pieces)
        for piece in pieces:
            text = piece.text.encode()
            stream = self._stream(piece, value, event)
            over = any(end.of(piece.key) for end in ends)
            passed = stream.feed(text, odds.get(piece.path, b""), ends=over)
            if passed != text:
                changed[piece.path] = passed
            if piece.odds:
                changed[piece.odds] = stream.due()
        before += self._over(ends)
        if changed:
            raw = respelled(raw, changed, pieces, self._lookout)
        return before + (redacted(raw, self._lookout, json=True) if tells.more else raw)

    def _odds(self, raw: bytes, pieces: Iterable[Piece]) -> dict[Path, bytes]:
        """The inside of each list of log probabilities, by the path of its text."""
        wanted = {piece.odds: piece.path for piece in pieces if piece.odds}
        if not wanted:
            return {}
        return {wanted[path]: raw[start + 1 : end - 1] for path, start, end in spans(raw, wanted)}

    def _stream(self, piece: Piece, value: Object, event: Event) -> Stream:
        stream = self._streams.get(piece.key)
        if stream is None:
            hold = Hold(self._lookout, piece.key.place)
            stream = Stream(hold, pattern(value, piece, event.name))
            self._streams[piece.key] = stream
        else:
            self._streams.move_to_end(piece.key)
        self._ticks += 1
        stream.fed_at = self._ticks
        return stream

    def _made_room(self) -> bytes:
        """Of the text that was silent longest: what may leave, or a mark where there is no room."""
        if not self._streams:
            return b""
        key, stream = next(iter(self._streams.items()))
        passed = b""
        while len(self._streams) >= MOST_STREAMS:
            _, oldest = self._streams.popitem(last=False)
            passed += oldest.expel(self._number)
        if not passed and self._ticks - stream.fed_at > PATIENCE:
            self._streams.move_to_end(key)
            stream.fed_at = self._ticks
            passed = stream.idle(self._number)
        return passed

    def _over(self, ends: Iterable[End]) -> bytes:
        """Events with the rest of the texts that are over."""
        passed = b""
        for end in ends:
            for key in [key for key in self._streams if end.of(key)]:
                passed += self._streams.pop(key).rest(self._number)
        return passed

    def _long_piece(self, raw: bytes) -> bytes:
        """A piece of an event that is too long to be read: its text is looked at as it passes."""
        before = b""
        if self._long is None:
            self._long = Hold(self._lookout, ANSWER, json=True, drops=False)
            if _LAST_LONG.search(raw, 0, _HEAD):
                before = self._over(EVERYTHING.ends)
        return before + self._long.feed(raw)

    def _end_long(self) -> bytes:
        if self._long is None:
            return b""
        rest, self._long = self._long.end(), None
        return rest
