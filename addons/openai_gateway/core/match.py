"""Which calls a limit or a budget is for: the field `match` of gateway.yaml."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Protocol

from openai_gateway.core.call import Call


class Match(Protocol):
    """Names and globs; None matches all."""

    @property
    def key(self) -> Sequence[str] | None: ...
    @property
    def model(self) -> Sequence[str] | None: ...
    @property
    def client(self) -> Sequence[str] | None: ...
    @property
    def endpoint(self) -> Sequence[str] | None: ...


def holds(match: Match, call: Call) -> bool:
    """Whether a call falls under it; of its models either counts, the one asked for and the one
    that is sent."""
    models = (call.model_requested or "", call.model_sent or "")
    fields = (
        (match.key, (call.key,)),
        (match.model, models),
        (match.client, (call.client,)),
        (match.endpoint, (call.endpoint,)),
    )
    return all(
        globs is None or any(fnmatchcase(name, glob) for name in names for glob in globs)
        for globs, names in fields
    )
