"""The line between a worker and its parent: short messages both ways, and its end is news too.

A message is a JSON array on a line. Nothing here waits: what the other side does not take for long
is refused, as a worker that hangs must not hold the others.
"""

import asyncio
import json
import socket
from collections.abc import Callable
from typing import Any, Final

MOST_WAITING: Final = 4 * 2**20
LONGEST: Final = 64 * 1024
_READ: Final = 64 * 1024

type Message = list[Any]


class Line:
    """One end. `heard` gets each message, `lost` is called once when the other end has gone."""

    def __init__(
        self, end: socket.socket, heard: Callable[[Message], None], lost: Callable[[], None]
    ) -> None:
        """Begins at once; called in the event loop."""
        end.setblocking(False)
        self._end = end
        self._heard = heard
        self._lost = lost
        self._in = bytearray()
        self._out = bytearray()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(end.fileno(), self._read)

    def say(self, *message: Any) -> bool:
        """Whether the message will go out; false where the other side takes nothing any more, or
        would end the line for its length."""
        told = json.dumps(message).encode()
        if self._end.fileno() < 0 or len(self._out) > MOST_WAITING or len(told) > LONGEST:
            return False
        self._out += told + b"\n"
        self._write()
        return True

    def close(self) -> None:
        """Ends it; `lost` is not called."""
        if self._end.fileno() >= 0:
            self._loop.remove_reader(self._end.fileno())
            self._loop.remove_writer(self._end.fileno())
            self._end.close()

    def _read(self) -> None:
        try:
            data = self._end.recv(_READ)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        self._in += data
        *lines, rest = self._in.split(b"\n")
        self._in = rest
        try:
            for line in lines:
                self._heard(json.loads(line))
        except json.JSONDecodeError:
            data = b""
        if not data or len(rest) > LONGEST:
            self._end_of_it()

    def _write(self) -> None:
        try:
            del self._out[: self._end.send(self._out)]
        except (BlockingIOError, InterruptedError):
            pass
        except OSError:
            self._out.clear()  # reading tells that it has ended
        if self._out:
            self._loop.add_writer(self._end.fileno(), self._write)
        else:
            self._loop.remove_writer(self._end.fileno())

    def _end_of_it(self) -> None:
        self.close()
        self._lost()
