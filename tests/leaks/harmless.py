"""How harmless texts are made from forms; what they say is in the modules benign_*."""

from collections.abc import Callable, Sequence
from random import Random

from tests.leaks.draw import fill

type Text = Callable[[Random], str]


def form(text: str) -> Text:
    return lambda chance: fill(text, chance)


def forms(texts: Sequence[str]) -> Text:
    """One of them."""
    return lambda chance: fill(chance.choice(texts), chance)


def lines(text: str, least: int, most: int) -> Text:
    """The form many times, each filled anew."""
    return lambda chance: "\n".join(fill(text, chance) for _ in range(chance.randint(least, most)))


def several(text: str, least: int, most: int) -> Text:
    """The same without line ends."""
    return lambda chance: lines(text, least, most)(chance).replace("\n", "")


def listed(text: str, least: int, most: int, head: str = "") -> Text:
    """Rows under a head."""
    return lambda chance: head + "\n" + lines(text, least, most)(chance)
