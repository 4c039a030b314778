"""Which calls a limit or a budget is for: the field `match` of gateway.yaml."""

from collections.abc import Sequence
from typing import Protocol


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
