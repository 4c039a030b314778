"""Looks at some files after each other, on the disk or staged in git, and says what counts there.

Of a staged file that was there before, what stands on a line that was added, or was not in it.
"""

import errno
import os
import stat
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace

from openai_gateway.core.clock import SystemClock
from openai_gateway.leaks.engine.detector import Detector, EngineName
from openai_gateway.leaks.policy import Actions, Allowance
from openai_gateway.leaks.rules.rule import Rule
from openai_gateway.leaks.sources.source_files import (
    Fate,
    Looked,
    Source,
    Spotted,
    look,
    look_at_name,
    without_secrets,
)
from openai_gateway.leaks.sources.source_git import GitFailed, Ranges, Staged, contents, sizes


class ScanFailed(Exception):
    """Not all files could be looked at; the message is for the user."""


@dataclass(frozen=True, slots=True)
class Terms:
    """By what files are judged. `folder`: where git is asked for what is staged."""

    rules: tuple[Rule, ...]
    allowed: tuple[Allowance, ...]
    max_bytes: int
    folder: str = "."


class Scanner:
    """These rules over files. Raises: RulesFault."""

    def __init__(self, terms: Terms, engine: EngineName = "auto") -> None:
        self.terms = terms
        self._detector = Detector(terms.rules, engine)
        self._clock = SystemClock()
        self._judge = Actions("report", terms.allowed, self._clock, always="report")

    def __call__(self, batch: Sequence[Source]) -> list[Looked]:
        """One answer for each. Raises: ScanFailed where git gives nothing."""
        staged = [one.staged.oid for one in batch if one.staged and not self._is_large(one.size)]
        try:
            blobs = contents(staged, self.terms.folder) if staged else {}
            return [self._looked(one, blobs) for one in batch]
        except GitFailed as error:
            raise ScanFailed(str(error)) from error

    def _is_large(self, size: int) -> bool:
        return size > self.terms.max_bytes

    def _looked(self, source: Source, blobs: dict[str, bytes]) -> Looked:
        if self._is_large(source.size):
            return self._unseen(source, "large")
        try:
            data = self._data(source, blobs)
        except OSError as error:
            return self._unseen(source, "unreadable", error.strerror or "cannot be read")
        if self._is_large(len(data)):
            return self._unseen(source, "large")
        found = look(data, source.path, self._detector, self._judge, self._clock)
        spotted = found.spotted
        if source.staged is not None and source.staged.added is not None:
            spotted = self._new(spotted, source.path, source.staged, source.staged.added)
        return replace(found, spotted=self._in_name(source) + spotted)

    def _unseen(self, source: Source, fate: Fate, why: str = "") -> Looked:
        """Its name may be looked at all the same."""
        path = without_secrets(source.path, self._detector)
        return Looked(path, fate, self._in_name(source), why=why)

    def _in_name(self, source: Source) -> tuple[Spotted, ...]:
        if source.staged is not None and not source.staged.is_new_name:
            return ()
        return look_at_name(source.path, self._detector, self._judge)

    def _data(self, source: Source, blobs: dict[str, bytes]) -> bytes:
        """Raises: OSError."""
        if source.staged is None:
            return read(source.file, self.terms.max_bytes + 1)
        if source.staged.oid not in blobs:
            raise OSError(errno.ENOENT, "git has no such content")
        return blobs[source.staged.oid]

    def _new(
        self, spotted: Sequence[Spotted], path: str, staged: Staged, added: Ranges
    ) -> tuple[Spotted, ...]:
        """Raises: GitFailed."""
        if all(is_on(one.line, added) for one in spotted):
            return tuple(spotted)
        known = self._known_before(path, staged.before)
        return tuple(
            one for one in spotted if is_on(one.line, added) or (one.rule, one.sha256) not in known
        )

    def _known_before(self, path: str, oid: str) -> set[tuple[str, str]]:
        """What stood in the file before: a value may come to stand on a line that stayed."""
        if self._is_large(sizes([oid], self.terms.folder).get(oid, 0)):
            return set()
        data = contents([oid], self.terms.folder).get(oid, b"")
        before = look(data, path, self._detector, self._judge, self._clock)
        return {(one.rule, one.sha256) for one in before.spotted}


def is_on(line: int, added: Ranges) -> bool:
    """Whether the line is in one of the ranges, which are in order."""
    before = bisect_left(added, (line + 1,))
    return before > 0 and line <= added[before - 1][1]


def read(file: str, most: int) -> bytes:
    """A file's beginning. Nothing that is followed, waited for or made up. Raises: OSError."""
    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as opened:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "is no file")
        return opened.read(most)
