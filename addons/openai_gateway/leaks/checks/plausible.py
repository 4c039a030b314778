"""Whether a found text can be a live secret at all: the filters against false positives.

They hold for every rule. What nothing but a name beside it calls a secret has to pass more, see
named.py. In this order: documented examples, placeholders, too few characters, words, a piece out
of a longer run of base64.
"""

import hashlib
from functools import lru_cache
from typing import Final, Protocol

from openai_gateway.leaks.checks.documented import EXAMPLES
from openai_gateway.leaks.checks.doubts import KINDS, entropy, is_placeholder, is_wordy

# Of a secret that is so long, so many characters differ.
LENGTH: Final = 20
DIFFERENT: Final = 8
# How much of a run is looked at before and after, and what is long enough to be one.
RUN: Final = 64
LONG_RUN: Final = 20
IN_RUN: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_")
# Where a pattern stops to be plain text.
SPECIAL: Final = frozenset("[](){}.*+?|^$\\")


class Judged(Protocol):
    """What is asked of a rule."""

    @property
    def pattern(self) -> str: ...

    @property
    def entropy(self) -> float | None: ...

    @property
    def strong(self) -> bool: ...


def is_plausible(rule: Judged, secret: bytes, text: bytes, start: int, end: int) -> bool:
    """`text` holds the secret from `start` to `end`, with what stands around it."""
    if hashlib.sha256(secret).hexdigest() in EXAMPLES or is_placeholder(secret):
        return False
    drawn = secret.removeprefix(beginning(rule.pattern))
    if len(drawn) >= LENGTH and not drawn.isdigit() and len(set(drawn)) < DIFFERENT:
        return False
    if rule.entropy is not None and (entropy(drawn) < rule.entropy or is_wordy(drawn)):
        return False
    return rule.strong or not is_inside_run(text, start, end)


@lru_cache(maxsize=4096)
def beginning(pattern: str) -> bytes:
    """The plain text that a pattern begins with."""
    for at, letter in enumerate(pattern):
        if letter in SPECIAL:
            # What is repeated or optional is no plain text either.
            return pattern[: max(0, at - 1) if letter in "?*{" else at].encode()
    return pattern.encode()


def is_inside_run(text: bytes, start: int, end: int) -> bool:
    """Whether a longer run of base64 goes on beside it: then it stands there by chance."""
    before = text[max(0, start - RUN) : start]
    after = text[end : end + RUN]
    left = next((at for at, one in enumerate(reversed(before)) if one not in IN_RUN), len(before))
    right = next((at for at, one in enumerate(after) if one not in IN_RUN), len(after))
    return is_noise(before[len(before) - left :]) or is_noise(after[:right])


def is_noise(run: bytes) -> bool:
    """Drawn characters, not a path or a name: all three kinds, no words."""
    kinds = set(run.translate(KINDS))
    return len(run) >= LONG_RUN and {1, 2, 3} <= kinds and not is_wordy(run)
