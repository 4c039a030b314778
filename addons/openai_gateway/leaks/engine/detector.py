"""Finds secrets in a text: all rules compiled together, tried on their own examples at each start.

An engine says where a rule may match, the matcher judges what stands there; what is only another
name of the same secret is left out.
"""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Final, Literal

from openai_gateway.leaks.engine.compiled import BadPattern, compiled
from openai_gateway.leaks.engine.engine import Engine
from openai_gateway.leaks.engine.keywords import Keywords
from openai_gateway.leaks.engine.limit import Limit, NoLimit
from openai_gateway.leaks.engine.matcher import Matcher
from openai_gateway.leaks.engine.overlaps import distinct
from openai_gateway.leaks.rules.examples import failed
from openai_gateway.leaks.rules.rule import Hit, Rule, RulesFault

type EngineName = Literal["auto", "hyperscan", "keywords"]

# The tripwire's mark is no rule's, and no secret either.
_OTHER_MARKS: Final = ("production-key",)


class Detector:
    """These rules over any text. Threads may share it.

    Raises: RulesFault where a rule cannot be used or does not hold to its own examples.
    """

    def __init__(self, rules: Sequence[Rule], engine: EngineName = "auto") -> None:
        self.rules = tuple(rules)
        self._every = Sweep(_matchers(self.rules), engine)
        strong = [one for one in self._every.matchers if one.rule.strong]
        alike = len(strong) == len(self.rules)
        self._strong = self._every if alike else Sweep(strong, engine)
        problems = [*self._faults(self.rules, self._every)]
        problems += self._faults([one.rule for one in strong], self._strong)
        if problems:
            raise RulesFault(tuple(dict.fromkeys(problems)))

    @property
    def engine(self) -> str:
        """The name of the engine that runs: hyperscan or keywords."""
        return self._every.engine.name

    def find(
        self,
        text: bytes,
        *,
        before: bytes = b"",
        strong: bool = False,
        limit: Limit | None = None,
    ) -> list[Hit]:
        """The hits in `text`, in order; offsets count from its start. Those of two rules may
        overlap, so that each is judged by itself.

        `before` stands before it as context; what begins there and ends in the text is cut.
        `strong`: only the rules that may be looked for in text that was taken apart. `limit` may
        end the search, and its `over` says that something was left out.
        """
        if not text:
            return []
        sweep = self._strong if strong else self._every
        hits = sweep.hits(before + text if before else text, limit)
        if not hits:
            return []
        return distinct(_moved(hits, len(before)) if before else hits)

    def _faults(self, rules: Sequence[Rule], sweep: "Sweep") -> list[str]:
        return [
            f"{rule.id}: {one.which}.{one.index}: {one.message} among the other rules"
            for rule in rules
            for one in failed(rule, partial(sweep.finds, rule))
        ]


class Sweep:
    """Some of the rules, with an engine of their own."""

    def __init__(self, matchers: Sequence[Matcher], engine: EngineName) -> None:
        self.matchers = tuple(matchers)
        self.engine = _engine(self.matchers, engine)

    def hits(self, text: bytes, limit: Limit | None = None) -> list[Hit]:
        """By rule, overlapping ones too."""
        limit = NoLimit() if limit is None else limit
        found: list[Hit] = []
        lowered = None
        for at, places in sorted(self.engine.places(text).items()):
            one = self.matchers[at]
            hits = one.hits(text, places, limit)
            if hits and one.words and not one.compiled.sure:
                lowered = text.lower() if lowered is None else lowered
                hits = hits if any(word in lowered for word in one.words) else []
            found += hits
        return found

    def finds(self, rule: Rule, text: bytes) -> bool:
        """Whether this rule is among those that find something."""
        return any(hit.rule is rule for hit in self.hits(text))


def _matchers(rules: Sequence[Rule]) -> list[Matcher]:
    """Raises: RulesFault."""
    counted = Counter(rule.id for rule in rules)
    problems = [
        f"{name}: is the id of {times} rules" for name, times in counted.items() if times > 1
    ]
    made: list[Matcher] = []
    for rule in rules:
        try:
            made.append(Matcher(compiled(rule), (*counted, *_OTHER_MARKS)))
        except BadPattern as error:
            problems.append(f"{rule.id}: pattern: {error}")
    if problems:
        raise RulesFault(problems)
    return made


def _engine(matchers: Sequence[Matcher], name: EngineName) -> Engine:
    """Hyperscan where it imports. Raises: RulesFault where it was asked for and does not."""
    if name == "keywords":
        return Keywords(matchers)
    try:
        from openai_gateway.leaks.engine.hyperscan import Hyperscan
    except ImportError as error:
        if name == "hyperscan":
            raise RulesFault(["the engine hyperscan cannot be imported here"]) from error
        return Keywords(matchers)
    return Hyperscan(matchers)


def _moved(hits: Sequence[Hit], by: int) -> list[Hit]:
    return [
        Hit(one.rule, max(0, one.start - by), one.end - by, one.note, one.lowered)
        for one in hits
        if one.end > by
    ]
