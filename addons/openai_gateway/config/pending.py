"""Which fields are read and checked but do not act yet, so that nobody relies on them."""

from collections.abc import Iterator, Mapping
from typing import Final

from openai_gateway.config.problems import Loc

IDLE: Final[Mapping[str, frozenset[str]]] = {
    "replay": frozenset(),
    "checklist": frozenset(),
}
"""By section the fields that do not act; none named: the whole section."""

SAID: Final = "accepted, not yet in force in this version"
_ASKS_NOTHING: Final = (None, False, "off")


def pending(loc: Loc) -> bool:
    """Whether the field at `loc` (a section, or below one) does not act yet."""
    if not loc or loc[0] not in IDLE:
        return False
    idle = IDLE[str(loc[0])]
    return not idle or (len(loc) > 1 and loc[1] in idle)


def found(data: Mapping[str, object]) -> Iterator[tuple[Loc, str]]:
    """What a file asks for that does not act yet: one line a section."""
    for section, value in data.items():
        if not pending((section,)):
            names = value if isinstance(value, Mapping) else {}
            asked = [
                str(name)
                for name, said in names.items()
                if pending((section, name)) and said not in _ASKS_NOTHING
            ]
            if asked:
                yield (section,), f"{', '.join(asked)}: {SAID}"
        elif value:
            yield (section,), SAID
