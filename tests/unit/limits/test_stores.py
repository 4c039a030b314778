"""Which store a configuration opens."""

from pathlib import Path

import pytest

from openai_gateway.config.store_url import StoreUrlFault
from openai_gateway.core.clock import SystemClock
from openai_gateway.limits.failing import Guarded
from openai_gateway.limits.memory import Memory
from openai_gateway.limits.stores import Opened, open_store


def opened(url: str) -> Opened:
    return open_store(url, "staging", "local", 1, SystemClock(), lambda _: None)


def test_memory_is_asked_without_a_task() -> None:
    found = opened("memory")
    assert isinstance(found.store, Memory)
    assert found.scripts is None


@pytest.mark.parametrize(
    "url",
    [
        "redis://127.0.0.1:1/0",
        "rediss://gw:FAKE@127.0.0.1:1/0",
        "redis+sentinel://127.0.0.1:1,127.0.0.1:2/main/0",
        "rediss+sentinel://127.0.0.1:1/main?sentinel_password=FAKE",
        "redis+cluster://127.0.0.1:1,127.0.0.1:2",
        "rediss+cluster://gw:FAKE@127.0.0.1:1",
    ],
)
async def test_a_shared_store_is_guarded_and_may_be_away(url: str) -> None:
    pytest.importorskip("redis")
    found = opened(url)
    assert isinstance(found.store, Guarded)
    assert found.scripts is not None
    await found.store.close()


def test_a_file_of_tls_that_is_not_there_is_told_at_the_start(tmp_path: Path) -> None:
    missing = tmp_path / "ca.pem"
    with pytest.raises(StoreUrlFault, match="ssl_ca_certs is no file"):
        opened(f"rediss://cache?ssl_ca_certs={missing}")


def test_a_bad_url_is_told_at_the_start() -> None:
    with pytest.raises(StoreUrlFault, match="is none of memory"):
        opened("memcached://cache")
