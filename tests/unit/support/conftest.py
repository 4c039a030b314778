"""The fake and the relay, reached by the raw clients without any gateway between."""

from collections.abc import Iterator

import pytest

from tests.support.clients import Way
from tests.support.fake_openai import FakeOpenAIThread
from tests.support.gateway_process import fresh_keys
from tests.support.relay import RelayThread, to_fake

KEY = fresh_keys().staging


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[FakeOpenAIThread, RelayThread]]:
    with FakeOpenAIThread({KEY}) as fake, RelayThread(to_fake(fake.port)) as relay:
        yield fake, relay


@pytest.fixture
def fake(running: tuple[FakeOpenAIThread, RelayThread]) -> FakeOpenAIThread:
    running[0].reset()
    return running[0]


@pytest.fixture
def relay(running: tuple[FakeOpenAIThread, RelayThread]) -> RelayThread:
    running[1].reset()
    return running[1]


@pytest.fixture
def key() -> str:
    return KEY


@pytest.fixture
def way(fake: FakeOpenAIThread, relay: RelayThread) -> Way:
    """Straight to the fake through the relay."""
    return Way(relay.url, fake.ca_pem_path, wait_s=3)
