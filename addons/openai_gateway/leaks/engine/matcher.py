"""One rule over places of a text that may hold it: every match there, judged one by one.

What it finds does not depend on how the places are cut, so that every engine finds the same.
"""

from collections.abc import Collection, Iterable
from typing import Any, Final

from openai_gateway.leaks.checks import plausible, validators
from openai_gateway.leaks.engine import bounds
from openai_gateway.leaks.engine.compiled import Compiled, Exempt
from openai_gateway.leaks.engine.limit import Limit, NoLimit
from openai_gateway.leaks.engine.mark import is_marked
from openai_gateway.leaks.rules.rule import Hit

# A rule that finds more in one text looks no further, and the limit is told.
MOST_HITS: Final = 2_000
# So many refused ones are looked into once more, for what else begins inside them; past these the
# limit is told.
MOST_REFUSED: Final = 1_000
_STEP: Final = 4
_LINE: Final = 4096

type Span = tuple[int, int]
type Match = Any  # RE2's own, which ships no types


class Matcher:
    """A compiled rule. It keeps nothing between calls, so threads may share it."""

    def __init__(self, compiled: Compiled, marks: Collection[str] = ()) -> None:
        self.compiled = compiled
        self.rule = compiled.rule
        self.marks = frozenset(marks) | {compiled.rule.id}
        self.words = tuple(word.encode() for word in self.rule.keywords)
        self.reach = self.rule.max_bytes + bounds.SLACK
        self.groups = compiled.expression.groups
        self.validate = validators.VALIDATORS[self.rule.validator] if self.rule.validator else None

    def finds(self, text: bytes) -> bool:
        """Whether the rule finds anything in the text, by itself."""
        lowered = text.lower()
        wanted = not self.words or any(word in lowered for word in self.words)
        return wanted and bool(self.hits(text, [(0, len(text))]))

    def hits(self, text: bytes, places: Iterable[Span], limit: Limit | None = None) -> list[Hit]:
        """Every hit in these places, which are in order and do not overlap.

        Where it ends early, or looks into no more refused ones, `limit.over` is set.
        """
        limit = NoLimit() if limit is None else limit
        found: list[Hit] = []
        at = refused = 0
        for low, high in places:
            at = max(at, low)
            while limit.may_look() and (match := self.next(text, at, high, limit)) is not None:
                start, end = self.secret(match)
                at = max(end, match.start() + 1)
                if (hit := self.judged(text, match, start, end)) is not None:
                    found.append(hit)
                elif (refused := refused + 1) <= MOST_REFUSED:
                    at = self.inside(match, start)
                else:
                    limit.over = True
                if len(found) >= MOST_HITS:
                    limit.over = True
                    return found
        return found

    def inside(self, match: Match, start: int) -> int:
        """Where another match may begin in a refused one; what names a value names it once."""
        behind: int = match.start() + 1
        return behind if self.rule.group == 0 else max(behind, start)

    def next(self, text: bytes, at: int, high: int, limit: Limit) -> Match | None:
        """The first match from `at` on that is no longer than the rule allows."""
        if not self.compiled.endless:
            return self.compiled.expression.search(text, at, high)
        while at < high and limit.may_look():
            stop = min(high, at + _STEP * self.reach)
            match = self.compiled.expression.search(text, at, stop)
            if stop < high and (match is None or match.start() > stop - self.reach):
                at = stop - self.reach
            elif match is None:
                return None
            elif (held := self.held(text, match)) is not None:
                return held
            else:
                at = match.start() + 1
        return None

    def held(self, text: bytes, match: Match) -> Match | None:
        """The match that begins there and ends within the rule's bytes."""
        whole, most = self.compiled.whole, self.rule.max_bytes
        stop = min(match.start(whole) + most + whole, len(text))
        held = self.compiled.expression.match(text, match.start(), stop)
        return held if held is not None and held.end(whole) - held.start(whole) <= most else None

    def secret(self, match: Match) -> Span:
        """Where the secret stands; an empty place where its group took no part."""
        whole = self.compiled.whole
        if self.rule.group is not None:
            start, end = match.span(self.rule.group + whole)
            return (start, end) if start >= 0 else (match.start(), match.start())
        taken = (match.span(number) for number in range(1 + whole, self.groups + 1))
        return next(((low, high) for low, high in taken if high > low), match.span(whole))

    def judged(self, text: bytes, match: Match, start: int, end: int) -> Hit | None:
        """The hit, if this is a secret at all."""
        rule = self.rule
        if end <= start or (
            rule.group != 0
            and bounds.is_token(rule)
            and not bounds.stands_free(text, start, end, rule.alphabet)
        ):
            return None
        secret = text[start:end]
        whole = match.span(self.compiled.whole)
        if is_marked(text, start, end, self.marks) or self.is_exempt(text, whole, secret):
            return None
        checked = "keep" if self.validate is None else self.validate(secret, text, start, end)
        if checked == "drop" or not plausible.is_plausible(rule, secret, text, start, end):
            return None
        lowered = checked == "lower"
        return Hit(rule, start, end, f"lowered by {rule.validator}" if lowered else "", lowered)

    def is_exempt(self, text: bytes, whole: Span, secret: bytes) -> bool:
        return any(_lets_be(one, text, whole, secret) for one in self.compiled.exempt)


def _lets_be(exempt: Exempt, text: bytes, whole: Span, secret: bytes) -> bool:
    """Whether one of its regexes or words is there; with `every`, one of each kind it has."""
    said, words = exempt.said, exempt.words
    by_word = words is not None and bool(words.find_matches_as_indexes(secret.lower()))
    if by_word and not said.every:
        return True
    if said.every and words is not None and not by_word:
        return False
    looked_at = _looked_at(said.target, text, whole, secret)
    by_regex = any(one.search(looked_at) for one in exempt.regexes)
    return by_regex or (said.every and not exempt.regexes)


def _looked_at(target: str, text: bytes, whole: Span, secret: bytes) -> bytes:
    if target == "line":
        return line(text, *whole)
    return secret if target == "secret" else text[slice(*whole)]


def line(text: bytes, start: int, end: int) -> bytes:
    """The line that a match stands in, or as much of it as is looked at."""
    low = text.rfind(b"\n", max(0, start - _LINE), start) + 1 or max(0, start - _LINE)
    high = text.find(b"\n", end, end + _LINE)
    return text[low : high if high >= 0 else end + _LINE]
