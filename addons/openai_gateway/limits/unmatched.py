"""Rules of limits.rules that can never decide anything: an earlier one always does, or nothing that
can be named fits their globs. They are told at the start, as somebody relies on them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from openai_gateway.core.match import Match
from openai_gateway.limits.rulings import Rule, amounts_of
from openai_gateway.limits.tiers import listed_as

_FIELDS: Final = ("key", "model", "client", "endpoint")
_WILD: Final = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Known:
    """All names that a call can have, where they are closed; None where they are open.

    `client` is closed where clients.credentials is set. `model` is never quite closed: give the
    price list's names to be warned of a slip, and leave it out to be told of certainties only.
    """

    key: frozenset[str] | None = None
    model: frozenset[str] | None = None
    client: frozenset[str] | None = None
    endpoint: frozenset[str] | None = None


def never_matching(rules: Sequence[Rule], known: Known) -> Iterator[tuple[int, str]]:
    """The number of each such rule (`limits.rules.N`), and why."""
    for number, rule in enumerate(rules):
        why = without_name(rule.match, known) or _shadowed(rules[:number], rule, known)
        if why:
            yield number, why


def without_name(match: Match, known: Known) -> str | None:
    """Why no call can be matched by it, whatever stands before; for budgets too."""
    for field in _FIELDS:
        globs, names = getattr(match, field), getattr(known, field)
        if globs is not None and names is not None and not _named(globs, names, field):
            return f"can never match: no {field} that is known fits match.{field}"
    return None


def _named(globs: Sequence[str], names: frozenset[str], field: str) -> set[str]:
    """The known names that the globs hold for. A dated or fine-tuned model counts by its base."""
    found = {name for name in names for glob in globs if fnmatchcase(name, glob)}
    if field == "model":
        found |= {glob for glob in globs if glob.startswith("ft:") or names & set(listed_as(glob))}
    return found


def _shadowed(earlier: Sequence[Rule], rule: Rule, known: Known) -> str | None:
    """Each kind that the rule names is already decided by an earlier rule, whatever the call."""
    by: dict[str, None] = {}
    for kind in amounts_of(rule):
        over = next(
            (one for one in earlier if kind in amounts_of(one) and _covers(one, rule, known)), None
        )
        if over is None:
            return None
        by[over.name] = None
    return f"can never decide: {', '.join(by)} stands before it and names the same limits"


def _covers(over: Rule, rule: Rule, known: Known) -> bool:
    """Whether the first rule's match holds for whatever the second one's holds for."""
    return all(
        _wider(getattr(over.match, field), getattr(rule.match, field), getattr(known, field))
        for field in ("key", "client", "endpoint")
    ) and _wider(over.match.model, rule.match.model, None)


def _wider(
    wide: Sequence[str] | None, narrow: Sequence[str] | None, names: frozenset[str] | None
) -> bool:
    if wide is None:
        return True
    if names is not None:
        left = {name for name in names if _holds(narrow, name)}
        return all(_holds(wide, name) for name in left)
    return narrow is not None and all(any(_within(g, over) for over in wide) for g in narrow)


def _holds(globs: Sequence[str] | None, name: str) -> bool:
    return globs is None or any(fnmatchcase(name, glob) for glob in globs)


def _within(glob: str, over: str) -> bool:
    """Whether `over` certainly holds for all that `glob` holds for; in doubt it does not."""
    if over in ("*", glob):
        return True
    if _WILD.isdisjoint(glob):
        return fnmatchcase(glob, over)
    start = over[:-1]
    return over.endswith("*") and _WILD.isdisjoint(start) and glob.startswith(start)
