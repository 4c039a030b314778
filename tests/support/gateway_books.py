"""Reads what a running gateway has written down: rows of `calls`, samples of /metrics."""

import contextlib
import sqlite3
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

type Row = dict[str, Any]


def rows(database: Path) -> list[Row]:
    """All rows, oldest first (ids begin with the time); none where there is no table yet."""
    if not database.exists():
        return []
    with contextlib.closing(sqlite3.connect(database, timeout=5)) as connection:
        connection.row_factory = sqlite3.Row
        with contextlib.suppress(sqlite3.OperationalError):
            return [dict(row) for row in connection.execute("SELECT * FROM calls ORDER BY id")]
    return []


def await_rows(database: Path, met: Callable[[list[Row]], bool], seconds: float) -> list[Row]:
    """The rows once `met` holds for them, or whatever is there when the time is over."""
    limit = time.monotonic() + seconds
    while not met(found := rows(database)) and time.monotonic() < limit:
        time.sleep(0.05)
    return found


def get(url: str) -> tuple[int, str]:
    """Status and text of a page on loopback; status 0 where nothing answers."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 -- loopback only
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()
    except OSError:
        return 0, ""


def total(text: str, name: str, labels: dict[str, str]) -> float:
    """The sum of the samples of this name that carry these labels; 0 where there is none."""
    families = text_string_to_metric_families(text)
    samples = (sample for family in families for sample in family.samples)
    wanted = labels.items()
    return sum(s.value for s in samples if s.name == name and s.labels.items() >= wanted)


def kinds_of(row: Row) -> dict[str, int]:
    """The disjoint kinds, from the columns, which nest as OpenAI's usage does."""

    def column(name: str) -> int:
        return int(row[f"{name}_tokens"] or 0)

    inside = ("cached_input", "cache_write", "audio_input", "image_input")
    outside = ("reasoning", "audio_output", "image_output")
    parts = {name: column(name) for name in (*inside, *outside)}
    plain = {
        "input": column("input") - sum(parts[name] for name in inside),
        "output": column("output") - sum(parts[name] for name in outside),
    }
    return plain | parts
