"""Every field of gateway.yaml in words: for `config explain`, docs/configuration.md and tests."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from openai_gateway.config.kinds import REFERENCE_PATTERN
from openai_gateway.config.pending import SAID, pending
from openai_gateway.config.schema import schema


@dataclass(frozen=True, slots=True)
class Row:
    """One field; `path` is dotted, with `[]` for a list's entries and NAME for a map's."""

    path: str
    type: str
    default: str
    meaning: str
    acts: bool
    required: bool = False


def rows() -> tuple[Row, ...]:
    """All fields in the order of the file; a section's own row comes before its fields."""
    made = schema()
    return tuple(_rows(made, made["$defs"], ""))


def current(data: object, path: str) -> object:
    """What a file says at `path`, as it is written; None where it says nothing.

    References stay references: the file is read, not what it refers to.
    """
    for step in path.replace("[]", ".[]").split("."):
        data = _step(data, step)
        if data is None:
            return None
    return data


def _step(data: object, step: str) -> object:
    if isinstance(data, tuple):
        if step == "[]":
            return data or None
        found = [value for entry in data if (value := _step(entry, step)) is not None]
        return found or None
    if not isinstance(data, Mapping):
        return None
    return tuple(data.values()) if step == "NAME" else data.get(step)


def _rows(part: dict[str, Any], defs: dict[str, Any], prefix: str) -> Iterator[Row]:
    required = part.get("required", [])
    for name, about in part.get("properties", {}).items():
        path = prefix + name
        inner, suffix = _inner(about, defs)
        meaning = about.get("description") or inner.get("description", "")
        yield Row(
            path,
            _type(about, defs),
            _default(about, required=name in required),
            meaning.removesuffix(f" ({SAID[0].upper()}{SAID[1:]}.)"),
            not pending(tuple(path.replace("[]", "").split("."))),
            name in required,
        )
        if inner:
            yield from _rows(inner, defs, path + suffix + ".")


def _inner(about: dict[str, Any], defs: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """The mapping of fields that the field holds, and how one gets there."""
    for option in (about, *about.get("anyOf", ()), *_options(about)):
        if "$ref" in option:
            return defs[option["$ref"].rpartition("/")[2]], ""
        if "$ref" in option.get("items", {}):
            return defs[option["items"]["$ref"].rpartition("/")[2]], "[]"
        values = option.get("additionalProperties")
        for value in _options(values) if isinstance(values, dict) else ():
            if "$ref" in value:
                return defs[value["$ref"].rpartition("/")[2]], ".NAME"
    return {}, ""


def _options(about: dict[str, Any]) -> list[dict[str, Any]]:
    """The schema, or each of those that it offers."""
    offered = about.get("anyOf") or about.get("oneOf")
    if not offered:
        return [about]
    return [
        leaf for option in offered for leaf in ([option] if "title" in option else _options(option))
    ]


def _type(about: dict[str, Any], defs: dict[str, Any]) -> str:
    if "title" in about:
        return str(about["title"])
    kinds = [_kind(option, defs) for option in _options(about)]
    return " or ".join(kinds)


def _kind(option: dict[str, Any], defs: dict[str, Any]) -> str:
    if "title" in option:
        return str(option["title"])
    if "$ref" in option:
        return "mapping"
    if "enum" in option:
        return " | ".join(option["enum"])
    if "const" in option:
        return str(option["const"])
    if option["type"] == "array":
        return f"list of {_type(option['items'], defs)}"
    if option["type"] == "object":
        return f"map of names to {_values(option, defs)}"
    return "reference" if option.get("pattern") == REFERENCE_PATTERN else str(option["type"])


def _values(option: dict[str, Any], defs: dict[str, Any]) -> str:
    named = list(option.get("patternProperties", {}).values())
    return _type(named[0] if named else option["additionalProperties"], defs)


def _default(about: dict[str, Any], *, required: bool) -> str:
    if required:
        return "required"
    if "default" not in about:
        return ""
    said = written(about["default"])
    if "x-production" in about:
        return f"{said} (production: {about['x-production']})"
    return said


def written(value: object) -> str:
    """A value as one would write it in the file, on one line."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
