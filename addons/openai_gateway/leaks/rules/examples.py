"""A rule's own examples, filled and tried: what it is said to find, and what it must not find.

Filled from a fixed seed: the same start never fails today and passes tomorrow.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from openai_gateway.leaks.rules.rule import Rule
from openai_gateway.leaks.rules.template import TemplateFault, fill

type Finds = Callable[[bytes], bool]


@dataclass(frozen=True, slots=True)
class Failed:
    """An example that does not hold; `index` is its place in the rule's list."""

    which: Literal["matches", "ignores"]
    index: int
    message: str


def failed(rule: Rule, finds: Finds, times: int = 1) -> Iterator[Failed]:
    """Each example that does not hold in one of so many fillings. `finds`: whether this rule
    finds anything in a text."""
    for index, template in enumerate(rule.matches):
        said = _said(rule, template, times, finds, wanted=True)
        if said:
            yield Failed("matches", index, said)
    for index, template in enumerate(rule.ignores):
        said = _said(rule, template, times, finds, wanted=False)
        if said:
            yield Failed("ignores", index, said)


def _said(rule: Rule, template: str, times: int, finds: Finds, *, wanted: bool) -> str | None:
    """What is wrong with the example, without a word of what it was filled with."""
    for number in range(times):
        chance = random.Random(f"{rule.id} {template} {number}")  # noqa: S311 -- no secret comes of it
        try:
            text = fill(template, chance)
        except TemplateFault as error:
            return f"is no template: {error}"
        if finds(text) != wanted:
            return "is not found" if wanted else "is found"
    return None
