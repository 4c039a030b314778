"""A rule's pattern, compiled: refused here if it could run away or can never be found."""

from dataclasses import dataclass
from typing import Final

import ahocorasick_rs
import re2

from openai_gateway.leaks.engine import bounds
from openai_gateway.leaks.engine.pattern import Node, NotBytes, parse
from openai_gateway.leaks.engine.shape import holds, least, most
from openai_gateway.leaks.rules.rule import MOST_BYTES, Exemption, Rule

LONGEST_PATTERN: Final = 8192
LARGEST_PROGRAM: Final = 30_000
_MEMORY: Final = 16 << 20


class BadPattern(ValueError):
    """The pattern cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Exempt:
    """An exemption, compiled; gitleaks' own has some 1,500 stop words."""

    said: Exemption
    regexes: tuple["re2._Regexp", ...]
    words: ahocorasick_rs.BytesAhoCorasick | None


@dataclass(frozen=True, slots=True)
class Compiled:
    """`expression` has the bounds around the pattern where its group 0 is the secret, and then
    `whole` is the pattern's own group; `endless`: a match may go on without a bound of its own;
    `sure`: each match holds one of the rule's keywords."""

    rule: Rule
    tree: Node
    expression: "re2._Regexp"
    whole: int
    endless: bool
    sure: bool
    exempt: tuple[Exempt, ...]


def compiled(rule: Rule) -> Compiled:
    """Raises: BadPattern."""
    own = expression(rule.pattern)
    tree = tree_of(rule.pattern)
    size = most(tree)
    if rule.group is not None and rule.group > own.groups:
        raise BadPattern(f"has {own.groups} groups, and group {rule.group} is to be the secret")
    if least(tree) == 0:
        raise BadPattern("matches an empty text")
    if size is not None and size > rule.max_bytes:
        raise BadPattern(f"can match {size} bytes, which is more than max_bytes ({rule.max_bytes})")
    bounded = rule.group == 0 and bounds.is_token(rule)
    words = tuple(word.encode() for word in rule.keywords)
    return Compiled(
        rule,
        tree,
        expression(_bounded(rule)) if bounded else own,
        whole=int(bounded),
        endless=size is None,
        sure=holds(tree, words),
        exempt=tuple(map(_exempt, rule.exemptions)),
    )


def expression(pattern: str) -> "re2._Regexp":
    """RE2's own, over bytes. Raises: BadPattern."""
    if len(pattern) > LONGEST_PATTERN:
        raise BadPattern(f"is longer than {LONGEST_PATTERN} characters")
    try:
        found = re2.compile(pattern.encode(), _options())
    except re2.error as error:
        raise BadPattern(f"is no RE2 pattern: {_said(error)}") from error
    if found.programsize > LARGEST_PROGRAM:
        raise BadPattern("is too large; ask for fewer repetitions")
    return found


def tree_of(pattern: str) -> Node:
    """The tree of a pattern that RE2 took. Raises: BadPattern."""
    try:
        return parse(pattern)
    except NotBytes as error:
        raise BadPattern(str(error)) from error


def longest(pattern: str) -> int | None:
    """The length of its longest match, None where it has no end, or one beyond all measure."""
    size = most(tree_of(pattern))
    return size if size is not None and size <= MOST_BYTES else None


def _bounded(rule: Rule) -> str:
    return f"{bounds.left(rule.alphabet)}({rule.pattern}){bounds.right(rule.alphabet)}"


def _exempt(said: Exemption) -> Exempt:
    words = [word.encode() for word in said.stopwords]
    automaton = ahocorasick_rs.BytesAhoCorasick(words) if words else None
    return Exempt(said, tuple(map(expression, said.regexes)), automaton)


def _options() -> "re2.Options":
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    options.max_mem = _MEMORY
    return options


def _said(error: "re2.error") -> str:
    """RE2's words, which are bytes where the pattern was."""
    said = error.args[0] if error.args else ""
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
