"""Texts that a pattern matches, drawn from its tree: what the rules of leaks/ are tried on."""

import random
import string
from collections.abc import Sequence

from openai_gateway.leaks.engine.pattern import Alt, At, Byte, Cat, Group, Node, Repeat
from openai_gateway.leaks.rules.rule import Rule
from openai_gateway.leaks.rules.template import fill

PLAIN = frozenset(range(32, 127))


def drawn(node: Node, chance: random.Random) -> bytes:
    """A text that the tree matches, of printable letters where it can be."""
    match node:
        case Byte(mask):
            every = [code for code in range(256) if mask >> code & 1]
            return bytes((chance.choice([code for code in every if code in PLAIN] or every),))
        case Cat(items):
            return b"".join(drawn(item, chance) for item in items)
        case Alt(items):
            return drawn(chance.choice(items), chance)
        case Repeat(item, low, high):
            most = low + 8 if high is None else min(high, low + 8)
            return b"".join(drawn(item, chance) for _ in range(chance.randint(low, most)))
        case Group(item):
            return drawn(item, chance)
        case At():
            return b""


def alnum(count: int, seed: int = 1) -> str:
    """So many letters and digits that look drawn, the same each time."""
    chance = random.Random(seed)  # noqa: S311 -- no secret comes of it
    return fill(f"{{alnum:{count}}}", chance).decode()


def synthetic(count: int) -> Sequence[Rule]:
    """So many rules, as a rule file has them: most with a beginning of their own, some that stand
    behind a name, some without an end."""
    chance = random.Random(count)  # noqa: S311 -- no secret comes of it
    return [_one(number, chance) for number in range(count)]


def _one(number: int, chance: random.Random) -> Rule:
    start = "".join(chance.choice(string.ascii_lowercase) for _ in range(4)) + f"{number}_"
    if number % 10 < 7:
        length = chance.choice((32, 36, 40, 52))
        return Rule(
            f"fixed-{number}", "", f"{start}[A-Za-z0-9]{{{length}}}", keywords=(start,), strong=True
        )
    if number % 10 == 7:
        pattern = start + "[A-Za-z0-9_-]{30,}"
        return Rule(
            f"endless-{number}",
            "",
            pattern,
            keywords=(start,),
            alphabet="base64url",
            max_bytes=120,
        )
    pattern = rf"(?i)\b{start}[a-z0-9 .-]{{0,20}}[\"' ]{{0,3}}[:=][\"' ]{{0,3}}([a-z0-9]{{24,40}})"
    return Rule(f"named-{number}", "", pattern, group=1, keywords=(start,))
