"""Which budgets a call falls under: names and globs of its key, model, client and endpoint."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import translate
from typing import Final

from openai_gateway.core.call import Call
from openai_gateway.core.match import Match

# Models are words of clients: what they make up must not fill the memory.
MOST_REMEMBERED: Final = 1024


@dataclass(frozen=True, slots=True)
class Traits:
    """What a call is matched by. `model` is the one that is sent, as that one costs."""

    key: str
    model: str
    client: str
    endpoint: str


def traits(call: Call) -> Traits:
    """Those of a call. Where none was named in the request (a stored response is read), the
    answer's model counts; a call without any is matched by `*` alone."""
    model = call.model_sent or call.model_requested or call.model_response or ""
    return Traits(call.key, model, call.client, call.endpoint)


class Matching[T]:
    """Finds those of `entries` whose match holds, in their order."""

    __slots__ = ("_entries", "_remembered")

    def __init__(self, entries: Sequence[tuple[Match, T]]) -> None:
        self._entries = [(_compiled(match), entry) for match, entry in entries]
        self._remembered: dict[Traits, tuple[T, ...]] = {}

    def __bool__(self) -> bool:
        return bool(self._entries)

    def of(self, seen: Traits) -> tuple[T, ...]:
        """The entries that hold for a call with these traits."""
        found = self._remembered.get(seen)
        if found is None:
            found = tuple(entry for holds, entry in self._entries if holds(seen))
            if len(self._remembered) >= MOST_REMEMBERED:
                self._remembered.clear()
            self._remembered[seen] = found
        return found


def _compiled(match: Match) -> Callable[[Traits], bool]:
    key, model = _globs(match.key), _globs(match.model)
    client, endpoint = _globs(match.client), _globs(match.endpoint)

    def holds(seen: Traits) -> bool:
        return (
            key(seen.key) and model(seen.model) and client(seen.client) and endpoint(seen.endpoint)
        )

    return holds


def _globs(globs: Sequence[str] | None) -> Callable[[str], bool]:
    if globs is None:
        return lambda _: True
    patterns = re.compile("|".join(translate(glob) for glob in globs))
    return lambda value: patterns.match(value) is not None
