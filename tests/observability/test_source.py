"""What deploy/grafana/dashboard.yaml may say, and what becomes of it."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.dashboard.document import drawn, flowed
from scripts.dashboard.query import promql
from scripts.dashboard.source import BadSource, Panel, read
from tests.observability.dashboard import Json, panels

LABELS = {
    "openai_gateway_requests_total": ("key", "endpoint", "model", "outcome", "status"),
    "openai_gateway_leaks_total": ("rule", "action", "location"),
    "openai_gateway_limit_remaining": ("key", "model", "limit"),
    "openai_gateway_overhead_seconds": ("phase",),
    "openai_gateway_config_last_reload_success_timestamp_seconds": (),
    "openai_gateway_config_reloads_total": ("result",),
    "process_resident_memory_bytes": (),
}
CALLS = {"expr": "sum(openai_gateway_requests_total)"}


def made(tmp_path: Path, *told: dict[str, Any], **more: Any) -> Json:
    basic = {"kind": "stat", "size": "8x4", "shows": "x", "good": "y", "queries": [CALLS]}
    rows = [{"title": "A row", "panels": [{**basic, **one} for one in told]}]
    source = tmp_path / "dashboard.yaml"
    whole = {"title": "T", "uid": "u", "runbook": "https://r.example", "rows": rows, **more}
    source.write_text(yaml.safe_dump(whole))
    loaded: Json = json.loads(drawn(read(source), LABELS))
    return loaded


@pytest.mark.parametrize(
    ("told", "sent"),
    [
        (
            "sum(openai_gateway_requests_total)",
            'sum(openai_gateway_requests_total{key=~"$key", model=~"$model", '
            'instance=~"$instance"})',
        ),
        (
            'openai_gateway_leaks_total{action="blocked"}',
            'openai_gateway_leaks_total{action="blocked", instance=~"$instance"}',
        ),
        (
            "rate(openai_gateway_overhead_seconds_bucket[$__rate_interval])",
            'rate(openai_gateway_overhead_seconds_bucket{instance=~"$instance"}[$__rate_interval])',
        ),
        (  # a limit that is not per key is that of every key
            "openai_gateway_limit_remaining",
            'openai_gateway_limit_remaining{key=~"$key|all", model=~"$model|all", '
            'instance=~"$instance"}',
        ),
        (
            "risen(openai_gateway_leaks_total, $__range)",
            '((openai_gateway_leaks_total{instance=~"$instance"} unless '
            'openai_gateway_leaks_total{instance=~"$instance"} offset $__range) or '
            'increase(openai_gateway_leaks_total{instance=~"$instance"}[$__range]))',
        ),
        ("process_resident_memory_bytes", 'process_resident_memory_bytes{instance=~"$instance"}'),
    ],
)
def test_a_query_gets_the_filters_that_its_metric_has_labels_for(told: str, sent: str) -> None:
    assert promql(told, LABELS) == sent


@pytest.mark.parametrize(
    "told", ["openai_gateway_request_total", "risen(sum(openai_gateway_leaks_total), $__range)"]
)
def test_a_query_that_cannot_be_sent_is_refused(told: str) -> None:
    with pytest.raises(BadSource):
        promql(told, LABELS)


def test_a_panel_flows_to_the_next_line_where_the_width_is_used_up() -> None:
    told = [Panel(str(number), "stat", size, "", "") for number, size in
            enumerate(("12x4", "8x6", "8x4", "24x2"))]  # fmt: skip
    assert [(at["x"], at["y"]) for _, at in flowed(told, 1)] == [(0, 1), (12, 1), (0, 7), (0, 11)]


def test_a_panel_of_a_metric_to_come_is_left_out_until_it_is_there(tmp_path: Path) -> None:
    later = [{"expr": "openai_gateway_cost_avoided_usd_total"}]
    told = ({"title": "Now"}, {"title": "Avoided", "later": True, "queries": later})
    assert [panel["title"] for panel in panels(made(tmp_path, *told))] == ["Now"]
    known = {**told[1], "queries": [CALLS]}
    assert [panel["title"] for panel in panels(made(tmp_path, told[0], known))] == [
        "Now",
        "Avoided",
    ]


def test_a_panel_of_a_metric_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSource, match="Costs: no such metric: openai_gateway_costs_total"):
        made(tmp_path, {"title": "Costs", "queries": [{"expr": "openai_gateway_costs_total"}]})


@pytest.mark.parametrize("told", [{"unti": "s"}, {"queries": [{**CALLS, "legends": "x"}]}])
def test_a_word_that_no_panel_knows_is_refused(tmp_path: Path, told: dict[str, Any]) -> None:
    with pytest.raises(BadSource, match="Calls: unknown field"):
        made(tmp_path, {"title": "Calls", **told})


def test_a_lone_number_is_no_description(tmp_path: Path) -> None:
    with pytest.raises(BadSource, match="quote a lone number"):
        made(tmp_path, {"title": "Calls", "good": 0.0})


def test_a_panels_id_stays_when_others_come_before_it(tmp_path: Path) -> None:
    (alone,) = panels(made(tmp_path, {"title": "Calls"}))
    _, after = panels(made(tmp_path, {"title": "Other"}, {"title": "Calls"}))
    assert alone["id"] == after["id"]


def test_a_description_says_which_variable_changes_nothing(tmp_path: Path) -> None:
    leaks = [{"expr": "sum(openai_gateway_leaks_total)"}]
    wide, narrow = panels(made(tmp_path, {"title": "L", "queries": leaks}, {"title": "C"}))
    assert wide["description"] == "x\n\n**Good:** y\n\nNot narrowed by `key` or `model`."
    assert narrow["description"] == "x\n\n**Good:** y"
