"""Lays the answers out on one static page as the dashboard does, and says it is no Grafana."""

import math
from collections.abc import Iterable
from html import escape
from typing import Final

from tests.observability.dashboard import Json
from tests.observability.preview.answers import Answer, Span, shown
from tests.observability.preview.chart import NAMED, chart

CELL_W, CELL_H, WIDE = 52, 31, 24
WIDTH: Final = CELL_W * WIDE
STYLE: Final = """
body{margin:0;background:#111217;color:#ccccdc;font:13px 'DejaVu Sans',sans-serif}
.banner{background:#3d2f00;color:#ffd76e;padding:7px 12px;height:16px}
.p{position:absolute;box-sizing:border-box;border:1px solid #2a2d35;background:#181b1f;
   border-radius:3px;overflow:hidden;padding:5px 8px}
.t{font-weight:bold;font-size:12px;white-space:nowrap;overflow:hidden}
.row{position:absolute;font-size:16px;font-weight:bold;padding:8px 4px}
.big{position:absolute;left:5px;right:5px;top:26px;bottom:5px;border-radius:3px;color:#fff;
     display:flex;align-items:center;justify-content:center;font-size:24px}
.l{font-size:11px;height:32px;overflow:hidden;line-height:15px}
.l span{margin-right:10px;white-space:nowrap}
table{border-collapse:collapse;width:100%;font-size:12px;margin-top:4px}
td,th{text-align:left;padding:3px 6px;border-bottom:1px solid #2a2d35}
pre{background:#22252b;padding:5px;margin:4px 0;font-size:11px;white-space:pre-wrap}
.g{position:relative;height:17px;margin:3px 0;background:#22252b;font-size:11px}
.g div{height:17px}.g span{position:absolute;left:5px;top:1px;color:#fff}
.g b{position:absolute;right:5px;top:1px}
text{fill:#9fa2ab;font-size:10px}
"""


def page(dashboard: Json, answers: Iterable[Answer], span: Span, words: str) -> tuple[str, int]:
    """The page, and how high it is."""
    parts = [_row(one, _folded(one)) for one in dashboard["panels"] if one["type"] == "row"]
    parts += [_panel(one, span) for one in answers]
    bottom = max(one["gridPos"]["y"] + one["gridPos"]["h"] for one in dashboard["panels"])
    body = f'<div class="banner"><b>Preview, not Grafana.</b> {escape(words)}</div>'
    body += f'<div style="position:relative">{"".join(parts)}</div>'
    head = f'<meta charset="utf-8"><title>Preview</title><style>{STYLE}</style>'
    return f"<!doctype html><html><head>{head}</head><body>{body}</body></html>", (
        bottom * CELL_H + 36
    )


def _folded(row: Json) -> str:
    return f" (folded away: {len(row['panels'])} panels)" if row["panels"] else ""


def _row(row: Json, more: str) -> str:
    mark = "▸" if row["collapsed"] else "▾"
    small = f'<span style="font-size:11px;font-weight:normal">{escape(more)}</span>'
    top = row["gridPos"]["y"] * CELL_H
    return f'<div class="row" style="top:{top}px">{mark} {escape(row["title"])}{small}</div>'


def _panel(answer: Answer, span: Span) -> str:
    grid = answer.panel["gridPos"]
    width, height = grid["w"] * CELL_W - 6, grid["h"] * CELL_H - 6
    place = (
        f"left:{grid['x'] * CELL_W + 3}px;top:{grid['y'] * CELL_H + 3}px;"
        f"width:{width}px;height:{height}px"
    )
    title = f'<div class="t">{escape(answer.panel["title"])}</div>'
    kind = answer.panel["type"]
    inside = {
        "stat": _stat, "bargauge": _gauges, "table": _table, "text": _text,
    }.get(kind, lambda one: chart(one, span, width - 18, height - 66))(answer)  # fmt: skip
    return f'<div class="p" style="{place}">{title}{inside}</div>'


def _defaults(answer: Answer) -> Json:
    made: Json = answer.panel["fieldConfig"]["defaults"]
    return made


def _colour(value: float, defaults: Json) -> str:
    steps = defaults["thresholds"]["steps"]
    reached = [one for one in steps if one["value"] is None or value >= one["value"]]
    return NAMED[reached[-1]["color"]]


def _stat(answer: Answer) -> str:
    defaults = _defaults(answer)
    values = [points[-1][1] for _, points in answer.series if not math.isnan(points[-1][1])]
    if not values:
        return f'<div class="big">{escape(defaults.get("noValue", "No data"))}</div>'
    words = defaults.get("mappings", [{"options": {}}])[0]["options"]
    text = shown(values[0], defaults["unit"], defaults.get("decimals"))
    text = words.get(str(round(values[0])), {"text": text})["text"]
    back = _colour(values[0], defaults)
    return f'<div class="big" style="background:{back}">{escape(text)}</div>'


def _gauges(answer: Answer) -> str:
    defaults = _defaults(answer)
    made = ""
    for name, points in answer.series:
        value = points[-1][1]
        bar = f"width:{max(0.0, min(1.0, value)) * 100}%;background:{_colour(value, defaults)}"
        text = shown(value, defaults["unit"])
        made += f'<div class="g"><div style="{bar}"></div><span>{escape(name)}</span>'
        made += f"<b>{text}</b></div>"
    return made or "No data"


def _table(answer: Answer) -> str:
    own = [one["legendFormat"] for one in answer.panel["targets"]]
    units = {
        one["matcher"]["options"]: {p["id"]: p["value"] for p in one["properties"]}
        for one in answer.panel["fieldConfig"]["overrides"]
    }
    labels = list(dict.fromkeys(name for row in answer.rows for name in row if name not in own))
    head = "".join(f"<th>{escape(name)}</th>" for name in [*labels, *own])
    rows = sorted(answer.rows, key=lambda row: -row.get(own[0], 0))
    body = ""
    for row in rows:
        cells = [row.get(name, "") for name in labels]
        cells += [
            shown(row[name], units[name]["unit"], units[name].get("decimals"))
            if name in row
            else ""
            for name in own
        ]
        body += f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in cells)}</tr>"
    return f"<table><tr>{head}</tr>{body}</table>"


def _text(answer: Answer) -> str:
    made = ""
    for block in answer.panel["options"]["content"].split("\n\n"):
        code = block.startswith("    ")
        text = escape(block.replace("**", "").replace("`", ""))
        made += f"<pre>{text}</pre>" if code else f"<div>{text}</div>"
    return f'<div style="margin-top:6px;font-size:12px">{made}</div>'
