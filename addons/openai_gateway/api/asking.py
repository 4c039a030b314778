"""What a request asks for that limits and budgets reckon by: counts as clients write them, and the
messages of a WebSocket that ask for a response.
"""

from collections.abc import Mapping
from typing import Final

import orjson

# More than any call can ask for; what is above counts as this.
MOST: Final = 10**9
# The most tokens of an answer, under each of the names that they have had.
MAXIMA: Final = ("max_completion_tokens", "max_output_tokens", "max_tokens")


def several(asked: Mapping[str, object]) -> int:
    """How many answers or pictures: `n`, and `best_of` where that is more."""
    return max(1, count(asked.get("n")) or 1, count(asked.get("best_of")) or 1)


def count(value: object) -> int | None:
    """A count from 0 on, as JSON or a form writes it."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        return None
    return min(value, MOST)


def may_create(frame: bytes) -> bool:
    """Whether a frame could ask for a response; any letter may be written as an escape."""
    return b"response.create" in frame or b"\\u" in frame


def created(frame: bytes) -> dict[str, object] | None:
    """What a `response.create` asks for; None for any other message."""
    try:
        said = orjson.loads(frame)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(said, dict) or said.get("type") != "response.create":
        return None
    inner = said.get("response")
    return inner if isinstance(inner, dict) else said
