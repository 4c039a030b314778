"""Puts the whole dashboard together: variables, annotations, rows, and where each panel stands."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from scripts.dashboard.panel import DATASOURCE, Json, panel
from scripts.dashboard.query import Labels, metrics, promql
from scripts.dashboard.source import BadSource, Panel, Row, Source

WIDE: Final = 24
SCHEMA: Final = 39  # of Grafana 10.1; later ones carry it over


def drawn(told: Source, labels: Labels) -> str:
    """The JSON that Grafana reads; `labels` are those of each family. Raises: BadSource."""
    made: Json = {
        "uid": told.uid,
        "id": None,
        "title": told.title,
        "description": (
            "Made by scripts/generate_docs.py of deploy/grafana/dashboard.yaml; change that. "
            "Top to bottom: is it safe, is it healthy, what does it cost, how far from the limits."
        ),
        "tags": ["openai-gateway"],
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "timezone": "",
        "links": [_runbook()],
        "annotations": {"list": list(_annotations(labels))},
        "templating": {"list": list(_variables(told.runbook))},
        "panels": _panels(told.rows, labels),
    }
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"


def _panels(rows: Iterable[Row], labels: Labels) -> list[Json]:
    """Every row below the one before; the panels of a collapsed row stand inside it."""
    made: list[Json] = []
    top = 0
    for row in rows:
        placed = [
            panel(told, labels, place)
            for told, place in flowed([*shown(row.panels, labels)], top + 1)
        ]
        head: Json = {
            "id": Panel(row.title, "text", "24x1", "", "").number,
            "type": "row",
            "title": row.title,
            "collapsed": row.collapsed,
            "gridPos": {"x": 0, "y": top, "w": WIDE, "h": 1},
            "panels": placed if row.collapsed else [],
        }
        made += [head, *(() if row.collapsed else placed)]
        top = top + 1 if row.collapsed else bottom(placed)
    return made


def shown(panels: Iterable[Panel], labels: Labels) -> Iterator[Panel]:
    """Those whose metrics there are; only a panel that says `later` may lack one."""
    for told in panels:
        missing = {name for one in told.queries for name in metrics(one.expr)} - set(labels)
        if missing and not told.later:
            raise BadSource(f"{told.title}: no such metric: {', '.join(sorted(missing))}")
        if not missing:
            yield told


def flowed(panels: Sequence[Panel], top: int) -> Iterator[tuple[Panel, Json]]:
    """From left to right, and below the highest of a line where the width is used up."""
    x, y, height = 0, top, 0
    for told in panels:
        if x + told.width > WIDE:
            x, y, height = 0, y + height, 0
        yield told, {"x": x, "y": y, "w": told.width, "h": told.height}
        x, height = x + told.width, max(height, told.height)


def bottom(placed: Iterable[Json]) -> int:
    return max(one["gridPos"]["y"] + one["gridPos"]["h"] for one in placed)


def _variables(runbook: str) -> Iterator[Json]:
    yield {
        "name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus",
        "current": {}, "hide": 0, "includeAll": False, "multi": False, "refresh": 1, "regex": "",
    }  # fmt: skip
    for name, metric in (
        ("key", "openai_gateway_requests_total"),
        ("model", "openai_gateway_requests_total"),
        ("instance", "openai_gateway_build_info"),
    ):
        query = f"label_values({metric}, {name})"
        yield {
            "name": name, "label": name, "type": "query", "datasource": DATASOURCE,
            "definition": query, "query": {"query": query, "refId": name}, "refresh": 2,
            "sort": 1, "multi": True, "includeAll": True, "allValue": ".*", "hide": 0,
            "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
            "options": [], "regex": "", "skipUrlSync": False,
        }  # fmt: skip
    yield {
        "name": "runbook", "label": "Runbook", "type": "constant", "query": runbook, "hide": 2,
        "current": {"text": runbook, "value": runbook}, "skipUrlSync": True,
    }  # fmt: skip


def _annotations(labels: Labels) -> Iterator[Json]:
    """Reloads: those in force stand at their own time, which is the metric's value."""
    yield _annotation(
        "gateway.yaml in force", "green", useValueForTime=True,
        expr=promql("openai_gateway_config_last_reload_success_timestamp_seconds * 1000", labels),
        titleFormat="gateway.yaml in force", textFormat="{{instance}}",
    )  # fmt: skip
    refused = 'increase(openai_gateway_config_reloads_total{result="failure"}[1m]) > 0'
    yield _annotation(
        "gateway.yaml refused", "red", expr=promql(refused, labels), step="30s",
        titleFormat="gateway.yaml refused",
        textFormat="{{instance}}: the old settings stay; the log says why",
    )  # fmt: skip


def _annotation(name: str, colour: str, **more: Any) -> Json:
    return {
        "name": name, "datasource": DATASOURCE, "enable": True, "hide": False,
        "iconColor": colour, **more,
    }  # fmt: skip


def _runbook() -> Json:
    return {
        "type": "link", "title": "Runbook", "url": "${runbook}", "icon": "doc", "targetBlank": True,
        "asDropdown": False, "includeVars": False, "keepTime": False, "tags": [], "tooltip": "",
    }  # fmt: skip
