"""The dashboard shows what the gateway exposes: no dead query, no lost filter, no blind panel."""

import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest
import yaml

from openai_gateway.telemetry.labels import Labels
from openai_gateway.telemetry.metrics import Metrics, Versions
from tests.observability.dashboard import ROOT, VARIABLE, Json, load, panels, plain, queries

GRAFANA = ROOT / "deploy/grafana"
RUNBOOK = ROOT / "docs/runbook.md"
DASHBOARD = load()
PANELS = list(panels(DASHBOARD))
ROWS = [panel for panel in DASHBOARD["panels"] if panel["type"] == "row"]
TARGETS = [(panel, target) for panel in PANELS for target in panel.get("targets", [])]
SELECTOR = re.compile(r"\b((?:openai_gateway|process)_\w+)\{([^}]*)\}")
BARE = re.compile(r"\b(?:openai_gateway|process)_\w+\b(?!\{)")
MATCHER = re.compile(r'(\w+)(=~|!~|!=|=)"([^"]*)"')
OF_THE_TARGET = {"instance", "job", "le"}  # Prometheus', and a histogram's own
UNITS = {"short", "s", "reqps", "wps", "percentunit", "currencyUSD", "bytes"}
LINK = re.compile(r"\[(\w+)\]\(\$\{runbook\}#([\w-]+)\)")

over_panels = pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
over_targets = pytest.mark.parametrize(
    ("panel", "target"), TARGETS, ids=[f"{p['title']} {t['refId']}" for p, t in TARGETS]
)


def families() -> dict[str, set[str]]:
    """What a scraper may see of a new gateway: names of samples, and their labels."""
    metrics = Metrics(Labels(), Versions("", "", ""))
    seen: dict[str, set[str]] = {}
    for family in metrics.declared:
        for end in ("", "_bucket", "_sum", "_count") if family.kind == "histogram" else ("",):
            seen[family.name + end] = set(family.labels)
    for family in metrics.registry.collect():
        for sample in family.samples:
            seen.setdefault(sample.name, set(sample.labels))
    return seen


FAMILIES = families()


def asked(expr: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Each selector's metric, and its matchers by label."""
    for name, inside in SELECTOR.findall(expr):
        yield name, {label: value for label, _, value in MATCHER.findall(inside)}


def grouped(expr: str) -> list[set[str]]:
    return [set(re.split(r",\s*", one)) for one in re.findall(r"\bby \(([^)]*)\)", expr)]


# ---- the whole ----------------------------------------------------------------------------------


def test_the_four_questions_stand_in_their_order_and_only_details_are_folded_away() -> None:
    titles = [row["title"] for row in ROWS]
    assert titles[:4] == [
        "Is it safe?",
        "Is it healthy?",
        "What does it cost?",
        "How far from the limits and budgets?",
    ]
    assert [row["collapsed"] for row in ROWS] == [False] * 4 + [True] * (len(ROWS) - 4)
    assert all(bool(row["panels"]) == row["collapsed"] for row in ROWS)


def test_grafana_may_give_it_an_id_and_finds_it_again_by_its_uid() -> None:
    assert DASHBOARD["id"] is None
    assert DASHBOARD["uid"] == "openai-gateway"
    assert DASHBOARD["schemaVersion"] == 39


def test_no_two_panels_have_one_id_or_one_title() -> None:
    every = [*ROWS, *PANELS]
    assert len({panel["id"] for panel in every}) == len(every)
    assert len({panel["title"] for panel in every}) == len(every)


def test_panels_stand_within_the_grid_and_on_no_other() -> None:
    folded = [[*row["panels"]] for row in ROWS if row["collapsed"]]
    for together in (DASHBOARD["panels"], *folded):
        cells = [panel["gridPos"] for panel in together]
        assert all(0 <= cell["x"] <= 24 - cell["w"] and cell["h"] > 0 for cell in cells)
        for one, other in combinations(cells, 2):
            apart = (
                one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
                or one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
            )  # fmt: skip
            assert apart, (one, other)


def test_every_variable_that_is_used_is_there_and_every_one_that_is_there_is_used() -> None:
    there = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    own = {"__rate_interval", "__range", "__all"}
    text = yaml.safe_dump(DASHBOARD)
    used = {found[1] or found[2] for found in VARIABLE.finditer(text)}
    assert used - own == there == {"datasource", "key", "model", "instance", "runbook"}


def test_every_query_goes_to_the_chosen_datasource() -> None:
    chosen = {"type": "prometheus", "uid": "${datasource}"}
    asking = [target for _, target in TARGETS] + DASHBOARD["annotations"]["list"]
    asking += [one for one in DASHBOARD["templating"]["list"] if one["type"] == "query"]
    assert {yaml.safe_dump(one["datasource"]) for one in asking} == {yaml.safe_dump(chosen)}


def test_the_choices_of_a_variable_are_values_of_that_label() -> None:
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            metric, _, label = variable["definition"][len("label_values(") : -1].partition(", ")
            assert variable["definition"] == f"label_values({metric}, {label})"
            assert variable["query"]["query"] == variable["definition"]
            assert label == variable["name"]
            assert label in FAMILIES[metric] | OF_THE_TARGET


def test_reloads_are_marked_at_their_own_time_and_refused_ones_in_red() -> None:
    in_force, refused = DASHBOARD["annotations"]["list"]
    assert in_force["useValueForTime"] is True
    assert in_force["expr"].endswith("* 1000")  # the value is the mark's time, in milliseconds
    assert 'result="failure"' in refused["expr"]
    assert refused["iconColor"] == "red"
    for one in (in_force, refused):
        assert {name for name, _ in asked(one["expr"])} <= set(FAMILIES)


# ---- each panel ---------------------------------------------------------------------------------


@over_panels
def test_a_panel_says_what_good_looks_like_and_leads_to_the_runbook(panel: Json) -> None:
    shown = panel["description"]
    assert len(shown) > 20
    if panel["type"] == "text":
        return
    assert "**Good:** " in shown
    assert LINK.findall(shown)
    assert all(anchor == name.lower() for name, anchor in LINK.findall(shown))
    assert panel["fieldConfig"]["defaults"]["unit"] in UNITS


@pytest.mark.skipif(not RUNBOOK.is_file(), reason="docs/runbook.md is not written yet")
def test_the_runbook_has_every_alert_that_a_panel_leads_to() -> None:
    named = {name for panel in PANELS for name, _ in LINK.findall(panel["description"])}
    assert named <= set(re.findall(r"^#+ (\w+)$", RUNBOOK.read_text(), re.MULTILINE))


def test_where_client_and_tier_are_told_is_said() -> None:
    (text,) = [panel["options"]["content"] for panel in PANELS if panel["type"] == "text"]
    assert "openai-gateway report --by client" in text
    assert "service_tier" in text


def test_latency_panels_show_single_calls() -> None:
    seen = {
        panel["title"]
        for panel, target in TARGETS
        if target["exemplar"] and "_bucket" in target["expr"]
    }
    assert {"Time of a call", "Time to the first token", "Overhead of the gateway"} <= seen


# ---- each query ---------------------------------------------------------------------------------


def test_every_query_is_promql() -> None:
    parser = pytest.importorskip("promql_parser", reason="promql-parser is not installed")
    marks = [plain(one["expr"]) for one in DASHBOARD["annotations"]["list"]]
    for expr in [*(expr for _, expr in queries()), *marks]:
        parser.parse(expr)  # raises where it is not


@over_targets
def test_a_query_asks_for_metrics_and_labels_that_there_are(panel: Json, target: Json) -> None:
    expr = target["expr"]
    assert not BARE.findall(expr)  # every selector has its filters
    known = set(OF_THE_TARGET)
    for name, matchers in asked(expr):
        assert name in FAMILIES, name
        assert set(matchers) <= FAMILIES[name] | OF_THE_TARGET, name
        known |= FAMILIES[name]
    for by in grouped(expr):
        assert by <= known, by
    if panel["type"] != "table":
        legend = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
        assert legend <= set().union(*grouped(expr))


@over_targets
def test_a_query_is_narrowed_by_every_variable_that_can_narrow_it(
    panel: Json, target: Json
) -> None:
    for name, matchers in asked(target["expr"]):
        assert matchers["instance"] == "$instance"
        for label in ("key", "model"):
            wanted = f"${label}|all" if name.startswith("openai_gateway_limit_") else f"${label}"
            assert matchers.get(label) == (wanted if label in FAMILIES[name] else None)
            told = f"`{label}`" in panel["description"].partition("Not narrowed by")[2]
            assert told or label in FAMILIES[name]


@over_targets
def test_windows_are_grafanas_own_but_for_an_hours_pace(panel: Json, target: Json) -> None:
    windows = set(re.findall(r"\[([^\]]+)\]", target["expr"]))
    assert windows <= {"$__rate_interval", "$__range", "1h"}
    assert ("1h" in windows) <= ("hour" in panel["description"])
    assert not (target["range"] and "$__range" in windows)  # one number over all, not a line


@over_targets
def test_what_several_gateways_tell_of_one_budget_is_not_added_up(
    panel: Json, target: Json
) -> None:
    del panel
    gauge = r"openai_gateway_budget_(?:limit_usd|used_usd|reset_timestamp_seconds)\{"
    every = re.findall(gauge, target["expr"])
    assert every == re.findall(rf"max by \(budget\) \(({gauge})", target["expr"])


def test_no_number_is_shown_as_0_where_no_gateway_is_read() -> None:
    for title, expr in queries():
        assert "vector(" not in expr, title


def test_queries_leave_no_variable() -> None:
    every = list(queries({"key": "ci", "__range": "5m"}))
    assert len(every) == len(TARGETS)
    assert not any("$" in expr for _, expr in every)
    (swaps,) = [expr for title, expr in every if title == "Keys swapped"]
    swapped = 'openai_gateway_key_swaps_total{key=~"ci", instance=~".*"}'
    assert swaps == (
        f"sum((({swapped} unless {swapped} offset 5m) or increase({swapped}[5m])))\n"
        'or 0 * count(openai_gateway_build_info{instance=~".*"})'
    )


# ---- provisioning: read as YAML; Grafana itself is not asked ------------------------------------


def provisioned(kind: str) -> Json:
    (path,) = (GRAFANA / "provisioning" / kind).glob("*.yaml")
    loaded: Json = yaml.safe_load(path.read_text())
    assert loaded["apiVersion"] == 1
    return loaded


def test_the_datasource_makes_of_an_exemplar_the_command_that_explains_its_call() -> None:
    (source,) = provisioned("datasources")["datasources"]
    assert source["type"] == "prometheus"
    (link,) = source["jsonData"]["exemplarTraceIdDestinations"]
    exemplar = (ROOT / "addons/openai_gateway/telemetry/metrics.py").read_text()
    assert f'exemplar = {{"{link["name"]}": call.id}}' in exemplar
    assert link["urlDisplayLabel"] == "openai-gateway explain $${__value.raw}"  # Grafana eats one $
    assert link["url"].endswith("$${__value.raw}")


def test_the_dashboards_are_read_from_one_folder_and_not_changed_in_the_browser() -> None:
    (provider,) = provisioned("dashboards")["providers"]
    assert provider["type"] == "file"
    assert provider["allowUiUpdates"] is False
    assert Path(provider["options"]["path"]).name == "dashboards"
    assert [path.name for path in (GRAFANA / "dashboards").iterdir()] == ["openai-gateway.json"]
