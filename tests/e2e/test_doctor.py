"""`openai-gateway doctor` as users run it, beside a gateway that is right, and beside none."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import openai_gateway
from openai_gateway.doctor.probes import ORDER
from openai_gateway.host.authority import ensure
from tests.e2e.conftest import MakeGateway
from tests.support.fake_openai import FakeOpenAIThread
from tests.support.gateway_process import (
    ROOT,
    GatewayProcess,
    Keys,
    environment,
    merged,
    settings,
)
from tests.support.relay import RelayThread

CHAT = "/v1/chat/completions"
MAIN = "from openai_gateway.cli.main import main; main()"
PLACE = Path(openai_gateway.__file__).parents[1]

type Found = Mapping[str, Mapping[str, str]]


def doctor(
    gateway: GatewayProcess, keys: Keys, *more: str, env: Mapping[str, str] | None = None
) -> tuple[Found, int]:
    """By id, and the exit code; in a shell as the README tells a client's to be."""
    listen = f"127.0.0.1:{gateway.port}"
    named = ["--config", str(gateway.config_path), "--listen", listen, "--json", *more]
    shell = {**gateway.client_env(keys.production), **environment(keys), **(env or {})}
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", MAIN, "doctor", *named],
        env={**shell, "PYTHONPATH": str(PLACE)},
        cwd="/", capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    for secret in (keys.production, keys.staging, *(env or {}).values()):
        assert secret not in done.stdout + done.stderr
    assert done.stderr == ""
    return {one["id"]: one for one in json.loads(done.stdout)}, done.returncode


def statuses(found: Found, *without: str) -> dict[str, str]:
    return {name: one["status"] for name, one in found.items() if name not in without}


def test_a_right_set_up_passes_everything(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, relay: RelayThread, keys: Keys
) -> None:
    del relay
    fake.knobs.add(CHAT, event_delay_s=0.05)
    gateway = make_gateway()
    found, code = doctor(gateway, keys, "--calls")
    assert statuses(found) == dict.fromkeys(ORDER, "pass"), found
    assert code == 0
    row = next(row for row in gateway.rows(4) if row["outcome"] == "forwarded")
    assert row["id"] in found["swap"]["evidence"]
    # what left: one call of `upstream` without a key, two through the gateway with the staging key
    sent = [(one.method, one.path, one.first("authorization")) for one in fake.requests]
    swapped = f"Bearer {keys.staging}"
    assert sorted(sent) == [
        ("GET", "/v1/models", ""),
        ("GET", "/v1/models", swapped),
        ("POST", CHAT, swapped),
    ]


def test_without_calls_nothing_leaves_with_a_key(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, relay: RelayThread, keys: Keys
) -> None:
    del relay
    found, code = doctor(make_gateway(), keys)
    assert statuses(found, "streams") == dict.fromkeys(set(ORDER) - {"streams"}, "pass"), found
    assert (found["streams"]["status"], code) == ("unknown", 0)
    assert [one.first("authorization") for one in fake.requests] == [""]


def test_a_stream_that_comes_at_once_fails(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, relay: RelayThread, keys: Keys
) -> None:
    del relay
    fake.knobs.add(CHAT, one_piece=True)
    found, code = doctor(make_gateway(), keys, "--calls")
    assert (found["streams"]["status"], code) == ("fail", 1)


def test_with_clients_credentials_it_gives_one(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, relay: RelayThread, keys: Keys
) -> None:
    del fake, relay
    secret = {"CI_SECRET": "hunter22FAKE"}
    gateway = make_gateway({"clients": {"credentials": {"ci": "env:CI_SECRET"}}}, secret)
    found, _ = doctor(gateway, keys, env=secret)
    for name in ("ports", "swap", "leaks"):
        assert found[name]["status"] == "pass", found[name]


def test_where_unknown_keys_are_stood_in_for_no_made_up_key_leaves(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, relay: RelayThread, keys: Keys
) -> None:
    del relay
    found, _ = doctor(make_gateway({"keys": {"unknown": "default"}}), keys)
    assert (found["swap"]["status"], found["keys"]["status"]) == ("pass", "warn")
    assert [one.first("authorization") for one in fake.requests] == [""]


@pytest.mark.parametrize("mode", ["off", "observe"])
def test_leaks_that_are_not_stopped_warn_and_are_not_tried(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, relay: RelayThread, keys: Keys, mode: str
) -> None:
    del relay
    found, code = doctor(make_gateway({"leaks": {"mode": mode}}), keys)
    assert (found["leaks"]["status"], code) == ("warn", 0)
    assert [one.path for one in fake.requests] == ["/v1/models"]


@contextmanager
def idle(fake: FakeOpenAIThread, relay: RelayThread, keys: Keys) -> Iterator[GatewayProcess]:
    """mitmdump in the gateway's place, with the same CA: looks alive and does nothing."""
    gateway = GatewayProcess(
        settings(relay.url, fake.ca_pem_path),
        {**environment(keys), "PYTHONPATH": os.pathsep.join((str(PLACE), str(ROOT)))},
        script=ROOT / "tests" / "support" / "idle_gateway.py",
    )
    with gateway as process:
        yield process


def test_a_plain_mitmdump_in_the_gateways_place_fails_and_gets_no_key(
    fake: FakeOpenAIThread, relay: RelayThread, keys: Keys
) -> None:
    with idle(fake, relay, keys) as process:
        found, code = doctor(process, keys, "--calls")
    assert code == 1
    for name in ("swap", "leaks", "ports"):
        assert found[name]["status"] == "fail", found[name]
    assert "went through" in found["swap"]["evidence"]
    assert found["streams"]["status"] == "unknown"
    sent = fake.received_bytes()
    assert keys.production.encode() not in sent
    assert keys.staging.encode() not in sent
    assert {one.path for one in fake.requests} == {"/v1/models"}


def test_one_under_another_ca_fails_and_gets_no_key(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, relay: RelayThread, keys: Keys
) -> None:
    del relay
    gateway = make_gateway()
    shutil.rmtree(gateway.folder / "certs")
    ensure(gateway.folder / "certs", create=True)
    found, code = doctor(gateway, keys)
    assert (found["swap"]["status"], found["leaks"]["status"], code) == ("fail", "fail", 1)
    assert "no gateway of this CA" in found["swap"]["evidence"]
    assert [one.first("authorization") for one in fake.requests] == [""]


def test_where_no_gateway_runs_what_it_does_is_unknown(
    fake: FakeOpenAIThread, relay: RelayThread, keys: Keys
) -> None:
    gateway = GatewayProcess(settings(relay.url, fake.ca_pem_path), environment(keys))
    with gateway as process:
        process.stop()
        found, code = doctor(process, keys)
    for name in ("swap", "leaks", "streams"):
        assert found[name]["status"] == "unknown", found[name]
    assert (found["ports"]["status"], code) == ("pass", 0)


def test_each_fault_is_told_and_no_other_line_falls(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, relay: RelayThread, keys: Keys
) -> None:
    """The CA's key readable, the upstream gone, the database spoiled, Redis away, all at once."""
    config: dict[str, Any] = {"limits": {"store": "redis://127.0.0.1:1/0"}}
    gateway = make_gateway(config)
    (gateway.folder / "certs" / "mitmproxy-ca.pem").chmod(0o644)
    (gateway.folder / "var").chmod(0o777)
    relay.inner.mode = "refuse"
    bad = merged(gateway.config, {"log": {"database": "postgresql+psycopg://u@127.0.0.1:1/calls"}})
    gateway.reload(bad)
    found, code = doctor(gateway, keys)
    failed = {name for name, one in found.items() if one["status"] == "fail"}
    assert failed == {"ca", "permissions", "database", "store", "upstream"}
    assert (code, found["swap"]["status"], found["clock"]["status"]) == (1, "pass", "unknown")
    assert all(found[name]["fix"] for name in failed)
    assert fake.requests == []
