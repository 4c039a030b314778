"""The commands that read the call log, as users run them, beside a gateway that writes it."""

import csv
import io
import json
import time

import pytest

from tests.e2e.commands import command, told
from tests.support.clients import RawH1
from tests.support.fake_openai import FakeOpenAIThread
from tests.support.gateway_process import GatewayProcess, Keys

CHAT = "/v1/chat/completions"
USAGE = {
    "prompt_tokens": 2006,
    "completion_tokens": 300,
    "total_tokens": 2306,
    "prompt_tokens_details": {"cached_tokens": 1920},
    "completion_tokens_details": {"reasoning_tokens": 128},
}
# gpt-5.4-mini: 0.75, cached 0.075, out 4.50 USD per million
COST = 86 * 750 + 1920 * 75 + 300 * 4500


def chat(gateway: GatewayProcess, key: str, **more: object) -> str:
    """One call; gives its id."""
    body = json.dumps({"model": "gpt-5.4-mini", "messages": [], **more}).encode()
    with RawH1(gateway.way.tls()) as client:
        return client.call("POST", CHAT, key, body).first("x-gateway-request-id")


@pytest.fixture(scope="module")
def ids(gateway: GatewayProcess, the_fake: FakeOpenAIThread, keys: Keys) -> list[str]:
    """Three calls with a cost, one without a price, one refused; all in the log."""
    the_fake.knobs.add(CHAT, patch={"usage": USAGE})
    made = [chat(gateway, keys.production, stream=stream) for stream in (False, True, False)]
    made.append(chat(gateway, keys.production, model="model-of-tomorrow"))
    made.append(chat(gateway, "sk-unknown-FAKE"))
    the_fake.reset()
    assert len(gateway.rows(5)) == 5
    return made


@pytest.mark.usefixtures("ids")
@pytest.mark.parametrize("by", ["key", "model", "client", "endpoint", "day"])
def test_the_report_s_total_is_that_of_the_rows(gateway: GatewayProcess, by: str) -> None:
    made = json.loads(told(gateway, "report", "--by", by, "--since", "1h", "--json"))
    rows = gateway.rows(5)
    assert made["total"]["calls"] == len(rows)
    assert made["total"]["cost_nano_usd"] == sum(row["cost_nano_usd"] or 0 for row in rows)
    assert made["total"]["total_tokens"] == sum(row["total_tokens"] or 0 for row in rows)
    for name, total in made["total"].items():
        assert sum(row[name] for row in made["rows"]) == total, name


def test_the_report_is_by_the_model_sent(gateway: GatewayProcess, ids: list[str]) -> None:
    del ids
    rows = json.loads(told(gateway, "report", "--json"))["rows"]
    by_model = {row["model"]: row for row in rows}
    assert by_model["gpt-5.4-mini"]["cost_nano_usd"] == 3 * COST
    assert by_model["model-of-tomorrow"]["unpriced_calls"] == 1
    assert by_model[None]["calls"] == 1
    text = told(gateway, "report")
    assert f"{3 * COST / 10**9:.9f}" in text
    assert max(map(len, text.splitlines())) <= 80


def test_calls_lists_whole_ids_the_newest_first(gateway: GatewayProcess, ids: list[str]) -> None:
    made = json.loads(told(gateway, "calls", "--since", "1h", "--json"))
    assert [row["id"] for row in made if row["id"] in ids] == ids[::-1]
    text = told(gateway, "calls")
    assert all(name in text for name in ids)


def test_explain_tells_each_stage_and_the_price(gateway: GatewayProcess, ids: list[str]) -> None:
    made = json.loads(told(gateway, "explain", ids[0], "--json"))
    assert made["trace"][-1]["stage"] == "keys.attach"
    assert all(set(step) >= {"stage", "verdict", "us"} for step in made["trace"])
    assert made["price"]["nano_usd"] == made["cost_nano_usd"] == COST
    assert made["price"]["notes"] == []
    text = told(gateway, "explain", ids[0])
    assert "keys.attach" in text
    assert f"{COST / 10**9:.9f}" in text
    refused = told(gateway, "explain", ids[4])
    assert "rejected_key, status 401" in refused
    assert "no call with this id" in told(gateway, "explain", "gw_unknown", code=1)


def test_an_export_has_every_row(gateway: GatewayProcess, ids: list[str]) -> None:
    lines = told(gateway, "export", "--format", "jsonl").splitlines()
    assert [row["id"] for row in map(json.loads, lines) if row["id"] in ids] == ids
    table = csv.DictReader(io.StringIO(told(gateway, "export", "--format", "csv")))
    costs = {row["id"]: row["cost_nano_usd"] for row in table}
    assert [costs[name] for name in ids] == [str(COST)] * 3 + ["", "0"]


def test_a_tail_shows_calls_as_they_end(
    gateway: GatewayProcess, keys: Keys, ids: list[str]
) -> None:
    with command(gateway, "calls", "--tail", "--json", "--limit", "1") as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["id"]
        began = time.monotonic()
        new = chat(gateway, keys.production)
        assert json.loads(process.stdout.readline())["id"] == new
        assert time.monotonic() - began < 10
        process.send_signal(2)
        _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")
    assert new not in ids


def test_no_command_prints_a_key(gateway: GatewayProcess, keys: Keys, ids: list[str]) -> None:
    asked = [
        ["report", "--by", "key"], ["calls"], ["explain", ids[4]],
        ["export", "--format", "jsonl"], ["export", "--format", "csv"],
    ]  # fmt: skip
    for arguments in asked:
        text = told(gateway, *arguments)
        assert keys.production not in text
        assert keys.staging not in text
        assert "sk-unknown-FAKE" not in text
