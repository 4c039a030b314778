"""Programs other than the Python SDK, each a process that gets the README's variables, no more."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.calls import CHAT
from tests.e2e.conftest import MakeGateway
from tests.support.clients import RawH1
from tests.support.fake_openai import FakeOpenAIThread
from tests.support.fake_openai.asking import TEXT
from tests.support.gateway_process import ROOT, GatewayProcess, Keys

NODE = ROOT / "tests" / "support" / "node"
CALLS = "openai_gateway_requests_total"
THROTTLED = "openai_gateway_throttled_requests_total"
INSTALL_S, RUN_S = 50.0, 30.0
OFFLINE = re.compile(r"\bE(NOTFOUND|AI_AGAIN|CONN\w+|TIMEDOUT|NETWORK|HOSTUNREACH|40[134]|5\d\d)\b")
BODY = '{"model": "gpt-6-luna", "messages": [{"role": "user", "content": "Say hello."}]}'
URL = "https://api.openai.com/v1/chat/completions"
ELSEWHERE = "https://evil.example/v1/chat/completions"

HTTPX = """
import httpx, os, sys
key = os.environ["OPENAI_API_KEY"]
headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
print(httpx.post(sys.argv[1], content=sys.argv[2], headers=headers).text)
"""
REQUESTS = HTTPX.replace("httpx", "requests").replace("content=", "data=")
AIOHTTP = """
import aiohttp, asyncio, os, sys
key = os.environ["OPENAI_API_KEY"]
headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
async def main():
    async with aiohttp.ClientSession(trust_env=True, headers=headers) as session:
        async with session.post(sys.argv[1], data=sys.argv[2]) as answer:
            print(await answer.text())
asyncio.run(main())
"""
CURL = """
curl -sS --max-time 20 "$1" -H "authorization: Bearer $OPENAI_API_KEY" \
    -H "content-type: application/json" -d "$2"
"""
PROGRAMS = {
    "httpx": [sys.executable, "-c", HTTPX],
    "requests": [sys.executable, "-c", REQUESTS],
    "aiohttp": [sys.executable, "-c", AIOHTTP],
    "curl": ["/bin/sh", "-c", CURL, "curl"],
}


@pytest.fixture(autouse=True)
def only_the_staging_key_arrives(fake: FakeOpenAIThread, keys: Keys) -> Iterator[None]:
    yield
    assert keys.production.encode() not in fake.received_bytes()


def run(
    command: list[str], env: dict[str, str], folder: Path, seconds: float = RUN_S
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 -- the clients of this file
        command, env=env, cwd=folder, timeout=seconds, check=False,
        capture_output=True, encoding="utf-8",
    )  # fmt: skip


def found(program: str) -> list[str]:
    if program == "curl" and shutil.which("curl") is None:
        pytest.skip("no curl here")
    return PROGRAMS[program]


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_readmes_variables_are_enough(
    program: str, gateway: GatewayProcess, fake: FakeOpenAIThread, keys: Keys, tmp_path: Path
) -> None:
    done = run([*found(program), URL, BODY], gateway.client_env(keys.production), tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["choices"][0]["message"]["content"] == TEXT
    assert fake.requests[0].values("authorization") == [f"Bearer {keys.staging}"]
    assert fake.requests[0].body.decode() == BODY


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_refusal_reads_as_openais(
    program: str, gateway: GatewayProcess, fake: FakeOpenAIThread, keys: Keys, tmp_path: Path
) -> None:
    leak = BODY.replace("Say hello.", keys.production)
    done = run([*found(program), URL, leak], gateway.client_env(keys.production), tmp_path)
    error = json.loads(done.stdout)["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert error["code"] == "gateway_production_key_leaked"
    assert keys.production not in done.stdout + done.stderr
    assert fake.requests == []


@pytest.mark.parametrize("program", PROGRAMS)
def test_another_host_is_refused_by_the_proxy(
    program: str, gateway: GatewayProcess, keys: Keys, tmp_path: Path
) -> None:
    done = run([*found(program), ELSEWHERE, BODY], gateway.client_env(keys.production), tmp_path)
    assert done.returncode != 0
    assert "403" in done.stderr


# ---- Node ---------------------------------------------------------------------------------------


def version() -> tuple[int, ...]:
    """Node's version; the test is skipped where there is none that does."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("no node with npm here")
    told = run(["node", "--version"], dict(os.environ), Path.cwd()).stdout
    major, minor, patch = map(int, told.strip().removeprefix("v").split("."))
    if major < 20:
        pytest.skip(f"Node {major} is too old, 20 is the least")
    return major, minor, patch


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the application and its packages; skips where the registry does not answer."""
    version()
    folder = tmp_path_factory.mktemp("node") / "application"
    shutil.copytree(NODE, folder, ignore=shutil.ignore_patterns("node_modules"))
    install = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"]
    install += ["--loglevel=error", "--fetch-retries=0", f"--cache={folder.parent / 'cache'}"]
    try:
        done = run(install, dict(os.environ), folder, INSTALL_S)
    except subprocess.TimeoutExpired:
        pytest.skip(f"the package registry was too slow: no answer in {INSTALL_S:.0f} s")
    if done.returncode and OFFLINE.search(done.stderr):
        pytest.skip(f"the package registry does not answer: {done.stderr.splitlines()[0]}")
    assert done.returncode == 0, done.stderr
    return folder


def runs(node: Path, gateway: GatewayProcess, keys: Keys, *program: str) -> Any:
    """What a program of tests/support/node prints."""
    env = gateway.client_env(keys.production)
    command = ["node", "--import", "./proxy.mjs", *program]
    if version() >= (24,) or (22, 21) <= version() < (23,):  # it reads the proxy's variable itself
        command, env = ["node", *program], env | {"NODE_USE_ENV_PROXY": "1"}
    done = run(command, env, node)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_node_sdk(
    node: Path, gateway: GatewayProcess, fake: FakeOpenAIThread, keys: Keys
) -> None:
    before = gateway.metric(CALLS)
    assert runs(node, gateway, keys, "application.mjs") == {
        "whole": TEXT,
        "streamed": TEXT,
        "file": "calls.jsonl",
        "content": True,
        "refused": ["PermissionDeniedError", 403, "gateway_production_key_leaked"],
    }
    assert gateway.metric(CALLS) - before == 5  # the refused one was not tried again
    offered = [value for call in fake.requests for value in call.values("authorization")]
    assert offered == [f"Bearer {keys.staging}"] * 4


def test_the_node_sdk_backs_off_as_it_is_told_and_succeeds(
    node: Path, make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys
) -> None:
    """rpm: 30 gives one back each 2 s: five calls last 10 s, more than Node needs to start."""
    process = make_gateway({"limits": {"rules": [{"name": "r", "rpm": 30}]}})
    with RawH1(process.way.tls()) as client:
        while client.call("POST", CHAT, keys.production, BODY.encode()).status == 200:
            assert len(fake.requests) < 100
    refused, passed = process.metric(THROTTLED, action="rejected"), len(fake.requests)
    told = runs(node, process, keys, "limits.mjs", *["small"] * 5)
    assert [one.get("text") for one in told] == [TEXT] * 5
    assert max(one["waited_ms"] for one in told) > 500
    # who comes back before the time it was told is refused again; the SDK's own first wait is 0.5 s
    assert 1 <= process.metric(THROTTLED, action="rejected") - refused <= 5
    assert len(fake.requests) - passed == 5


def test_the_node_sdk_stops_at_once_on_a_request_that_is_too_large(
    node: Path, make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys
) -> None:
    process = make_gateway({"limits": {"rules": [{"name": "r", "tpm": 10_000}]}})
    small, large = runs(node, process, keys, "limits.mjs", "small", "large")
    assert small["text"] == TEXT
    assert (large["name"], large["status"]) == ("RateLimitError", 429)
    assert (large["code"], large["type"]) == ("rate_limit_exceeded", "tokens")
    assert "Request too large for gpt-6-luna" in large["message"]
    assert process.metric(THROTTLED, action="rejected") == 1, "it was not tried again"
    assert len(fake.requests) == 1


def test_the_node_sdk_stops_at_once_on_a_budget_that_is_spent(
    node: Path, make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys
) -> None:
    budget = {"name": "team", "usd": 0.000001, "period": "day", "reserve": "worst"}
    process = make_gateway({"budgets": [budget]})
    (refused,) = runs(node, process, keys, "limits.mjs", "small")
    assert (refused["name"], refused["status"]) == ("RateLimitError", 429)
    assert refused["code"] == "project_spend_limit_exceeded"
    assert process.metric(CALLS, outcome="over_budget") == 1, "it was not tried again"
    assert fake.requests == []
