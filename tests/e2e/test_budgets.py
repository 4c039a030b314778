"""Budgets, from outside: refused in OpenAI's words, held over a restart, told once by webhook."""

import concurrent.futures
import http.server
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest

from tests.e2e.calls import BODY, CHAT, eventually, post
from tests.e2e.commands import told as run
from tests.e2e.conftest import MakeGateway
from tests.support.clients import WebSocket, bearer
from tests.support.fake_openai import FakeOpenAIThread
from tests.support.gateway_process import GatewayProcess, Keys
from tests.support.relay import RelayThread

CODE = "project_spend_limit_exceeded"
USED = "openai_gateway_budget_used_usd"
WEBHOOKS = "openai_gateway_webhooks_total"
# gpt-6-luna: 0.10 USD a million in, 0.50 out: 1,000 and 500 tokens are 350,000 nano-dollars.
USAGE = {"prompt_tokens": 1000, "completion_tokens": 500, "total_tokens": 1500}
A_CALL_USD = 0.00035


def budget(usd: float, **more: Any) -> dict[str, Any]:
    return {"budgets": [{"name": "team", "usd": usd, "period": "day", **more}]}


@contextmanager
def webhook(status: int = 200, location: str = "") -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A page on loopback that keeps what is posted to it."""
    posted: list[dict[str, Any]] = []

    class Page(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the library's own name for it
            posted.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(status)
            self.send_header("content-length", "0")
            if location:
                self.send_header("location", location)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/hook", posted
        finally:
            server.shutdown()
            thread.join()


def statuses(process: GatewayProcess, keys: Keys, number: int) -> list[int]:
    return [post(process.way, "h1", keys).status for _ in range(number)]


def test_a_hard_budget_stops_calls_as_openai_would(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys
) -> None:
    """Three calls cost 0.00105 USD; the fourth would begin above 0.001."""
    fake.knobs.add(CHAT, patch={"usage": USAGE})
    process = make_gateway(budget(0.001))
    seen: list[int] = []
    while 429 not in seen and len(seen) < 6:
        seen += statuses(process, keys, 1)
    assert seen.count(200) in (2, 3)
    reply = post(process.way, "h2", keys)
    assert (reply.status, reply.code) == (429, CODE)
    error = reply.json()["error"]
    assert error["type"] == "insufficient_quota"
    assert error["message"].startswith("You exceeded your current quota")
    for said in ("team", "resets at 20", "T00:00:00Z"):
        assert said in error["message"]
    assert reply.first("x-should-retry") == "false"
    assert reply.values("retry-after") == []
    row = process.row(reply.first("x-gateway-request-id"))
    assert (row["outcome"], row["error_code"]) == ("over_budget", CODE)
    assert "team" in row["trace"]
    spent = seen.count(200) * A_CALL_USD
    assert eventually(lambda: abs(process.metric(USED, budget="team") - spent) < 1e-12, 5)
    assert process.metric("openai_gateway_budget_spend_usd_total") == pytest.approx(spent)
    assert process.metric("openai_gateway_budget_limit_usd", period="day") == 0.001
    assert process.metric("openai_gateway_budget_reset_timestamp_seconds") > time.time()
    assert len(fake.requests) == seen.count(200)


def test_spend_survives_a_restart(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys
) -> None:
    fake.knobs.add(CHAT, patch={"usage": USAGE})
    first = make_gateway(budget(0.0004))
    assert statuses(first, keys, 1) == [200]
    first.stop()
    database = first.folder / "var" / "calls.db"
    again = make_gateway({**budget(0.0004), "log": {"database": f"sqlite:///{database}"}})
    assert eventually(lambda: statuses(again, keys, 1) == [429])


def test_with_worst_a_hard_budget_is_never_passed(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys
) -> None:
    """Forty at once, each of which may cost 100,350 nano-dollars at most and costs 50,900."""
    usage = {"prompt_tokens": 9, "completion_tokens": 100, "total_tokens": 109}
    fake.knobs.add(CHAT, patch={"usage": usage}, delay_s=0.2)
    process = make_gateway(budget(0.0005, reserve="worst"))
    body = BODY.replace(b"{", b'{"max_completion_tokens": 200, ', 1)
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        replies = list(pool.map(lambda _: post(process.way, "h1", keys, body), range(40)))
    passed = sum(reply.status == 200 for reply in replies)
    assert {reply.status for reply in replies} == {200, 429}
    assert passed >= 4
    assert eventually(lambda: process.metric(USED) > 0, 5)
    assert process.metric(USED) <= 0.0005
    assert passed == len(fake.requests)


def test_a_soft_budget_lets_pass_and_tells_by_webhook_once(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys
) -> None:
    fake.knobs.add(CHAT, patch={"usage": USAGE})
    with webhook() as (url, posted):
        told = budget(0.0007, hard=False, alert_at=[0.5, 1.0], webhook="env:HOOK")
        process = make_gateway(told, env={"HOOK": url})
        assert statuses(process, keys, 4) == [200] * 4
        assert eventually(lambda: len(posted) == 2, 8)
        time.sleep(0.5)
    first, second = sorted(posted, key=lambda one: one["threshold"])  # each has a task of its own
    assert (first["threshold"], second["threshold"]) == (0.5, 1.0)
    assert (first["budget"], first["limit_usd"], first["environment"]) == (
        "team",
        0.0007,
        "staging",
    )
    assert first["spent_usd"] == pytest.approx(0.00035)
    assert {"text", "period", "resets_at"} <= first.keys()
    assert url not in process.output()
    assert eventually(
        lambda: process.metric("openai_gateway_webhooks_total", result="sent") == 2, 5
    )


def test_an_alert_goes_to_every_webhook_once_also_after_a_restart(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys
) -> None:
    fake.knobs.add(CHAT, patch={"usage": USAGE})
    with webhook() as (first, one), webhook() as (second, two):
        told = {
            **budget(0.0007, hard=False, alert_at=[0.5, 0.9]),
            "alerts": {"webhooks": ["env:FIRST", "env:SECOND"]},
        }
        env = {"FIRST": first, "SECOND": second}
        process = make_gateway(told, env=env)
        assert "not yet in force" not in process.output()
        assert statuses(process, keys, 1) == [200]
        assert eventually(lambda: len(one) == len(two) == 1, 8)
        assert eventually(lambda: process.metric(WEBHOOKS, result="sent") == 1, 5)
        process.stop()
        database = process.folder / "var" / "calls.db"
        again = make_gateway({**told, "log": {"database": f"sqlite:///{database}"}}, env=env)
        assert statuses(again, keys, 2) == [200] * 2
        assert eventually(lambda: len(one) == len(two) == 2, 8)
        assert eventually(lambda: again.metric(WEBHOOKS, result="sent") == 1, 5)
    assert [alert["threshold"] for alert in one] == [0.5, 0.9]
    assert [alert["threshold"] for alert in two] == [0.5, 0.9]


def test_an_alert_leaves_through_the_corporate_proxy(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, relay: RelayThread, keys: Keys
) -> None:
    """hooks.example is known to the proxy alone."""
    fake.knobs.add(CHAT, patch={"usage": USAGE})
    with webhook() as (url, posted):
        relay.inner.routes["hooks.example:8080"] = ("127.0.0.1", int(url.split(":")[2][:-5]))
        told = budget(0.0007, hard=False, alert_at=[0.5], webhook="env:HOOK")
        process = make_gateway(told, env={"HOOK": "http://hooks.example:8080/hook"})
        assert statuses(process, keys, 1) == [200]
        assert eventually(lambda: len(posted) == 1, 8)
    del relay.inner.routes["hooks.example:8080"]
    (asked,) = [one for one in relay.asked if one.method == "POST"]
    assert asked.target == "http://hooks.example:8080/hook"
    assert "budgets.0.webhook: is http: others on the network" in process.output()
    assert "hooks.example" not in process.output()


def test_a_webhook_that_fails_in_every_way_loses_no_call(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys
) -> None:
    """It redirects to another page, which nothing may reach."""
    fake.knobs.add(CHAT, patch={"usage": USAGE})
    with webhook() as (other, elsewhere), webhook(307, location=other) as (url, posted):
        told = budget(0.0007, hard=False, alert_at=[0.5], webhook="env:HOOK")
        process = make_gateway(told, env={"HOOK": url})
        assert statuses(process, keys, 3) == [200] * 3
        assert eventually(lambda: process.metric(WEBHOOKS, result="failed") == 1, 15)
    assert (len(posted), elsewhere) == (3, [])
    assert process.metric(USED) == pytest.approx(3 * A_CALL_USD)


def standing(process: GatewayProcess) -> tuple[int, int]:
    """Limit and spend as the command tells them, from the log: up to 1 s after the call."""
    (told,) = json.loads(run(process, "budgets", "--json"))
    return told["limit_nano_usd"], told["spent_nano_usd"]


def test_a_budget_is_raised_while_the_gateway_runs_and_ends_by_itself(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys
) -> None:
    fake.knobs.add(CHAT, patch={"usage": USAGE})
    process = make_gateway(budget(0.0004))
    assert statuses(process, keys, 2) == [200, 429]
    assert eventually(lambda: standing(process) == (400_000, 350_000), 15)
    run(process, "budgets", "raise", "team", "--to", "1", "--until", "1h")
    assert eventually(lambda: statuses(process, keys, 1) == [200], 15)
    assert process.metric("openai_gateway_budget_limit_usd") == 1
    run(process, "budgets", "raise", "team", "--to", "1", "--until", "2s")
    assert eventually(lambda: statuses(process, keys, 1) == [429], 15)
    last, first = json.loads(run(process, "budgets", "--changes", "--json"))
    assert time.time() >= datetime.fromisoformat(last["until"]).timestamp()
    assert (first["from_nano_usd"], first["to_nano_usd"]) == (400_000, 10**9)
    run(process, "budgets", "raise", "team", "--to", "1", "--until", "1h")
    assert eventually(lambda: statuses(process, keys, 1) == [200], 15)
    run(process, "budgets", "raise", "team", "--end")
    assert eventually(lambda: statuses(process, keys, 1) == [429], 15)


def test_other_calls_are_not_counted(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys
) -> None:
    fake.knobs.add(CHAT, patch={"usage": USAGE})
    process = make_gateway(budget(0.0001, match={"model": "gpt-5*"}))
    assert statuses(process, keys, 3) == [200] * 3
    assert process.metric(USED) == 0


def test_responses_on_a_socket_count_and_are_refused(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys
) -> None:
    del fake
    process = make_gateway(budget(0.000001))
    frame = {"type": "response.create", "model": "gpt-6-luna", "input": "hello " * 100}
    with WebSocket(process.way.tls(), "/v1/responses", [bearer(keys.production)]) as socket:
        socket.tell(frame)
        answer = socket.hear_type("error")
    assert (answer["status"], answer["error"]["code"]) == (429, CODE)
