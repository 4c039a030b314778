"""A real Prometheus scrapes real gateways: rules, dashboards and totals against the call log."""

import importlib
import importlib.util
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.observability.prometheus import JOB, Prometheus, PrometheusError, eventually
from tests.observability.rules import ROOT, alerts, needs_prometheus, records, rules
from tests.observability.runbook import PARTS, queries
from tests.observability.traffic import PLAIN, Traffic, locked, said, secret, unwell, well
from tests.support.fake_openai import FakeOpenAIThread
from tests.support.faults import SCRIPT
from tests.support.gateway_books import Row, kinds_of
from tests.support.gateway_process import (
    GatewayProcess,
    Keys,
    environment,
    fresh_keys,
    merged,
    settings,
)
from tests.support.relay import RelayThread, to_fake

pytestmark = [needs_prometheus, pytest.mark.soak, pytest.mark.timeout(240)]

SCRAPED_S = 30.0
# What the traffic below does not bring about, or not for certain.
QUIET = {
    "GatewayAbsent", "GatewayRestarts", "FileDescriptorsLow", "BudgetNearlySpent",
    "LogDropped", "LogQueueFilling", "CertificateAuthorityEnds", "CertificateAuthorityEndsSoon",
    "LabelOverflow",
}  # fmt: skip
EITHER = {"OverheadP99", "PricesOld"}  # as the machine and the calendar are
DEAD = "127.0.0.1:1"  # nobody listens there
DASHBOARD = "tests.observability.dashboard"  # queries() gives (panel, PromQL without variables)
# Panels that have nothing to show of this traffic, or show that there is nothing.
MAY_BE_EMPTY = {
    "Calls under way", "Shared store and labels", "Billed beside tokens", "Blind tunnels",
    "Rows and bodies written", "Substituted models and injected faults",
    "Injected delays, p95 by model",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Seen:
    """A Prometheus that has seen it all, and what the well gateway has written down."""

    server: Prometheus
    rows: list[Row]
    well: str
    """`{instance="…"}` of the gateway that wrote the rows."""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    keys = fresh_keys()
    with ExitStack() as stack:
        fake = stack.enter_context(FakeOpenAIThread(staging_keys={keys.staging}))
        relay = stack.enter_context(RelayThread(to_fake(fake.port)))
        common = settings(relay.url, fake.ca_pem_path)
        folder = tmp_path_factory.mktemp("unwell")
        good = stack.enter_context(GatewayProcess(merged(common, well()), secrets(keys)))
        bad = stack.enter_context(unwell_gateway(merged(common, unwell()), keys, folder))
        stack.enter_context(locked(bad.database))
        targets = [f"127.0.0.1:{port}" for port in (good.metrics_port, bad.metrics_port)]
        server = stack.enter_context(Prometheus([*targets, DEAD]))
        rows = traffic(server, good, bad, fake, keys, folder)
        yield Seen(server, rows, f'{{instance="{targets[0]}"}}')


def secrets(keys: Keys) -> dict[str, str]:
    return {**environment(keys), "HOOK": f"http://{DEAD}/hook", "STORE": f"redis://{DEAD}/0"}


def unwell_gateway(config: dict[str, object], keys: Keys, folder: Path) -> GatewayProcess:
    (folder / "fault").write_text("")
    env = {
        **secrets(keys),
        "FAULT_FILE": str(folder / "fault"),
        "PYTHONPATH": f"{ROOT / 'addons'}:{ROOT}",
    }
    return GatewayProcess(config, env, script=SCRIPT)


def traffic(
    server: Prometheus, good: GatewayProcess, bad: GatewayProcess, fake: FakeOpenAIThread,
    keys: Keys, folder: Path,
) -> list[Row]:  # fmt: skip
    """Two rounds with a scrape between them, the second counted to its end."""
    assert eventually(lambda: server.one("count(openai_gateway_build_info)") == 2, SCRAPED_S)
    mixed, sick = (Traffic(gateway.way, fake, keys) for gateway in (good, bad))
    for turn in (1, 2):
        mixed.round()
        sick.post(PLAIN, 2, messages=said(secret()))
        (folder / "fault").write_text("budgets raise")
        sick.post(PLAIN)
        (folder / "fault").write_text("")
        bad.write_text("not: a gateway\n")
        rows = good.rows(mixed.calls, 20)
        assert len(rows) == mixed.calls
        expr = f'sum(openai_gateway_requests_total{{instance="127.0.0.1:{good.metrics_port}"}})'
        assert eventually(lambda: server.one(expr) == mixed.calls, SCRAPED_S), f"round {turn}"  # noqa: B023 -- asked at once
    return rows


# ---- rules and dashboards ---------------------------------------------------------------------


def test_every_rule_is_evaluated_without_an_error_and_records_something(seen: Seen) -> None:
    names = {rule.get("record") or rule["alert"] for rule in rules()}
    empty = {name for name in records() if not seen.server.ask(name)}
    assert eventually(lambda: not any(not seen.server.ask(name) for name in empty), 10), empty
    known = seen.server.rules()
    assert set(known) == names
    assert {name: rule.get("lastError") for name, rule in known.items()
            if rule["health"] != "ok"} == {}  # fmt: skip
    for rule in rules():
        seen.server.ask(rule["expr"])


def test_the_alerts_that_this_traffic_calls_for_are_raised_and_no_other(seen: Seen) -> None:
    expected = set(alerts()) - QUIET - EITHER

    def raised() -> set[str]:
        found = seen.server.rules()
        return {name for name in alerts() if found[name]["state"] != "inactive"} - EITHER

    eventually(lambda: raised() == expected, 30)  # the webhook is tried for six seconds
    assert raised() == expected


def test_every_query_of_the_dashboard_is_answered(seen: Seen) -> None:
    if importlib.util.find_spec(DASHBOARD) is None:
        pytest.skip("there is no dashboard")
    queries: Iterable[tuple[str, str]] = importlib.import_module(DASHBOARD).queries()
    answered, asked = Counter[str](), Counter[str]()
    for panel, expr in queries:
        asked[panel] += 1
        answered[panel] += bool(seen.server.ask(expr))
    assert len(asked) > 10
    assert {panel for panel in asked if answered[panel] < asked[panel]} - MAY_BE_EMPTY == set()


@pytest.mark.parametrize("name", list(PARTS))
def test_every_query_of_the_runbook_is_answered(seen: Seen, name: str) -> None:
    """An error fails; what answers nothing is right where the alert is quiet."""
    answered = [bool(seen.server.ask(query)) for query in queries(PARTS[name])]
    assert answered
    assert any(answered) or name in QUIET | EITHER


def test_a_query_that_is_none_is_told_as_such(seen: Seen) -> None:
    with pytest.raises(PrometheusError, match="parse error"):
        seen.server.ask("sum by (")


# ---- totals -----------------------------------------------------------------------------------


def totals(seen: Seen, name: str, *labels: str, scale: int = 1) -> Counter[tuple[str, ...]]:
    """What Prometheus holds of a family by these labels, in whole numbers of 1/scale."""
    found = seen.server.ask(f"sum by ({', '.join(labels)}) (openai_gateway_{name}{seen.well})")
    return +Counter(
        {tuple(at.get(label, "") for label in labels): round(v * scale) for at, v in found}
    )


def test_requests_by_outcome_and_status_are_the_rows(seen: Seen) -> None:
    in_log = Counter((str(row["outcome"]), str(row["status"] or "none")) for row in seen.rows)
    assert totals(seen, "requests_total", "outcome", "status") == in_log
    assert {outcome for outcome, _ in in_log} == {
        "forwarded", "rejected_key", "blocked", "throttled", "over_budget",
    }  # fmt: skip


def test_tokens_by_kind_are_the_rows(seen: Seen) -> None:
    in_log = Counter[tuple[str, ...]]()
    for row in seen.rows:
        for kind, count in kinds_of(row).items():
            in_log[kind,] += count
    assert totals(seen, "tokens_total", "kind") == +in_log
    assert in_log["output",] > 4 * 400_000


def test_cost_is_the_rows_to_the_nano_dollar(seen: Seen) -> None:
    in_log = sum(row["cost_nano_usd"] or 0 for row in seen.rows)
    assert totals(seen, "cost_usd_total", scale=10**9)[()] == in_log
    assert in_log > 16 * 10**9  # four calls of 400,000 tokens at 10 USD a million


def test_leaks_and_limits_are_the_rows(seen: Seen) -> None:
    throttled = sum(row["outcome"] == "throttled" for row in seen.rows)
    assert totals(seen, "throttled_requests_total", "limit", "action") == {
        ("rpm", "rejected"): throttled
    }
    leaks = totals(seen, "leaks_total", "rule", "action")
    assert leaks == {("github-pat", "blocked"): 4}
    assert totals(seen, "production_key_leaks_total", "place") == {("request",): 4}


def test_a_burn_is_what_it_says(seen: Seen) -> None:
    """Of 30 USD a month: dollars in an hour / 3600 s * 30 days / 30 USD."""
    burn = seen.server.one('job_budget:openai_gateway_budget_burn:ratio_rate1h{budget="burning"}')
    spent = seen.server.one('increase(openai_gateway_budget_spend_usd_total{budget="burning"}[1h])')
    assert spent > 15
    assert math.isclose(burn, spent / 3600 * 2_592_000 / 30, rel_tol=0.1)


def test_an_exemplar_leads_from_prometheus_to_a_row(seen: Seen) -> None:
    found = seen.server.exemplars(f"openai_gateway_requests_total{seen.well}")
    ids = {one["labels"]["call_id"] for one in found}
    assert ids
    assert ids <= {row["id"] for row in seen.rows}


def test_a_target_that_does_not_answer_is_down(seen: Seen) -> None:
    assert seen.server.one(f'count(up{{job="{JOB}"}} == 0)') == 1
