"""From start to stop: options, configuration, and the drain at the end.

Whatever is wrong at the start is logged as an error, which makes mitmproxy exit with 1 before it
has served anything. While running, a bad file or option changes nothing: the old stays in force.
"""

import asyncio
import gc
import logging
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any, Final

import certifi
from mitmproxy import ctx, exceptions

from openai_gateway import rulebook
from openai_gateway.accounting.migrations import NewerDatabase
from openai_gateway.chain import Build
from openai_gateway.config.load import Loaded, find, load
from openai_gateway.config.problems import ConfigError
from openai_gateway.config.reload import Watch
from openai_gateway.core.scrub import ScrubFilter
from openai_gateway.host import authority, faults, lean, options, worker
from openai_gateway.host.books import close_socket, cut
from openai_gateway.host.duty import Duty
from openai_gateway.host.retiring import close_doors
from openai_gateway.host.state import InForce, State, compile_settings
from openai_gateway.host.upkeep import Upkeep
from openai_gateway.rulebook import Rulebook
from openai_gateway.services import Services, known_secrets, other_secrets

log = logging.getLogger("openai_gateway")

DRAIN_S: Final = 25.0
DECIDE_S: Final = 2.0
DEFAULT_MAX_BODY: Final = 64 * 2**20


class Unfit(Exception):
    """The start is refused; `lines` are what to tell, one problem each."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__(f"{len(lines)} problem(s)")
        self.lines = lines


class Lifecycle:
    """Owns the tasks of the process. `make` builds the chain of stages of a configuration."""

    def __init__(self, state: State, make: Build) -> None:
        self.state = state
        self.make = make
        self.own: dict[str, Any] = {}
        self.started = False
        self.new_authority = False
        self.updating = False
        self.scrub = ScrubFilter()
        self.worker = worker.mine()
        self.duty = Duty(state, self.worker, self.unready) if self.worker else None
        self.upkeep = Upkeep(state, self._build, self._adopt, self._fit)

    def max_body(self) -> int:
        """The most bytes of a request's body under the settings in force."""
        force = self.state.in_force
        return force.chain.max_body if force is not None else DEFAULT_MAX_BODY

    # ---- start ------------------------------------------------------------------------------

    def load(self, loader: Any) -> None:
        """Declares the one option, and stops mitmproxy from reloading the script by itself: a
        syntax error in a reloaded script would leave the proxy without its gateway."""
        loader.add_option("gateway_config", str | None, None, "The gateway.yaml to use.")
        scripts = ctx.master.addons.get("scriptloader")
        for script in scripts.addons if scripts else []:
            if script.reloadtask is not None:
                script.reloadtask.cancel()
        # A busy thread (log writer, scrape) must not hold the loop for 5 ms.
        sys.setswitchinterval(0.0005)

    def configure(self) -> None:
        """The first time starts the gateway; later it refuses what would undo it.

        Raises mitmproxy's OptionsError on a refused change, which mitmproxy rolls back.
        """
        if self.updating:
            return
        if self.started:
            found = options.faults(ctx.options, self.own)
            if found:
                raise exceptions.OptionsError("; ".join(found))
            return
        self.started = True
        try:
            self._start()
        except Unfit as unfit:
            for line in unfit.lines:
                sys.stderr.write(line + "\n")
            log.error("not started: %d problem(s), see above", len(unfit.lines))

    def _start(self) -> None:
        _speak()
        self._scrub_sinks()
        found = options.faults(ctx.options, {}) + options.overridden(ctx.options)
        if found:
            raise Unfit(found)
        loaded, rules = self._load()
        ca = self._authority(loaded)
        self.state.services = self._services(loaded, rules)
        self.state.services.metrics.condition.authority_ends(ca.not_after)
        self._force(loaded, ca)
        self._adopt(loaded, self._build(loaded, rules))
        for warning in (*loaded.warnings, *rules.warnings):
            log.warning("%s", warning)

    def _load(self) -> tuple[Loaded, Rulebook]:
        try:
            path = find(ctx.options.gateway_config, os.environ, Path.cwd())
            loaded = self._fit(load(path, os.environ))
            rules = rulebook.read(loaded)
        except ConfigError as error:
            raise Unfit([str(problem) for problem in error.problems]) from error
        beside = (*loaded.secret_files, *rules.files)
        self.upkeep.watch = Watch(loaded.path, beside) if loaded.path else None
        return loaded, rules

    def _fit(self, loaded: Loaded) -> Loaded:
        """As this process uses it. Raises: ConfigError where workers would not share limits."""
        if self.worker is None:
            return loaded
        services = self.state.services
        in_use = services.config.limits.store if services is not None else None
        return self.worker.fit(loaded, in_use)

    def _authority(self, loaded: Loaded) -> authority.Authority:
        create = loaded.config.environment == "staging"
        folder = loaded.path_of("certs")
        self.new_authority = not (folder / authority.KEY_FILE).exists()
        try:
            ca = authority.ensure(folder, create=create)
        except authority.AuthorityError as error:
            raise Unfit([str(error)]) from error
        return ca

    def _services(self, loaded: Loaded, rules: Rulebook) -> Services:
        try:
            return Services.of(loaded, rules)
        except (OSError, ValueError) as error:
            raise Unfit([str(error)]) from error

    def _force(self, loaded: Loaded, ca: authority.Authority) -> None:
        """Sets the options that the promises rest on; from now on any other value is refused."""
        own = {
            **options.FORCED,
            "confdir": str(ca.folder),
            "ssl_verify_upstream_trusted_ca": str(_trusted(loaded)),
        }
        given = [
            f"option {name}: is set by the gateway itself; take --set {name} away"
            for name in ("confdir", "ssl_verify_upstream_trusted_ca")
            if not options.is_default(ctx.options, name) and getattr(ctx.options, name) != own[name]
        ]
        if given:
            raise Unfit(given)
        self._update(own)

    def _scrub_sinks(self) -> None:
        """One filter before every sink of the log, mitmproxy's own messages included. Called again
        for sinks that have come since; a filter is added once."""
        for logger in (logging.getLogger(), log):
            for handler in logger.handlers:
                handler.addFilter(self.scrub)

    def _update(self, own: dict[str, Any]) -> None:
        known = {name: value for name, value in own.items() if name in ctx.options}
        self.updating = True
        try:
            ctx.options.update(**known)
        finally:
            self.updating = False
        self.own |= {name: known[name] for name in known if name not in options.FREE}

    def _build(self, loaded: Loaded, rules: Rulebook) -> InForce:
        services = self.state.services
        if services is None:
            raise RuntimeError("nothing to build on: the services come first")
        self.scrub.know(known_secrets(loaded.config) + other_secrets(loaded.config))
        return compile_settings(loaded, self.make(loaded, rules, services))

    def _adopt(self, loaded: Loaded, force: InForce) -> None:
        """Swaps the whole configuration; the trust in the upstream goes with it."""
        self._update({"ssl_verify_upstream_trusted_ca": str(_trusted(loaded))})
        if self.state.services is not None:
            chain = force.chain
            self.state.services.adopt(loaded.config, chain.rules, chain.redact)
        self.state.in_force, self.state.loaded = force, loaded

    async def running(self) -> None:
        """The port is open: takes out what is not needed, opens the admin port, and is ready."""
        services = self.state.services
        unknown = options.typos(ctx.options.deferred)
        for line in unknown:
            log.error("%s", line)
        if unknown or services is None:
            return
        lean.strip(ctx.master.addons)
        lean.skip_type_checks()
        self._scrub_sinks()
        try:
            opened = worker.handed([self.worker.admin])[0] if self.worker else None
            where = services.start(self.unready, opened)
        except (OSError, ValueError, NewerDatabase) as error:
            log.error("%s", error)
            return
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self.upkeep.hangup.set)
        self.upkeep.begin()
        services.holdings.start(self._look_at_budgets)
        gc.freeze()
        self.state.ready = True
        if self.new_authority:
            log.info("made a certificate authority; clients must trust certs/ca-bundle.pem")
        log.info("listening on %s, metrics on %s", self._listening(), where)
        if self.duty is not None:
            self.duty.begin()

    def _look_at_budgets(self) -> None:
        """Where each budget stands, for the metrics."""
        services, force = self.state.services, self.state.in_force
        if services is not None and force is not None:
            budgets = force.chain.budgets
            services.metrics.budgets(budgets.status(services.holdings.clock.now()))

    def _listening(self) -> str:
        server = ctx.master.addons.get("proxyserver")
        addresses = server.listen_addrs() if server else []
        shown = (f"[{host}]" if ":" in host else host for host, *_ in addresses)
        ports = (port for _, port, *_ in addresses)
        return ", ".join(f"http://{host}:{port}" for host, port in zip(shown, ports, strict=True))

    def unready(self) -> list[str]:
        """Why no call passes now, or nothing: what /readyz says."""
        reasons = [] if self.state.ready else ["starting"]
        if self.state.draining:
            reasons.append("draining")
        if self.state.services is not None:
            reasons.extend(self.state.services.unready())
        return reasons

    # ---- stop -----------------------------------------------------------------------------------

    async def done(self) -> None:
        """Takes no new calls, lets those under way end (bounded), and flushes the log."""
        self.state.draining = True
        self.upkeep.stop()
        if self.duty is not None:
            self.duty.stop()
        if self.state.services is not None:
            self.state.services.holdings.limits.waiting.drain()
        try:
            await self._drain()
        finally:
            await self._flush()

    async def _drain(self) -> None:
        await close_doors()
        until = time.monotonic() + DRAIN_S
        while self._under_way() and time.monotonic() < until:  # noqa: ASYNC110  # also a time limit
            await asyncio.sleep(0.02)

    async def _flush(self) -> None:
        """Books what is still under way, and writes what waits."""
        if self.state.services is None:
            return
        for close, held in ((cut, self.state.calls), (close_socket, self.state.sockets)):
            for exchange in list(held.values()):
                try:
                    close(self.state, exchange)
                except Exception as fault:  # noqa: BLE001  # the others' rows must be written
                    faults.report(self.state.services, "shutdown", fault, exchange.call.id)
        await self.state.services.bidding.finish(DECIDE_S)
        await self.state.services.holdings.stop()
        await asyncio.to_thread(self.state.services.close)

    def _under_way(self) -> bool:
        return any(not exchange.call.websocket for exchange in self.state.calls.values())


def _trusted(loaded: Loaded) -> Path:
    """The bundle that the upstream's certificate is held against: never the system's own."""
    named = loaded.config.upstream.ca_file
    return loaded.path_of(named) if named else Path(certifi.where())


def _speak() -> None:
    """Our own information goes to stdout; warnings and errors go mitmproxy's way."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("openai-gateway: %(message)s"))
    handler.addFilter(lambda record: record.levelno < logging.WARNING)
    log.setLevel(logging.INFO)
    log.addHandler(handler)
