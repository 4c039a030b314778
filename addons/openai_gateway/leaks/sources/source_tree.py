"""Which files the named files and folders are: those that git does not ignore, else all of them.

Links that are met are not followed: what they point at in the tree is met by itself.
"""

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from openai_gateway.leaks.sources.source_files import Source
from openai_gateway.leaks.sources.source_git import GitFailed, files_of, is_ignored

GIT: Final = ".git"
# What git says of a folder that is in no repository, which is nothing to tell of.
IN_NONE: Final = ("not a git repository", "must be run in a work tree")

# Its path as told, the one to open, and its size.
type File = tuple[str, str, int]


class Tree:
    """The files under some paths. `notes`: where git could not be asked, and why; `unseen`:
    folders that could not be listed, and why."""

    def __init__(self, here: Path) -> None:
        self.notes: list[str] = []
        self.unseen: list[tuple[str, str]] = []
        self._here = here
        self._seen: set[Path] = set()

    def sources(self, paths: Iterable[Path]) -> list[Source]:
        """Each file once, in the order of their paths as told; the paths are there."""
        found: dict[str, Source] = {}
        for path in paths:
            whole = os.path.normpath(self._here / path)
            files = self._under(whole) if Path(whole).is_dir() else _named(whole)
            for told, file, size in files:
                found.setdefault(told, Source(near(told, self._here), size, file))
        return sorted(found.values(), key=lambda source: os.fsencode(source.path))

    def _under(self, top: str) -> Iterator[File]:
        """With a list of folders and no recursion: a tree may be deeper than the stack."""
        folders = [top]
        while folders:
            folder = folders.pop()
            real = Path(folder).resolve()
            if real in self._seen:
                continue
            self._seen.add(real)
            ask = folder == top or (real / GIT).exists()
            names = self._known_to_git(folder) if ask else None
            for name in self._listed(folder) if names is None else _inside(real, names):
                path = os.path.normpath(f"{folder}/{name}")
                found = _kind(path)
                if found is not None and stat.S_ISDIR(found.st_mode):
                    folders.append(path)
                elif found is not None and stat.S_ISREG(found.st_mode):
                    yield path, path, found.st_size

    def _known_to_git(self, folder: str) -> list[str] | None:
        """The names that it does not ignore; None where all count: in no repository, or where the
        ignored folder was itself named."""
        try:
            names = files_of(folder)
            return None if not names and is_ignored(folder) else names
        except GitFailed as error:
            if not any(words in str(error) for words in IN_NONE):
                self.notes.append(f"{near(folder, self._here)}: all its files are taken: {error}")
            return None

    def _listed(self, folder: str) -> list[str]:
        try:
            return [one.name for one in Path(folder).iterdir() if one.name != GIT]
        except OSError as error:
            self.unseen.append((near(folder, self._here), error.strerror or "cannot be listed"))
            return []


def _named(path: str) -> Iterator[File]:
    """Only what was named may be a link."""
    with suppress(OSError):
        yield path, str(Path(path).resolve()), Path(path).stat().st_size


def _inside(folder: Path, names: Iterable[str]) -> Iterator[str]:
    """Those that lie in the folder: a folder that git knows may by now be a link out of it."""
    known: dict[str, bool] = {}
    for name in names:
        parent = name.rstrip("/").rpartition("/")[0]
        if parent not in known:
            known[parent] = (folder / parent).resolve() == folder / parent
        if known[parent]:
            yield name


def _kind(path: str) -> os.stat_result | None:
    """None for what is gone, or never was there: git knows what was deleted too."""
    try:
        return Path(path).lstat()
    except OSError:
        return None


def near(path: str, here: Path) -> str:
    """The path as one would write it here."""
    return os.path.relpath(path, here) if Path(path).is_relative_to(here) else path
