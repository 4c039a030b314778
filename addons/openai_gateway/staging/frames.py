"""Where the messages of an open WebSocket name a model: a response's, or the session's from here
on."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from openai_gateway.staging.edits import Edit, Put
from openai_gateway.staging.pairs import Pair

type Object = Mapping[str, object]

LONGEST_MODEL: Final = 128
_MARKS: Final = (b'"model"', b"\\u00")
_PATHS: Final = ((), ("response",), ("session",))


@dataclass(frozen=True, slots=True)
class Named:
    """A model that a message names, in the object at `path` whose fields are `body`."""

    path: tuple[str, ...]
    model: str
    body: Object
    size: int

    @property
    def of_session(self) -> bool:
        """Whether it is the session's, and no response's."""
        return self.path == ("session",)

    def edits(self, pair: Pair, others: tuple[Edit, ...]) -> tuple[Edit, ...]:
        """The substitute, and what goes with it, written where the message names its model."""
        return tuple(edit.below(self.path) for edit in (Put((), "model", pair.sent.name), *others))


def may_name(content: bytes) -> bool:
    """Whether a message could name a model; any letter may be written as an escape."""
    return any(mark in content for mark in _MARKS)


def named(content: bytes) -> Iterator[Named]:
    """The models that a message names, at its top or in what it is about."""
    try:
        said = orjson.loads(content)
    except orjson.JSONDecodeError:
        return
    if not isinstance(said, dict):
        return
    for path in _PATHS:
        holder = said.get(path[0]) if path else said
        model = holder.get("model") if isinstance(holder, dict) else None
        if isinstance(model, str) and isinstance(holder, dict):
            yield Named(path, model, holder, len(content))
