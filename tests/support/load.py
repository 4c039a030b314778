"""Clients that call without a pause until they are told to stop, and remember what failed."""

import select
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

from tests.support.clients import ConnectRefused, RawH1, RawH2, Way
from tests.support.clients.h2 import pseudo

CHAT = "/v1/chat/completions"
BODY = b'{"model": "gpt-6-luna", "messages": []}'
PAUSE_S = 0.05  # the machine has others to serve, and workers to start
# What a call may end with beside an answer.
FAILED = (OSError, EOFError, ConnectRefused, ssl.SSLError)


@dataclass(slots=True)
class Caller:
    """One client: `keeps` its connection as SDKs do, or opens one for each call."""

    way: Way
    key: str
    keeps: bool = True
    version: str = "h1"
    statuses: list[int] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    opened: int = 0
    told_to_close: int = 0
    _client: RawH1 | RawH2 | None = None

    def call(self) -> None:
        """One call; like httpcore it looks first whether the connection was closed meanwhile."""
        try:
            if self._client is None or _stale(self._client):
                self.close()
                self._client = self._open()
            self._ask(self._client)
        except FAILED as fault:
            self.faults.append(f"{type(fault).__name__}: {fault}")
            self.close()
        if not self.keeps:
            self.close()

    def close(self) -> None:
        """Leaves the connection."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _open(self) -> RawH1 | RawH2:
        self.opened += 1
        alpn = ("h2",) if self.version == "h2" else ("http/1.1",)
        sock = self.way.tls(alpn=alpn)
        return RawH2(sock) if self.version == "h2" else RawH1(sock)

    def _ask(self, client: RawH1 | RawH2) -> None:
        if isinstance(client, RawH2):
            fields = [("authorization", f"Bearer {self.key}"), ("content-type", "application/json")]
            reply = client.answer(client.request([*pseudo("POST", CHAT), *fields], BODY))
        else:
            reply = client.call("POST", CHAT, self.key, BODY)
        if not reply.complete:
            raise EOFError(f"the answer ended as {reply.end}")
        self.statuses.append(reply.status)
        self.ids.append(reply.first("x-gateway-request-id"))
        if reply.values("connection") == ["close"]:
            self.told_to_close += 1
            self.close()


def _stale(client: RawH1 | RawH2) -> bool:
    """Whether something waits to be read on an idle connection: its end, or a goodbye."""
    return bool(select.select([client.sock], [], [], 0)[0])


class Load:
    """with Load(callers): all of them call, each in a thread, until the end of the block."""

    def __init__(self, callers: list[Caller]) -> None:
        self.callers = callers
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(each,)) for each in callers]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    @property
    def calls(self) -> int:
        return sum(len(each.statuses) for each in self.callers)

    @property
    def faults(self) -> list[str]:
        return [fault for each in self.callers for fault in each.faults]

    @property
    def ids(self) -> list[str]:
        return [each for caller in self.callers for each in caller.ids]

    @property
    def refused(self) -> list[int]:
        """Every status but 200."""
        return [status for each in self.callers for status in each.statuses if status != 200]

    def _run(self, caller: Caller) -> None:
        while not self._stop.is_set():
            caller.call()
            time.sleep(PAUSE_S)
        with suppress(OSError):
            caller.close()
