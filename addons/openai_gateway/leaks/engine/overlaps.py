"""Of hits that overlap, those that may be judged apart: each rule may be allowed by itself."""

from collections.abc import Iterable

from openai_gateway.leaks.rules.rule import Hit


def distinct(hits: Iterable[Hit]) -> list[Hit]:
    """In the order of their place; of two at one place the surer is first.

    Left out is what lies whole in the hit of a surer rule, as it is the same secret by a vaguer
    name. Nothing else is: what an allowed rule covers may be another's secret.
    """
    kept: list[Hit] = []
    around: list[Hit] = []
    for hit in sorted(hits, key=_order):
        around = [one for one in around if one.end > hit.start]
        if any(_says_more(one, hit) for one in around):
            continue
        kept.append(hit)
        around.append(hit)
    return kept


def _says_more(outer: Hit, inner: Hit) -> bool:
    """Whether the outer one, which begins no later, tells all that the inner one would."""
    surer = outer.rule.strong and not inner.rule.strong
    return surer and outer.end >= inner.end and (acts(outer) or not acts(inner))


def _order(hit: Hit) -> tuple[int, int, bool, bool, bool, bool]:
    rule = hit.rule
    vaguer = (not rule.strong, rule.validator is None, rule.group != 0)
    return (hit.start, -hit.end, not acts(hit), *vaguer)


def acts(hit: Hit) -> bool:
    """Whether more than a report may come of it."""
    return not hit.lowered and hit.rule.action != "report"
