"""Turns a query of dashboard.yaml into PromQL: the variables' filters, and risen() written out.

Why not by hand: a filter left out of one selector of fifty shows another key's money, unseen.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from scripts.dashboard.source import BadSource

SELECTOR: Final = re.compile(r"\b((?:openai_gateway|process)_\w+)(?:\{([^}]*)\})?")
RISEN: Final = re.compile(r"risen\(((?:openai_gateway|process)_\w+(?:\{[^}]*\})?),\s*(\$\w+)\)")
SUFFIX: Final = re.compile(r"_(?:bucket|sum|count)$")
NOT_PER: Final = frozenset({"openai_gateway_limit_capacity", "openai_gateway_limit_remaining"})
"""Families whose key or model is `all` where the limit is not per key or model."""

type Labels = Mapping[str, tuple[str, ...]]


def metrics(expr: str) -> set[str]:
    """The families that a query asks for."""
    return {family(name) for name, _ in SELECTOR.findall(expr)}


def family(name: str) -> str:
    """The family of a sample's name: that of a histogram without its ending."""
    return SUFFIX.sub("", name)


def promql(expr: str, labels: Labels) -> str:
    """The query as Grafana sends it; `labels` are those of every family. Raises: BadSource."""
    written = SELECTOR.sub(narrowed(labels), RISEN.sub(_written_out, expr))
    if "risen(" in SELECTOR.sub("", written):
        raise BadSource(f"risen() wants METRIC{{…}}, $WINDOW: {expr}")
    return written.strip()


def _written_out(found: re.Match[str]) -> str:
    """What was not there at the window's begin counts whole; the rest by what it rose."""
    one, window = found.groups()
    return f"(({one} unless {one} offset {window}) or increase({one}[{window}]))"


def narrowed(labels: Labels) -> Callable[[re.Match[str]], str]:
    """Adds to a selector the filters of the variables whose label its metric has."""

    def add(found: re.Match[str]) -> str:
        name, said = found.groups()
        known = labels.get(name) or labels.get(family(name))
        if known is None:
            raise BadSource(f"no such metric: {name}")
        rest = "|all" if name in NOT_PER else ""
        own = [said] if said else []
        own += [f'{one}=~"${one}{rest}"' for one in ("key", "model") if one in known]
        return f"{name}{{{', '.join([*own, 'instance=~"$instance"'])}}}"

    return add
