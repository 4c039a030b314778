"""Whether one model could cost more than another for the same use: a substitute never may.

Compared is every price that a call can meet, short and long, in the tier that it asks for. Cache
writes for half a day are left out: no call that asks for one has its model replaced.
"""

from collections.abc import Iterator
from typing import Final

from openai_gateway.api.rates import STANDARD, Entry, Rates

_LEFT_OUT: Final = frozenset({"cache_write_12h"})
_ABOUT: Final = "about_"


def dearer(requested: Entry, sent: Entry, tier: str = STANDARD) -> str | None:
    """The first kind of use for which `sent` costs more, or cannot be compared; else None."""
    if requested.free:
        return "a price at all"
    unit = _dearer_unit(requested, sent)
    if unit is not None:
        return unit
    ours = _rates(sent, STANDARD)
    if not ours or not _rates(requested, STANDARD):
        return None  # a unit was compared
    return next(_dearer_tokens(requested, sent, tier), None)


def _dearer_unit(requested: Entry, sent: Entry) -> str | None:
    """Seconds, characters, pictures. A model that bills tokens is compared by OpenAI's own
    estimate a minute, where the other one bills by time."""
    theirs, ours = requested.units[STANDARD], sent.units[STANDARD]
    by_unit = {name for name in (*theirs, *ours) if not name.startswith(_ABOUT)}
    if not by_unit:
        return None
    for name in sorted(by_unit):
        most = theirs.get(name, theirs.get(_ABOUT + name))
        cost = ours.get(name, ours.get(_ABOUT + name))
        if most is None or cost is None or cost > most:
            return name
    return None


def _dearer_tokens(requested: Entry, sent: Entry, tier: str) -> Iterator[str]:
    for size in _sizes(requested, sent):
        most, cost = _at(requested, tier, size), _at(sent, tier, size)
        for kind, price in cost.items():
            if kind not in _LEFT_OUT and (kind not in most or price > most[kind]):
                yield kind if size == 0 else f"{kind} above {size - 1} input tokens"


def _sizes(requested: Entry, sent: Entry) -> list[int]:
    """Inputs at which a price changes, as far as the requested model takes so much."""
    edges = {edge + 1 for edge in (requested.long_above, sent.long_above) if edge is not None}
    most = requested.max_input
    return [0, *sorted(edge for edge in edges if most is None or edge <= most)]


def _at(entry: Entry, tier: str, size: int) -> Rates:
    return entry.rate(tier if (tier, False) in entry.rates else STANDARD, size)[0]


def _rates(entry: Entry, tier: str) -> Rates:
    return entry.rates.get((tier, False), {})
