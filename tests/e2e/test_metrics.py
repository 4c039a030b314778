"""The counters of /metrics are the rows of the log, and no client makes series."""

import json
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from cryptography.x509 import load_pem_x509_certificate
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.conftest import MakeGateway
from tests.support.clients import ConnectRefused, RawH1, RawH2, WebSocket, bearer
from tests.support.fake_openai import FakeOpenAIThread
from tests.support.gateway_books import Row, kinds_of
from tests.support.gateway_process import GatewayProcess, Keys

ROOT = Path(__file__).parents[2]
CHAT, EMBEDDINGS, RESPONSES = "/v1/chat/completions", "/v1/embeddings", "/v1/responses"
PRICED = ("gpt-6-luna", "gpt-5.4-mini", "gpt-5")
UNPRICED = "gpt-6.2-astra-law"  # in the table, without a price
KNOWN = {*PRICED, UNPRICED, "text-embedding-3-small"}
NESTED = {
    "prompt_tokens": 2006,
    "completion_tokens": 300,
    "total_tokens": 2306,
    "prompt_tokens_details": {"cached_tokens": 1920, "audio_tokens": 20},
    "completion_tokens_details": {"reasoning_tokens": 128, "audio_tokens": 7},
}
type Load = Callable[[GatewayProcess, FakeOpenAIThread, Keys], int]
type Samples = Counter[tuple[str, ...]]


@pytest.fixture
def books(make_gateway: MakeGateway) -> GatewayProcess:
    """A gateway with every family that there is."""
    return make_gateway({"metrics": {"gen_ai": True}})


def body(model: str, **more: object) -> bytes:
    return json.dumps({"model": model, "messages": [], **more}).encode()


# ---- the traffic; each gives the number of rows that it must leave ---------------------------


def chats(gateway: GatewayProcess, fake: FakeOpenAIThread, keys: Keys) -> int:
    fake.knobs.add(CHAT, patch={"usage": NESTED}, times=40)
    with RawH1(gateway.way.tls()) as client:
        for number in range(100):
            model = PRICED[number % 3]
            client.call("POST", CHAT, keys.production, body(model, stream=number % 2 == 0))
    with RawH2(gateway.way.tls(alpn=("h2",))) as client2:
        for number in range(40):
            client2.call("POST", CHAT, keys.production, body(PRICED[number % 3], stream=True))
    return 140


def aborted_by_the_upstream(gateway: GatewayProcess, fake: FakeOpenAIThread, keys: Keys) -> int:
    for number in range(12):
        fake.knobs.add(CHAT, fail="reset", at="body", after_events=1 + number % 4, times=1)
        with RawH1(gateway.way.tls()) as client:
            client.call("POST", CHAT, keys.production, body("gpt-5", stream=True))
    return 12


def aborted_by_the_client(gateway: GatewayProcess, fake: FakeOpenAIThread, keys: Keys) -> int:
    fake.knobs.add(CHAT, event_delay_s=0.02, events=50)
    content = body("gpt-6-luna", stream=True)
    head = [("Host", "api.openai.com"), ("Content-Length", str(len(content)))]
    for _ in range(12):
        with RawH1(gateway.way.tls()) as client:
            client.request("POST", CHAT, [*head, bearer(keys.production)], content)
            client.rest_of(b"data: ")
            client.reset()
    return 12


def embeddings(gateway: GatewayProcess, fake: FakeOpenAIThread, keys: Keys) -> int:
    del fake
    content = json.dumps({"model": "text-embedding-3-small", "input": "one two three"}).encode()
    with RawH1(gateway.way.tls()) as client:
        for _ in range(40):
            client.call("POST", EMBEDDINGS, keys.production, content)
    return 40


def failures_and_retries(gateway: GatewayProcess, fake: FakeOpenAIThread, keys: Keys) -> int:
    for status in (400, 429, 500, 503):
        fake.knobs.add(CHAT, status=status, times=5, body=b'{"error": {"code": "server_error"}}')
    with RawH1(gateway.way.tls()) as client:
        for _ in range(24):  # the last four come through
            client.call("POST", CHAT, keys.production, body("gpt-5"))
    return 24


def refusals(gateway: GatewayProcess, fake: FakeOpenAIThread, keys: Keys) -> int:
    del fake
    with RawH1(gateway.way.tls()) as client:
        for number in range(8):
            client.call("POST", CHAT, f"sk-unknown-FAKE-{number}", body("gpt-5"))
            client.call("POST", CHAT, keys.production, b"{not json")
            client.call("GET", "/v1/organization/users", keys.production)
    for _ in range(2):
        with pytest.raises(ConnectRefused):
            gateway.way.tunnel("evil.example:443")
    return 26


def unpriced(gateway: GatewayProcess, fake: FakeOpenAIThread, keys: Keys) -> int:
    del fake
    with RawH1(gateway.way.tls()) as client:
        for number in range(10):
            model = UNPRICED if number % 2 else f"invented-{number}"
            client.call("POST", CHAT, keys.production, body(model))
            client.call("GET", "/v1/models", keys.production)
    return 20


def sockets(gateway: GatewayProcess, fake: FakeOpenAIThread, keys: Keys) -> int:
    del fake
    for _ in range(2):
        with WebSocket(gateway.way.tls(), RESPONSES, [bearer(keys.production)]) as socket:
            for _ in range(12):
                socket.tell({"type": "response.create", "model": "gpt-6-luna", "input": "x"})
                socket.hear_type("response.completed")
    return 26


TRAFFIC: tuple[Load, ...] = (
    chats, aborted_by_the_upstream, aborted_by_the_client, embeddings, failures_and_retries,
    refusals, unpriced, sockets,
)  # fmt: skip


# ---- what the rows say ----------------------------------------------------------------------


def model_of(row: Row) -> str:
    model = row["model_requested"]
    return "none" if model is None else str(model if model in KNOWN else "other")


def tokens_of(rows: list[Row]) -> Samples:
    added: Samples = Counter()
    for row in rows:
        for kind, count in kinds_of(row).items():
            added[str(row["key"]), model_of(row), kind] += count
    return +added


def costs_of(rows: list[Row]) -> Samples:
    added: Samples = Counter()
    for row in rows:
        added[str(row["key"]), model_of(row)] += row["cost_nano_usd"] or 0
    return +added


def status_of(row: Row) -> str:
    return str(row["status"] or "none")


# ---- what the metrics say -------------------------------------------------------------------


def counted(text: str, name: str, *labels: str, scale: int = 1) -> Samples:
    """The samples of a family that are not 0, as whole numbers of 1/scale."""
    added: Samples = Counter()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == f"openai_gateway_{name}":
                at = tuple(sample.labels[label] for label in labels)
                added[at] += round(sample.value * scale)
    return +added


def settled(gateway: GatewayProcess, count: int) -> tuple[list[Row], str]:
    """The rows and the metrics, once as many are written and nothing is under way."""
    until = time.monotonic() + 15

    def moving() -> bool:
        written = gateway.metric("openai_gateway_log_records_total", result="written")
        return written < count or gateway.metric("openai_gateway_requests_in_progress") > 0

    while moving() and time.monotonic() < until:
        time.sleep(0.05)
    return gateway.rows(count), gateway.get("/metrics")[1]


LONG = pytest.param(34, marks=[pytest.mark.soak, pytest.mark.timeout(900)], id="10200 calls")


@pytest.mark.parametrize("rounds", [1, LONG])
def test_counters_equal_the_rows_to_the_token_and_the_nano_dollar(
    books: GatewayProcess, fake: FakeOpenAIThread, keys: Keys, rounds: int
) -> None:
    expected = 0
    for load in TRAFFIC * rounds:
        expected += load(books, fake, keys)
        fake.knobs.clear()
    rows, text = settled(books, expected)
    assert len(rows) == expected == 300 * rounds
    names = ("key", "endpoint", "model", "outcome", "status")
    assert counted(text, "requests_total", *names) == Counter(
        (str(r["key"]), str(r["endpoint"]), model_of(r), str(r["outcome"]), status_of(r))
        for r in rows
    )
    tokens = counted(text, "tokens_total", "key", "model", "kind")
    assert tokens == tokens_of(rows)
    assert sum(tokens.values()) == sum(r["total_tokens"] or 0 for r in rows) > 40 * 2306
    cost = counted(text, "cost_usd_total", "key", "model", scale=10**9)
    assert cost == costs_of(rows)
    assert sum(cost.values()) == sum(r["cost_nano_usd"] or 0 for r in rows) > 10**7
    assert counted(text, "unpriced_requests_total", "model") == Counter(
        (model_of(r),) for r in rows if r["cost_nano_usd"] is None
    ) == {(UNPRICED,): 5 * rounds, ("other",): 5 * rounds}  # fmt: skip
    estimated = sum(r["usage_source"] == "estimated" for r in rows)
    assert sum(counted(text, "usage_missing_requests_total").values()) == estimated == 24 * rounds
    assert counted(text, "log_records_total", "result") == {("written",): expected}
    assert not counted(text, "internal_errors_total")
    assert not counted(text, "requests_in_progress")


def test_opentelemetrys_tokens_are_the_same_tokens(
    books: GatewayProcess, fake: FakeOpenAIThread, keys: Keys
) -> None:
    expected = sum(load(books, fake, keys) for load in (embeddings, sockets))
    rows, text = settled(books, expected)
    seen: Counter[tuple[str, str]] = Counter()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == "gen_ai_client_token_usage_sum":
                at = sample.labels["gen_ai_operation_name"], sample.labels["gen_ai_token_type"]
                seen[at] += int(sample.value)
    embedded = [row for row in rows if row["endpoint"] == "embeddings.create"]
    spoken = [row for row in rows if row["method"] == "WS"]
    assert seen == {
        ("embeddings", "input"): sum(row["input_tokens"] for row in embedded),
        ("chat", "input"): sum(row["input_tokens"] for row in spoken),
        ("chat", "output"): sum(row["output_tokens"] for row in spoken),
    }


# ---- series ---------------------------------------------------------------------------------


def strange(keys: Keys, word: str) -> Iterator[tuple[str, str, bytes]]:
    """Calls that name what nobody has heard of: a model, a path, a key."""
    yield CHAT, keys.production, body(f"model-{word}")
    yield CHAT, keys.production, body(f"model-{word}", stream=True)
    yield f"/v1/path-{word}", keys.production, body("gpt-5")
    yield CHAT, f"sk-key-FAKE-{word}", body("gpt-5")


def series(gateway: GatewayProcess) -> set[str]:
    lines = gateway.get("/metrics")[1].splitlines()
    ours = (line for line in lines if line.startswith(("openai_gateway_", "gen_ai_")))
    return {line.rsplit(" ", 1)[0] for line in ours}


def test_sixty_invented_models_paths_and_keys_add_no_series(
    books: GatewayProcess, fake: FakeOpenAIThread, keys: Keys
) -> None:
    del fake
    with RawH1(books.way.tls()) as client:
        for target, key, content in strange(keys, "unheard-of"):
            client.call("POST", target, key, content)
        before = series(books)
        for number in range(60):
            for target, key, content in strange(keys, str(number)):
                client.call("POST", target, key, content)
    assert len(books.rows(4 * 61)) == 4 * 61
    assert series(books) == before
    assert not any("unheard-of" in line for line in before)


# ---- how the process stands -------------------------------------------------------------------


def test_the_gauges_tell_that_it_is_ready_and_when_its_ca_and_prices_age(
    books: GatewayProcess, fake: FakeOpenAIThread, keys: Keys
) -> None:
    del fake
    assert books.metric("openai_gateway_ready") == 1
    ends = load_pem_x509_certificate(books.ca_file.read_bytes()).not_valid_after_utc
    assert books.metric("openai_gateway_ca_not_after_timestamp_seconds") == ends.timestamp()
    listed = yaml.safe_load((ROOT / "rules" / "prices.yaml").read_text())["as_of"]
    day = datetime.combine(listed, datetime.min.time(), UTC)
    assert books.metric("openai_gateway_prices_as_of_timestamp_seconds") == day.timestamp()
    with RawH1(books.way.tls()) as client:
        client.call("POST", CHAT, keys.production, body("gpt-5", user=keys.production))
    assert books.metric("openai_gateway_production_key_leaks_total", place="request") == 1


# ---- exemplars ------------------------------------------------------------------------------


def test_an_exemplar_leads_from_a_metric_to_the_row(
    books: GatewayProcess, fake: FakeOpenAIThread, keys: Keys
) -> None:
    del fake
    with RawH1(books.way.tls()) as client:
        call_id = client.call("POST", CHAT, keys.production, body("gpt-5")).first(
            "x-gateway-request-id"
        )
    books.row(call_id)
    assert call_id not in books.get("/metrics")[1]
    accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
    asked = urllib.request.Request(books.metrics_url + "/metrics", headers=accept)  # noqa: S310 -- loopback only
    with urllib.request.urlopen(asked, timeout=5) as answer:  # noqa: S310 -- loopback only
        text = answer.read().decode()
    exemplar = f'# {{call_id="{call_id}"}} '
    found = [line.split("{")[0] for line in text.splitlines() if exemplar in line]
    assert "openai_gateway_requests_total" in found
    assert "openai_gateway_request_duration_seconds_bucket" in found
