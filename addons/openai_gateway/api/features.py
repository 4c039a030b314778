"""What a request is like, without a word of it: names of its fields, kinds of its tools, hashes of
its system prompt and of its schemas, the limits that it sets. It is what staging and production are
compared by.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Final

import orjson

type Object = Mapping[str, object]

LIMITS: Final = ("max_tokens", "max_completion_tokens", "max_output_tokens", "n")
# Of a body with more fields, tools or messages than any real one has, the first are looked at.
LOOKED_AT: Final = 512
MOST_FIELDS: Final = 32
MOST_TOOLS: Final = 16
# What is longer is not hashed, and says so: it would hold the event loop.
LONGEST: Final = 64 * 1024
LONG: Final = "long"
NODE: Final = 16  # bytes that a value of any kind counts at least
HASHED: Final = 12
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
_SYSTEM: Final = frozenset({"system", "developer"})


def of(parsed: object, size: int) -> dict[str, object] | None:
    """The features of a JSON request of `size` bytes; None where it is no object.

    fields: names, sorted; tools: their `type`s, sorted; system, tools_hash, schema: the first 12
    hex digits of a sha256, or "long"; limits: the numbers that bound the answer. What is absent is
    left out.
    """
    if not isinstance(parsed, dict):
        return None
    names = sorted(name for name in islice(parsed, LOOKED_AT) if _NAME.fullmatch(name))
    found: dict[str, object] = {"fields": names[:MOST_FIELDS]}
    tools = parsed.get("tools")
    if isinstance(tools, list) and tools:
        found["tools"] = sorted(_kinds(tools))[:MOST_TOOLS]
        found["tools_hash"] = _hash(tools, size)
    system = list(_system(parsed))
    if system:
        found["system"] = _hash(system, size)
    schema = _schema(parsed)
    if schema is not None:
        found["schema"] = _hash(schema, size)
    limits = {name: parsed[name] for name in LIMITS if _count(parsed.get(name))}
    if limits:
        found["limits"] = limits
    return found


def _kinds(tools: list[object]) -> set[str]:
    kinds = (tool.get("type") for tool in tools[:LOOKED_AT] if isinstance(tool, dict))
    return {kind for kind in kinds if isinstance(kind, str) and _NAME.fullmatch(kind)}


def _system(parsed: Object) -> Iterator[object]:
    """The instructions of Responses, and the system and developer messages of either API."""
    if isinstance(parsed.get("instructions"), str):
        yield parsed["instructions"]
    for name in ("messages", "input"):
        said = parsed.get(name)
        for message in said[:LOOKED_AT] if isinstance(said, list) else ():
            if isinstance(message, dict) and message.get("role") in _SYSTEM:
                yield message.get("content")


def _schema(parsed: Object) -> object:
    """The answer's form: `response_format` of chat, `text.format` of Responses."""
    text = parsed.get("text")
    return parsed.get("response_format") or (text.get("format") if isinstance(text, dict) else None)


def _hash(value: object, size: int) -> str | None:
    """`size` is that of the whole request: what stands in a short one is short."""
    if size > LONGEST and not _is_short(value):
        return LONG
    try:
        data = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except (TypeError, orjson.JSONEncodeError):
        return None
    return hashlib.sha256(data).hexdigest()[:HASHED]


def _is_short(value: object) -> bool:
    """Adds up the value's parts, and stops where it has become too much: a millisecond at most."""
    left, waiting = LONGEST, [value]
    while waiting and left >= 0:
        part = waiting.pop()
        left -= NODE
        if isinstance(part, str):
            left -= len(part)
        elif isinstance(part, list | dict):
            left -= NODE * len(part)
            if left >= 0:
                waiting.extend(part if isinstance(part, list) else (*part, *part.values()))
    return left >= 0


def _count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 10**9
