"""What happens to an answer's bytes on their way to the client: counted, and our own keys masked.

Everything else goes on as it came. A key of ours can only stand in an answer when the upstream
repeats it (an error that quotes it, an echo): the client must not learn the staging key.
"""

import time
from collections.abc import Sequence
from typing import Final

from openai_gateway.core.call import AnswerScan, Meter
from openai_gateway.core.secret import mask
from openai_gateway.host.exchange import Exchange

# Enough of a stream's end to see its last event, `data: [DONE]`.
LAST: Final = 24


class Masker:
    """Replaces whole keys of ours by a mask of the same length, also across chunk borders."""

    __slots__ = ("_held", "_keys")

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = tuple(keys)
        self._held = b""

    def feed(self, chunk: bytes) -> bytes:
        """The chunk, masked; holds back only an end that may be a key's beginning."""
        data = self._held + chunk if self._held else chunk
        data = mask(data, self._keys)
        keep = max((_overlap(data, key) for key in self._keys), default=0)
        self._held = data[len(data) - keep :]
        return data[: len(data) - keep] if keep else data

    def end(self) -> bytes:
        """What was held back: no key, as it turned out."""
        held, self._held = self._held, b""
        return held


def _overlap(data: bytes, key: bytes) -> int:
    """The length of the longest end of `data` that is a proper beginning of `key`."""
    tail = data[-(len(key) - 1) :]
    start = tail.find(key[0])
    while start >= 0:
        if key.startswith(tail[start:]):
            return len(tail) - start
        start = tail.find(key[0], start + 1)
    return 0


class Relay:
    """mitmproxy's stream callable: gets chunks as they arrive, and `b""` once at the end.

    It returns lists: `b""` in the middle would end the answer cleanly on HTTP/1.1.
    """

    __slots__ = ("_exchange", "_last", "_masker", "_meter", "_scan")

    def __init__(
        self,
        exchange: Exchange,
        keys: Sequence[bytes],
        meter: Meter | None,
        scan: AnswerScan | None,
    ) -> None:
        self._exchange = exchange
        self._masker = Masker(keys)
        self._meter = meter
        # What is only reported is read from a copy, when the answer is over: off the event loop.
        self._scan = scan if scan is not None and scan.redacts else None
        if scan is not None and not scan.redacts:
            exchange.copied = bytearray()
        self._last = b""

    def __call__(self, chunk: bytes) -> list[bytes]:
        began = time.perf_counter_ns()
        passed = self._piece(chunk) if chunk else self._end()
        if self._exchange.pace is not None:
            passed = self._exchange.pace.spoiled(passed)
        self._exchange.received(len(passed))
        self._exchange.capture(passed)
        self._exchange.copy(passed)
        self._exchange.back_ns += time.perf_counter_ns() - began
        return [passed] if passed else []

    def _piece(self, chunk: bytes) -> bytes:
        exchange = self._exchange
        exchange.arrived()
        if exchange.event_stream:
            self._last = (self._last + chunk[-LAST:])[-LAST:]
            exchange.finished = self._last.rstrip().endswith(b"[DONE]")
        passed = self._masker.feed(chunk)
        if self._meter is not None:
            passed = self._meter.feed(passed)
        return self._scan.feed(passed) if self._scan is not None and passed else passed

    def _end(self) -> bytes:
        rest = self._masker.end()
        if self._meter is not None:
            rest = self._meter.feed(rest) + self._meter.end() if rest else self._meter.end()
        if self._scan is None:
            return rest
        return self._scan.feed(rest) + self._scan.end() if rest else self._scan.end()
