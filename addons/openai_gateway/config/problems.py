"""What is wrong with a configuration, where, and the fix; no message ever holds a secret."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

type Loc = tuple[str | int, ...]
type Place = tuple[int, int]
type Fault = tuple[Loc, str]

LITERAL_KEY: Final = re.compile(r"(?<![A-Za-z0-9])(?:sk-|sess-|ek_|whsec_)[A-Za-z0-9_\-]{12,}")
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.:/*\[\]-]{1,60}")
_LONG_RUN: Final = re.compile(r"[A-Za-z0-9+_=-]{24,}")
_WITHHELD: Final = "(not shown)"


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault; `line` and `column` count from 1, `path` is dotted (`keys.mappings.0.name`)."""

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.path}: {self.message}"


class ConfigError(Exception):
    """The configuration cannot be used; every problem at once, in the order of its lines.

    `secret_files` are those that it names: once one of them is right, it may be right as a whole.
    """

    def __init__(self, problems: tuple[Problem, ...], secret_files: tuple[Path, ...] = ()) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems
        self.secret_files = secret_files


def shown(value: object) -> str:
    """A value as a message may hold it: whatever could be a secret is not shown."""
    text = str(value)
    if not _PLAIN.fullmatch(text) or _LONG_RUN.search(text) or LITERAL_KEY.search(text):
        return _WITHHELD
    return f"`{text}`"


def dotted(loc: Loc) -> str:
    """A place in the file as people write it; a name that could be a secret is not shown."""
    parts = [str(part) if isinstance(part, int) else shown(part).strip("`") for part in loc]
    return ".".join(parts) or "(file)"
