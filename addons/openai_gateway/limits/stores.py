"""Opens the store that `limits.store` names. It may be away: that is the policy's matter, later."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from openai_gateway.config.store_url import MEMORY, StoreUrlFault, read
from openai_gateway.core.clock import Clock
from openai_gateway.limits.failing import Guarded, Policy
from openai_gateway.limits.limit import Store
from openai_gateway.limits.memory import Memory


class Scripts(Protocol):
    """What runs Lua in the shared store, for budgets too. See limits/redis.py."""

    async def run(self, script: str, keys: list[bytes], arguments: list[str | int]) -> Any: ...


@dataclass(frozen=True, slots=True)
class Opened:
    """The store, and the way to run other scripts in it where it is shared."""

    store: Store
    scripts: Scripts | None = None


def open_store(
    url: str,
    environment: str,
    policy: Policy,
    instances: int,
    clock: Clock,
    count: Callable[[str], None],
) -> Opened:
    """The store of this environment; `count` hears the policy's name for each unanswered question.

    Raises: StoreUrlFault for a URL that names none, a missing file of TLS, a missing driver.
    """
    if url == MEMORY:
        return Opened(Memory(clock))
    address = read(url)
    try:
        from openai_gateway.limits.redis import RedisStore
        from openai_gateway.limits.redis import Scripts as RedisScripts
    except ImportError as error:
        raise StoreUrlFault(
            "Redis needs its driver; pip install 'openai-gateway[redis]'"
        ) from error
    scripts = RedisScripts(address)
    store = RedisStore(scripts, environment)
    return Opened(Guarded(store, policy, instances, clock, count), scripts)
