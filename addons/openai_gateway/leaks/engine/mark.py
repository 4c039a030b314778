"""What stands in a secret's place once it was taken out, and is never a secret itself."""

import re
from collections.abc import Collection
from typing import Final

# Also percent-encoded, as in a path or query. Linear: the id's letters cannot match its end.
_MARK: Final = re.compile(rb"(?:\[|%5[Bb])REDACTED(?::|%3[Aa])([a-z0-9-]{1,64})(?:\]|%5[Dd])")
_LONGEST: Final = 96
# What is shorter beside a mark is the punctuation between two of them.
_LITTLE: Final = 8


def mark(rule_id: str) -> bytes:
    """The mark of a rule; it has no character that JSON or a header would escape."""
    return b"[REDACTED:%s]" % rule_id.encode()


def is_marked(text: bytes, start: int, end: int, ids: Collection[str]) -> bool:
    """Whether this place is a mark of one of the rules, or little more than marks.

    Only known rules' marks count: else a client could write a secret as if it were a rule's id.
    """
    low = max(0, start - _LONGEST)
    near = text[low : end + _LONGEST]
    if b"REDACTED" not in near:
        return False
    covered = 0
    for found in _MARK.finditer(near):
        if found[1].decode() in ids:
            covered += max(0, min(found.end() + low, end) - max(found.start() + low, start))
    return covered > 0 and end - start - covered < _LITTLE
