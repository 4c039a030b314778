"""The words by which a client finds what was found: short, plain, and without any secret."""

import re
from typing import Final, Protocol

from openai_gateway.leaks.engine.limit import Limit
from openai_gateway.leaks.reading.structure import Spot
from openai_gateway.leaks.rules.rule import Hit

# A step of a path as it is written; what is more than a word would be taken for several.
WORD: Final = re.compile(r"[A-Za-z0-9_-]+")
PLAIN: Final = re.compile(r"[A-Za-z0-9_.\[\]/@* -]{1,80}")
UNSHOWN: Final = "…"
MOST_KNOWN: Final = 1000


class Detector(Protocol):
    """What finds secrets in a text; see leaks/engine/detector.py."""

    def find(
        self,
        text: bytes,
        *,
        before: bytes = b"",
        strong: bool = False,
        limit: Limit | None = None,
    ) -> list[Hit]: ...


class Names:
    """A client's own words, as they may be shown: none that is odd, or holds what a rule finds."""

    __slots__ = ("_detector", "_known")

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._known: dict[str, str] = {}

    def shown(self, name: str) -> str:
        known = self._known.get(name)
        if known is None:
            known = name if self._may_be_shown(name) else UNSHOWN
            if len(self._known) < MOST_KNOWN:
                self._known[name] = known
        return known

    def step(self, name: str) -> str:
        """A member's name as a step of a path. Anything but a word is quoted: none may pose as a
        place that `leaks.allow` names, such as `header x-trace` or `tools[0].headers`."""
        shown = self.shown(name)
        return shown if shown is UNSHOWN or WORD.fullmatch(shown) else f'"{shown}"'

    def _may_be_shown(self, name: str) -> bool:
        return PLAIN.fullmatch(name) is not None and not self._detector.find(name.encode())


def in_document(label: str, spot: Spot, *, bare: bool) -> str:
    """A place in a document; `bare`: the path alone, where it needs no label."""
    if spot.is_name:
        inner = f"a name in {spot.path or 'the body' if bare else spot.path or 'it'}"
    else:
        inner = spot.path
    if not inner or bare:
        return inner or label
    return f"{label}, {inner}"
