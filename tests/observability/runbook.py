"""docs/runbook.md by its parts, one an alert, and their queries."""

import re
from typing import Final

from tests.observability.rules import ROOT

PAGE: Final = (ROOT / "docs" / "runbook.md").read_text()
PART: Final = re.compile(r"^### (\w+)\n(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
BLOCK: Final = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PARTS: Final = dict(PART.findall(PAGE))


def blocks(text: str, language: str) -> list[str]:
    return [inside for kind, inside in BLOCK.findall(text) if kind == language]


def queries(text: str) -> list[str]:
    """Each query of the PromQL blocks; one that goes on is indented, or closes with a brace."""
    return [
        query for block in blocks(text, "promql") for query in re.split(r"\n(?=\S)", block.strip())
    ]
