"""Which ephemeral keys were minted through this gateway, for whom, and until when.

Only their digests are kept. A process knows what it has seen itself, and what the other workers of
the same port tell it: not what another machine minted.
"""

import heapq
from collections.abc import Callable, Mapping
from typing import Final

import orjson

from openai_gateway.api.keys import KeyKind, kind_of
from openai_gateway.core.clock import Clock
from openai_gateway.core.secret import Secret

# Where the answer of each minting endpoint holds `value` and `expires_at` (openai wheel 3.54.0).
_INSIDE: Final[Mapping[str, str | None]] = {
    "realtime.secrets": None,
    "realtime.translate.secrets": None,
    "realtime.sessions": "client_secret",
    "realtime.transcription_sessions": "client_secret",
}
MINTING: Final = frozenset(_INSIDE)
# OpenAI's own answers have some 2 kB; its keys live for two hours at most.
_LARGEST_BYTES: Final = 256 * 1024
_LONGEST_S: Final = 24 * 3600
_LONGEST_KEY: Final = 4096


def _nobody(_digest: str, _mapping: str, _expires_at: float) -> None:
    """A process on its own has nobody to tell."""


class Minted:
    """The ephemeral keys that clients may use, because this gateway handed them out."""

    __slots__ = ("_clock", "_ends", "_known", "_most", "tell")

    def __init__(self, clock: Clock, max_entries: int) -> None:
        """`max_entries` bounds the memory; beyond it the key that ends first is forgotten."""
        self._clock = clock
        self._most = max_entries
        # By fingerprint: the time that a table's look-up takes tells nothing of the key itself.
        self._known: dict[str, tuple[str, float]] = {}
        self._ends: list[tuple[float, str]] = []
        self.tell: Callable[[str, str, float], None] = _nobody

    def __len__(self) -> int:
        return len(self._known)

    def learn(self, endpoint: str, mapping: str, body: bytes) -> None:
        """Remembers the key in this answer of OpenAI's, if there is one; anything else is nothing.

        `endpoint` is the name in rules/endpoints.yaml, `mapping` the key mapping that asked.
        """
        if endpoint not in _INSIDE or len(body) > _LARGEST_BYTES:
            return
        found = _read(body, _INSIDE[endpoint])
        if found is None:
            return
        key, expires_at = found
        now = self._clock.now()
        if kind_of(key) is KeyKind.EPHEMERAL and now < expires_at <= now + _LONGEST_S:
            self._remember(key.fingerprint(), mapping, expires_at)
            self.tell(key.fingerprint(), mapping, expires_at)

    def told(self, digest: str, mapping: str, expires_at: float) -> None:
        """Remembers what another worker learned."""
        if self._clock.now() < expires_at:
            self._remember(digest, mapping, expires_at)

    def owner(self, credential: Secret) -> str | None:
        """The name of the mapping for which this key was minted, while it is valid."""
        mapping, expires_at = self._known.get(credential.fingerprint(), (None, 0.0))
        return mapping if self._clock.now() < expires_at else None

    def _remember(self, digest: str, mapping: str, expires_at: float) -> None:
        self._forget_expired()
        if digest in self._known:
            return
        while self._ends and len(self._known) >= self._most:
            self._forget_first()
        self._known[digest] = (mapping, expires_at)
        heapq.heappush(self._ends, (expires_at, digest))

    def _forget_expired(self) -> None:
        while self._ends and self._ends[0][0] <= self._clock.now():
            self._forget_first()

    def _forget_first(self) -> None:
        del self._known[heapq.heappop(self._ends)[1]]


def _read(body: bytes, inside: str | None) -> tuple[Secret, float] | None:
    """The key and its end (seconds since the epoch), where the answer has the shape for it."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if inside is not None and isinstance(answer, dict):
        answer = answer.get(inside)
    if not isinstance(answer, dict):
        return None
    value, expires_at = answer.get("value"), answer.get("expires_at")
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_KEY:
        return None
    if isinstance(expires_at, bool) or not isinstance(expires_at, int | float):
        return None
    return Secret(value), float(expires_at)
