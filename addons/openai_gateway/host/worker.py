"""What a process knows that is one of several on one port, and how its parent tells it.

A process of its own, as `mitmdump -s addons/gateway.py` is, is no worker: `mine` is None there.
"""

import logging
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from openai_gateway.config.load import Loaded
from openai_gateway.config.secrets import Reference
from openai_gateway.config.several import shared


@dataclass(frozen=True, slots=True)
class Worker:
    """The `number`th of `count`; the others are descriptors that it inherits: where clients
    connect, where its metrics are asked for, and the line to its parent."""

    number: int
    count: int
    listen: tuple[int, ...]
    admin: int
    line: int

    @classmethod
    def of(cls, text: str) -> Self:
        """From `str(worker)`. Raises: ValueError."""
        place, listen, admin, line = text.split(":")
        number, _, count = place.partition("/")
        fds = tuple(int(fd) for fd in listen.split(","))
        worker = cls(int(number), int(count), fds, int(admin), int(line))
        if not 1 <= worker.number <= worker.count:
            raise ValueError(f"no worker {worker.number} of {worker.count}")
        return worker

    def __str__(self) -> str:
        listen = ",".join(map(str, self.listen))
        return f"{self.number}/{self.count}:{listen}:{self.admin}:{self.line}"

    @property
    def fds(self) -> tuple[int, ...]:
        """All descriptors that it inherits."""
        return (*self.listen, self.admin, self.line)

    def fit(self, loaded: Loaded, in_use: Reference | None = None) -> Loaded:
        """The configuration as this worker uses it. Raises: ConfigError."""
        return shared(loaded, self.count, in_use)


class Handed(socket.socket):
    """A listening socket that others accept on too: its queue is the parent's to size."""

    def listen(self, _backlog: int = 0, /) -> None:
        """Nothing: it listens already."""


def handed(fds: Sequence[int]) -> list[socket.socket]:
    """The inherited sockets, not inherited any further. Raises: OSError for what is none."""
    for fd in fds:
        os.set_inheritable(fd, False)
    return [Handed(fileno=fd) for fd in fds]


def name_in_log(number: int) -> None:
    """Every log record of this process, mitmproxy's too, begins with the worker's number."""
    make = logging.getLogRecordFactory()

    def numbered(*args: Any, **fields: Any) -> logging.LogRecord:
        record = make(*args, **fields)
        record.msg = f"worker {number}: {record.msg}"
        return record

    logging.setLogRecordFactory(numbered)


_become: list[Worker] = []


def become(worker: Worker) -> None:
    """Called once, before mitmproxy starts."""
    _become.append(worker)


def mine() -> Worker | None:
    """Which worker this process is, if it is one."""
    return _become[0] if _become else None
