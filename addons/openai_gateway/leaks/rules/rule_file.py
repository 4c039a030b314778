"""A rule file of our own format: either all of its rules, or every fault in it at once.

A rule that misses its own examples is a fault too, so that a file does what it says.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from openai_gateway.api.price_file import Fault, PriceFileError, Value
from openai_gateway.api.price_file import read as read_yaml
from openai_gateway.leaks.checks.validators import VALIDATORS
from openai_gateway.leaks.engine.compiled import BadPattern, Compiled, compiled, expression, longest
from openai_gateway.leaks.engine.matcher import Matcher
from openai_gateway.leaks.rules.examples import failed
from openai_gateway.leaks.rules.rule import ID, LONGEST_ID, MOST_BYTES, Rule

MOST_RULES: Final = 2_000
_TOP: Final = ("as_of", "source", "rules")
_NEEDED: Final = ("id", "pattern", "matches")
_FIELDS: Final = (
    *_NEEDED,
    *("title", "group", "keywords", "bounds", "alphabet", "max_bytes", "entropy", "validator"),
    *("strong", "action", "severity", "ignores", "source"),
)
_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "bounds": ("token", "none"),
    "alphabet": ("base62", "base64url", "base64", "hex", "none"),
    "action": ("block", "redact", "report"),
    "severity": ("high", "medium", "low"),
    "strong": ("true", "false"),
}
_MOST_GROUPS: Final = 100
_MOST_ENTROPY: Final = 8
_SHORTEST_KEYWORD: Final = 2


class RuleFileError(PriceFileError):
    """The file cannot be used; `faults` are all that is wrong with it."""


def read(path: Path, times: int = 1) -> tuple[Rule, ...]:
    """The rules of a file, its examples tried in so many fillings. Raises: RuleFileError."""
    try:
        top = read_yaml(path)
    except PriceFileError as error:
        raise RuleFileError(error.faults) from error
    except OSError as error:
        message = f"cannot be read ({error.strerror})"
        raise RuleFileError([Fault(str(path), 1, 1, "(file)", message)]) from error
    rules = _rules(top, times)
    if top.faults:
        raise RuleFileError(top.faults)
    return rules


def _rules(top: Value, times: int) -> tuple[Rule, ...]:
    fields = top.mapping(_TOP)
    if "as_of" in fields:
        fields["as_of"].date()
    if "rules" not in fields:
        top.fault("has no `rules`")
        return ()
    items = fields["rules"].items()
    if not items or len(items) > MOST_RULES:
        fields["rules"].fault(f"must list 1 to {MOST_RULES} rules")
    seen: dict[str, int] = {}
    found = [_rule(one, seen, times) for one in items[:MOST_RULES]]
    return tuple(rule for rule in found if rule is not None)


def _rule(at: Value, seen: dict[str, int], times: int) -> Rule | None:
    """The rule, whole and tried; None where anything of it is wrong."""
    before = len(at.faults)
    fields = at.mapping(_FIELDS)
    missing = [name for name in _NEEDED if name not in fields]
    for name in missing:
        at.fault(f"has no `{name}`")
    if missing:
        return None
    rule = _Entry(fields).rule(seen)
    if len(at.faults) > before:
        return None
    made = _compiled(rule, fields["pattern"])
    for one in failed(rule, Matcher(made).finds, times) if made is not None else ():
        fields[one.which].items()[one.index].fault(one.message)
    return rule


def _compiled(rule: Rule, at: Value) -> Compiled | None:
    try:
        return compiled(rule)
    except BadPattern as error:
        at.fault(str(error))
        return None


@dataclass(frozen=True, slots=True)
class _Entry:
    """The fields of one rule, each read or its fault recorded."""

    fields: Mapping[str, Value]

    def rule(self, seen: dict[str, int]) -> Rule:
        pattern = self.fields["pattern"].text()
        name = self.name(seen)
        return Rule(
            id=name,
            title=self.text("title") or name,
            pattern=pattern,
            group=self.group(),
            keywords=self.keywords(),
            bounds=self.word("bounds") or "token",
            alphabet=self.word("alphabet") or "base62",
            max_bytes=self.max_bytes(pattern),
            entropy=self.entropy(),
            validator=self.fields["validator"].word(VALIDATORS) if "validator" in self else None,
            strong=self.word("strong") == "true",
            action=self.word("action"),
            severity=self.word("severity") or "high",
            matches=self.texts("matches", least=1),
            ignores=self.texts("ignores"),
            source=self.text("source"),
        )

    def __contains__(self, name: str) -> bool:
        return name in self.fields

    def name(self, seen: dict[str, int]) -> str:
        """The id, which no earlier rule of the file has."""
        at = self.fields["id"]
        text = at.text()
        if text and (not re.fullmatch(ID, text) or len(text) > LONGEST_ID):
            at.fault(f"must be kebab-case (a-z, 0-9, -), at most {LONGEST_ID} letters")
        elif text in seen:
            at.fault(f"is the id of the rule at line {seen[text]} too")
        seen.setdefault(text, at.node.start_mark.line + 1)
        return text

    def text(self, name: str) -> str:
        return self.fields[name].text() if name in self else ""

    def word[T: str](self, name: str) -> T | None:
        """One of the words that the field may be."""
        return cast(T, self.fields[name].word(_WORDS[name])) if name in self else None

    def texts(self, name: str, least: int = 0) -> tuple[str, ...]:
        if name not in self:
            return ()
        items = self.fields[name].items()
        if len(items) < least:
            self.fields[name].fault("needs at least one example")
        return tuple(one.text() for one in items)

    def keywords(self) -> tuple[str, ...]:
        found = self.texts("keywords")
        for at, word in zip(self.fields["keywords"].items() if found else (), found, strict=True):
            if word != word.lower():
                at.fault("must be lower case")
            elif len(word) < _SHORTEST_KEYWORD:
                at.fault("is too short; one letter is in every text")
        return found

    def group(self) -> int:
        return self.whole("group", _MOST_GROUPS) if "group" in self else 0

    def entropy(self) -> float | None:
        if "entropy" not in self:
            return None
        number = self.fields["entropy"].number()
        if number > _MOST_ENTROPY:
            self.fields["entropy"].fault(f"is bits a character: at most {_MOST_ENTROPY}")
        return float(number)

    def max_bytes(self, pattern: str) -> int:
        """As written, or as long as the pattern itself can match."""
        if "max_bytes" in self:
            return self.whole("max_bytes", MOST_BYTES)
        try:
            expression(pattern)
            size = longest(pattern)
        except BadPattern as error:
            self.fields["pattern"].fault(str(error))
            return MOST_BYTES
        if size is None:
            self.fields["pattern"].fault("can match without an end; say `max_bytes`")
        return size or MOST_BYTES

    def whole(self, name: str, most: int) -> int:
        number = self.fields[name].number()
        if number != int(number) or number > most:
            self.fields[name].fault(f"must be a whole number up to {most}")
        return min(int(number), most)
