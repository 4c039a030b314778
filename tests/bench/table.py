"""The result as a table for a terminal of 80 columns, and as plain data for `--json`."""

import dataclasses
from collections.abc import Sequence
from typing import Any, Final

from tests.bench.figures import Figure

WIDTHS: Final = (31, 11, 11, 8, 8, 9)
HEADS: Final = ("figure", "no-op", "gateway", "ratio", "bar", "verdict")


def lines(figures: Sequence[Figure]) -> list[str]:
    """The whole table, line by line, none longer than 80 characters."""
    return [_row(HEADS), _row(tuple("-" * (width - 1) for width in WIDTHS)), *map(_line, figures)]


def _line(figure: Figure) -> str:
    compared = figure.paired
    return _row(
        (
            figure.name,
            _number(figure.noop, figure.unit),
            _number(figure.gateway, figure.unit),
            "" if compared is None else _judged(compared, figure),
            "" if figure.bar is None else _judged(figure.bar, figure),
            figure.verdict,
        )
    )


def _row(cells: Sequence[str]) -> str:
    first, *rest = zip(cells, WIDTHS, strict=True)
    numbers = (f"{cell:>{width}}" for cell, width in rest)
    return f"{first[0]:<{first[1]}}{''.join(numbers)}".rstrip()


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    digits = 0 if abs(value) >= 100 or unit == "calls" else 1 if abs(value) >= 10 else 2
    return f"{value:.{digits}f} {unit}".rstrip()


def _judged(value: float, figure: Figure) -> str:
    if figure.judged == "ratio":
        return f"{value:.2f}"
    sign = "+" if figure.judged == "difference" else ""
    return f"{value:{sign}.1f}"


def data(figures: Sequence[Figure]) -> list[dict[str, Any]]:
    """The same as JSON takes it."""
    return [{**dataclasses.asdict(figure), "verdict": figure.verdict} for figure in figures]
