"""Draws lines and bars over time as SVG: what Grafana's time series panel would draw, plainly."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from tests.observability.preview.answers import STEP_S, Answer, Span, shown, since

LEFT, LEGENDS, MARKS = 62, 7, 60
COLOURS: Final = (
    "#73bf69", "#f2cc0c", "#8ab8ff", "#ff780a", "#f2495c", "#5794f2", "#b877d9", "#37872d",
    "#e0b400", "#ffa6b0",
)  # fmt: skip
NAMED: Final = {
    "green": "#3f9142", "orange": "#d9730d", "red": "#c4162a", "blue": "#3274d9",
    "yellow": "#e0b400", "purple": "#8f3bb8",
}  # fmt: skip

type Points = list[tuple[float, float]]
type Exemplar = tuple[float, float, str]


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a time and a value stand."""

    span: Span
    top: float
    width: int
    height: int

    def x(self, at: float) -> float:
        share = (at - self.span.begin) / (self.span.end - self.span.begin)
        return LEFT + share * (self.width - LEFT)

    def y(self, value: float) -> float:
        return self.height - 16 - min(value, self.top) / self.top * (self.height - 22)


@dataclass(frozen=True, slots=True)
class Layer:
    """One series; `below` is what it is stacked upon."""

    name: str
    points: Points
    colour: str
    below: dict[float, float] | None = None


def chart(answer: Answer, span: Span, width: int, height: int) -> str:
    defaults = answer.panel["fieldConfig"]["defaults"]
    stacked = defaults["custom"]["stacking"]["mode"] == "normal"
    layers = _layers(answer, stacked)
    tops = [value for layer in layers for _, value in layer.points]
    if not tops:
        return '<div style="color:#9fa2ab;text-align:center;margin-top:40px">No data</div>'
    frame = Frame(span, max(tops) * 1.08 or 1.0, width, height)
    draw = _bars if defaults["custom"]["drawStyle"] == "bars" else _lines
    made = _axes(frame, defaults["unit"]) + "".join(draw(one, frame) for one in reversed(layers))
    made += _diamonds(_slowest(answer.exemplars, span), frame) + _marks(span, frame)
    return f'<svg width="{width}" height="{height}">{made}</svg>{_legend(layers)}'


def _colour(answer: Answer, name: str, number: int) -> str:
    for one in answer.panel["fieldConfig"]["overrides"]:
        if re.search(one["matcher"]["options"].strip("/"), name):
            return NAMED[one["properties"][0]["value"]["fixedColor"]]
    return COLOURS[number % len(COLOURS)]


def _layers(answer: Answer, stacked: bool) -> list[Layer]:
    """Each series, upon those before it where they are stacked."""
    made = []
    heights: dict[float, float] = {}
    for number, (name, told) in enumerate(answer.series):
        points = [(at, value) for at, value in told if not math.isnan(value)]
        below = {at: heights.get(at, 0.0) for at, _ in points}
        heights.update({at: below[at] + value for at, value in points})
        colour = _colour(answer, name, number)
        if stacked:
            points = [(at, heights[at]) for at, _ in points]
        made.append(Layer(name, points, colour, below if stacked else None))
    return made


def _axes(frame: Frame, unit: str) -> str:
    made = ""
    for part in (0, 0.5, 1):
        value = frame.top / 1.08 * part
        y = frame.y(value)
        made += f'<line x1="{LEFT}" x2="{frame.width}" y1="{y:.1f}" y2="{y:.1f}" stroke="#2a2d35"/>'
        made += (
            f'<text x="{LEFT - 6}" y="{y + 3:.1f}" text-anchor="end">{shown(value, unit)}</text>'
        )
    for part in (0.08, 0.5, 0.92):
        at = frame.span.begin + (frame.span.end - frame.span.begin) * part
        made += f'<text x="{frame.x(at):.1f}" y="{frame.height - 2}" text-anchor="middle">'
        made += f"{since(at)}</text>"
    return made


def _bars(layer: Layer, frame: Frame) -> str:
    wide = max(1.0, (frame.width - LEFT) * STEP_S / (frame.span.end - frame.span.begin))
    below = layer.below or {}
    return "".join(
        f'<rect x="{frame.x(at) - wide:.1f}" y="{frame.y(value):.1f}" width="{wide:.1f}" '
        f'height="{frame.y(below.get(at, 0.0)) - frame.y(value):.1f}" fill="{layer.colour}"/>'
        for at, value in layer.points
    )


def _lines(layer: Layer, frame: Frame) -> str:
    made = ""
    for run in _unbroken(layer.points):
        line = " ".join(f"{frame.x(at):.1f},{frame.y(value):.1f}" for at, value in run)
        if (below := layer.below) is not None:
            back = " ".join(f"{frame.x(at):.1f},{frame.y(below[at]):.1f}" for at, _ in run[::-1])
            made += f'<polygon points="{line} {back}" fill="{layer.colour}" fill-opacity="0.3"/>'
        made += (
            f'<polyline points="{line}" fill="none" stroke="{layer.colour}" stroke-width="1.5"/>'
        )
    return made


def _unbroken(points: Points) -> list[Points]:
    """Cut where points are missing, as Grafana does."""
    runs: list[Points] = []
    for point in points:
        if runs and point[0] - runs[-1][-1][0] <= 2 * STEP_S:
            runs[-1].append(point)
        else:
            runs.append([point])
    return runs


def _slowest(exemplars: Sequence[Exemplar], span: Span) -> Sequence[Exemplar]:
    """The slowest call of each stretch of time: as Grafana thins them out."""
    found: dict[int, Exemplar] = {}
    for one in sorted(exemplars, key=lambda one: one[1]):
        found[int((one[0] - span.begin) / (span.end - span.begin) * MARKS)] = one
    return list(found.values())


def _diamonds(exemplars: Sequence[Exemplar], frame: Frame) -> str:
    """Single calls, each with the command that explains it."""
    made = ""
    for at, value, call in exemplars:
        x, y = frame.x(at), frame.y(value)
        if frame.span.begin <= at <= frame.span.end and value <= frame.top:
            made += f'<rect x="{x - 2.5:.1f}" y="{y - 2.5:.1f}" width="5" height="5" fill="#fff" '
            made += f'fill-opacity="0.7" transform="rotate(45 {x:.1f} {y:.1f})">'
            made += f"<title>openai-gateway explain {escape(call)}</title></rect>"
    return made


def _marks(span: Span, frame: Frame) -> str:
    """The annotations, upright."""
    return "".join(
        f'<line x1="{frame.x(at):.1f}" x2="{frame.x(at):.1f}" y1="6" y2="{frame.height - 16}" '
        f'stroke="{NAMED[colour]}" stroke-dasharray="3,3"/>'
        for at, colour in span.marks
    )


def _legend(layers: Sequence[Layer]) -> str:
    made = "".join(
        f'<span><b style="color:{one.colour}">━</b> {escape(one.name)}</span>'
        for one in layers[:LEGENDS]
    )
    more = f"<span>and {len(layers) - LEGENDS} more</span>" if len(layers) > LEGENDS else ""
    return f'<div class="l">{made}{more}</div>'
