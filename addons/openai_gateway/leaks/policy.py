"""What is done about a finding: its rule's action, the configuration's, or nothing, as allowed.

An allowance names the rule, and may name the value by its sha256 or the place by a glob; past its
last day (UTC) it no longer holds. No client can add one.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase
from typing import Final, Protocol

from openai_gateway.core.clock import Clock
from openai_gateway.leaks.reading.ledger import Done, Finding

_OPEN: Final = "["


class Allowance(Protocol):
    """One entry of `leaks.allow`."""

    @property
    def rule(self) -> str: ...
    @property
    def value_sha256(self) -> str | None: ...
    @property
    def path(self) -> str | None: ...
    @property
    def until(self) -> date | None: ...


class Actions:
    """The judge of findings. `always`: what is done whatever the rules say, as for what is kept."""

    __slots__ = ("_allowed", "_always", "_clock", "_default")

    def __init__(
        self, default: Done, allowed: Sequence[Allowance], clock: Clock, always: Done | None = None
    ) -> None:
        self._default = default
        self._allowed = tuple(allowed)
        self._clock = clock
        self._always = always

    def __call__(self, finding: Finding) -> Done:
        """What is done about it."""
        if any(self._covers(one, finding) for one in self._allowed):
            return "allow"
        if self._always is not None:
            return self._always
        if finding.lowered:
            return "report"
        return finding.rule.action or self._default

    def _covers(self, one: Allowance, finding: Finding) -> bool:
        if one.until is not None and self._today() > one.until:
            return False
        if not fnmatchcase(finding.rule.id, one.rule):
            return False
        if one.value_sha256 is not None and one.value_sha256.lower() != finding.sha256:
            return False
        return one.path is None or fnmatchcase(finding.place, literal(one.path))

    def _today(self) -> date:
        return datetime.fromtimestamp(self._clock.now(), UTC).date()


def literal(glob: str) -> str:
    """The glob with its square brackets as signs of a place: `messages[*]` is no set of signs."""
    return glob.replace(_OPEN, "[[]")


def expired(allowed: Sequence[Allowance], today: date) -> list[int]:
    """Which entries hold no longer, by their place in the list."""
    return [
        number for number, one in enumerate(allowed) if one.until is not None and one.until < today
    ]
