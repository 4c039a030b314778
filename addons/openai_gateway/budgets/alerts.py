"""Tells people that a budget has reached a share of its limit: one POST a threshold and period to
each webhook.

It was claimed in the store before it came here, so no other gateway tells the same. Before it goes
it must be written down, so that nobody tells it again after a restart.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

import orjson

from openai_gateway.budgets.ledger import Reached
from openai_gateway.budgets.period import told
from openai_gateway.budgets.post import NotSent, post
from openai_gateway.budgets.rule import NANO_PER_USD
from openai_gateway.config.places import Proxy
from openai_gateway.core.money import dollars
from openai_gateway.core.secret import Secret

WAITING_MAX: Final = 1000
AT_ONCE: Final = 8
BACKOFF_S: Final = (1.0, 5.0)
# A database that is dead must not keep an alert back for longer.
WRITTEN_S: Final = 3.0
LOOK_S: Final = 0.1

log: Final = logging.getLogger("openai_gateway")

type Post = Callable[[Secret, bytes, Proxy | None], Awaitable[None]]
type Pause = Callable[[float], Awaitable[None]]


class Counts(Protocol):
    """Where it is counted what became of alerts: `sent` or `failed`, each once."""

    def add(self, result: str, rows: int) -> None: ...


class Alerts:
    """Those under way, each in a task of its own: one webhook that hangs holds up no other.

    `proxy`, the way out, may be replaced at any time.
    """

    def __init__(
        self,
        counts: Counts,
        environment: str,
        proxy: Proxy | None = None,
        send: Post = post,
        pause: Pause = asyncio.sleep,
    ) -> None:
        self.proxy = proxy
        self._counts = counts
        self._environment = environment
        self._send = send
        self._pause = pause
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    def put(self, reached: Reached) -> None:
        """Logs it, and has it sent to the budget's webhooks. Never waits."""
        said = message(reached, self._environment)
        log.warning("%s", said["text"])
        webhooks = tuple(dict.fromkeys(reached.rule.webhooks))
        if not webhooks:
            return
        if len(self._tasks) >= WAITING_MAX:
            self._counts.add("failed", 1)
            return
        work = self._deliver(reached, webhooks, orjson.dumps(said))
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self, within_s: float = 1.0) -> None:
        """Waits for those under way, within the time; what is left then is counted as failed."""
        if not self._tasks:
            return
        _, left = await asyncio.wait(set(self._tasks), timeout=within_s)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        if left:
            self._counts.add("failed", len(left))
            log.error("alerts: %d could not be sent before the end", len(left))

    async def _deliver(self, reached: Reached, webhooks: Sequence[Secret], body: bytes) -> None:
        """An alert is sent where every webhook has taken it."""
        waited_s = 0.0
        while not reached.kept() and waited_s < WRITTEN_S:
            await self._pause(LOOK_S)
            waited_s += LOOK_S
        budget = reached.rule.name
        sent = await asyncio.gather(*(self._sent(budget, one, body) for one in webhooks))
        self._counts.add("sent" if all(sent) else "failed", 1)

    async def _sent(self, budget: str, webhook: Secret, body: bytes) -> bool:
        async with self._turns:
            for pause_s in (*BACKOFF_S, None):
                try:
                    await self._send(webhook, body, self.proxy)
                except NotSent as error:
                    log.warning("alert of budget %s: the webhook was not told (%s)", budget, error)
                else:
                    return True
                if pause_s is not None:
                    await self._pause(pause_s)
        return False


def message(reached: Reached, environment: str) -> dict[str, object]:
    """The JSON that a webhook gets; `text` is what Slack shows."""
    rule, resets = reached.rule, told(reached.resets_at)
    when = f"It begins anew at {resets}." if resets else "It has no end."
    return {
        "text": (
            f"Budget {rule.name} ({environment}) has reached {float(reached.share):.4g} times its "
            f"limit: {dollars(reached.spent)} of {dollars(reached.limit)} "
            f"{_within(rule.period)}. {when}"
        ),
        "budget": rule.name,
        "threshold": float(reached.share),
        "spent_usd": reached.spent / NANO_PER_USD,
        "limit_usd": reached.limit / NANO_PER_USD,
        "period": rule.period,
        "resets_at": resets,
        "environment": environment,
    }


def _within(period: str) -> str:
    return "in total" if period == "total" else f"in this {period}"
