"""Reads deploy/grafana/dashboard.yaml, and refuses what it does not know: a typo is no panel."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final, Literal, Self

import yaml

SOURCE: Final = Path(__file__).resolve().parents[2] / "deploy/grafana/dashboard.yaml"

type Kind = Literal["stat", "lines", "bars", "gauges", "table", "text"]


class BadSource(ValueError):
    """The file holds what no dashboard can be made of."""


def known(kind: type, said: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The fields of a dataclass, none of them unknown."""
    unknown = set(said) - {one.name for one in fields(kind)}
    if unknown:
        raise BadSource(f"{where}: unknown field {', '.join(sorted(unknown))}")
    return dict(said)


@dataclass(frozen=True, slots=True)
class Query:
    """One PromQL expression; `legend` names its series, `column` its column of a table."""

    expr: str
    legend: str = ""
    column: str = ""
    unit: str = ""
    decimals: int | None = None
    exemplars: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel. `colours` are thresholds from `base` upwards; `words` stand for numbers,
    `paint` is the colour of series by a regular expression over their names."""

    title: str
    kind: Kind
    size: str
    shows: str
    good: str
    alerts: tuple[str, ...] = ()
    queries: tuple[Query, ...] = ()
    unit: str = "short"
    decimals: int | None = None
    stacked: bool = False
    none: str = ""
    colours: Mapping[str | float, str] = field(default_factory=dict)
    words: Mapping[int, str] = field(default_factory=dict)
    paint: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    later: bool = False

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Self:
        where = str(said.get("title", "a panel without a title"))
        given = known(cls, said, where)
        if not all(isinstance(given.get(name), str) for name in ("shows", "good")):
            raise BadSource(f"{where}: shows and good are text; quote a lone number")
        given["alerts"] = tuple(given.get("alerts", ()))
        given["queries"] = tuple(
            Query(**known(Query, one, where)) for one in given.get("queries", ())
        )
        return cls(**given)

    @property
    def number(self) -> int:
        """Grafana's id, by which links name a panel: of its title, so that it stays."""
        return zlib.crc32(self.title.encode()) % 1_000_000

    @property
    def width(self) -> int:
        return int(self.size.split("x")[0])

    @property
    def height(self) -> int:
        return int(self.size.split("x")[1])


@dataclass(frozen=True, slots=True)
class Row:
    """A question, and the panels that answer it."""

    title: str
    panels: tuple[Panel, ...]
    collapsed: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """The whole file; `runbook` is where docs/runbook.md can be read in a browser."""

    title: str
    uid: str
    runbook: str
    rows: tuple[Row, ...]


def read(path: Path = SOURCE) -> Source:
    """The dashboard as it is written. Raises: BadSource."""
    said = known(Source, yaml.safe_load(path.read_text(encoding="utf-8")), path.name)
    rows = [known(Row, row, str(row.get("title"))) for row in said.pop("rows")]
    made = (Row(**{**row, "panels": tuple(map(Panel.read, row["panels"]))}) for row in rows)
    return Source(**said, rows=tuple(made))
