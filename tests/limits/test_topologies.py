"""One Redis, one behind Sentinels, a cluster: limits and budgets, by the URL of gateway.yaml.

Every server is a real one; the one node of the cluster holds all slots, and refuses a script whose
keys lie in several, as any node does.
"""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing

import pytest

from openai_gateway.budgets.redis import RedisSpend
from openai_gateway.budgets.store import Account, Ask, Bill, Override
from openai_gateway.config.load import read
from openai_gateway.core.clock import SystemClock
from openai_gateway.limits.failing import StoreUnavailable
from openai_gateway.limits.limit import Admission, Kind, StoreFault
from openai_gateway.limits.stores import Opened, open_store
from tests.limits.rig import ask, limit, told
from tests.limits.server import Server, free_port

SLOTS = 16_384
KINDS: tuple[Kind, ...] = ("rpm", "tpm", "rpd", "tpd", "ipm", "concurrency")
ENV = {"OPENAI_API_KEY_PRODUCTION": "sk-FAKE-production", "OPENAI_API_KEY_STAGING": "sk-FAKE"}
TEAM = Account("team", "day", 1_764_000_000, 4_000_000_000)
ALL = Account("all", "total", 0, None)


@pytest.fixture
def cluster(server: Server) -> Iterator[Server]:
    """One node that holds every slot."""
    del server
    made = Server("--cluster-enabled", "yes")
    try:
        made.tell("CLUSTER", "ADDSLOTS", *(str(slot) for slot in range(SLOTS)))
        end = time.monotonic() + 10
        while b"cluster_state:ok" not in made.tell("CLUSTER", "INFO"):
            assert time.monotonic() < end, "the cluster did not come up"
            time.sleep(0.05)
        yield made
    finally:
        made.remove()


@pytest.fixture
def lone(server: Server) -> Iterator[Server]:
    """A server that holds nothing else."""
    del server
    made = Server()
    yield made
    made.remove()


@pytest.fixture
def sentinel(lone: Server) -> Iterator[Server]:
    """A Sentinel that watches it, under the name `main`."""
    made = Server("--sentinel", conf=f"sentinel monitor main 127.0.0.1 {lone.port} 1")
    yield made
    made.remove()


@pytest.fixture(params=["single", "sentinel", "cluster"])
def place(request: pytest.FixtureRequest) -> tuple[str, Server]:
    """A URL, and the server that holds the keys."""
    if request.param == "cluster":
        node = request.getfixturevalue("cluster")
        return f"redis+cluster://127.0.0.1:{free_port()},127.0.0.1:{node.port}", node
    lone = request.getfixturevalue("lone")
    if request.param == "single":
        return lone.url, lone
    watcher = request.getfixturevalue("sentinel")
    # the first of the Sentinels is down
    return f"redis+sentinel://127.0.0.1:{free_port()},127.0.0.1:{watcher.port}/main/0", lone


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Opened]:
    """As a gateway opens it whose gateway.yaml says so; a store that fails refuses."""
    said = read(f"keys: {{}}\nlimits: {{store: '{url}', on_store_error: closed}}\n", ENV).config
    found = open_store(
        said.limits.store.secret.reveal(), "staging", said.limits.on_store_error,
        said.limits.instances, SystemClock(), lambda _: None,
    )  # fmt: skip
    try:
        yield found
    finally:
        await found.store.close()


def spend(found: Opened) -> RedisSpend:
    assert found.scripts is not None
    return RedisSpend(found.scripts, "staging", (OSError, StoreFault))


async def take(found: Opened, lease: str) -> Admission:
    return await told(found.store.take([ask(kind, 3) for kind in KINDS], lease))


async def test_limits_hold_over_two_gateways(place: tuple[str, Server]) -> None:
    url, _ = place
    async with opened(url) as one, opened(url) as other:
        calls = [await take(found, str(n)) for n, found in enumerate((one, other, one, other))]
        assert [call.admitted for call in calls] == [True, True, True, False]
        await told(one.store.adjust([ask("tpm", 3, -1)], "0"))
        await told(one.store.renew([limit("concurrency", 3)], "0"))
        await told(one.store.release([limit("concurrency", 3)], "0"))
        looked = await told(other.store.peek([limit(kind, 3) for kind in KINDS]))
        assert [state.remaining for state in looked] == [0, 1, 0, 0, 0, 1]


async def test_budgets_hold_over_two_gateways_at_the_same_url(place: tuple[str, Server]) -> None:
    url, _ = place
    async with opened(url) as here, opened(url) as there:
        one, other = spend(here), spend(there)
        assert (await one.reserve([Ask(TEAM, 60, 100), Ask(ALL, 60, None)], "a")).admitted
        refused = await other.reserve([Ask(TEAM, 60, 100), Ask(ALL, 60, None)], "b")
        assert not refused.admitted
        await one.settle([Bill(TEAM, 10), Bill(ALL, 10)], "a")
        await one.override(Override("team", 500, 4_000_000_000, "ops", 1_764_000_000))
        assert (await other.reserve([Ask(TEAM, 60, 100), Ask(ALL, 60, None)], "b")).admitted
        await other.renew({"b": [TEAM, ALL]})
        assert [balance.spent for balance in await other.read([TEAM, ALL])] == [10, 10]
        assert [said.limit for said in await other.overrides()] == [500]


async def test_all_keys_of_limits_and_budgets_lie_in_one_slot(cluster: Server) -> None:
    async with opened(f"redis+cluster://127.0.0.1:{cluster.port}") as found:
        await take(found, "a")
        await spend(found).reserve([Ask(TEAM, 60, 100), Ask(ALL, 60, None)], "a")
        # six buckets, and two keys of each account
        slot = cluster.tell("CLUSTER", "KEYSLOT", "{gw}")[1:].strip().decode()
        assert cluster.tell("DBSIZE") == b":10\r\n"
        assert cluster.tell("CLUSTER", "COUNTKEYSINSLOT", slot) == b":10\r\n"


async def test_a_burst_is_no_failure(place: tuple[str, Server]) -> None:
    url, _ = place
    async with opened(url) as found:
        asked = [ask("rpd", 200), ask("concurrency", 10**6)]
        takes = [told(found.store.take(asked, str(number))) for number in range(300)]
        assert sum(call.admitted for call in await asyncio.gather(*takes)) == 200


async def test_a_server_that_was_away_is_used_again(place: tuple[str, Server]) -> None:
    """The contract's 5 s; as much again for a machine that is busy."""
    url, node = place
    async with opened(url) as found:
        assert (await take(found, "a")).admitted
        node.kill()
        with pytest.raises(StoreUnavailable):
            await take(found, "b")
        await asyncio.to_thread(node.start)
        await until_it_answers(found)
        assert (await told(found.store.peek([limit("rpm", 3)])))[0].remaining < 3


@pytest.fixture
def mute() -> Iterator[int]:
    """The port of a host that takes connections and says nothing."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        yield listener.getsockname()[1]


async def test_a_silent_sentinel_does_not_hide_the_next(mute: int, sentinel: Server) -> None:
    async with opened(f"redis+sentinel://127.0.0.1:{mute},127.0.0.1:{sentinel.port}/main") as found:
        await until_it_answers(found)


async def test_a_silent_node_does_not_hide_the_next(mute: int, cluster: Server) -> None:
    async with opened(f"redis+cluster://127.0.0.1:{mute},127.0.0.1:{cluster.port}") as found:
        await until_it_answers(found)


async def until_it_answers(found: Opened) -> None:
    async with asyncio.timeout(10):
        while not await answers(found):  # noqa: ASYNC110  # tells nobody
            await asyncio.sleep(0.05)


async def answers(found: Opened) -> bool:
    try:
        return (await take(found, "c")).admitted
    except StoreUnavailable:
        return False


async def test_a_service_that_the_sentinels_do_not_know_is_a_fault(sentinel: Server) -> None:
    async with opened(f"redis+sentinel://127.0.0.1:{sentinel.port}/other") as found:
        assert found.scripts is not None
        with pytest.raises(StoreFault, match="No master found"):
            await found.scripts.run("return 1", [b"{gw}"], [])
