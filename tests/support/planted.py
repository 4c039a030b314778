"""A small detector with the detector's own `find`, for what reads and redacts around it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from openai_gateway.core.clock import SystemClock
from openai_gateway.leaks.engine.limit import Limit
from openai_gateway.leaks.reading.budget import Budget, budget_for
from openai_gateway.leaks.reading.ledger import Done, Finding
from openai_gateway.leaks.rules.rule import Hit, Rule

FAKE: Final = Rule("fake-key", "A key", "FAKE-[a-z0-9]{16}", strong=True)
NAMED: Final = Rule("named-value", "A password by its name", "", group=1)
CARD: Final = Rule("card", "A card", "[0-9]{16}")
PATTERNS: Final = (
    (FAKE, re.compile(rb"(?<![A-Za-z0-9])()(FAKE-[a-z0-9]{16})(?![A-Za-z0-9])")),
    (NAMED, re.compile(rb'(password"?[:=][ ]{0,2}"?)([A-Za-z0-9_"]{8,40})')),
    (CARD, re.compile(rb"(?<![0-9])()([0-9]{16})(?![0-9])")),
)


@dataclass(frozen=True, slots=True)
class Planted:
    """Finds what tests plant; of `rules` only."""

    rules: Sequence[Rule] = (FAKE,)

    def find(
        self, text: bytes, *, before: bytes = b"", strong: bool = False, limit: Limit | None = None
    ) -> list[Hit]:
        del limit
        whole = before + text
        return sorted(
            (
                Hit(rule, found.start(2) - len(before), found.end(2) - len(before))
                for rule, pattern in PATTERNS
                if rule in self.rules and (rule.strong or not strong)
                for found in pattern.finditer(whole)
                if found.start(2) >= len(before)
            ),
            key=lambda hit: hit.start,
        )


@dataclass(slots=True)
class Always:
    """A judge that says one thing, or another by the finding."""

    done: Done = "redact"
    but: Callable[[Finding], Done | None] = lambda _: None
    seen: list[Finding] = field(default_factory=list)

    def __call__(self, finding: Finding) -> Done:
        self.seen.append(finding)
        return self.but(finding) or self.done


def ample(size: int = 0) -> Budget:
    return budget_for(size, SystemClock())


def fake(number: int = 4815) -> str:
    """A value that the first rule finds; put together here, so that no file holds one."""
    return "FAKE" + "-kq7wz3xm9tb2" + f"{number:04d}"
