"""A rule file whose every value knows where it stands, so that a fault names file, line and column.
Faults are collected: a broken price list is told as a whole, not one mistake a start."""

import datetime
import difflib
from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import yaml
from yaml.events import CollectionEndEvent, CollectionStartEvent
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from openai_gateway.core.money import decimal

MAX_BYTES: Final = 4 * 1024 * 1024
MAX_DEPTH: Final = 16
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Fault:
    """One mistake; `line` and `column` count from 1, `path` is dotted."""

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.path}: {self.message}"


class PriceFileError(ValueError):
    """The file cannot be used; all its faults, in the order of its lines."""

    def __init__(self, faults: Collection[Fault]) -> None:
        ordered = sorted(set(faults), key=lambda one: (one.file, one.line, one.column, one.message))
        self.faults = tuple(ordered)
        super().__init__("\n".join(str(fault) for fault in self.faults))


@dataclass(frozen=True, slots=True)
class Value:
    """A value of the file. The readers below give what is there, or record a fault and give what
    does no harm, so that reading goes on."""

    file: str
    node: Node
    path: str = "(file)"
    faults: list[Fault] = field(default_factory=list)

    def fault(self, message: str) -> None:
        """Records what is wrong here."""
        self.faults.append(self.said(message))

    def said(self, message: str) -> Fault:
        """A fault of this place."""
        mark = self.node.start_mark
        return Fault(self.file, mark.line + 1, mark.column + 1, self.path, message)

    def mapping(self, known: Collection[str] | None = None) -> dict[str, "Value"]:
        """Its fields; a fault for each that is given twice or is not in `known`."""
        if not isinstance(self.node, MappingNode):
            self.fault("must be a mapping")
            return {}
        found: dict[str, Value] = {}
        for name, node in self.node.value:
            here = self._below(name, node)
            if not isinstance(name, ScalarNode) or not name.value:
                here.fault("has a name that is no text")
            elif name.value in found:
                self._below(name, name).fault("is given twice; keep one")
            elif known is not None and name.value not in known:
                self._below(name, name).fault(f"is unknown{_meant(name.value, known)}")
            else:
                found[name.value] = here
        return found

    def items(self) -> list["Value"]:
        """Its members."""
        if not isinstance(self.node, SequenceNode):
            self.fault("must be a list")
            return []
        paths = (f"{self.path}.{index}" for index in range(len(self.node.value)))
        return [
            Value(self.file, node, path, self.faults)
            for node, path in zip(self.node.value, paths, strict=True)
        ]

    def text(self) -> str:
        """A text that is not empty."""
        if isinstance(self.node, ScalarNode) and self.node.value.strip():
            return str(self.node.value)
        self.fault("must be a text")
        return ""

    def word(self, known: Collection[str]) -> str:
        """One of `known`."""
        text = self.text()
        if text and text not in known:
            self.fault(f"is not one of {', '.join(sorted(known))}{_meant(text, known)}")
        return text

    def number(self) -> Decimal:
        """A number from 0 on, as it was written."""
        try:
            return decimal(self.node.value if isinstance(self.node, ScalarNode) else "")
        except ValueError as error:
            self.fault(str(error))
            return Decimal(0)

    def count(self) -> int:
        """A whole number from 1 on."""
        number = self.number()
        if number < 1 or number != int(number):
            self.fault("must be a whole number from 1 on")
        return int(number)

    def true(self) -> bool:
        """The word `true`; where it does not hold, the field is left out."""
        if isinstance(self.node, ScalarNode) and self.node.value == "true":
            return True
        self.fault("must be true, or left out")
        return False

    def date(self) -> str:
        """A day, as YYYY-MM-DD."""
        text = self.text()
        try:
            datetime.date.fromisoformat(text)
        except ValueError:
            self.fault("must be a day, like 2026-11-24")
        return text

    def _below(self, name: Node, node: Node) -> "Value":
        step = name.value if isinstance(name, ScalarNode) else "?"
        path = step if self.path == "(file)" else f"{self.path}.{step}"
        return Value(self.file, node, path, self.faults)


def read(path: Path) -> Value:
    """The file's top. Raises: OSError; PriceFileError where it is no YAML at all."""
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise PriceFileError([Fault(str(path), 1, 1, "(file)", "is larger than 4 MiB")])
    try:
        _shallow(data)
        node = yaml.compose(data, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        message = f"is no YAML: {error.problem}"
        raise PriceFileError([Fault(str(path), *place, "(file)", message)]) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise PriceFileError([Fault(str(path), 1, 1, "(file)", "is no YAML")]) from error
    if node is None:
        raise PriceFileError([Fault(str(path), 1, 1, "(file)", "is empty")])
    return Value(str(path), node)


def _shallow(data: bytes) -> None:
    """The C loader recurses without a bound: brackets upon brackets would end the process."""
    depth = 0
    for event in yaml.parse(data, Loader=_LOADER):
        if isinstance(event, CollectionStartEvent):
            depth += 1
        elif isinstance(event, CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            mark: Any = event.start_mark  # the C loader's own class, which the stubs refuse
            raise yaml.MarkedYAMLError(problem="is nested too deeply", problem_mark=mark)


def _meant(text: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(text, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""
