"""Finds the usage in an event that is too long to be read whole: a finished picture lies in the
same event as its bill. Only the event's beginning and its end are kept."""

import re
from collections.abc import Mapping
from typing import Final

from openai_gateway.api.members import end_of_value
from openai_gateway.api.sse import json_value

KEPT: Final = 32 * 1024
_NAMES: Final = re.compile(
    rb'(?<!\\)"(usage|tool_usage|svg_usage|model|service_tier|id|status)"[ ]*:[ ]*(?=["{])'
)
_DEEP: Final = frozenset({"usage", "tool_usage", "svg_usage"})


class Salvage:
    """Takes the pieces of long events; the last one's are kept."""

    __slots__ = ("_head", "_tail")

    def __init__(self) -> None:
        self._head = b""
        self._tail = b""

    def piece(self, raw: bytes) -> None:
        """A piece, as it came."""
        if len(self._head) < KEPT:
            self._head += raw[: KEPT - len(self._head)]
        self._tail = (self._tail + raw[-KEPT:])[-KEPT:]

    def found(self) -> Mapping[str, object] | None:
        """What of the answer's own members is in sight; None where no usage is.

        Of names the first counts (the answer's own come before what is in it), of bills the last.
        """
        told: dict[str, object] = {}
        for data in (self._head, self._tail):
            for match in _NAMES.finditer(data):
                name = match[1].decode()
                value = json_value(data[match.end() : end_of_value(data, match.end())])
                if isinstance(value, dict if name in _DEEP else str) and (
                    name in _DEEP or name not in told
                ):
                    told[name] = value
        return told if told.keys() & _DEEP else None
