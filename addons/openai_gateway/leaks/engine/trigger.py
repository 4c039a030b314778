"""What a scan looks for in a rule's stead: a beginning of its pattern, and where that leads."""

from dataclasses import dataclass
from typing import Final

from openai_gateway.leaks.engine import bounds
from openai_gateway.leaks.engine.pattern import Alt, At, Byte, Cat, Group, Node, Repeat
from openai_gateway.leaks.engine.shape import front, least, most, written
from openai_gateway.leaks.rules.rule import Rule

# A beginning of so many known letters is rare enough without a look at what stands before it.
_TELLING: Final = 3
_FEW: Final = 4


@dataclass(frozen=True, slots=True)
class Trigger:
    """Where one of `expressions` ends, a match of the rule may lie from `back` bytes before on."""

    expressions: tuple[str, ...]
    back: int


def trigger(rule: Rule, tree: Node) -> Trigger:
    """What every match of the rule holds: found by a scan, it still has to be confirmed."""
    body = _unplaced(tree)
    opened = _opened(body)
    short = front(opened)
    size = most(short)
    back = rule.max_bytes if size is None or opened != body else min(size, rule.max_bytes)
    plain = f"(?:{written(short)})"
    expressions: tuple[str, ...] = (plain,)
    if bounds.is_token(rule) and rule.group == 0:
        after = bounds.right(rule.alphabet) if short == opened == tree else ""
        apart = opened == body and _known(short) < _TELLING
        before = bounds.lefts(rule.alphabet) if apart else ("",)
        expressions = tuple(one + plain + after for one in before)
    return Trigger(expressions, back + bounds.SLACK)


def _unplaced(node: Node) -> Node:
    """Without the places that a scan cannot tell in the middle of a pattern; it matches no less."""
    match node:
        case At(what):
            return node if what in ("\\b", "\\B") else Cat(())
        case Cat(items):
            return Cat(tuple(map(_unplaced, items)))
        case Alt(items):
            return Alt(tuple(map(_unplaced, items)))
        case Repeat(item, low, high, lazy):
            return Repeat(_unplaced(item), low, high, lazy)
        case Group(item):
            return Group(_unplaced(item))
        case Byte():
            return node


def _opened(node: Node) -> Node:
    """Without what may be left out at the beginning: it only makes a scan dearer."""
    if isinstance(node, Group):
        return Group(_opened(node.item))
    if not isinstance(node, Cat):
        return node
    items = list(node.items)
    while items and least(items[0]) == 0 and not isinstance(items[0], At):
        items.pop(0)
    return Cat(tuple(items))


def _known(node: Node) -> int:
    """With how many bytes of few choices it begins, as far as that matters."""
    match node:
        case Byte(mask):
            return int(mask.bit_count() <= _FEW)
        case Cat(items):
            known = 0
            for item in items:
                known += _known(item)
                if known >= _TELLING or _known(item) < (most(item) or 1):
                    break
            return known
        case Alt(items):
            return min(map(_known, items))
        case Repeat(item, low, high):
            return _known(item) * low if low == high else _known(item) * min(low, 1)
        case Group(item):
            return _known(item)
        case At():
            return 0
