"""Versions of mitmproxy that must not run here, and why. Dated: what came later is not in it."""

from dataclasses import dataclass
from datetime import date
from typing import Final

type Version = tuple[int, ...]

AS_OF: Final = date(2026, 8, 22)  # as far as mitmproxy's changelog was read


@dataclass(frozen=True, slots=True)
class Advisory:
    """Holds for every version before `fixed`."""

    name: str
    about: str
    fixed: Version


# Source: mitmproxy's CHANGELOG.md and its security advisories, under these names.
MITMPROXY: Final = (
    Advisory("GHSA-wg33-5h85-7q5p", "mitmweb's API can be reached through the proxy", (11, 1, 2)),
    Advisory("GHSA-847f-9342-265h", "requests can be smuggled from HTTP/2 to 1", (12, 1, 2)),
    Advisory("GHSA-527g-3w9m-29hv", "LDAP can be injected in proxyauth", (12, 2, 2)),
)


def version(text: str) -> Version:
    """`12.2.3` as (12, 2, 3); what is no number ends it."""
    numbers: list[int] = []
    for part in text.split("."):
        if not part.isdecimal():
            break
        numbers.append(int(part))
    return tuple(numbers)


def known(installed: Version) -> list[Advisory]:
    """Those that hold for this version."""
    return [one for one in MITMPROXY if installed < one.fixed]
