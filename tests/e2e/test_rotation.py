"""Keys and authority are exchanged as docs/rotation.md tells, under load, and no call fails."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.calls import eventually
from tests.e2e.conftest import MakeGateway
from tests.support.clients import RawH1
from tests.support.fake_openai import FakeOpenAIThread
from tests.support.gateway_process import GatewayProcess, Keys, environment, fresh_keys, settings
from tests.support.load import BODY, CHAT, Caller, Load
from tests.support.relay import RelayThread
from tests.support.served import PROGRAM, Several

LONG_S = 90.0
LOADED = "openai_gateway_config_reloads_total"
REJECTED = "openai_gateway_key_rejections_total"


def secret(folder: Path, name: str, value: str) -> str:
    """A file of a secret, and the reference to it."""
    path = folder / name
    path.write_text(value)
    path.chmod(0o600)
    return f"file:{path}"


def mapping(production: list[str], staging: str) -> dict[str, Any]:
    one = {"name": "default", "production": production, "staging": staging}
    return {"keys": {"mappings": [one]}}


def put_in_force(process: GatewayProcess, config: dict[str, Any]) -> None:
    before = process.metric(LOADED, result="success")
    process.reload(config)
    assert eventually(lambda: process.metric(LOADED, result="success") > before)


def served_with(fake: FakeOpenAIThread) -> set[str]:
    return {call.first("authorization").removeprefix("Bearer ") for call in fake.requests}


@pytest.fixture
def turned() -> Callable[[Load], None]:
    """Waits until each client has called again, so that what is new was used by all."""

    def wait(load: Load) -> None:
        seen = [len(caller.statuses) for caller in load.callers]
        assert eventually(
            lambda: all(
                len(caller.statuses) > count + 2
                for caller, count in zip(load.callers, seen, strict=True)
            ),
            LONG_S,
        )

    return wait


def test_a_production_key_is_exchanged_without_a_failed_call(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys, tmp_path: Path, turned: Any
) -> None:
    process, new = make_gateway(), fresh_keys().production
    staging = "env:OPENAI_API_KEY_STAGING"
    old_ref = "env:OPENAI_API_KEY_PRODUCTION"
    new_ref = secret(tmp_path, "production.new", new)
    held = [Caller(process.way, keys.production), Caller(process.way, keys.production, keeps=False)]
    with Load(held) as load:
        turned(load)
        put_in_force(process, mapping([old_ref, new_ref], staging))  # 1. both are known
        turned(load)
        for caller in held:  # 2. clients change one after another
            caller.key = new
            turned(load)
        put_in_force(process, mapping([new_ref], staging))  # 3. the old one goes
        turned(load)
    assert (load.faults, load.refused) == ([], [])
    assert process.metric(REJECTED) == 0
    assert served_with(fake) == {keys.staging}
    with RawH1(process.way.tls()) as client:
        assert client.call("POST", CHAT, keys.production, BODY).status == 401


def test_a_staging_key_is_exchanged_without_a_failed_call(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys, tmp_path: Path, turned: Any
) -> None:
    process, new = make_gateway(), fresh_keys().staging
    fake.staging_keys.add(new)  # OpenAI has made it; the old one is still good
    production = ["env:OPENAI_API_KEY_PRODUCTION"]
    with Load([Caller(process.way, keys.production)]) as load:
        turned(load)
        put_in_force(process, mapping(production, secret(tmp_path, "staging.new", new)))
        turned(load)
        fake.staging_keys.discard(keys.staging)  # and now it is revoked
        turned(load)
    assert (load.faults, load.refused) == ([], [])
    assert served_with(fake) == {keys.staging, new}


def test_a_file_of_a_key_may_be_replaced_in_its_place(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys, tmp_path: Path, turned: Any
) -> None:
    """As a Kubernetes Secret does: gateway.yaml is not touched."""
    ref = secret(tmp_path, "staging", keys.staging)
    process = make_gateway(mapping(["env:OPENAI_API_KEY_PRODUCTION"], ref))
    new = fresh_keys().staging
    fake.staging_keys.add(new)
    with Load([Caller(process.way, keys.production)]) as load:
        turned(load)
        secret(tmp_path, "staging.beside", new)
        (tmp_path / "staging.beside").replace(tmp_path / "staging")
        assert eventually(lambda: new in served_with(fake))
    assert (load.faults, load.refused) == ([], [])


# ---- The authority ------------------------------------------------------------------------------


@pytest.fixture
def two(the_fake: FakeOpenAIThread, the_relay: RelayThread, keys: Keys) -> Iterator[Several]:
    with ExitStack() as stack:
        config = settings(the_relay.url, the_fake.ca_pem_path)
        yield stack.enter_context(Several(config, environment(keys)))


def command(folder: Path, *words: str) -> None:
    program = [sys.executable, "-c", PROGRAM, *words]
    subprocess.run(program, cwd=folder, check=True, capture_output=True)  # noqa: S603 - our own


def test_the_authority_is_exchanged_without_a_failed_call(
    two: Several, fake: FakeOpenAIThread, keys: Keys, turned: Any
) -> None:
    del fake
    certs = two.folder / "certs"
    old = certs / "old-ca.pem"
    old.write_bytes((certs / "gateway-ca.pem").read_bytes())
    command(two.folder, "ca", "create", "--certs", "certs/next")
    both = two.folder / "both.pem"
    both.write_bytes(old.read_bytes() + (certs / "next/ca-bundle.pem").read_bytes())
    way = replace(two.way, ca_file=both)  # clients know both before anything changes
    with Load([Caller(way, keys.production), Caller(way, keys.production, keeps=False)]) as load:
        turned(load)
        (certs / "next/mitmproxy-ca.pem").replace(certs / "mitmproxy-ca.pem")
        two.signal(signal.SIGHUP)
        assert eventually(lambda: "all workers were replaced" in two.output(), 2 * LONG_S)
        turned(load)
    assert (load.faults, load.refused) == ([], [])
    new = (certs / "gateway-ca.pem").read_bytes()
    assert new == (certs / "next/gateway-ca.pem").read_bytes()
    assert new in (certs / "ca-bundle.pem").read_bytes()
    with RawH1(two.way.tls()) as client:  # clients with the new one alone
        assert client.call("POST", CHAT, keys.production, BODY).status == 200
    with pytest.raises(OSError, match="certificate verify failed"):
        replace(two.way, ca_file=old).tls()
