"""Whether rows can be written: the database, its schema, the room on its disk."""

import os
import shutil
from pathlib import Path
from typing import Final

from openai_gateway.doctor.finding import Part, Told, told
from openai_gateway.doctor.site import Site
from openai_gateway.readiness.place import NoLog, place
from openai_gateway.readiness.state import KNOWN, State, state

LITTLE: Final = 1 << 30
TOO_LITTLE: Final = 100 << 20
_REACH: Final = "log.database names it: is it up, not locked, and may this user write it?"


def look(site: Site) -> Told:
    """No key needs to be set for it."""
    try:
        found = state(place(str(site.path) if site.path else None, site.environ, site.root))
    except NoLog as error:
        return told("database", [Part("fail", str(error), _REACH)])
    parts = [_version(found)]
    if found.path is not None:
        parts += _disk(found.path)
    clocks = {} if found.ahead_s is None else {"the database": found.ahead_s}
    return told("database", parts, clocks)


def _version(found: State) -> Part:
    if found.version is None:
        return Part("pass", f"{found.shown} is made at the first start")
    if found.version > KNOWN:
        text = f"{found.shown} has schema {found.version}, this version knows up to {KNOWN}"
        return Part("fail", text, "run the version that wrote it, or name another log.database")
    newer = "" if found.version == KNOWN else f" (the next start brings it to {KNOWN})"
    return Part("pass", f"{found.shown} can be written, schema {found.version}{newer}")


def _disk(path: Path) -> list[Part]:
    """Of the nearest folder that is there."""
    folder = next(parent for parent in path.absolute().parents if parent.is_dir())
    parts = []
    if not os.access(folder, os.W_OK | os.X_OK):
        text = f"{folder} cannot be written by this user"
        parts.append(Part("fail", text, f"give {folder} to the gateway's user"))
    free = shutil.disk_usage(folder).free
    return [*parts, _free(folder, free)]


def _free(folder: Path, free: int) -> Part:
    text = f"{free / (1 << 30):.1f} GiB free"
    if free >= LITTLE:
        return Part("pass", text)
    fix = f"make room in {folder}, or lower log.retention_days"
    return Part("fail" if free < TOO_LITTLE else "warn", text, fix)
