"""The corpus of one seed: some 1,400 requests, each with a secret somewhere or without any.

The same seed gives the same bytes everywhere; another seed gives other values, texts and places.
"""

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Final

from tests.leaks import filler
from tests.leaks.benign import BENIGN, Harmless
from tests.leaks.case import Case, Group, Place, chat
from tests.leaks.draw import seeded
from tests.leaks.encodings import KIND_OF, SIMPLE
from tests.leaks.files import FILES
from tests.leaks.kind import Kind
from tests.leaks.kinds import BY_NAME, KINDS, STRONG
from tests.leaks.oddities import SPLIT
from tests.leaks.places import PLACES

SEED: Final = 20261124
# How many cases a family has.
EACH: Final[dict[Group, int]] = {
    "kinds": 2,
    "places": 2,
    "simple": 3,
    "split": 3,
    "files": 2,
    "benign": 4,
}
PLACED: Final[dict[Group, dict[str, Place]]] = {
    "places": PLACES,
    "simple": SIMPLE,
    "split": SPLIT,
    "files": FILES,
}

type Make = Callable[[str, Random], Case]


def corpus(seed: int = SEED, scale: int = 1, groups: Sequence[Group] = ()) -> Iterator[Case]:
    """All cases of a seed, or those of some groups; `scale` times as many in each family."""
    for group, count in EACH.items():
        if groups and group not in groups:
            continue
        for family, make in families(group):
            for number in range(count * scale):
                name = f"{group}/{family}/{number}"
                yield make(name, seeded(seed, name))


def families(group: Group) -> Iterator[tuple[str, Make]]:
    if group == "kinds":
        yield from ((kind.name, in_clear(kind)) for kind in KINDS)
    elif group == "benign":
        yield from ((name, harmless(name, make)) for name, make in BENIGN.items())
    else:
        yield from ((name, placed(group, name, make)) for name, make in PLACED[group].items())


def in_clear(kind: Kind) -> Make:
    """The kind in a chat's message, as it usually stands."""

    def make(name: str, chance: Random) -> Case:
        planted = kind.plant(chance)
        sent = chat(filler.around(chance, planted.text))
        return Case(name, "kinds", kind.name, sent, kind.name, planted.secret, kind.want)

    return make


def placed(group: Group, family: str, place: Place) -> Make:
    """A strong kind at this place or in this writing."""

    def make(name: str, chance: Random) -> Case:
        kind = BY_NAME[KIND_OF[family]] if family in KIND_OF else chance.choice(STRONG)
        secret = kind.plant(chance).secret
        return Case(name, group, family, place(secret, chance), kind.name, secret, kind.want)

    return make


def harmless(family: str, make_sent: Harmless) -> Make:
    return lambda name, chance: Case(name, "benign", family, make_sent(chance))
