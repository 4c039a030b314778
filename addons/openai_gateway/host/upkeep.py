"""While the gateway runs: the configuration is read again when it changes, calls that the upstream
leaves without an answer are ended, and clients that do not trust us are told of.
"""

import asyncio
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from mitmproxy import connection

from openai_gateway import rulebook
from openai_gateway.config.load import Loaded, load
from openai_gateway.config.problems import ConfigError
from openai_gateway.config.reload import Watch
from openai_gateway.host.connections import abort_upstream
from openai_gateway.host.state import InForce, State
from openai_gateway.rulebook import Rulebook

log = logging.getLogger("openai_gateway")

TICK_S: Final = 0.25
RELOAD_S: Final = 0.5
DISTRUST_EVERY_S: Final = 60.0
MOST_DISTRUSTED: Final = 1024


class Upkeep:
    """The tasks of a running gateway. `fit` makes a configuration this process' own and `build`
    compiles it, in a thread; `adopt` puts it in force."""

    def __init__(
        self,
        state: State,
        build: Callable[[Loaded, Rulebook], InForce],
        adopt: Callable[[Loaded, InForce], None],
        fit: Callable[[Loaded], Loaded],
    ) -> None:
        self.state = state
        self.build = build
        self.fit = fit
        self.adopt = adopt
        self.watch: Watch | None = None
        self.hangup = asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []
        self.distrusted_at: dict[str, float] = {}

    def begin(self) -> None:
        """Starts the tasks; this object holds them."""
        loop = asyncio.get_running_loop()
        self.tasks = [loop.create_task(self._watch()), loop.create_task(self._sweep())]

    def stop(self) -> None:
        """Ends the tasks."""
        for task in self.tasks:
            task.cancel()

    async def _watch(self) -> None:
        while True:
            try:
                await asyncio.wait_for(self.hangup.wait(), RELOAD_S)
                wanted = True
            except TimeoutError:
                wanted = self.watch is not None and self.watch.changed()
            self.hangup.clear()
            if not wanted:
                continue
            try:
                await self._reload()
            except Exception as error:  # noqa: BLE001  # the next change must be seen, whatever came
                log.error("gateway.yaml not reloaded (%s)", type(error).__name__)

    async def _reload(self) -> None:
        """Reads the file again and swaps the whole; on any fault the old stays in force."""
        loaded, services = self.state.loaded, self.state.services
        if loaded is None or services is None:
            return
        try:
            fresh, force = await asyncio.to_thread(self._read, loaded.path)
            self.adopt(fresh, force)
        except ConfigError as error:
            services.metrics.reloaded(ok=False)
            if self.watch is not None:
                self.watch.extend(error.secret_files)
            for problem in error.problems:
                log.warning("%s", problem)
            log.error("gateway.yaml not reloaded, the old settings stay in force")
            return
        except Exception as error:  # noqa: BLE001  # the old settings must stay, whatever came
            services.metrics.reloaded(ok=False)
            log.error("gateway.yaml not reloaded (%s), the old settings stay", type(error).__name__)
            return
        if self.watch is not None:
            self.watch.extend((*fresh.secret_files, *force.chain.rules.files))
        services.metrics.reloaded(ok=True)
        for name in services.needs_restart(fresh.config):
            log.warning("%s has changed: it takes effect after a restart", name)
        log.info("gateway.yaml reloaded")

    def _read(self, path: Path | None) -> tuple[Loaded, InForce]:
        """In a thread: references may wait for a program, and building takes milliseconds."""
        fresh = self.fit(load(path, os.environ))
        return fresh, self.build(fresh, rulebook.read(fresh))

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            try:
                self._end_overdue(time.monotonic())
            except Exception as error:  # noqa: BLE001  # the next round must come, whatever came
                log.error("calls could not be swept: %s", type(error).__name__)

    def _end_overdue(self, now: float) -> None:
        """Ends calls that the upstream leaves without an answer."""
        for exchange in list(self.state.calls.values()):
            asked = exchange.requested_at
            if asked is None or exchange.head_at is not None:
                continue
            if now - asked <= exchange.chain.timeout_s:
                continue
            exchange.call.upstream_error = "timeout"
            abort_upstream(exchange.client_id)

    def distrusted(self, conn: connection.Connection) -> None:
        """A client that does not trust our certificate: says so, once a minute a client."""
        peer = str(conn.peername[0]) if conn.peername else "?"
        now = time.monotonic()
        if now - self.distrusted_at.get(peer, -DISTRUST_EVERY_S) < DISTRUST_EVERY_S:
            return
        if len(self.distrusted_at) > MOST_DISTRUSTED:
            self.distrusted_at.clear()
        self.distrusted_at[peer] = now
        log.warning(
            "client %s broke off TLS: if it does not trust the gateway, set its SSL_CERT_FILE to "
            "certs/ca-bundle.pem (Node: NODE_EXTRA_CA_CERTS to certs/gateway-ca.pem)",
            peer,
        )
