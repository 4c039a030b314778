"""What an end-to-end test stands on: the fake OpenAI, the relay before it, real gateways."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.e2e.calls import IN_PROGRESS, eventually
from tests.support.clients import Way
from tests.support.fake_openai import FakeOpenAIThread
from tests.support.gateway_process import (
    GatewayProcess,
    Keys,
    environment,
    fresh_keys,
    merged,
    settings,
)
from tests.support.relay import RelayThread, to_fake

type MakeGateway = Callable[..., GatewayProcess]


@pytest.fixture(scope="session")
def keys() -> Keys:
    """One production and one staging key for the run."""
    return fresh_keys()


@pytest.fixture(scope="session")
def the_fake(keys: Keys) -> Iterator[FakeOpenAIThread]:
    with FakeOpenAIThread(staging_keys={keys.staging}) as fake:
        yield fake


@pytest.fixture(scope="session")
def the_relay(the_fake: FakeOpenAIThread) -> Iterator[RelayThread]:
    with RelayThread(to_fake(the_fake.port)) as relay:
        yield relay


@pytest.fixture
def fake(the_fake: FakeOpenAIThread, keys: Keys) -> Iterator[FakeOpenAIThread]:
    """The fake OpenAI, which remembers nothing of the test before."""
    the_fake.reset()
    the_fake.staging_keys.clear()
    the_fake.staging_keys.add(keys.staging)
    yield the_fake
    the_fake.reset()


@pytest.fixture
def relay(the_relay: RelayThread) -> Iterator[RelayThread]:
    """The corporate proxy on the way to the fake."""
    the_relay.reset()
    yield the_relay
    the_relay.reset()


@pytest.fixture(scope="module")
def gateway(
    the_fake: FakeOpenAIThread, the_relay: RelayThread, keys: Keys
) -> Iterator[GatewayProcess]:
    """One gateway for the tests of a module, with the default configuration."""
    config = settings(the_relay.url, the_fake.ca_pem_path)
    with GatewayProcess(config, environment(keys)) as process:
        yield process


@pytest.fixture
def way(gateway: GatewayProcess, fake: FakeOpenAIThread, relay: RelayThread) -> Iterator[Way]:
    """Through the module's gateway; no call may be under way when the test has ended."""
    del fake, relay  # emptied before the test
    yield gateway.way
    assert eventually(lambda: gateway.metric(IN_PROGRESS) == 0)


@pytest.fixture
def make_gateway(
    the_fake: FakeOpenAIThread, the_relay: RelayThread, keys: Keys
) -> Iterator[MakeGateway]:
    """make_gateway({"keys": {...}}, env={...}, script=…, args=…): a gateway of the test's own."""
    with ExitStack() as stack:

        def make(
            config: dict[str, Any] | None = None, env: dict[str, str] | None = None, **how: Any
        ) -> GatewayProcess:
            whole = merged(settings(the_relay.url, the_fake.ca_pem_path), config or {})
            process = GatewayProcess(whole, {**environment(keys), **(env or {})}, **how)
            return stack.enter_context(process)

        yield make
