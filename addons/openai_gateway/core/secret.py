"""A value that must not be shown: printing it masks, turning it into text raises.

Whoever needs the value itself says `.reveal()`, so that every such place can be found by grep.
"""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Final, NoReturn

_VISIBLE: Final = 4
_SHORTEST_WITH_TAIL: Final = 20
_PREFIXES: Final = ("sk-svcacct-", "sk-admin-", "sk-proj-", "sess-", "ek_", "sk-")


class Secret:
    """A key or password. Equal to another Secret of the same value, in constant time."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself: for the upstream's header and for nothing else."""
        return self._value

    def fingerprint(self) -> str:
        """`sha256:HEX` of the value's UTF-8 bytes: what a configuration may hold in its place."""
        return f"sha256:{self.digest().hex()}"

    def digest(self) -> bytes:
        """The same fingerprint, to be compared."""
        return hashlib.sha256(self._value.encode()).digest()

    def masked(self) -> str:
        """The kind of key and its last four characters: enough to tell keys apart in a log."""
        prefix = next((p for p in _PREFIXES if self._value.startswith(p)), "")
        if len(self._value) < _SHORTEST_WITH_TAIL:
            return f"{prefix}…"
        return f"{prefix}…{self._value[-_VISIBLE:]}"

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return f"Secret({self.masked()})"

    def __str__(self) -> NoReturn:
        raise TypeError("a Secret is never turned into text; use .masked() or .reveal()")

    def __format__(self, spec: str) -> NoReturn:
        raise TypeError("a Secret is never formatted; use .masked() or .reveal()")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is never pickled")


def mask(data: bytes, keys: Sequence[bytes]) -> bytes:
    """`data` with every whole key in it starred out, as long as before."""
    for key in keys:
        if key in data:
            data = data.replace(key, b"*" * len(key))
    return data
