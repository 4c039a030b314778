"""How far a search may go, and whether it left anything out: never in silence, `over` says so."""

from dataclasses import dataclass
from typing import Protocol


class Limit(Protocol):
    """What a search asks on its way. The budget of a call is one; see reading/budget.py."""

    over: bool

    def may_look(self) -> bool:
        """Whether one more place may be looked at; else the search ends, and `over` is set."""
        ...


@dataclass(slots=True)
class NoLimit:
    """Of a search that may take its time. `over`: it left something out for another reason."""

    over: bool = False

    def may_look(self) -> bool:
        return True
