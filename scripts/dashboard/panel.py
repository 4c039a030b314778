"""Draws one panel of dashboard.yaml as Grafana's JSON: how each kind looks is decided here."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from scripts.dashboard.query import Labels, metrics, promql
from scripts.dashboard.source import Kind, Panel, Query

type Json = dict[str, Any]

DATASOURCE: Final[Json] = {"type": "prometheus", "uid": "${datasource}"}
TYPES: Final[Mapping[Kind, str]] = {
    "stat": "stat",
    "lines": "timeseries",
    "bars": "timeseries",
    "gauges": "bargauge",
    "table": "table",
    "text": "text",
}


def panel(told: Panel, labels: Labels, place: Json) -> Json:
    """The whole panel at `place`, Grafana's gridPos."""
    made: Json = {
        "id": told.number,
        "type": TYPES[told.kind],
        "title": told.title,
        "description": description(told, labels),
        "gridPos": place,
        "options": _OPTIONS[told.kind](told),
    }
    if told.kind == "text":
        return made
    made["datasource"] = DATASOURCE
    made["fieldConfig"] = {
        "defaults": _defaults(told),
        "overrides": [*_columns(told), *_painted(told)],
    }
    made["targets"] = [
        _target(told, one, number, labels) for number, one in enumerate(told.queries)
    ]
    if told.kind == "table":
        made["transformations"] = _merged(told)
    return made


def description(told: Panel, labels: Labels) -> str:
    """What it shows, what good looks like, what to do else, and which variables do not act."""
    links = ", ".join(f"[{alert}](${{runbook}}#{alert.lower()})" for alert in told.alerts)
    said = [told.shows, f"**Good:** {told.good}" if told.good else ""]
    said += [f"**Else:** {links}" if links else "", _not_narrowed(told, labels)]
    return "\n\n".join(part for part in said if part)


def _not_narrowed(told: Panel, labels: Labels) -> str:
    """A variable that changes nothing here is said, so that nobody reads a sum as a part."""
    wanted = {name for one in told.queries for name in metrics(one.expr)}
    wide = [
        f"`{name}`"
        for name in ("key", "model")
        if wanted and not all(name in labels.get(metric, ()) for metric in wanted)
    ]
    return f"Not narrowed by {' or '.join(wide)}." if wide else ""


def _defaults(told: Panel) -> Json:
    made: Json = {"unit": told.unit, "thresholds": _thresholds(told.colours), "custom": {}}
    made["color"] = {"mode": "thresholds" if told.colours else "palette-classic"}
    if told.decimals is not None:
        made["decimals"] = told.decimals
    elif told.kind == "stat" and told.unit == "short":
        made["decimals"] = 0  # a count; increase() estimates, and tells fractions
    if told.none:
        made["noValue"] = told.none
    if told.words:
        words = {str(number): {"text": word} for number, word in told.words.items()}
        made["mappings"] = [{"type": "value", "options": words}]
    if told.kind in ("lines", "bars"):
        made["custom"] = _drawn(told)
    if told.kind in ("lines", "bars", "gauges"):
        made["min"] = 0
    if told.kind == "gauges":
        made["max"] = 1
    return made


def _thresholds(colours: Mapping[str | float, str]) -> Json:
    steps = [
        {"color": colour, "value": None if start == "base" else start}
        for start, colour in (colours or {"base": "green"}).items()
    ]
    return {"mode": "absolute", "steps": steps}


def _drawn(told: Panel) -> Json:
    bars = told.kind == "bars"
    return {
        "drawStyle": "bars" if bars else "line",
        "fillOpacity": 80 if bars else 25 if told.stacked else 8,
        "lineWidth": 0 if bars else 1,
        "showPoints": "never",
        "spanNulls": False,
        "stacking": {"mode": "normal" if bars or told.stacked else "none", "group": "A"},
    }


def _target(told: Panel, query: Query, number: int, labels: Labels) -> Json:
    at_once = told.kind in ("stat", "gauges", "table")
    return {
        "refId": chr(ord("A") + number),
        "datasource": DATASOURCE,
        "editorMode": "code",
        "expr": promql(query.expr, labels),
        "legendFormat": query.legend or query.column or "__auto",
        "instant": at_once,
        "range": not at_once,
        "format": "table" if told.kind == "table" else "time_series",
        "exemplar": query.exemplars,
    }


def _column(told: Panel, number: int) -> str:
    """The name that Grafana gives the values of a table's query."""
    return "Value" if len(told.queries) == 1 else f"Value #{chr(ord('A') + number)}"


def _columns(told: Panel) -> list[Json]:
    """The units of a table's columns."""
    return [
        {
            "matcher": {"id": "byName", "options": one.column},
            "properties": [
                {"id": name, "value": value}
                for name, value in (("unit", one.unit or "short"), ("decimals", one.decimals))
                if value is not None
            ],
        }
        for one in told.queries
        if told.kind == "table"
    ]


def _painted(told: Panel) -> list[Json]:
    """Colours that stay with a series, whichever others there are."""
    return [
        {
            "matcher": {"id": "byRegexp", "options": f"/^{name}$/"},
            "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": colour}}],
        }
        for name, colour in told.paint.items()
    ]


def _merged(told: Panel) -> list[Json]:
    """A row for each set of labels, a column for each query under its own name."""
    names = {_column(told, number): one.column for number, one in enumerate(told.queries)}
    order = {name: number + 10 for number, name in enumerate(names)}  # after the labels
    return [
        {"id": "merge", "options": {}},
        {
            "id": "organize",
            "options": {
                "excludeByName": {"Time": True},
                "indexByName": order,
                "renameByName": names,
            },
        },
    ]


_REDUCED: Final[Json] = {"calcs": ["lastNotNull"], "fields": "", "values": False}
_OPTIONS: Final[Mapping[Kind, Callable[[Panel], Json]]] = {
    "stat": lambda _: {
        "reduceOptions": _REDUCED, "colorMode": "background", "graphMode": "none",
        "justifyMode": "center", "textMode": "value", "orientation": "auto",
    },
    "lines": lambda _: _CHART,
    "bars": lambda _: _CHART,
    "gauges": lambda _: {
        "reduceOptions": _REDUCED, "orientation": "horizontal", "displayMode": "basic",
        "showUnfilled": True,
    },
    "table": lambda told: {
        "showHeader": True, "cellHeight": "sm",
        "sortBy": [{"displayName": told.queries[0].column, "desc": True}],
    },
    "text": lambda told: {"mode": "markdown", "content": told.text},
}  # fmt: skip
_CHART: Final[Json] = {
    "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
    "tooltip": {"mode": "multi", "sort": "desc"},
}
