"""Where two messages of a socket meet: what stands in one of them was judged with it, and once."""

from collections.abc import Iterable
from typing import Final

from openai_gateway.leaks.reading.ledger import Done, Finding

MOST: Final = 1000

type Entries = list[tuple[Finding, Done]]


class Passed:
    """What was found in messages that went on all the same: rules and digests, the latest of them.

    `over`: the last message could not be read in full.
    """

    __slots__ = ("_known", "over")

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], None] = {}
        self.over = False

    def add(self, findings: Iterable[Finding]) -> None:
        for one in findings:
            self._known[one.rule.id, one.sha256] = None
        while len(self._known) > MOST:
            del self._known[next(iter(self._known))]

    def across(self, entries: Entries) -> Entries:
        """What reaches from one message into the next, each value once. None of it can be
        replaced any more, so it is blocked."""
        found: dict[tuple[str, str], tuple[Finding, Done]] = {}
        for one, done in entries:
            key = one.rule.id, one.sha256
            if done in ("block", "redact") and key not in self._known:
                found.setdefault(key, (one, "block"))
        return list(found.values())


def passed_of(passed: object) -> Passed:
    """What a call remembers, or the beginning of it."""
    return passed if isinstance(passed, Passed) else Passed()
