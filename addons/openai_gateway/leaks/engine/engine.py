"""Where in a text a rule may match: what an engine answers, quickly and never too little."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

type Span = tuple[int, int]
type Places = Mapping[int, Sequence[Span]]


class Engine(Protocol):
    """One of hyperscan.py and keywords.py. Safe from several threads at once."""

    name: str

    def places(self, text: bytes) -> Places:
        """By the rule's index the places to look at, in order, which do not overlap.

        Whatever the rule matches lies whole in one of them.
        """
        ...


def merged(spans: Iterable[Span]) -> list[Span]:
    """Spans that are in order of their start, and those that touch as one."""
    found: list[Span] = []
    for low, high in spans:
        if found and low <= found[-1][1]:
            found[-1] = (found[-1][0], max(high, found[-1][1]))
        else:
            found.append((low, high))
    return found
