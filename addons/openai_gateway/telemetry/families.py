"""Declares families of metrics in one registry, and keeps what was declared: docs/metrics.md is it.

Why a layer over the client library: every family passes the maximum of series, and none is silent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    disable_created_metrics,
)

from openai_gateway.telemetry.labels import Family, Series

PREFIX: Final = "openai_gateway_"


@dataclass(frozen=True, slots=True)
class Declared:
    """One family as a scraper sees it; `buckets` without +Inf."""

    name: str
    kind: str
    words: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


class Families:
    """The families of one gateway. Names come without the prefix, but where `prefix` is given."""

    def __init__(self, max_series: int, overflows: str) -> None:
        """`overflows` explains the family that counts labels turned into `other`."""
        disable_created_metrics()  # type: ignore[no-untyped-call] # else each counter is two series
        self.registry: Final = CollectorRegistry()
        self._declared: Final[list[Declared]] = []
        self._series = Series(max_series)
        self._overflowed = Declared(
            PREFIX + "label_overflows_total", "counter", overflows, ("label",)
        )
        self._overflows = self._overflow_counter()

    @property
    def declared(self) -> tuple[Declared, ...]:
        """Every family, in the order of its declaration."""
        return (*self._declared, self._overflowed)

    def counter(self, name: str, words: str, *labels: str) -> Family[Counter]:
        """A counter; its name ends in _total."""
        self._note(PREFIX + name, "counter", words, labels)
        metric = Counter(PREFIX + name, words, labels, registry=self.registry)
        return Family(metric, labels, self._series, 1, self._overflow)

    def gauge(self, name: str, words: str, *labels: str) -> Family[Gauge]:
        """A gauge with labels."""
        self._note(PREFIX + name, "gauge", words, labels)
        metric = Gauge(PREFIX + name, words, labels, registry=self.registry)
        return Family(metric, labels, self._series, 1, self._overflow)

    def histogram(
        self, name: str, words: str, buckets: Sequence[float], *labels: str,
        prefix: str = PREFIX, folded: tuple[str, ...] = (),
    ) -> Family[Histogram]:  # fmt: skip
        """`folded`: for each label the name by which the maximum of series knows it."""
        self._note(prefix + name, "histogram", words, labels, tuple(buckets))
        metric = Histogram(prefix + name, words, labels, buckets=buckets, registry=self.registry)
        weight = len(buckets) + 3  # and +Inf, _sum, _count
        return Family(metric, folded or labels, self._series, weight, self._overflow)

    def plain(self, name: str, words: str) -> Gauge:
        """A gauge without labels."""
        self._note(PREFIX + name, "gauge", words, ())
        return Gauge(PREFIX + name, words, registry=self.registry)

    def info(self, name: str, words: str, values: dict[str, str]) -> None:
        """A gauge that is always 1 and tells `values`; the client library appends _info."""
        self._note(f"{PREFIX}{name}_info", "gauge", words, tuple(values))
        Info(PREFIX + name, words, registry=self.registry).info(values)

    def _overflow_counter(self) -> Counter:
        """At 0 from the start, so that alerts see it rise."""
        told = self._overflowed
        counter = Counter(told.name, told.words, told.labels, registry=self.registry)
        for label in ("model", "endpoint", "key"):
            counter.labels(label)
        return counter

    def _note(
        self, name: str, kind: str, words: str, labels: tuple[str, ...],
        buckets: tuple[float, ...] = (),
    ) -> None:  # fmt: skip
        self._declared.append(Declared(name, kind, words, labels, buckets))

    def _overflow(self, label: str) -> None:
        self._overflows.labels(label).inc()
