"""The fake in a background thread, with plain methods: what the end-to-end tests hold."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Self

from tests.support.fake_openai.certificates import Tls
from tests.support.fake_openai.knobs import Knobs
from tests.support.fake_openai.recorder import Connection, Received
from tests.support.fake_openai.server import FakeOpenAI
from tests.support.loop_thread import LoopThread


class FakeOpenAIThread:
    """with FakeOpenAIThread(staging_keys={...}) as fake: …"""

    def __init__(self, staging_keys: Iterable[str] = ()) -> None:
        self.inner = FakeOpenAI(staging_keys)
        self._thread = LoopThread(self.inner, "fake-openai")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.stop()

    @property
    def port(self) -> int:
        return self.inner.port

    @property
    def ca_pem_path(self) -> Path:
        return self.inner.ca_pem_path

    @property
    def knobs(self) -> Knobs:
        return self.inner.knobs

    @property
    def tls(self) -> Tls:
        return self.inner.tls

    @property
    def staging_keys(self) -> set[str]:
        return self.inner.door.keys

    @property
    def requests(self) -> list[Received]:
        return self.inner.requests

    @property
    def connections(self) -> list[Connection]:
        return self.inner.connections

    def received_bytes(self) -> bytes:
        return self.inner.received_bytes()

    def reset(self) -> None:
        self.inner.reset()

    def wait_for(
        self, met: Callable[[list[Received]], bool], seconds: float = 5.0
    ) -> list[Received]:
        """The requests once `met` holds for them; an AssertionError when it does not in time."""
        limit = time.monotonic() + seconds
        while not met(self.requests):
            if time.monotonic() > limit:
                raise AssertionError(f"not met in {seconds} s by {self.requests!r}")
            time.sleep(0.01)
        return self.requests

    def wait(self, count: int = 1, seconds: float = 5.0) -> list[Received]:
        """The first `count` requests, each complete."""
        return self.wait_for(lambda found: sum(r.complete for r in found) >= count, seconds)
