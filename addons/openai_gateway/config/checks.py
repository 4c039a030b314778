"""What no single field can tell: faults between fields, judged on whatever of them could be read.

They work on the raw data, so that a fault elsewhere in the section does not hide them.
"""

import ssl
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from openai_gateway.config.kinds import Setting
from openai_gateway.config.model import DEFAULT_MAPPING, PRODUCTION_KEY
from openai_gateway.config.places import listens_on_loopback
from openai_gateway.config.problems import Fault, Loc, shown
from openai_gateway.config.secrets import Unresolved

RESERVED: Final = ("reject", "unknown", "other", "all")
"""Words that metrics and `keys.unknown` need for themselves."""


def faults(data: Mapping[str, Any], setting: Setting) -> Iterator[Fault]:
    """Each fault between fields, with the place it is reported at."""
    keys = data.get("keys")
    if isinstance(keys, Mapping):
        mappings = _mappings(keys)
        yield from _names(mappings)
        yield from _stand_in(keys, mappings)
        yield from _without_staging(mappings, setting)
        yield from _same_keys(mappings, setting)
    yield from _metrics(data.get("metrics"))
    yield from _files(data, setting.resolver.root)


def _mappings(keys: Mapping[str, Any]) -> list[tuple[Loc, Mapping[str, Any]]]:
    given = keys.get("mappings", (DEFAULT_MAPPING,))
    entries = given if isinstance(given, tuple) else ()
    return [
        (("keys", "mappings", number), {"production": (f"env:{PRODUCTION_KEY}",)} | dict(entry))
        for number, entry in enumerate(entries)
        if isinstance(entry, Mapping)
    ]


def _name(mapping: Mapping[str, Any]) -> str:
    return str(mapping.get("name", "default"))


def _names(mappings: list[tuple[Loc, Mapping[str, Any]]]) -> Iterator[Fault]:
    seen: set[str] = set()
    for loc, mapping in mappings:
        name = _name(mapping)
        if name in seen:
            yield (*loc, "name"), f"{shown(name)} names another mapping already; names are unique"
        if name in RESERVED:
            yield (*loc, "name"), f"{shown(name)} has a meaning of its own; take another name"
        seen.add(name)


def _stand_in(
    keys: Mapping[str, Any], mappings: list[tuple[Loc, Mapping[str, Any]]]
) -> Iterator[Fault]:
    unknown = keys.get("unknown", "reject")
    names = {_name(mapping): None for _, mapping in mappings}
    if isinstance(unknown, str) and unknown != "reject" and unknown not in names:
        choices = ", ".join(shown(name) for name in names)
        yield ("keys", "unknown"), f"names no mapping; write reject, or one of {choices}"


def _without_staging(
    mappings: list[tuple[Loc, Mapping[str, Any]]], setting: Setting
) -> Iterator[Fault]:
    for loc, mapping in mappings:
        if mapping.get("staging") is None and setting.environment != "production":
            yield (
                (*loc, "staging"),
                "is missing; name the staging key by reference (only with environment: "
                "production may it be left out)",
            )


def _same_keys(mappings: list[tuple[Loc, Mapping[str, Any]]], setting: Setting) -> Iterator[Fault]:
    """A key that is claimed twice, and a staging key that is a production key."""
    owners: dict[bytes, str] = {}
    for loc, mapping in mappings:
        yield from _claimed_twice(loc, mapping, setting, owners)
    for loc, mapping in mappings:
        digest = _digest(mapping.get("staging"), setting)
        if digest in owners:
            owner = shown(owners[digest])
            message = f"is a production key of mapping {owner}; a staging key must be another one"
            yield (*loc, "staging"), message


def _claimed_twice(
    loc: Loc, mapping: Mapping[str, Any], setting: Setting, owners: dict[bytes, str]
) -> Iterator[Fault]:
    """Adds the mapping's production keys to `owners`."""
    production = mapping["production"]
    for number, text in enumerate(production if isinstance(production, tuple) else ()):
        digest = _digest(text, setting)
        if digest in owners:
            message = f"is a key that mapping {shown(owners[digest])} already holds; keep it once"
            yield (*loc, "production", number), message
        elif digest is not None:
            owners[digest] = _name(mapping)


def _digest(text: object, setting: Setting) -> bytes | None:
    try:
        return setting.resolver.identity(text).digest if text is not None else None
    except Unresolved:
        return None


def _metrics(metrics: object) -> Iterator[Fault]:
    if not isinstance(metrics, Mapping) or listens_on_loopback(metrics.get("listen")):
        return
    if metrics.get("token") is None and metrics.get("tls") is None:
        yield (
            ("metrics", "listen"),
            "is open to others; give metrics.token or metrics.tls, or listen on 127.0.0.1",
        )


_FILES: Final[dict[Loc, Callable[[Path], object]]] = {
    ("upstream", "ca_file"): lambda path: ssl.create_default_context(cafile=path),
    ("metrics", "tls", "cert"): lambda path: path.open("rb").close(),
    ("metrics", "tls", "key"): lambda path: path.open("rb").close(),
    ("metrics", "tls", "client_ca"): lambda path: ssl.create_default_context(cafile=path),
}


def _files(data: Mapping[str, Any], root: Path) -> Iterator[Fault]:
    """Files that the start needs; certificates are read, so that a wrong one is told here."""
    for loc, read in _FILES.items():
        value: Any = data
        for part in loc:
            value = value.get(part) if isinstance(value, Mapping) else None
        if not isinstance(value, str) or not value:
            continue
        try:
            read(root / value)
        except ssl.SSLError:
            yield loc, "holds no certificate; name a PEM file"
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "bad name"
            yield loc, f"cannot be read ({why}); check the path and its owner"
