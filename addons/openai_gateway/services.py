"""What outlives a reload: the metrics, the call log, the admin port, the keys minted so far."""

import platform
import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Final

from openai_gateway import __version__
from openai_gateway.accounting import bodies
from openai_gateway.accounting.bidding import Bidding, told
from openai_gateway.accounting.bodies import Redact
from openai_gateway.accounting.charges import DurableCharged
from openai_gateway.accounting.record import row
from openai_gateway.accounting.retention import Keep
from openai_gateway.accounting.writer import LogWriter, Policy
from openai_gateway.api.endpoints import EndpointTable
from openai_gateway.config.load import Loaded
from openai_gateway.config.model import Config
from openai_gateway.config.rules import rule_file
from openai_gateway.config.store_url import MEMORY, parse
from openai_gateway.core.call import Call
from openai_gateway.core.clock import SystemClock
from openai_gateway.core.secret import Secret
from openai_gateway.holdings import Holdings, holdings
from openai_gateway.keys.minted import Minted
from openai_gateway.rulebook import Rulebook
from openai_gateway.telemetry.admin import Admin
from openai_gateway.telemetry.labels import Labels
from openai_gateway.telemetry.metrics import Metrics, Versions
from openai_gateway.telemetry.server import Tls

CLOSE_S: Final = 5.0
MOST_MINTED: Final = 10_000


@dataclass(slots=True)
class Services:
    """One process's sinks and memories; `config` is the one it started with."""

    config: Config
    loaded: Loaded
    endpoints: EndpointTable
    charged: DurableCharged
    bidding: Bidding
    metrics: Metrics
    log: LogWriter
    minted: Minted
    holdings: Holdings
    admin: Admin | None = None

    @classmethod
    def of(cls, loaded: Loaded, rules: Rulebook) -> "Services":
        """Builds them for the first configuration, started not yet.

        Raises: DatabaseFault, StoreUrlFault, OSError or ValueError for endpoints that cannot be
        read.
        """
        config = loaded.config
        endpoints = EndpointTable.load(rule_file(loaded.root, "rules/endpoints.yaml"))
        labels = labels_of(config, endpoints, rules.prices.names)
        versions = Versions(__version__, version("mitmproxy"), platform.python_version())
        said = config.metrics
        metrics = Metrics(labels, versions, said.max_series, said.gen_ai)
        log = LogWriter(
            config.log.database.secret.reveal(),
            loaded.root,
            metrics.log_records,
            policy_of(config),
            body_counts=metrics.log_bodies,
        )
        metrics.watch_queue(log.waiting)
        minted = Minted(SystemClock(), MOST_MINTED)
        held = holdings(config, log.spend, metrics)
        charged = DurableCharged(log)
        bidding = Bidding(charged)
        return cls(config, loaded, endpoints, charged, bidding, metrics, log, minted, held)

    def start(self, unready: Callable[[], list[str]], opened: socket.socket | None = None) -> str:
        """Opens the log and the admin port, which may be `opened` already; gives its address.

        Raises: NewerDatabase; OSError naming the address that is taken.
        """
        self.log.start()
        self.metrics.condition.watch_ready(unready)
        listen = self.config.metrics
        self.admin = Admin(
            (address_of(listen.listen.host), listen.listen.port),
            self.metrics.registry,
            unready,
            listen.token.secret if listen.token else None,
            self._tls(),
            opened,
        )
        host, port = self.admin.start()
        scheme = "https" if listen.tls else "http"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"

    def _tls(self) -> Tls | None:
        tls = self.config.metrics.tls
        if tls is None:
            return None
        path = self.loaded.path_of
        client_ca = path(tls.client_ca) if tls.client_ca else None
        return Tls(path(tls.cert), path(tls.key), client_ca)

    def adopt(self, config: Config, rules: Rulebook, redact: Redact) -> None:
        """Takes over what a configuration may change while it runs."""
        self.metrics.labels = labels_of(config, self.endpoints, rules.prices.names)
        self.metrics.condition.prices_of(rules.prices.as_of)
        self.log.policy, self.log.redact = policy_of(config), redact
        self.holdings.alerts.proxy = config.upstream.proxy

    def needs_restart(self, new: Config) -> list[str]:
        """What of a new configuration takes effect after a restart."""
        old = self.config
        pairs = {
            "environment": (old.environment, new.environment),
            "log.database": (old.log.database, new.log.database),
            "limits.store": (old.limits.store, new.limits.store),
            "limits.on_store_error": (old.limits.on_store_error, new.limits.on_store_error),
            "limits.instances": (old.limits.instances, new.limits.instances),
            "metrics.listen": (old.metrics.listen, new.metrics.listen),
            "metrics.token": (old.metrics.token, new.metrics.token),
            "metrics.tls": (old.metrics.tls, new.metrics.tls),
            "metrics.max_series": (old.metrics.max_series, new.metrics.max_series),
            "metrics.gen_ai": (old.metrics.gen_ai, new.metrics.gen_ai),
        }
        return [name for name, (before, after) in pairs.items() if before != after]

    def begun(self, call: Call) -> None:
        """The call leaves for the upstream."""
        self.metrics.began(call)

    def ended(self, call: Call) -> None:
        """What was under way beyond its row, an open socket, has ended."""
        self.metrics.ended(call)

    def record(self, call: Call, won: Callable[[Call], None] = lambda _: None) -> None:
        """The call has ended: its numbers and its row, once. `won` gets the call as it is charged,
        where that is decided later."""
        try:
            self.metrics.record(call)
        finally:
            if call.bill is not None and call.waits:
                self.log.put_charge(call.bill[0], False, told(call.waits))
            kept = bodies.of(call, self.log.policy.bodies_max_bytes)
            bid = self.bidding.bid(call, partial(self._won, won))
            self.log.put(row(call), kept, bid)

    def _won(self, won: Callable[[Call], None], call: Call) -> None:
        self.metrics.bill(call)
        won(call)

    def unready(self) -> list[str]:
        """What is in the way of serving well."""
        healthy, fault = self.log.healthy()
        return [] if healthy else [fault]

    def release(self) -> None:
        """Leaves the admin port to another process."""
        if self.admin is not None:
            self.admin.release()

    def close(self) -> None:
        """Writes what waits, within CLOSE_S, and closes the admin port."""
        self.log.close(CLOSE_S)
        if self.admin is not None:
            self.admin.stop()


def labels_of(config: Config, endpoints: EndpointTable, models: frozenset[str]) -> Labels:
    """The closed sets of label values under this configuration."""
    keys = frozenset(mapping.name for mapping in config.keys.mappings)
    return Labels(endpoints.names(), keys, models)


def policy_of(config: Config) -> Policy:
    """What the call log keeps."""
    log = config.log
    return Policy(
        log.calls,
        Keep(log.retention_days, log.max_rows),
        log.bodies,
        log.bodies_max_bytes,
        Keep(log.bodies_retention_days, 2 * log.max_rows),
    )


def known_secrets(config: Config) -> list[Secret]:
    """Every key that the configuration knows by value: for masking and scrubbing."""
    found = [
        identity.secret
        for mapping in config.keys.mappings
        for identity in mapping.production
        if identity.secret is not None
    ]
    found += [mapping.staging.secret for mapping in config.keys.mappings if mapping.staging]
    return found


def other_secrets(config: Config) -> list[Secret]:
    """Secrets beside the keys that no log line may show."""
    found = [reference.secret for reference in config.clients.credentials.values()]
    proxy, token = config.upstream.proxy, config.metrics.token
    if proxy is not None and proxy.auth is not None:
        found.append(proxy.auth.secret)
    if token is not None:
        found.append(token.secret)
    found += [budget.webhook.secret for budget in config.budgets if budget.webhook is not None]
    found += [reference.secret for reference in config.alerts.webhooks]
    store = config.limits.store.secret
    if store.reveal() != MEMORY:
        found += (store, *parse(store.reveal()).passwords)
    return found


def address_of(host: str) -> str:
    """The one name that metrics.listen may hold, as an address."""
    return "127.0.0.1" if host == "localhost" else host
