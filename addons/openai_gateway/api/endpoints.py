"""OpenAI's endpoints, as rules/endpoints.yaml lists them, and which of them a request asks for."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, Self

import yaml

from openai_gateway.api.paths import BadPath, segments

type Default = Literal["allow", "opt_in", "refuse"]

_METHODS: Final = frozenset({"*", "DELETE", "GET", "PATCH", "POST", "PUT"})
_WORDS: Final[Mapping[str, frozenset[str]]] = {
    "method": _METHODS,
    "category": frozenset({"inference", "storage", "admin", "session"}),
    "default": frozenset({"allow", "opt_in", "refuse"}),
    "body": frozenset({"none", "json", "multipart", "json_or_multipart", "sdp_or_multipart"}),
    "response": frozenset({"json", "sse", "text", "binary", "ws", "sdp", "none"}),
    "cost": frozenset(
        {
            *("none", "tokens", "tokens_tools", "images", "seconds", "characters", "calls"),
            *("storage", "later"),
        }
    ),
    "src": frozenset({"sdk", "spec", "both", "agents", "docs"}),
}
_LISTS: Final = ("response", "usage", "cost")
_TEXTS: Final = ("method", "path", "name", "category", "default", "model_in", "body", "stream",
                 "src", "note")  # fmt: skip
_NAME: Final = re.compile(r"[a-z0-9_]+(?:\.[a-z0-9_]+)*")
_SEGMENT: Final = re.compile(r"[a-z0-9_.-]+|\{[a-z_]+\}|\*\*")
_MODEL_IN: Final = re.compile(r"none|stored|(?:body|form|query|path|part|ws|file):[A-Za-z0-9_.]+")
# What rules over keys, users and limits of the whole organization; no setting opens it.
_ORGANIZATION: Final = ("organization", "projects")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One row of rules/endpoints.yaml; the file's head says what the fields mean."""

    method: str
    path: str
    name: str
    category: str
    default: Default
    model_in: str
    body: str
    response: tuple[str, ...]
    usage: tuple[str, ...]
    cost: tuple[str, ...]
    stream: str
    again: bool
    src: str
    note: str = ""

    @property
    def websocket(self) -> bool:
        """Whether it is a WebSocket."""
        return "ws" in self.response

    @property
    def organization(self) -> bool:
        """Whether it belongs to the organization and admin API."""
        return any(f"{self.path}/".startswith(f"/v1/{name}/") for name in _ORGANIZATION)


@dataclass(slots=True)
class _Node:
    """A segment of the templates: what may follow, and the rows that end here, by method."""

    literal: dict[str, "_Node"] = field(default_factory=dict)
    any_one: "_Node | None" = None
    here: dict[str, Endpoint] = field(default_factory=dict)
    any_rest: dict[str, Endpoint] = field(default_factory=dict)


class EndpointTable:
    """All rows, found by method and path. A literal segment beats {x}, {x} beats **."""

    __slots__ = ("_rows", "_top", "as_of")

    def __init__(self, rows: list[Endpoint], as_of: str) -> None:
        """Raises: ValueError for two rows of one name or of one method and path, and for a table
        that leaves a part of the organization API unlisted."""
        self.as_of = as_of
        self._rows = {row.name: row for row in rows}
        if len(self._rows) != len(rows):
            raise ValueError(f"two endpoints have the name {_twice([row.name for row in rows])}")
        self._top = _Node()
        for row in rows:
            _plant(self._top, row)
        for name in _ORGANIZATION:
            if not self._organization_listed(name):
                raise ValueError(f"no row with method '*' lists /v1/{name}/**")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads the file. Raises: OSError; ValueError that names the file and the entry."""
        text = path.read_bytes()
        try:
            data = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe loaders
            return cls(list(_rows(data)), str(data["as_of"]))
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark
            where = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
            raise ValueError(f"{path}{where}: {error.problem}") from error
        except (yaml.YAMLError, ValueError) as error:
            raise ValueError(f"{path}: {error}") from error

    def match(self, method: str, target: bytes) -> Endpoint | None:
        """The row of a request; None where no row lists it. HEAD asks for what GET does.

        A literal is compared without regard to case: a server may do so too, and a refused
        endpoint must not be reached by shouting. Raises: BadPath, also for what is outside /v1/.
        """
        path = segments(target)
        row = _find(self._top, tuple(part.lower() for part in path), 0, _asked(method))
        if row is None and (len(path) < 2 or path[0] != "v1"):
            raise BadPath("is not below /v1/")
        return row

    def names(self) -> frozenset[str]:
        """The names of all rows: the closed set of the label `endpoint`."""
        return frozenset(self._rows)

    def rows(self) -> tuple[Endpoint, ...]:
        """All rows, in the file's order."""
        return tuple(self._rows.values())

    def _organization_listed(self, name: str) -> bool:
        node = self._top.literal.get("v1", _Node()).literal.get(name, _Node())
        return "*" in node.any_rest


def _asked(method: str) -> tuple[str, ...]:
    return ("HEAD", "GET", "*") if method == "HEAD" else (method, "*")


def _find(node: _Node, path: tuple[str, ...], at: int, methods: tuple[str, ...]) -> Endpoint | None:
    """The best row below this node; the depth is bounded by the templates' own."""
    if at == len(path):
        found = _by_method(node.here, methods)
    else:
        following = node.literal.get(path[at])
        found = _find(following, path, at + 1, methods) if following else None
        if found is None and node.any_one is not None:
            found = _find(node.any_one, path, at + 1, methods)
    # ** takes nothing too: /v1/organization is as refused as what lies below it
    return found or _by_method(node.any_rest, methods)


def _by_method(rows: dict[str, Endpoint], methods: tuple[str, ...]) -> Endpoint | None:
    for method in methods if rows else ():
        if method in rows:
            return rows[method]
    return None


def _plant(node: _Node, row: Endpoint) -> None:
    here = None
    for part in row.path.split("/")[1:]:
        if part == "**":
            here = node.any_rest
        elif part.startswith("{"):
            node.any_one = node.any_one or _Node()
            node = node.any_one
        else:
            node = node.literal.setdefault(part, _Node())
    here = node.here if here is None else here
    if row.method in here:
        raise ValueError(f"{row.name} and {here[row.method].name} have one method and path")
    here[row.method] = row


def _twice(names: list[str]) -> str:
    return next(name for name in names if names.count(name) > 1)


def _rows(data: Any) -> Iterator[Endpoint]:
    """The rows with the file's defaults filled in, each judged."""
    if not isinstance(data, dict) or not isinstance(data.get("endpoints"), list):
        raise ValueError("lists no endpoints")
    if "as_of" not in data or not isinstance(data.get("defaults"), dict):
        raise ValueError("needs as_of and defaults")
    for index, entry in enumerate(data["endpoints"]):
        where = f"endpoints[{index}]"
        if not isinstance(entry, dict):
            raise ValueError(f"{where} is no mapping")
        yield _row(f"{where} ({entry.get('name', 'no name')})", data["defaults"] | entry)


def _row(where: str, entry: dict[str, Any]) -> Endpoint:
    fields = {"note": "", **entry}
    for name in _LISTS:
        fields[name] = _several(where, name, fields.get(name))
    for name in _TEXTS:
        if not isinstance(fields.get(name), str):
            raise ValueError(f"{where}: {name} is missing or no text")
    if not isinstance(fields.get("again"), bool):
        raise ValueError(f"{where}: again is neither true nor false")
    unknown = fields.keys() - {*_LISTS, *_TEXTS, "again"}
    if unknown:
        raise ValueError(f"{where}: unknown field {min(map(str, unknown))}")
    _judge(where, fields)
    return Endpoint(**fields)


def _several(where: str, name: str, value: object) -> tuple[str, ...]:
    """A list of words; one word stands for a list of one, `none` for an empty `usage`."""
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(one, str) for one in values):
        raise ValueError(f"{where}: {name} is neither a text nor a list of texts")
    return tuple(values)


def _judge(where: str, fields: dict[str, Any]) -> None:
    for name, known in _WORDS.items():
        values = fields[name] if name in _LISTS else (fields[name],)
        for value in values:
            if value not in known:
                raise ValueError(f"{where}: {name} is one of {', '.join(sorted(known))}")
    if not _NAME.fullmatch(fields["name"]):
        raise ValueError(f"{where}: name is not of the form a.b_c")
    if not _MODEL_IN.fullmatch(fields["model_in"]):
        raise ValueError(f"{where}: model_in is not none, stored or PLACE:FIELD")
    _judge_path(where, fields["path"])


def _judge_path(where: str, path: str) -> None:
    first, *parts = path.split("/")
    if first or not parts or not all(_SEGMENT.fullmatch(part) for part in parts):
        raise ValueError(f"{where}: path is not of the form /a/{{b}}/**")
    if "**" in parts[:-1]:
        raise ValueError(f"{where}: ** stands at the end of a path only")
