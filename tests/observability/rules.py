"""The rules of deploy/prometheus as data, and the cases that try them."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = ROOT / "deploy" / "prometheus"
RULES: Final = (FOLDER / "rules" / "recording.yml", FOLDER / "rules" / "alerts.yml")
CASES: Final = tuple(sorted((FOLDER / "tests").glob("*.yml")))

type Json = dict[str, Any]

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="there is no promtool (Debian's package prometheus)"
)
needs_prometheus = pytest.mark.skipif(
    shutil.which("prometheus") is None, reason="there is no prometheus (Debian's package of it)"
)


def groups(path: Path) -> list[Json]:
    found: list[Json] = yaml.safe_load(path.read_text())["groups"]
    return found


def rules() -> Iterator[Json]:
    """Every recording rule, then every alert."""
    for path in RULES:
        for group in groups(path):
            yield from group["rules"]


def alerts() -> dict[str, Json]:
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def records() -> dict[str, Json]:
    return {rule["record"]: rule for rule in rules() if "record" in rule}


def cases() -> Iterator[tuple[str, Json, Json]]:
    """(alert, the test around it, the question) of every alert_rule_test."""
    for path in CASES:
        for test in yaml.safe_load(path.read_text())["tests"]:
            for asked in test["alert_rule_test"]:
                yield asked["alertname"], test, asked
