"""What the measured numbers say: medians, percentiles, paired ratios, and the verdict on each."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

type Judged = Literal["ratio", "difference", "value"]
QUIET_SHARE: Final = 0.10  # of the machine; above it other processes spoil what the clock says


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. `judged` says what the bar is held against; `others` is the share of
    the machine that other processes took, and is given where the figure depends on the clock."""

    name: str
    unit: str
    noop: float | None
    gateway: float
    judged: Judged = "ratio"
    paired: float | None = None  # the median of the rounds' own ratios or differences
    bar: float | None = None
    aim: float | None = None
    others: float | None = None

    @property
    def verdict(self) -> str:
        """`aim` and `ok` are kept, `MISSED` is not; `noisy` cannot be told on this machine now."""
        value = self.gateway if self.judged == "value" else self.paired
        if self.bar is None or value is None:
            return "noisy" if self.noisy else "-"
        if self.aim is not None and value <= self.aim:
            return "aim"
        if value <= self.bar:
            return "ok"
        return "noisy" if self.noisy else "MISSED"

    @property
    def noisy(self) -> bool:
        return self.others is not None and self.others >= QUIET_SHARE


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of the values do not exceed. `values` not empty."""
    ordered = sorted(values)
    rank = -int(-share * len(ordered) // 1)  # rounded up
    return ordered[max(0, min(len(ordered), rank) - 1)]


def paired_ratio(noop: Sequence[float], gateway: Sequence[float]) -> float:
    """The median of the ratios within each round: what slows both in one round drops out."""
    return statistics.median(g / n for n, g in zip(noop, gateway, strict=True))


def paired_difference(noop: Sequence[float], gateway: Sequence[float]) -> float:
    """The median of the differences within each round."""
    return statistics.median(g - n for n, g in zip(noop, gateway, strict=True))


def compared(
    name: str, unit: str, noop: Sequence[float], gateway: Sequence[float],
    *, judged: Judged = "ratio", bar: float | None = None, aim: float | None = None,
    others: float | None = None,
) -> Figure:  # fmt: skip
    """A figure out of one number a round and proxy."""
    pair = paired_difference if judged == "difference" else paired_ratio
    middle = statistics.median
    return Figure(name, unit, middle(noop), middle(gateway), judged, pair(noop, gateway), bar, aim,
                  others)  # fmt: skip
