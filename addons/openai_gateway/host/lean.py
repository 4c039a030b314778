"""Takes out of mitmproxy what the gateway does not need: safer, and a third of a call's cost less.

Each default addon could undo a promise after our stages ran (map_remote, modify_*, sticky*, save*),
and every hook walks them all. What stays is named; a new mitmproxy's new addon goes out by itself.
"""

import logging
from typing import Any, Final

from mitmproxy import http

# Asked at each hook.
KEPT: Final = frozenset({"proxyserver", "scriptloader", "nextlayer", "tlsconfig", "disableh2c"})
# Found by name when mitmproxy starts and stops, and without a hook that a call would need.
NAMED: Final = frozenset({"core", "errorcheck", "termlog", "keepserving"})

log = logging.getLogger(__name__)


def strip(addons: Any) -> tuple[str, ...]:
    """Removes all but KEPT and NAMED from mitmproxy's addon manager; gives the names that went.

    The attributes are not public: where they are gone nothing is removed, and a warning says so.
    Refused options keep those addons idle then.
    """
    if not (isinstance(getattr(addons, "chain", None), list) and hasattr(addons, "lookup")):
        log.warning("mitmproxy's addon list has changed: its default addons stay loaded")
        return ()
    names = {_name(addon) for addon in addons.chain}
    gone = tuple(sorted(names - KEPT - NAMED))
    addons.chain = [addon for addon in addons.chain if _name(addon) in KEPT]
    for name in gone:
        addons.lookup.pop(name, None)
    return gone


def skip_type_checks() -> None:
    """mitmproxy checks the type of every field of every message it makes, as an assertion that
    `python -O` drops: a tenth of a call. Where it no longer does, nothing changes."""
    if "__post_init__" in vars(http.MessageData):
        http.MessageData.__post_init__ = _unchecked  # type: ignore[method-assign]  # the seam


def _unchecked(_data: http.MessageData) -> None:
    return None


def _name(addon: Any) -> str:
    """As mitmproxy itself names an addon."""
    return str(getattr(addon, "name", addon.__class__.__name__.lower()))
