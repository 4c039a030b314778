"""Versions, who may read or change the gateway's files, and how old its lists are."""

import platform
import re
import stat
from collections.abc import Iterator
from datetime import date
from importlib.metadata import version as installed
from pathlib import Path
from typing import Final

from openai_gateway import __version__
from openai_gateway.accounting.database import DatabaseFault, locate, path_of
from openai_gateway.config.rules import price_files, rule_file
from openai_gateway.doctor import advisories
from openai_gateway.doctor.finding import Part, Told, told, unknown
from openai_gateway.doctor.site import Site
from openai_gateway.host.authority import KEY_FILE
from openai_gateway.rulebook import LIMITS

OLD_DAYS: Final = 90
PYTHONS: Final = ((3, 12), (3, 13))
OLDEST, NEXT = (12, 2, 3), (13,)
_AS_OF: Final = re.compile(rb"^as_of: *[\"']?(\d{4}-\d\d-\d\d)", re.MULTILINE)
_HEAD: Final = 16_384
_LISTS: Final = ("rules/endpoints.yaml", LIMITS)


def versions(_site: Site) -> Told:
    """Of what runs doctor, which is what a gateway started here would run on."""
    found = installed("mitmproxy")
    parts = [_python(platform.python_version()), *mitmproxy(found)]
    return told("versions", [Part("pass", f"openai-gateway {__version__}"), *parts])


def _python(found: str) -> Part:
    if advisories.version(found)[:2] in PYTHONS:
        return Part("pass", f"Python {found}")
    return Part("fail", f"Python {found} is not supported", "run it on Python 3.12 or 3.13")


def mitmproxy(found: str) -> Iterator[Part]:
    """In the range that was tried, and without a known advisory."""
    number, fix = advisories.version(found), "pip install 'mitmproxy>=12.2.3,<13'"
    known = advisories.known(number)
    for one in known:
        yield Part("fail", f"mitmproxy {found}: {one.name}, {one.about}", fix)
    if not OLDEST <= number < NEXT:
        yield Part("fail", f"mitmproxy {found} was not tried with this version", fix)
    elif not known:
        until = f"no advisory for it known up to {advisories.AS_OF}"
        yield Part("pass", f"mitmproxy {found}, {until}; later ones are not checked")


def permissions(site: Site) -> Told:
    """What others on this machine may do with the gateway's files."""
    parts = [
        part for path, secret in _files(site) for part in _looked(path, secret=secret)
    ]  # fmt: skip
    return told("permissions", parts or [Part("pass", "others may neither read nor change them")])


def _files(site: Site) -> Iterator[tuple[Path, bool]]:
    """Each file or folder, and whether it holds what others may not read."""
    if site.path is not None:
        yield site.path, False
    yield site.root / ".env", True
    yield site.certs, False
    yield site.certs / KEY_FILE, True
    yield site.root / "var", False
    if site.loaded is None:
        return
    yield from ((path, True) for path in site.loaded.secret_files)
    yield from ((path, False) for path in (site.rules.files if site.rules else ()))
    yield from _database(site)


def _database(site: Site) -> Iterator[tuple[Path, bool]]:
    try:
        url = locate(site.config.log.database.secret.reveal(), site.root) if site.config else None
    except DatabaseFault:
        return
    path = path_of(url) if url is not None else None
    if path is not None:
        yield path.parent, False
        yield path, True


def _looked(path: Path, *, secret: bool) -> Iterator[Part]:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return
    shown = f"{path} has mode {mode:04o}:"
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        yield Part("fail", f"{shown} anybody may change it", f"chmod o-w {path}")
    elif mode & stat.S_IWGRP:
        yield Part("warn", f"{shown} its group may change it", f"chmod g-w {path}")
    if secret and mode & stat.S_IROTH:
        yield Part("fail", f"{shown} anybody may read it", f"chmod o-rwx {path}")


def data(site: Site) -> Told:
    """`as_of` of the price list, the published limits, the endpoints and the leak rules."""
    if site.loaded is None:
        names: tuple[str, ...] = ()
        listed, own = price_files(site.root, None)
    else:
        names = site.loaded.config.leaks.rules
        listed, own = price_files(site.root, site.loaded.config.models.prices)
    paths = [listed, *(rule_file(site.root, name) for name in (*_LISTS, *names))]
    parts = [
        _aged(path, site.now.date()) for path in dict.fromkeys([*paths, *([own] if own else [])])
    ]
    return told("data", parts) if parts else unknown(("data",), "no lists", "see `configuration`")


def _aged(path: Path, today: date) -> Part:
    try:
        with path.open("rb") as file:
            found = _AS_OF.search(file.read(_HEAD))
    except OSError as error:
        return Part("fail", f"{path} cannot be read ({error.strerror})", "put it back")
    if found is None:
        return Part("pass", f"{path.name}: no date")
    days = (today - date.fromisoformat(found[1].decode())).days
    if days <= OLD_DAYS:
        return Part("pass", f"{path.name}: {days} days old")
    text = f"{path.name} is {days} days old (as_of {found[1].decode()})"
    return Part("warn", text, "take a newer version, or renew the list and its as_of")
