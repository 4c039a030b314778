"""The rules ask for what the gateway exposes, and each alert is tried both ways."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from openai_gateway.telemetry.labels import Labels
from openai_gateway.telemetry.metrics import Metrics, Versions
from tests.observability.rules import (
    CASES,
    FOLDER,
    ROOT,
    RULES,
    Json,
    alerts,
    cases,
    groups,
    needs_promtool,
    records,
    rules,
)

RECORD = re.compile(r"[a-z_]+:openai_gateway_[a-z_]+:[a-z0-9_]+")
METRIC = re.compile(r"(?<![\w:])(?:openai_gateway|process|up)(?:_\w+)?(?=[{\[\s)]|$)")
OTHERS = {"up", "process_start_time_seconds", "process_open_fds", "process_max_fds"}
HISTOGRAM = ("_bucket", "_sum", "_count")

over_alerts = pytest.mark.parametrize("name", sorted(alerts()))


def exposed() -> dict[str, set[str]]:
    """Each series of the gateway with its labels."""
    found: dict[str, set[str]] = {}
    for family in Metrics(Labels(), Versions("", "", "")).declared:
        names = [family.name]
        if family.kind == "histogram":
            names = [family.name + end for end in HISTOGRAM]
        found |= {name: {*family.labels, "job", "instance", "le"} for name in names}
    return found


def promtool(*arguments: object) -> None:
    done = subprocess.run(  # noqa: S603 -- Debian's promtool on our own files
        ["promtool", *map(str, arguments)],  # noqa: S607 -- wherever it is installed
        cwd=FOLDER, env={**os.environ, "GOMAXPROCS": "1"},  # others need the other cores
        capture_output=True, text=True, check=False, timeout=110,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


# ---- what they ask --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rule", list(rules()), ids=lambda rule: rule.get("record") or rule["alert"]
)
def test_a_rule_asks_for_what_there_is(rule: Json) -> None:
    asked, known = rule["expr"], exposed()
    used = METRIC.findall(re.sub(RECORD, "", asked))
    assert used or RECORD.search(asked)
    for name in used:
        assert name in known or name in OTHERS, name
    for name in RECORD.findall(asked):
        assert name in records(), name
    for name, inside in re.findall(r"(openai_gateway_\w+)\{([^}]*)\}", asked):
        labels = set(re.findall(r"(\w+)(?:=~|!~|!=|=)", inside))
        whole = [one for one in known if one == name]
        assert not whole or labels <= known[name], f"{name}{labels}"


@pytest.mark.parametrize("name", list(records()))
def test_a_recording_rule_is_named_level_metric_operation(name: str) -> None:
    """The level is the labels that are left, `job` first."""
    assert RECORD.fullmatch(name)
    level = name.split(":")[0].split("_")
    assert level[0] == "job"
    for by in re.findall(r"by \(([^)]*)\)", records()[name]["expr"]):
        assert [label for label in by.split(", ") if label != "le"] == level


@over_alerts
def test_an_alert_says_what_where_to_read_and_how_urgent(name: str) -> None:
    rule = alerts()[name]
    assert rule["labels"]["severity"] in ("page", "ticket")
    said = rule["annotations"]
    assert set(said) == {"summary", "description", "runbook_url"}
    assert said["runbook_url"] == f"docs/runbook.md#{name.lower()}"
    assert len(said["summary"]) > 20
    assert said["description"].strip() != said["summary"]


def test_no_name_is_used_twice() -> None:
    names = [rule.get("record") or rule["alert"] for rule in rules()]
    assert len(names) == len(set(names)) == len(alerts()) + len(records())
    assert len(alerts()) >= 30


# ---- that each is tried ---------------------------------------------------------------------


@over_alerts
def test_an_alert_is_tried_firing_and_silent(name: str) -> None:
    """A silent case must hold what the alert looks at, or it proves nothing."""
    tried = [(test, asked) for alert, test, asked in cases() if alert == name]
    assert any(asked["exp_alerts"] for _, asked in tried)
    silent = [test for test, asked in tried if not asked["exp_alerts"]]
    assert silent
    looked_at = set(METRIC.findall(alerts()[name]["expr"]))
    for record in RECORD.findall(alerts()[name]["expr"]):
        looked_at |= set(METRIC.findall(re.sub(RECORD, "", records()[record]["expr"])))
    for test in silent:
        given = {one["series"].split("{")[0] for one in test["input_series"]}
        assert given <= looked_at | {"openai_gateway_budget_limit_usd"}, test["name"]
        assert given


def test_every_case_is_of_an_alert_that_there_is() -> None:
    assert {alert for alert, _, _ in cases()} == set(alerts())


def test_the_cases_evaluate_the_groups_in_the_order_of_the_files() -> None:
    order = [group["name"] for path in RULES for group in groups(path)]
    for path in CASES:
        assert yaml.safe_load(path.read_text())["group_eval_order"] == order, path.name


@needs_promtool
def test_promtool_finds_the_rules_right() -> None:
    promtool("check", "rules", *RULES)


@needs_promtool
@pytest.mark.parametrize("name", ["prometheus.yml", "workers.yml"])
def test_promtool_finds_the_configuration_right(name: str) -> None:
    promtool("check", "config", name)


@needs_promtool
def test_promtool_finds_the_rest_of_kubernetes_right(tmp_path: Path) -> None:
    """Debian's Prometheus is built without Kubernetes, so its finding is looked at here."""
    config = yaml.safe_load((FOLDER / "kubernetes.yml").read_text())
    (job,) = config["scrape_configs"]
    (found,) = job.pop("kubernetes_sd_configs")
    assert found == {"role": "pod", "namespaces": {"names": ["openai-gateway"]}}
    job["static_configs"] = [{"targets": ["127.0.0.1:9464"]}]
    without = tmp_path / "kubernetes.yml"
    without.write_text(yaml.safe_dump(config))
    promtool("check", "config", "--syntax-only", without)


@needs_promtool
@pytest.mark.soak
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_promtool_finds_every_case_as_expected(path: Path) -> None:
    promtool("test", "rules", path)


def test_the_configurations_read_the_rules_and_know_the_gateway_by_its_job() -> None:
    for name in ("prometheus.yml", "workers.yml", "kubernetes.yml"):
        config = yaml.safe_load((FOLDER / name).read_text())
        assert [FOLDER / path for path in config["rule_files"]] == list(RULES), name
        assert [job["job_name"] for job in config["scrape_configs"]] == ["openai-gateway"]


def test_the_first_target_is_the_gateways_default() -> None:
    example = yaml.safe_load((ROOT / "gateway.example.yaml").read_text())
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    targets = config["scrape_configs"][0]["static_configs"][0]["targets"]
    assert targets == [example["metrics"]["listen"]]
