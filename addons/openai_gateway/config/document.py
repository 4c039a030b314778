"""YAML with positions: plain data beside the line and column of every key and value.

Bounded in size, depth and expansion; nothing is ever constructed but text, numbers and lists.
"""

import re
from dataclasses import dataclass, field
from typing import Final

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from openai_gateway.config.problems import LITERAL_KEY, Loc, Place, shown

MAX_BYTES: Final = 1024 * 1024
MAX_DEPTH: Final = 32
MAX_VALUES: Final = 20_000

_TAG: Final = "tag:yaml.org,2002:"
_INT: Final = re.compile(r"[-+]?(?:0|[1-9][0-9_]{0,30})")
_FLOAT: Final = re.compile(
    r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]{1,3})?"
)
_TRUE_FALSE: Final = {"true": True, "false": False}
_SCALARS: Final = frozenset(("str", "int", "float", "bool", "null", "timestamp", "value", "merge"))


_TOO_MUCH: Final = "is nested too deeply, or holds too many values"


class Bare(str):
    """`on`, `off`, `yes` or `no` without quotes: a word where one is expected, else a boolean."""

    __slots__ = ()


class Unreadable(Exception):
    """The text is no YAML that can be used at all."""

    def __init__(self, place: Place, message: str) -> None:
        super().__init__(message)
        self.place = place
        self.message = message


@dataclass(slots=True)
class Document:
    """`keys` and `values` say where the name and the value of a place stand."""

    data: object = None
    keys: dict[Loc, Place] = field(default_factory=dict)
    values: dict[Loc, Place] = field(default_factory=dict)
    texts: dict[str, list[Loc]] = field(default_factory=dict)
    faults: list[tuple[Loc, Place, str]] = field(default_factory=list)
    withheld: set[Loc] = field(default_factory=set)

    def place(self, loc: Loc, *, key: bool = False) -> Place:
        """Where `loc` stands, or its nearest ancestor that stands in the file."""
        for end in range(len(loc), -1, -1):
            first, second = (self.keys, self.values) if key or end < len(loc) else (
                self.values, self.keys,
            )  # fmt: skip
            found = first.get(loc[:end]) or second.get(loc[:end])
            if found:
                return found
        return (1, 1)


def parse(text: str) -> Document:
    """The document in `text`; faults that leave the rest readable are collected in it."""
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        raise Unreadable(_place(error.problem_mark), _said(error)) from error
    except yaml.reader.ReaderError as error:
        place = (text.count("\n", 0, error.position) + 1, 1)
        raise Unreadable(place, "holds a character that YAML does not allow") from error
    except (ValueError, OverflowError) as error:
        raise Unreadable((1, 1), "is no YAML") from error
    builder = _Builder()
    if node is not None:
        builder.document.data = builder.build(node, ())
    return builder.document


class _Loader(yaml.SafeLoader):
    """Stops early, so that brackets upon brackets cost neither the stack nor time."""

    depth = 0
    nodes = 0

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        self.depth += 1
        self.nodes += 1
        if self.depth > MAX_DEPTH or self.nodes > 2 * MAX_VALUES:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # stubs lack it
            raise yaml.MarkedYAMLError(problem=_TOO_MUCH, problem_mark=mark)
        node: Node | None = super().compose_node(parent, index)
        self.depth -= 1
        return node


class _Builder:
    """Turns nodes into plain data; counts what it builds, as aliases can multiply."""

    def __init__(self) -> None:
        self.document = Document()
        self._built = 0

    def build(self, node: Node, loc: Loc) -> object:
        place = _place(node.start_mark)
        self._built += 1
        if self._built > MAX_VALUES or len(loc) > MAX_DEPTH:
            raise Unreadable(place, "expands to too many values; use fewer aliases")
        self.document.values[loc] = place
        if isinstance(node, ScalarNode):
            return self._scalar(node, loc)
        if isinstance(node, MappingNode) and node.tag == _TAG + "map":
            return self._mapping(node, loc)
        if isinstance(node, SequenceNode) and node.tag == _TAG + "seq":
            return tuple(self.build(item, (*loc, i)) for i, item in enumerate(node.value))
        self._fault(loc, place, "has a tag that is not understood here; take the tag out")
        return None

    def _scalar(self, node: ScalarNode, loc: Loc) -> object:
        if LITERAL_KEY.search(node.value):
            self._fault(loc, _place(node.start_mark), _LITERAL)
            return None
        if node.tag.removeprefix(_TAG) not in _SCALARS:
            place = _place(node.start_mark)
            self._fault(loc, place, "has a tag that is not understood here; take the tag out")
            return None
        self.document.texts.setdefault(node.value, []).append(loc)
        return node.value if node.style is not None else _plain(node)

    def _mapping(self, node: MappingNode, loc: Loc) -> dict[str, object]:
        built: dict[str, object] = {}
        for name_node, value_node in self._pairs(node, loc, 0):
            name = self._name(name_node, loc)
            if name is None:
                continue
            self.document.keys[(*loc, name)] = _place(name_node.start_mark)
            built[name] = self.build(value_node, (*loc, name))
        return built

    def _pairs(self, node: MappingNode, loc: Loc, depth: int) -> list[tuple[Node, Node]]:
        """The mapping's own pairs, then those merged by `<<` whose names it does not have."""
        own: dict[object, tuple[Node, Node]] = {}
        merged: list[tuple[Node, Node]] = []
        for name, value in node.value:
            self._built += 1
            if name.tag == _TAG + "merge":
                merged += self._merged(value, loc, depth)
            elif isinstance(name, ScalarNode) and name.value in own:
                first = own[name.value][0].start_mark.line + 1
                self._duplicate(name, loc, first)
            else:
                own[name.value if isinstance(name, ScalarNode) else id(name)] = (name, value)
        for name, value in merged:
            own.setdefault(name.value, (name, value))
        return list(own.values())

    def _merged(self, value: Node, loc: Loc, depth: int) -> list[tuple[Node, Node]]:
        sources = value.value if isinstance(value, SequenceNode) else [value]
        place = _place(value.start_mark)
        if depth > MAX_DEPTH or self._built > MAX_VALUES:
            raise Unreadable(place, "expands to too many values; use fewer aliases")
        pairs: list[tuple[Node, Node]] = []
        for source in sources:
            if not isinstance(source, MappingNode):
                self._fault((*loc, "<<"), place, "must name a mapping (`<<: *anchor`)")
                continue
            pairs += self._pairs(source, loc, depth + 1)
        return pairs

    def _duplicate(self, name: ScalarNode, loc: Loc, first: int) -> None:
        where = _place(name.start_mark)
        if LITERAL_KEY.search(name.value):
            self.document.faults.append((loc, where, _LITERAL))
            return
        message = f"is given twice (first on line {first}); keep one"
        self.document.faults.append(((*loc, name.value), where, message))

    def _name(self, node: Node, loc: Loc) -> str | None:
        place = _place(node.start_mark)
        if not isinstance(node, ScalarNode) or not node.value:
            self.document.faults.append((loc, place, "has a name that is no text"))
            return None
        if LITERAL_KEY.search(node.value):
            self.document.faults.append((loc, place, _LITERAL))
            return None
        return str(node.value)

    def _fault(self, loc: Loc, place: Place, message: str) -> None:
        self.document.faults.append((loc, place, message))
        self.document.withheld.add(loc)


_LITERAL: Final = (
    "holds a literal key; take it out (and rotate it if others could read this file), and write "
    'a reference: env:NAME, file:/path or exec:["argv", …]'
)


def _plain(node: ScalarNode) -> object:
    """The value of a text without quotes, by YAML 1.2's rules for numbers and 1.1's for words."""
    text: str = node.value
    if node.tag == _TAG + "null":
        return None
    if node.tag == _TAG + "bool":
        return _TRUE_FALSE.get(text.lower(), Bare(text))
    if node.tag == _TAG + "float" and text.lower().lstrip("+-") in (".inf", ".nan"):
        return float(text.lower().replace(".", ""))
    if node.tag == _TAG + "int" and _INT.fullmatch(text):
        return int(text.replace("_", ""))
    return float(text) if _FLOAT.fullmatch(text) else text


def _place(mark: yaml.Mark | None) -> Place:
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _said(error: yaml.MarkedYAMLError) -> str:
    """The parser's own words without what it quotes from the file."""
    problem = re.sub(r"'[^']*'", lambda found: shown(found[0].strip("'")), error.problem or "")
    return problem if problem == _TOO_MUCH else f"is no YAML: {problem}"
