"""What the gateway has written down: metrics for Prometheus, one row a call in the log."""

from collections import Counter
from collections.abc import Iterator

from prometheus_client.parser import text_string_to_metric_families

from scripts.demo.step import Proof, Scene, Step
from tests.support.gateway_books import Row

QUERIES = (
    ("openai_gateway_requests_total", "outcome"),
    ("openai_gateway_key_swaps_total", "key"),
    ("openai_gateway_key_rejections_total", "reason"),
)
COLUMNS = {"method": 7, "endpoint": 19, "status": 6, "outcome": 12, "error_code": 29}
REFUSED = [
    "gateway_destination_refused",
    "gateway_endpoint_refused",
    "gateway_production_key_leaked",
    "gateway_production_key_leaked",
    "gateway_secret_detected",
    "gateway_unknown_key",
    "project_spend_limit_exceeded",
    "rate_limit_exceeded",
]
UNSENT_FAULTS = 1  # made on purpose, in OpenAI's place
NO_PASS = ("blocked", "rejected_key", "throttled", "over_budget")


def summed(text: str, name: str, label: str) -> Counter[str]:
    """`sum by (label) (name)`, without what is 0."""
    families = text_string_to_metric_families(text)
    samples = [s for family in families for s in family.samples if s.name == name and s.value]
    total: Counter[str] = Counter()
    for sample in samples:
        total[sample.labels[label]] += int(sample.value)
    return total


def counted(scene: Scene) -> list[str]:
    text = scene.gateway.get("/metrics")[1]
    lines = [f"GET {scene.gateway.metrics_url}/metrics"]
    for name, label in QUERIES:
        values = summed(text, name, label)
        lines.append(f"sum by ({label}) ({name})")
        lines.append("    " + ", ".join(f"{key} {value}" for key, value in values.items()))
    return lines


def counts(scene: Scene) -> Iterator[Proof]:
    text = scene.gateway.get("/metrics")[1]
    calls, (swaps, _) = len(scene.fake.requests), QUERIES[1]
    claim = "as many keys were swapped as calls reached OpenAI"
    yield Proof.same(claim, calls, summed(text, swaps, "key").total())
    outcomes = summed(text, QUERIES[0][0], "outcome")
    refused = sum(outcomes[name] for name in NO_PASS)
    yield Proof.same("every refusal was counted", len(REFUSED), refused)


def listed(scene: Scene) -> list[str]:
    rows = scene.gateway.rows(len(REFUSED) + UNSENT_FAULTS + len(scene.fake.requests))
    return [_columns({name: name for name in COLUMNS}), *map(_columns, rows)]


def _columns(row: Row) -> str:
    return " ".join(f"{row[name] or '':{width}}" for name, width in COLUMNS.items())


def logged(scene: Scene) -> Iterator[Proof]:
    rows = scene.gateway.rows()
    codes = sorted(row["error_code"] for row in rows if row["error_code"] and not row["fault"])
    yield Proof.same("every refusal has its row", REFUSED, codes)
    sent = [row for row in rows if row["fault"] and row["upstream_ms"] is not None]
    passed = sum(row["outcome"] == "forwarded" for row in rows) + len(sent)
    enough = passed >= len(scene.fake.requests)
    yield Proof("every call that left has its row", enough, "one each", f"{passed} rows")
    told = scene.gateway.database_bytes() + scene.gateway.output().encode()
    found = [key for key in (scene.keys.production, scene.keys.staging) if key.encode() in told]
    yield Proof.same("no key stands in the log or in the gateway's output", [], found)


BILL = {"endpoint": 12, "model_sent": 18, "input_tokens": 13, "output_tokens": 14, "usd": 14}
LUNA = "gpt-6-luna"
# rules/prices.yaml: 0.10 USD for a million input tokens, 0.50 for a million of output
LUNA_INPUT_NANO, LUNA_OUTPUT_NANO = 100, 500


def billed(scene: Scene) -> list[Row]:
    return [row for row in scene.gateway.rows() if row["input_tokens"] is not None]


def priced(scene: Scene) -> list[str]:
    lines = [_bill({name: name for name in BILL})]
    for row in billed(scene):
        lines.append(_bill({**row, "usd": f"{row['cost_nano_usd'] / 1e9:.9f}"}))
    return lines


def _bill(row: Row) -> str:
    return " ".join(f"{row[name]!s:{width}}" for name, width in BILL.items())


def costs(scene: Scene) -> Iterator[Proof]:
    rows = billed(scene)
    luna = [row for row in rows if row["model_sent"] == LUNA]
    worked_out = [
        row["input_tokens"] * LUNA_INPUT_NANO + row["output_tokens"] * LUNA_OUTPUT_NANO
        for row in luna
    ]
    claim = f"{LUNA} costs 100 nano-dollars a token in and 500 a token out"
    yield Proof.same(claim, worked_out, [row["cost_nano_usd"] for row in luna])
    yield Proof.same("three calls and the stream were charged", 4, len(luna))
    text = scene.gateway.get("/metrics")[1]
    families = text_string_to_metric_families(text)
    samples = (s for family in families for s in family.samples)
    counted = sum(s.value for s in samples if s.name == "openai_gateway_cost_usd_total")
    total = sum(row["cost_nano_usd"] for row in rows)
    yield Proof.same("metrics and log agree to the nano-dollar", total, round(counted * 1e9))


METRICS = Step(
    title="Everything is counted",
    about="Prometheus reads the gateway's metrics. A few of them:",
    show=counted,
    check=counts,
)
LOG = Step(
    title="Every call has its row in the log, a refused one too",
    about="The table `calls`, in SQLite. A few of its columns:",
    show=listed,
    check=logged,
)
COST = Step(
    title="Every call has its price",
    about=(
        "What OpenAI says that a call used, at OpenAI's list prices, in whole nano-dollars. The "
        "stream did not ask for its usage: the gateway did, and took it out of the answer again."
    ),
    show=priced,
    check=costs,
)
