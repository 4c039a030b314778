"""A worker's duties towards its parent: it says when it serves, goes when another has come, and
ends when the parent is gone; what it learns and the others need, it tells.
"""

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Final

from mitmproxy import ctx

from openai_gateway.host.line import Line, Message
from openai_gateway.host.retiring import retire
from openai_gateway.host.state import State
from openai_gateway.host.worker import Worker

log: Final = logging.getLogger("openai_gateway")

LOOK_S: Final = 0.05
DEFAULT_PATIENCE_S: Final = 600.0


class Duty:
    """Begins when the process serves. `unready` says what is in the way of serving well."""

    def __init__(self, state: State, worker: Worker, unready: Callable[[], list[str]]) -> None:
        self._state = state
        self._worker = worker
        self._unready = unready
        self._line: Line | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def begin(self) -> None:
        """Says that this worker serves; called in the event loop."""
        end = socket.socket(fileno=self._worker.line)
        self._line = Line(end, self._heard, self._orphaned)
        self._line.say("up", self._patience_s())
        if self._state.services is not None:
            self._state.services.minted.tell = self._tell("minted")
            self._state.services.charged.tell = self._tell("charged")
        self._begin(self._announce())

    def stop(self) -> None:
        """The process ends; the parent sees it by itself."""
        for task in self._tasks:
            task.cancel()

    def _patience_s(self) -> float:
        """As long as a call may take."""
        force = self._state.in_force
        return force.chain.timeout_s if force is not None else DEFAULT_PATIENCE_S

    def _begin(self, work: "asyncio.Future[None] | object") -> None:
        self._tasks.append(asyncio.get_running_loop().create_task(work))  # type: ignore[arg-type]

    async def _announce(self) -> None:
        while self._unready():  # noqa: ASYNC110  # a state of many parts, and rarely asked
            await asyncio.sleep(LOOK_S)
        if self._line is not None:
            self._line.say("ready")

    def _tell(self, kind: str) -> Callable[..., None]:
        def tell(*what: object) -> None:
            if self._line is not None:
                self._line.say("news", kind, *what)

        return tell

    def _heard(self, message: Message) -> None:
        services = self._state.services
        match message:
            case ["retire"]:
                log.info("another has taken over: ending once its calls have ended")
                self._begin(self._retire())
            case ["news", "minted", str(digest), str(mapping), float(until)] if services:
                services.minted.told(digest, mapping, until)
            case ["news", "charged", str(name), bool(charged)] if services:
                services.charged.told(name, charged)

    async def _retire(self) -> None:
        try:
            await retire(self._state, self._patience_s())
        finally:
            ctx.master.shutdown()

    def _orphaned(self) -> None:
        log.error("the parent process has gone: draining, then ending")
        ctx.master.shutdown()
