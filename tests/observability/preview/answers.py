"""What Prometheus says to each panel, in the words and units in which it is then drawn."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from tests.observability.dashboard import ALL, Json, plain
from tests.observability.preview.server import Prometheus, Series

STEP_S: Final = 1.0
IN_LEGEND: Final = re.compile(r"\{\{(\w+)\}\}")


@dataclass(frozen=True, slots=True)
class Answer:
    """A panel with its named series, and the exemplars of those that show them."""

    panel: Json
    series: list[tuple[str, list[tuple[float, float]]]] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    exemplars: list[tuple[float, float, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Span:
    """The time shown."""

    begin: float
    end: float
    marks: tuple[tuple[float, str], ...] = ()  # annotations: when, and in which colour

    @property
    def values(self) -> Mapping[str, str]:
        whole = f"{max(1, round(self.end - self.begin))}s"
        return {**ALL, "__rate_interval": "10s", "__range": whole}


def answered(server: Prometheus, panel: Json, span: Span) -> Answer:
    """Every query of the panel, asked as Grafana would."""
    made = Answer(panel)
    for target in panel.get("targets", []):
        expr = plain(target["expr"], span.values)
        if panel["type"] == "table":
            merge(made.rows, target["legendFormat"], server.now(expr, span.end))
        elif target["instant"]:
            made.series.extend(_named(target, server.now(expr, span.end)))
        else:
            made.series.extend(_named(target, server.ranged(expr, span.begin, span.end, STEP_S)))
        if target["exemplar"]:
            made.exemplars.extend(server.exemplars(expr, span.begin, span.end))
    return made


def annotated(server: Prometheus, dashboard: Json, span: Span) -> Span:
    """The span with its annotations: where a series begins, or where its values say."""
    marks: set[tuple[float, str]] = set()
    for told in dashboard["annotations"]["list"]:
        expr = plain(told["expr"], span.values)
        for _, points in server.ranged(expr, span.begin, span.end, STEP_S):
            by_value = "useValueForTime" in told
            times = [value / 1000 for _, value in points] if by_value else [points[0][0]]
            marks |= {(at, told["iconColor"]) for at in times if span.begin <= at <= span.end}
    return replace(span, marks=tuple(sorted(marks)))


def _named(target: Json, found: list[Series]) -> Iterator[tuple[str, list[tuple[float, float]]]]:
    for labels, points in found:
        yield legend(target["legendFormat"], labels), points


def legend(form: str, labels: Mapping[str, str]) -> str:
    """The series' name as Grafana makes it."""
    return IN_LEGEND.sub(lambda one: labels.get(one[1], ""), form).strip()


def merge(rows: list[dict[str, Any]], column: str, found: list[Series]) -> None:
    """Grafana's merge: rows whose common labels are equal are one; else they stand apart."""
    for labels, points in found:
        for row in rows:
            shared = [name for name in labels if name in row]
            if shared and all(row[name] == labels[name] for name in shared):
                row.update(labels, **{column: points[0][1]})
                break
        else:
            rows.append({**labels, column: points[0][1]})


# ---- numbers as Grafana's units show them --------------------------------------------------------


def shown(value: float, unit: str, decimals: int | None = None) -> str:
    return _UNITS[unit](value, decimals)


def _short(value: float, decimals: int | None) -> str:
    for size, sign in ((1e9, " Bil"), (1e6, " Mil"), (1e3, " K")):
        if abs(value) >= size:
            return f"{value / size:.3g}{sign}"
    return f"{value:.{decimals}f}" if decimals is not None else f"{value:.3g}"


def _time(value: float, _: int | None) -> str:
    for size, sign in ((86400.0, " days"), (3600.0, " hours"), (60.0, " mins"), (1.0, " s")):
        if abs(value) >= size:
            return f"{value / size:.3g}{sign}"
    return f"{value * 1000:.3g} ms"


_UNITS: Final[Mapping[str, Callable[[float, int | None], str]]] = {
    "short": _short,
    "s": _time,
    "reqps": lambda value, _: f"{value:.3g} req/s",
    "wps": lambda value, _: f"{value:.3g} wr/s",
    "percentunit": lambda value, _: f"{value * 100:.3g}%",
    "currencyUSD": lambda value, _: f"${value:,.4g}",
    "bytes": lambda value, _: f"{value / 2**20:.0f} MiB",
}


def since(at: float) -> str:
    """A time on an axis."""
    return time.strftime("%H:%M:%S", time.gmtime(at))
