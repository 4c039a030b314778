"""Of hits that overlap one stays, so that a secret is told once and gets one mark."""

from collections.abc import Iterable
from dataclasses import replace

from openai_gateway.leaks.rules.rule import Hit


def resolved(hits: Iterable[Hit]) -> list[Hit]:
    """In the order of their place. The longer wins, then the more specific rule, and its place
    grows by what a loser has beyond it, so that nothing of either is left standing.

    What is only reported never hides what is more than that.
    """
    kept: list[Hit] = []
    for hit in sorted(hits, key=lambda one: (one.start, -one.end)):
        while kept and kept[-1].end > hit.start:
            hit = _of_two(kept.pop(), hit)
        kept.append(hit)
    return kept


def _of_two(first: Hit, second: Hit) -> Hit:
    winner = max((first, second), key=_weight)
    if _acts(first) != _acts(second):
        return winner
    return replace(winner, start=min(first.start, second.start), end=max(first.end, second.end))


def _acts(hit: Hit) -> bool:
    return not hit.lowered and hit.rule.action != "report"


def _weight(hit: Hit) -> tuple[bool, int, bool, bool, bool]:
    rule = hit.rule
    return (
        _acts(hit),
        hit.end - hit.start,
        rule.strong,
        rule.validator is not None,
        rule.group == 0,
    )
