"""What a request is like, without a word of it: names of its fields, kinds of its tools, hashes of
its system prompt and of its schemas, the limits that it sets. It is what staging and production are
compared by.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Final

import orjson

type Object = Mapping[str, object]

LIMITS: Final = ("max_tokens", "max_completion_tokens", "max_output_tokens", "n")
MOST_FIELDS: Final = 32
MOST_TOOLS: Final = 16
# Longer ones are not hashed on the event loop.
LONGEST: Final = 64 * 1024
HASHED: Final = 12
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
_SYSTEM: Final = frozenset({"system", "developer"})


def of(parsed: object) -> dict[str, object] | None:
    """The features of a JSON request; None where it is no object.

    fields: names, sorted; tools: their `type`s, sorted; system, tools_hash, schema: the first 12
    hex digits of a sha256; limits: the numbers that bound the answer. What is absent is left out.
    """
    if not isinstance(parsed, dict):
        return None
    names = sorted(name for name in parsed if _NAME.fullmatch(name))
    found: dict[str, object] = {"fields": names[:MOST_FIELDS]}
    tools = parsed.get("tools")
    if isinstance(tools, list) and tools:
        found["tools"] = sorted(_kinds(tools))[:MOST_TOOLS]
        found["tools_hash"] = _hash(tools)
    system = list(_system(parsed))
    if system:
        found["system"] = _hash(system)
    schema = _schema(parsed)
    if schema is not None:
        found["schema"] = _hash(schema)
    limits = {name: parsed[name] for name in LIMITS if _count(parsed.get(name))}
    if limits:
        found["limits"] = limits
    return found


def _kinds(tools: list[object]) -> set[str]:
    kinds = (tool.get("type") for tool in tools if isinstance(tool, dict))
    return {kind for kind in kinds if isinstance(kind, str) and _NAME.fullmatch(kind)}


def _system(parsed: Object) -> Iterator[object]:
    """The instructions of Responses, and the system and developer messages of either API."""
    if isinstance(parsed.get("instructions"), str):
        yield parsed["instructions"]
    for name in ("messages", "input"):
        said = parsed.get(name)
        for message in said if isinstance(said, list) else ():
            if isinstance(message, dict) and message.get("role") in _SYSTEM:
                yield message.get("content")


def _schema(parsed: Object) -> object:
    """The answer's form: `response_format` of chat, `text.format` of Responses."""
    text = parsed.get("text")
    return parsed.get("response_format") or (text.get("format") if isinstance(text, dict) else None)


def _hash(value: object) -> str | None:
    try:
        data = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except (TypeError, orjson.JSONEncodeError):
        return None
    return hashlib.sha256(data).hexdigest()[:HASHED] if len(data) <= LONGEST else "long"


def _count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 10**9
