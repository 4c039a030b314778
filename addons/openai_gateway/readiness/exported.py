"""The rows of a file that `openai-gateway export` wrote, CSV or JSON lines, one after the other."""

import csv
import json
import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TextIO

from openai_gateway.readiness.arrivals import Lean
from openai_gateway.readiness.place import NoLog

# A row of the log is under 1 kB.
LONGEST: Final = 64 * 1024
_MOST: Final = 10**15
_FORMULA: Final = ("'=", "'+", "'-", "'@", "'\t", "'\r")
_COUNTS: Final = ("status", "input_tokens", "output_tokens", "request_bytes")
_JSON: Final = ("features", "billed_units", "trace")
_NULLABLE: Final = frozenset(
    ("error_code", "model_sent", "model_requested", "input_tokens", "output_tokens", *_JSON)
)
_NOTHING: Final = (None, "", 0, "0", "0.0")

type Found = Mapping[str, Any]


def exported(path: Path, since: datetime | None) -> Iterator[tuple[Any, ...]]:
    """Each row as `Lean`, in the order of the file. Raises: NoLog, with the line."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for row in _lean_rows(path, _Lines(file)):
                if since is None or row[0] >= since:
                    yield row
    except OSError as error:
        raise NoLog(f"{path}: cannot be read ({error.strerror})") from error


class _Lines:
    """The lines of a file, none of them without an end, and the number of the last."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.number = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        self.number += 1
        line = self._file.readline(LONGEST)
        if not line:
            raise StopIteration
        if len(line) == LONGEST:
            raise ValueError("it is too long")
        return line


def _lean_rows(path: Path, lines: _Lines) -> Iterator[tuple[Any, ...]]:
    try:
        for found in _rows(lines):
            yield tuple([_value(name, found) for name in Lean._fields])
    except KeyError as error:
        raise NoLog(f"{path}:{lines.number}: has no `{error.args[0]}`; {_WRITE_IT}") from error
    except (ValueError, TypeError, csv.Error) as error:
        why = "it is no UTF-8 text" if isinstance(error, UnicodeDecodeError) else error
        raise NoLog(f"{path}:{lines.number}: is no row of a log: {why}; {_WRITE_IT}") from error


_WRITE_IT: Final = "`openai-gateway export` writes what can be read here"


def _rows(lines: _Lines) -> Iterator[Found]:
    """A file that begins with a brace is JSON lines."""
    first = next(lines, "")
    if first.lstrip().startswith("{"):
        yield _object(first)
        yield from (_object(line) for line in lines if line.strip())
        return
    names = next(csv.reader([first]), [])
    for cells in csv.reader(lines):
        if len(cells) != len(names):
            raise ValueError(f"it has {len(cells)} cells, the first line {len(names)}")
        yield dict(zip(names, map(_cell, cells), strict=True))


def _object(line: str) -> Found:
    try:
        found = json.loads(line)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not isinstance(found, dict):
        raise ValueError("it is no JSON object")
    return found


def _cell(text: str) -> str:
    """Without the apostrophe that keeps spreadsheets from running it."""
    return text[1:] if text.startswith(_FORMULA) else text


def _value(name: str, found: Found) -> Any:
    said = found[name]
    if name in _NULLABLE and said in (None, ""):
        return None
    if name == "started_at":
        return _moment(said)
    if name in _COUNTS:
        return int(_number(name, said))
    if name == "duration_ms":
        return _number(name, said)
    if name == "trace" and found.get("injected_ms") in _NOTHING:
        return None
    if name in _JSON and not isinstance(said, str):
        return json.dumps(said)
    if not isinstance(said, str):
        raise ValueError(f"{name} is no text")
    return said if said.isprintable() else "".join(c if c.isprintable() else "?" for c in said)


def _moment(said: object) -> datetime:
    if not isinstance(said, str):
        raise ValueError("started_at is no time")
    at = datetime.fromisoformat(said)
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def _number(name: str, said: object) -> float:
    if isinstance(said, bool) or not isinstance(said, str | int | float):
        raise ValueError(f"{name} is no number")
    try:
        number = float(said)
    except (ValueError, OverflowError):
        number = math.nan
    if not 0 <= number <= _MOST:
        raise ValueError(f"{name} is no number that a log holds")
    return number
