"""The engine without Hyperscan: keywords by Aho-Corasick, then RE2 where one of them stands."""

from collections.abc import Sequence
from typing import Final

import ahocorasick_rs

from openai_gateway.leaks.engine.engine import Places, Span, merged
from openai_gateway.leaks.engine.matcher import Matcher

# With more keywords in one text, RE2 over all of it is cheaper than place by place.
_MOST_PLACES: Final = 64


class Keywords:
    """Knows for each keyword which rules want it."""

    name = "keywords"

    def __init__(self, matchers: Sequence[Matcher]) -> None:
        self.matchers = tuple(matchers)
        self.always = tuple(at for at, one in enumerate(matchers) if not one.words)
        self.words = tuple(sorted({word for one in matchers for word in one.words}))
        self.wanted = tuple(
            tuple(at for at, one in enumerate(matchers) if word in one.words) for word in self.words
        )
        self.automaton = ahocorasick_rs.BytesAhoCorasick(self.words) if self.words else None

    def places(self, text: bytes) -> Places:
        whole: Span = (0, len(text))
        found: dict[int, Sequence[Span]] = {at: [whole] for at in self.always}
        for at, spans in self._seen(text).items():
            one = self.matchers[at]
            if not one.compiled.sure or len(spans) > _MOST_PLACES:
                found[at] = [whole]
            else:
                reach = one.reach
                found[at] = merged(
                    (max(0, end - reach), min(start + reach, len(text))) for start, end in spans
                )
        return found

    def _seen(self, text: bytes) -> dict[int, list[Span]]:
        """By rule where its keywords stand, up to as many as are looked at one by one."""
        seen: dict[int, list[Span]] = {}
        if self.automaton is None:
            return seen
        for word, start, end in self.automaton.find_matches_as_indexes(text.lower(), True):
            for at in self.wanted[word]:
                spans = seen.setdefault(at, [])
                if len(spans) <= _MOST_PLACES:
                    spans.append((start, end))
        return seen
