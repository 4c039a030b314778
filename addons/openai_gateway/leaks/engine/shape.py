"""What a pattern's tree tells: how long a match is, what each match holds, how each one begins."""

from collections.abc import Collection, Iterator
from itertools import product
from typing import Final

from openai_gateway.leaks.engine.byte_sets import fold
from openai_gateway.leaks.engine.pattern import Alt, At, Byte, Cat, Group, Node, Repeat

NOTHING: Final = Cat(())
# So many different beginnings are followed; beyond it nothing is claimed.
MOST_TEXTS: Final = 128
# A run that long is telling by itself.
_LONG: Final = 8
_SPECIAL: Final = frozenset(b"\\^$.|?*+()[]{}/-")


def least(node: Node) -> int:
    """The length of the shortest match."""
    match node:
        case Byte():
            return 1
        case Cat(items):
            return sum(map(least, items))
        case Alt(items):
            return min(map(least, items))
        case Repeat(item, low):
            return low * least(item)
        case Group(item):
            return least(item)
        case At():
            return 0


def most(node: Node) -> int | None:
    """The length of the longest match; None where there is no end to it."""
    match node:
        case Byte():
            return 1
        case Cat(items) | Alt(items):
            sizes = [most(item) for item in items]
            known = [size for size in sizes if size is not None]
            if len(known) < len(sizes):
                return None
            return sum(known) if isinstance(node, Cat) else max(known)
        case Repeat(item, _, high):
            size = most(item)
            if size == 0:
                return 0
            return None if size is None or high is None else size * high
        case Group(item):
            return most(item)
        case At():
            return 0


def written(node: Node) -> str:
    """The tree as a pattern that RE2 and Hyperscan read alike, without its capturing brackets."""
    match node:
        case Byte(mask):
            return _class(mask)
        case Cat(items):
            return "".join(f"(?:{written(i)})" if isinstance(i, Alt) else written(i) for i in items)
        case Alt(items):
            return "|".join(map(written, items))
        case Repeat(_, _, 0):
            return ""  # Hyperscan takes no {0}
        case Repeat(item, low, high, lazy):
            return f"(?:{written(item)}){_times(low, high)}{'?' if lazy else ''}"
        case Group(item):
            return f"(?:{written(item)})"
        case At(what):
            return {"^": r"\A", "$": r"\z", "(?m)^": "(?m:^)", "(?m)$": "(?m:$)"}.get(what, what)


def _times(low: int, high: int | None) -> str:
    if low == high:
        return f"{{{low}}}"
    return f"{{{low},{'' if high is None else high}}}"


def _class(mask: int) -> str:
    if mask.bit_count() == 1:
        return _letter(mask.bit_length() - 1)
    if not mask:
        return r"[^\x00-\xff]"
    return f"[{''.join(_ranges(mask))}]"


def _ranges(mask: int) -> Iterator[str]:
    at = 0
    while mask >> at:
        if not mask >> at & 1:
            at += 1
            continue
        start = at
        while mask >> at & 1:
            at += 1
        yield _letter(start) + (f"-{_letter(at - 1)}" if at - 1 > start else "")


def _letter(code: int) -> str:
    if 33 <= code < 127 and code not in _SPECIAL:
        return chr(code)
    return f"\\x{code:02x}"


def front(node: Node) -> Node:
    """A beginning that every match has, cut where what follows may be left out or go on.

    A scan for it fires where a match begins to be one, and not once for each further byte.
    """
    match node:
        case Cat(items):
            kept = list(items)
            while kept and (least(kept[-1]) == 0 or _goes_on(kept)):
                kept.pop()
            return Cat((*kept[:-1], front(kept[-1]))) if kept else NOTHING
        case Alt(items):
            return Alt(tuple(map(front, items)))
        case Repeat(item, 0):
            return NOTHING
        case Repeat(item, low):
            repeats = (Repeat(item, low - 1, low - 1),) if low > 1 else ()
            return Cat((*repeats, front(item)))
        case Group(item):
            return Group(front(item))
        case _:
            return node


def _goes_on(items: list[Node]) -> bool:
    """Whether the last item looks like more of a long run before it, whose end would then be
    anywhere in the run."""
    if len(items) < 2 or not isinstance(items[-1], Byte):
        return False
    match items[-2]:
        case Repeat(Byte(mask), low, high):
            return low >= _LONG and high != low and not items[-1].mask & ~mask
    return False


def holds(node: Node, words: Collection[bytes]) -> bool:
    """Whether each match certainly holds one of the words, upper and lower case being the same."""
    return bool(words) and _holds(node, tuple(words))


def _holds(node: Node, words: tuple[bytes, ...]) -> bool:
    match node:
        case Cat(items):
            return any(_holds(item, words) for item in items) or _run_holds(items, words)
        case Alt(items):
            return all(_holds(item, words) for item in items)
        case Repeat(item, low):
            return (low > 0 and _holds(item, words)) or _run_holds((node,), words)
        case Group(item):
            return _holds(item, words)
        case Byte():
            return _run_holds((node,), words)
        case At():
            return False


def _run_holds(items: tuple[Node, ...], words: tuple[bytes, ...]) -> bool:
    """Whether some neighbours, however they are spelled, spell a word each time."""
    runs: set[bytes] | None = {b""}
    for item in items:
        spelled = texts(item)
        grown = joined(runs, spelled) if runs is not None else spelled
        runs = grown if grown is not None else spelled
        if runs is not None and all(any(word in run for word in words) for run in runs):
            return True
    return False


def joined(first: set[bytes] | None, second: set[bytes] | None) -> set[bytes] | None:
    """Each of the first with each of the second behind it; None where these are too many."""
    if first is None or second is None or len(first) * len(second) > MOST_TEXTS:
        return None
    return {one + two for one, two in product(first, second)}


def texts(node: Node) -> set[bytes] | None:
    """All that it matches, in lower case, where that can be counted; else None."""
    match node:
        case Byte(mask):
            return _letters(mask)
        case Cat(items):
            found: set[bytes] | None = {b""}
            for item in items:
                found = joined(found, texts(item))
            return found
        case Alt(items):
            parts = [texts(item) for item in items]
            known = [part for part in parts if part is not None]
            every = set().union(*known) if len(known) == len(parts) else None
            return every if every is not None and len(every) <= MOST_TEXTS else None
        case Repeat(item, low, high):
            return _repeated(texts(item), low, high)
        case Group(item):
            return texts(item)
        case At():
            return {b""}


def _letters(mask: int) -> set[bytes] | None:
    if fold(mask).bit_count() > 2 * MOST_TEXTS:
        return None
    found = {bytes((code,)).lower() for code in range(256) if mask >> code & 1}
    return found if len(found) <= MOST_TEXTS else None


def _repeated(once: set[bytes] | None, low: int, high: int | None) -> set[bytes] | None:
    if once is None or high is None or high > MOST_TEXTS:
        return None
    found: set[bytes] = set()
    grown: set[bytes] | None = {b""}
    for count in range(high + 1):
        if grown is None:
            return None
        if count >= low:
            found |= grown
        grown = joined(grown, once)
    return found if len(found) <= MOST_TEXTS else None
