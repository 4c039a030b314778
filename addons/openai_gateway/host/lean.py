"""Takes out mitmproxy's own addons that the gateway does not need.

Each could undo a promise after our stages ran (map_remote, modify_*, sticky*, save*), and together
they cost 30 % of a call. What stays is named; a new mitmproxy's new addon goes out by itself.
"""

import logging
from typing import Any, Final

KEPT: Final = frozenset(
    {
        "core",
        "proxyserver",
        "scriptloader",
        "nextlayer",
        "tlsconfig",
        "errorcheck",
        "termlog",
        "keepserving",
        "disableh2c",
    }
)

log = logging.getLogger(__name__)


def strip(addons: Any) -> tuple[str, ...]:
    """Removes all but KEPT from mitmproxy's addon manager; gives the names that went.

    The attributes are not public: where they are gone nothing is removed, and a warning says so.
    Refused options keep those addons idle then.
    """
    if not (isinstance(getattr(addons, "chain", None), list) and hasattr(addons, "lookup")):
        log.warning("mitmproxy's addon list has changed: its default addons stay loaded")
        return ()
    kept = [addon for addon in addons.chain if _name(addon) in KEPT]
    gone = tuple(sorted(_name(addon) for addon in addons.chain if _name(addon) not in KEPT))
    addons.chain = kept
    for name in gone:
        addons.lookup.pop(name, None)
    return gone


def _name(addon: Any) -> str:
    """As mitmproxy itself names an addon."""
    return str(getattr(addon, "name", addon.__class__.__name__.lower()))
