"""Several gateways on one Redis and one PostgreSQL, and what all of them together have done."""

import concurrent.futures
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from sqlalchemy import NullPool, create_engine, text

from tests.support.clients import RawH1, Reply
from tests.support.gateway_process import GatewayProcess, Keys

NANO = 10**9
AT_ONCE = 12
UNAVAILABLE = 503
PAUSES_S = (0.3, 0.6, 1.2, 2.4)
CHAT = "/v1/chat/completions"


@dataclass(frozen=True, slots=True)
class Several:
    """`database` is the URL of what they share."""

    gateways: Sequence[GatewayProcess]
    database: str
    keys: Keys

    def call(self, number: int, target: str, body: bytes = b"", method: str = "POST") -> Reply:
        """On a connection of its own, through the gateway whose turn it is. As SDKs do, it is tried
        again where the store did not answer: a busy machine may keep an answer for 250 ms."""
        for pause_s in PAUSES_S:
            with RawH1(self.gateways[number % len(self.gateways)].way.tls()) as client:
                reply = client.call(method, target, self.keys.production, body)
            if reply.status != UNAVAILABLE:
                break
            time.sleep(pause_s)
        return reply

    def at_once(self, count: int, body: Callable[[int], bytes]) -> list[Reply]:
        """So many chat calls, AT_ONCE of them at a time, by turns."""
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(lambda one: self.call(one, CHAT, body(one)), range(count)))

    def unheard(self) -> int:
        """How many of the store's answers were not heard: it may have counted those calls."""
        return int(self.metric("store_errors_total"))

    def metric(self, name: str, **labels: str) -> float:
        """Over all gateways."""
        return sum(one.metric(f"openai_gateway_{name}", **labels) for one in self.gateways)

    def nano(self, name: str, **labels: str) -> int:
        """A metric in dollars, in nano-dollars."""
        return round(self.metric(name, **labels) * NANO)

    def ask(self, query: str, **named: object) -> Any:
        """The first value that the query finds."""
        with (
            closing(create_engine(self.database, poolclass=NullPool).connect()) as connection,
            connection.begin(),
        ):
            return connection.scalar(text(query), named)

    def cost(self, model: str) -> int:
        """The sum of the rows of this model, as the answers named it."""
        query = "SELECT coalesce(sum(cost_nano_usd), 0) FROM calls WHERE model_response = :model"
        return int(self.ask(query, model=model))

    def spent(self, budget: str) -> int:
        """What the table of spend holds."""
        query = "SELECT coalesce(sum(spent_nano_usd), 0) FROM spend WHERE budget = :budget"
        return int(self.ask(query, budget=budget))

    def row(self, reply: Reply, seconds: float = 5.0) -> dict[str, Any]:
        """The row of a call."""
        limit = time.monotonic() + seconds
        while True:
            with closing(create_engine(self.database, poolclass=NullPool).connect()) as connection:
                query = text("SELECT * FROM calls WHERE id = :id")
                named = {"id": reply.first("x-gateway-request-id")}
                if found := connection.execute(query, named).mappings().first():
                    return dict(found)
            assert time.monotonic() < limit, f"no row {named}"
            time.sleep(0.05)
