"""Harmless text around the secrets: prose, code and logs, of any size."""

from collections.abc import Callable
from random import Random
from typing import Final

from tests.leaks.draw import fill
from tests.leaks.kind import BARE, HERE

SUBJECTS: Final = (
    "the service", "our release", "a customer in Bergen", "the second shard", "the invoice run",
    "the new parser", "that queue", "the night job", "the mobile client", "an older browser",
    "the search index", "the team from Lyon", "the schedule", "the on-call engineer",
)  # fmt: skip
VERBS: Final = (
    "drops", "keeps", "waits for", "has to rebuild", "returns", "does not expect", "measures",
    "ignores", "renames", "sends twice", "counts", "rounds down", "reads", "never closes",
)  # fmt: skip
OBJECTS: Final = (
    "the third column", "every order above 40 euros", "a connection", "the summary",
    "half of the events", "the translated page", "a long list of addresses", "the picture",
    "an empty answer", "the old schema", "the weekly report", "what the user typed",
    "a decimal comma", "the time zone of Lisbon",
)  # fmt: skip
ENDS: Final = (
    "", "", "", " on Mondays", " after the restart", " since version 4.2", " when it is cold",
    " although nobody asked", " in about one of 300 cases", " and then some", " as the docs say",
)  # fmt: skip
ASKS: Final = (
    "Can you summarise this?", "What would you change here?", "Please translate it into Spanish.",
    "Why is that so?", "Write a test for it.", "Explain it to a beginner.", "Is there a bug in it?",
)  # fmt: skip
CODE: Final = (
    "def total_{v:4}(rows):\n    return sum(row.amount * {n:2} for row in rows if row.open)\n",
    "for index, line in enumerate(lines):\n    if line.startswith('{v:5}'):\n        break\n",
    "const {v:6} = items.filter((item) => item.size > {n:3}).map((item) => item.title);\n",
    'if err := run(ctx, {n:2}); err != nil {\n\treturn fmt.Errorf("{v:6}: %w", err)\n}\n',
    "SELECT {v:5}, count(*) FROM orders WHERE day > '2026-0{n:1}-1{n:1}' GROUP BY 1;\n",
    "class {one:Cart,Order,Parcel}View(View):\n    title = '{v:7} {v:5}'\n    page = {n:2}\n",
)
LOGS: Final = (
    "2026-10-0{n:1} 1{n:1}:{one:04,17,32,51}:0{n:1} INFO worker-{n:1} took {n:3} ms\n",
    "2026-10-0{n:1} 1{n:1}:{one:04,17,32,51}:0{n:1} WARN queue {v:5} is at {n:2} percent\n",
    "[{n:5}.{n:6}] eth0: link up, {n:3} Mbps, full duplex\n",
)


def sentence(chance: Random) -> str:
    said = f"{chance.choice(SUBJECTS)} {chance.choice(VERBS)} {chance.choice(OBJECTS)}"
    said += chance.choice(ENDS)
    return said[0].upper() + said[1:] + "."


def paragraph(chance: Random) -> str:
    return " ".join(sentence(chance) for _ in range(chance.randint(2, 6))) + "\n\n"


def listing(chance: Random) -> str:
    return "".join(fill(chance.choice(CODE), chance) for _ in range(3)) + "\n"


def logs(chance: Random) -> str:
    return "".join(fill(chance.choice(LOGS), chance) for _ in range(5)) + "\n"


PIECES: Final[tuple[Callable[[Random], str], ...]] = (paragraph, paragraph, listing, logs)
UNIT: Final = 6_000


def text(chance: Random, size: int) -> str:
    """About `size` characters of it. Beyond some thousand the pieces come again, shuffled."""
    pieces: list[str] = []
    made = 0
    while made < min(size, UNIT):
        pieces.append(chance.choice(PIECES)(chance))
        made += len(pieces[-1])
    rounds = max(1, size // max(made, 1))
    whole = "".join("".join(chance.sample(pieces, len(pieces))) for _ in range(rounds))
    return whole[:size] if size < made else whole


def ask(chance: Random) -> str:
    return chance.choice(ASKS)


def size(chance: Random, most: int = 30_000) -> int:
    """Most requests are short, some are long: spread over the powers of two."""
    return int(min(most, 100 * 2 ** chance.uniform(0, 9)))


def around(chance: Random, planted: str, room: int | None = None) -> str:
    """The text with harmless text before and after it, at a place of its own."""
    wanted = size(chance) if room is None else room
    before = int(wanted * chance.random())
    front = text(chance, before).rstrip() + "\n\n" if before > 60 else ""
    back = text(chance, wanted - before).rstrip() if wanted - before > 60 else ""
    return f"{front}{planted}\n\n{back}{ask(chance)}"


def told(secret: str, chance: Random) -> str:
    """The bare value in a sentence, with other text around it."""
    return around(chance, chance.choice(BARE).replace(HERE, secret))
