"""Cuts a stream of server-sent events into its events, whatever the chunks, and gives every byte
back: what is counted or changed must be whole events, what is passed on must be the very bytes."""

import re
from typing import Final

import orjson

MOST: Final = 1024 * 1024
_BOM: Final = b"\xef\xbb\xbf"
# Two ends of line in a row. A CR at the very end waits: an LF that follows belongs to it.
_END: Final = re.compile(rb"(?:\r\n|\n|\r(?=[^\n]))(?:\r\n|\n|\r(?=[^\n]))")
_LONGEST_END: Final = 4


class Event:
    """One event. `raw` holds its very bytes, with the blank line that ends it."""

    __slots__ = ("_value", "oversized", "raw")

    def __init__(self, raw: bytes, oversized: bool = False) -> None:
        self.raw = raw
        self.oversized = oversized  # a piece of an event that is too long to be read
        self._value: object = ...

    @property
    def data(self) -> bytes | None:
        """Its data lines, joined by LF; None where it has none."""
        if self.oversized:
            return None
        raw = self.raw
        if raw.startswith(b"data: ") and raw.find(b"\n") == len(raw) - 2 and b"\r" not in raw:
            return raw[6:-2]
        lines = _values(raw, b"data")
        return b"\n".join(lines) if lines else None

    @property
    def name(self) -> str | None:
        """The last of its `event` lines."""
        names = [] if self.oversized else _values(self.raw, b"event")
        return names[-1].decode("utf-8", "replace") if names else None

    @property
    def value(self) -> object:
        """Its data as a JSON value, read once; None where it is none."""
        if self._value is ...:
            self._value = json_value(self.data)
        return self._value


def json_value(data: bytes | None) -> object:
    """The JSON value of these bytes; None where they are none."""
    try:
        value: object = orjson.loads(data) if data else None
    except orjson.JSONDecodeError:
        return None
    return value


class Events:
    """Takes a stream in chunks and gives its events. It never holds more than `max_event` bytes
    and one chunk: a longer event is passed on in pieces, `oversized` and unread."""

    __slots__ = ("_begun", "_held", "_most", "_oversized", "_returns", "_searched")

    def __init__(self, max_event: int = MOST) -> None:
        self._most = max_event
        self._held = bytearray()
        self._searched = 0
        self._oversized = False
        self._begun = False
        self._returns = False  # whether a CR was ever seen; most streams know LF alone

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that this chunk ends."""
        held = self._held
        held += chunk
        self._returns = self._returns or b"\r" in chunk
        events: list[Event] = []
        at = 0
        while (end := self._end(max(at, self._searched))) > 0:
            events.append(self._event(bytes(held[at:end])))
            at = self._searched = end
        del held[:at]
        self._searched = max(0, len(held) - _LONGEST_END + 1)
        if self._oversized or len(held) > self._most:
            events.extend(self._piece())
        return events

    def end(self) -> Event | None:
        """What came after the last whole event."""
        rest = bytes(self._held)
        self._held.clear()
        self._searched = 0
        return self._event(rest) if rest else None

    def _end(self, start: int) -> int:
        """Where the event ends whose end lies at or behind `start`; 0 where it has not come."""
        if not self._returns:
            at = self._held.find(b"\n\n", start)
            return at + 2 if at >= 0 else 0
        found = _END.search(self._held, start)
        return found.end() if found else 0

    def _event(self, raw: bytes) -> Event:
        oversized, self._oversized = self._oversized or len(raw) > self._most, False
        if not self._begun:
            self._begun = True
            return _First(raw, oversized) if raw.startswith(_BOM) else Event(raw, oversized)
        return Event(raw, oversized)

    def _piece(self) -> list[Event]:
        """What is surely no part of the end that is still to come."""
        tail = self._held[1 - _LONGEST_END :]
        size = len(self._held) - len(tail) + len(tail.rstrip(b"\r\n"))
        piece = bytes(self._held[:size])
        del self._held[:size]
        self._searched, self._oversized, self._begun = 0, True, True
        return [Event(piece, oversized=True)] if piece else []


class _First(Event):
    """An event behind a byte order mark, which is no part of its first line."""

    __slots__ = ()

    @property
    def data(self) -> bytes | None:
        return None if self.oversized else Event(self.raw[len(_BOM) :]).data

    @property
    def name(self) -> str | None:
        return None if self.oversized else Event(self.raw[len(_BOM) :]).name


def _values(raw: bytes, field: bytes) -> list[bytes]:
    """The values of the lines of one field; a line without a colon is a field without a value."""
    found = []
    for line in raw.splitlines():
        if line.startswith(field):
            name, _, value = line.partition(b":")
            if name == field:
                found.append(value.removeprefix(b" "))
    return found
