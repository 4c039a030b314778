"""A million calls of a log against a tier, within seconds and without keeping them."""

import sqlite3
import time
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from openai_gateway.accounting.schema import CALLS
from openai_gateway.limits.simulate import Terms, simulate
from openai_gateway.limits.simulated import Simulated
from openai_gateway.limits.tiers import Tiers
from openai_gateway.readiness import lean as module
from openai_gateway.readiness.arrivals import Skipped, arrivals
from openai_gateway.readiness.lean import lean
from openai_gateway.readiness.source import reading
from tests.support.call_log import NOW, made_row, place_of, write
from tests.unit.limits.simulation import limited

MANY = 1_000_000
# Of this process' own time: 16 s on a machine of two cores on which ten processes were busy.
WITHIN_S = 40
MODELS = ("gpt-5-mini", "gpt-5.4", "gpt-4.1")
TRACE = '[{"stage":"route","verdict":"pass","us":12}]'
COLUMNS = tuple(column.name for column in CALLS.c)


def rows(calls: int) -> Iterator[tuple[object, ...]]:
    """100 a second, a third of each model, every second one with a maximum."""
    random, at = Random(7), NOW.replace(tzinfo=None)  # noqa: S311 - any numbers will do
    row = made_row(usage_source="reported", trace=TRACE * 8)
    for number in range(calls):
        at += timedelta(microseconds=random.randrange(20_000))
        row["id"] = f"gw_01a20d6d5a00e{number:014x}"
        row["started_at"] = at.isoformat(" ", "microseconds")
        row["model_sent"] = MODELS[number % 3]
        row["input_tokens"], row["output_tokens"] = random.randrange(2000), random.randrange(600)
        row["duration_ms"] = random.randrange(4_000)
        row["features"] = '{"fields":[],"limits":{"max_tokens":1000}}' if number % 2 else None
        yield tuple(row.get(name) for name in COLUMNS)


def logged(root: Path, calls: int) -> None:
    connection = sqlite3.connect(write(root, []))
    connection.execute("PRAGMA synchronous=off")
    marks = ",".join("?" * len(COLUMNS))
    connection.executemany(f"INSERT INTO calls VALUES ({marks})", rows(calls))  # noqa: S608
    connection.commit()
    connection.close()


def simulated(root: Path) -> Simulated:
    rulings = limited(tiers=Tiers.load(Path("rules/limits.yaml")), tier=3)
    until = datetime(2030, 1, 1, tzinfo=UTC)
    with reading(place_of(root)) as connection:
        calls = arrivals(lean(connection, None, until), Skipped())
        return simulate(calls, rulings, Terms(listed=20))


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_a_million_calls_are_simulated_within_seconds(tmp_path: Path) -> None:
    logged(tmp_path, MANY)
    began = time.process_time()
    found = simulated(tmp_path)
    took = time.process_time() - began
    assert found.calls == MANY == sum(found.models.values())
    # gpt-4.1 at tier 3 has 800K TPM, and is asked for 33 a second of 1,300 tokens and more
    assert found.first is not None
    assert found.first.limit.kind == "tpm"
    assert found.refused > MANY / 5
    assert took < WITHIN_S


def test_the_calls_are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """6,000 calls more would be some 6 MB; a batch and the calls under way stay the same."""
    monkeypatch.setattr(module, "BATCH", 500)
    few, many = (peak_bytes(tmp_path / str(calls), calls) for calls in (2_000, 8_000))
    assert many - few < 1_500_000


def peak_bytes(root: Path, calls: int) -> int:
    logged(root, calls)
    tracemalloc.start()
    try:
        simulated(root)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
