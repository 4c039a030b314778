"""Looks for secrets in one file of a team's own, with the gateway's eyes; tells the line of each.

A secret that shows only when decoded stands on the line where the coded text begins, one in an
archive on the archive's first.
"""

import os
from dataclasses import dataclass, replace
from typing import Final, Literal

from openai_gateway.content.runs import legible
from openai_gateway.core.clock import Clock
from openai_gateway.leaks.engine.mark import mark
from openai_gateway.leaks.files.files import readers_of
from openai_gateway.leaks.files.plain import MARKS, as_text
from openai_gateway.leaks.reading.budget import budget_for
from openai_gateway.leaks.reading.edits import Cut, masked
from openai_gateway.leaks.reading.ledger import Done, Finding, Judge, Ledger
from openai_gateway.leaks.reading.places import Detector
from openai_gateway.leaks.reading.sniff import ZLIB, is_binary
from openai_gateway.leaks.reading.walk import Walk
from openai_gateway.leaks.reading.wide_layer import widened
from openai_gateway.leaks.sources.source_git import Staged

BLOCK: Final = 64 * 1024
WIDE: Final = tuple(mark for mark, _ in MARKS)
LOCATION: Final = "file"

type Fate = Literal["read", "partly", "binary", "large", "unreadable"]


@dataclass(frozen=True, slots=True)
class Source:
    """One thing to look at: a file at `file`, or what is staged. `path` is told, as from here."""

    path: str
    size: int
    file: str = ""
    staged: Staged | None = None


@dataclass(frozen=True, slots=True)
class Spotted:
    """A secret in a file, never the secret: `inside` names the member of an archive, `sha256` is
    of the secret's own bytes, `lowered` says that its rule takes it for no more than a hint."""

    line: int
    rule: str
    sha256: str
    inside: str = ""
    lowered: bool = False


@dataclass(frozen=True, slots=True)
class Looked:
    """What became of one file. `path` is without secrets; `partly`: something in it could not be
    decoded within its bounds; `why` it could not be read."""

    path: str
    fate: Fate
    spotted: tuple[Spotted, ...] = ()
    size: int = 0
    why: str = ""


class Lines:
    """On which line a byte of a text stands."""

    __slots__ = ("_before", "_text")

    def __init__(self, text: bytes) -> None:
        self._text = text
        # How many lines end before each block, as far as that was asked.
        self._before = [0]

    def __call__(self, at: int) -> str:
        block = at // BLOCK
        for known in range(len(self._before) - 1, block):
            start = known * BLOCK
            self._before.append(self._before[-1] + self._text.count(b"\n", start, start + BLOCK))
        return str(self._before[block] + self._text.count(b"\n", block * BLOCK, at) + 1)


class AtPath:
    """The judge's word, with the file's path as the place that leaks.allow names."""

    __slots__ = ("_judge", "_path")

    def __init__(self, judge: Judge, path: str) -> None:
        self._judge, self._path = judge, path

    def __call__(self, finding: Finding) -> Done:
        return self._judge(replace(finding, place=self._path))


def look(data: bytes, path: str, detector: Detector, judge: Judge, clock: Clock) -> Looked:
    """What stands in the data of the file with this path. Never raises for any data."""
    shown = without_secrets(path, detector)
    if is_binary(data) and not has_text(data):
        return Looked(shown, "binary", size=len(data))
    text = in_utf8(data)
    budget = budget_for(len(text), clock)
    ledger = Ledger(AtPath(judge, path), LOCATION)
    Walk(detector, ledger, budget, writable=False).spread(text, Lines(text))
    spotted = sorted(
        {spotted_at(finding) for finding, done in ledger.entries() if done != "allow"},
        key=lambda one: (one.line, one.rule, one.sha256, one.inside),
    )
    return Looked(shown, "partly" if budget.over else "read", tuple(spotted), len(data))


def look_at_name(path: str, detector: Detector, judge: Judge) -> tuple[Spotted, ...]:
    """What stands in the path itself; there only strong rules are sure enough."""
    ledger = Ledger(AtPath(judge, path), LOCATION)
    text = os.fsencode(path)
    for hit in detector.find(text, strong=True):
        ledger.note(hit, text[hit.start : hit.end], "1, the name", writable=False)
    return tuple(spotted_at(finding) for finding, done in ledger.entries() if done != "allow")


def without_secrets(path: str, detector: Detector) -> str:
    """The path as it may be told."""
    text = os.fsencode(path)
    hits = detector.find(text, strong=True)
    cuts = [Cut(hit.start, hit.end, None, mark(hit.rule.id)) for hit in hits]
    return os.fsdecode(masked(text, cuts)) if cuts else path


def spotted_at(finding: Finding) -> Spotted:
    line, _, inside = finding.place.partition(", ")
    return Spotted(int(line), finding.rule.id, finding.sha256, inside, finding.lowered)


def in_utf8(data: bytes) -> bytes:
    """Texts of two or four bytes a letter as any other, line by line; the rest as it is."""
    if data.startswith(WIDE):
        return as_text(data)
    wide = widened(data)
    return data if wide is None else wide.text


def has_text(data: bytes) -> bool:
    """Whether a binary holds what can be read: a file of files, or a stretch of text."""
    if readers_of(data) or data.startswith(ZLIB):
        return True
    return bool(legible(data).strip(b"\0 "))
