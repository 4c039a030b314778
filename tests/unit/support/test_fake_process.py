"""The fake as a process of its own, led through its control port."""

import base64
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.clients import Way, client
from tests.support.gateway_process import ROOT, fresh_keys

KEY = fresh_keys().staging


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    ca = tmp_path_factory.mktemp("fake") / "ca.pem"
    command = [sys.executable, "-m", "tests.support.fake_openai", "--ca-out", str(ca)]
    env = {**os.environ, "FAKE_KEY": KEY}
    command += ["--staging-key-env", "FAKE_KEY"]
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE) as running:  # noqa: S603 -- ourselves
        assert running.stdout is not None
        yield json.loads(running.stdout.readline())
        running.send_signal(signal.SIGTERM)
        assert running.wait(10) == 0


@pytest.fixture
def control(process: dict[str, Any]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{process['control_port']}") as made:
        made.post("/reset", json={})
        yield made


@pytest.fixture
def way(process: dict[str, Any]) -> Way:
    return Way(f"http://127.0.0.1:{process['relay_port']}", Path(process["ca"]))


def test_requests_are_told_with_their_bodies(control: httpx.Client, way: Way) -> None:
    with client(way, KEY) as api:
        assert api.post("/v1/moderations", content=b'{"input": "x"}').status_code == 200
    (kept,) = control.get("/requests").json()
    assert base64.b64decode(kept["body_base64"]) == b'{"input": "x"}'
    assert (kept["method"], kept["target"], kept["status"]) == ("POST", "/v1/moderations", 200)
    assert control.post("/search", json={"needle": KEY}).json() == {"found": True}
    assert control.post("/search", json={"needle": "never"}).json() == {"found": False}
    assert control.get("/connections").json()[0]["sni"] == "api.openai.com"


def test_rules_keys_and_tls_are_set_from_outside(control: httpx.Client, way: Way) -> None:
    rule = {"path": "/v1/models", "status": 418, "times": 1, "body_base64": "e30="}
    assert control.post("/knobs", json=rule).json() == {"ok": True}
    control.post("/tls", json={"alpn": ["http/1.1"]})
    other = fresh_keys().staging
    with client(way, other, http2=True) as api:
        assert api.get("/v1/files").status_code == 401
        control.post("/keys", json=[other])
        answer = api.get("/v1/models")
    assert (answer.status_code, answer.content) == (418, b"{}")
    assert answer.http_version == "HTTP/1.1"


def test_a_rule_with_a_typo_is_refused(control: httpx.Client) -> None:
    answer = control.post("/knobs", json={"stauts": 500})
    assert answer.status_code == 400
    assert "'stauts'" in answer.json()["fault"]
