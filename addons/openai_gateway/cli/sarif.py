"""What was found in files as SARIF 2.1.0, which code hosts and editors show beside the lines.

A value never stands in it; its sha256 tells whether two findings are of the same one.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import quote

from openai_gateway import __version__
from openai_gateway.leaks.rules.rule import Rule
from openai_gateway.leaks.sources.source_files import Spotted

LEVELS: Final = {"high": "error", "medium": "warning", "low": "note"}
# How GitHub sorts what a security tool found.
SCORES: Final = {"high": "8.0", "medium": "5.0", "low": "2.0"}
SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(
    found: Sequence[tuple[str, Spotted]], rules: Mapping[str, Rule], notes: Sequence[str]
) -> dict[str, object]:
    """A log with one run. `found`: each with the path of its file; `rules`: by id."""
    places = {name: place for place, name in enumerate(rules)}
    driver = {
        "name": "openai-gateway",
        "semanticVersion": __version__,
        "rules": [_rule(rule) for rule in rules.values()],
    }
    run = {
        "tool": {"driver": driver},
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": [
                    {"level": "warning", "message": {"text": text}} for text in notes
                ],
            }
        ],
        "results": [_result(path, one, rules[one.rule], places[one.rule]) for path, one in found],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(rule: Rule) -> dict[str, object]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
        "properties": {"tags": ["security"], "security-severity": SCORES[rule.severity]},
    }


def _result(path: str, one: Spotted, rule: Rule, place: int) -> dict[str, object]:
    inside = f", in {one.inside}" if one.inside else ""
    return {
        "ruleId": rule.id,
        "ruleIndex": place,
        "level": "note" if one.lowered else LEVELS[rule.severity],
        "message": {"text": f"{rule.title}{inside}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": uri(path)},
                    "region": {"startLine": one.line},
                }
            }
        ],
        "partialFingerprints": {"secretSha256/v1": one.sha256},
    }


def uri(path: str) -> str:
    """Relative where the path is."""
    quoted = quote(os.fsencode(path))
    return f"file://{quoted}" if Path(path).is_absolute() else quoted
