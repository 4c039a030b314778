"""The Grafana dashboard as tests ask for it: its panels, and its queries without variables."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
PATH: Final = ROOT / "deploy/grafana/dashboards/openai-gateway.json"
ALL: Final[Mapping[str, str]] = {
    "key": ".*",
    "model": ".*",
    "instance": ".*",
    "__rate_interval": "1m",
    "__interval": "15s",
    "__range": "1h",
}
VARIABLE: Final = re.compile(r"\$(?:\{(\w+)\}|(\w+))")

type Json = dict[str, Any]


def load(path: Path = PATH) -> Json:
    loaded: Json = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def panels(dashboard: Json) -> Iterator[Json]:
    """Every panel that is no row, those of collapsed rows too, from top to bottom."""
    for one in dashboard["panels"]:
        if one["type"] == "row":
            yield from one["panels"]
        else:
            yield one


def plain(text: str, values: Mapping[str, str] = ALL) -> str:
    """A query with the variables replaced. Raises: KeyError for one that has no value."""
    return VARIABLE.sub(lambda found: values[found[1] or found[2]], text)


def queries(values: Mapping[str, str] | None = None) -> Iterator[tuple[str, str]]:
    """(panel's title, PromQL) of every query; `values` stand in for the variables of `ALL`."""
    chosen = {**ALL, **(values or {})}
    for panel in panels(load()):
        for target in panel.get("targets", []):
            yield panel["title"], plain(target["expr"], chosen)
