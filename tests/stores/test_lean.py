"""A whole log read lean, and a simulation from it, on both databases."""

from datetime import UTC, datetime, timedelta

import pytest

from openai_gateway.core.secret import Secret
from openai_gateway.limits.simulate import Terms, simulate
from openai_gateway.readiness import lean as module
from openai_gateway.readiness.arrivals import Lean, Skipped, arrivals, moment_of
from openai_gateway.readiness.lean import lean
from openai_gateway.readiness.place import Place
from openai_gateway.readiness.source import reading
from tests.stores.rig import Log, made_row, until
from tests.unit.limits.simulation import limited

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
def source(log: Log) -> Place:
    return Place(Secret(log.place.url), log.place.root)


def put(log: Log, *rows: dict[str, object]) -> None:
    for row in rows:
        log.writer.put(made_row(**row))
    until(lambda: log.counts["written"] == len(rows))


def chat(second: float, **values: object) -> dict[str, object]:
    return {
        "id": f"gw_{second:09.3f}", "started_at": NOON + timedelta(seconds=second),
        "method": "POST", "endpoint": "chat.create", "model_sent": "gpt-5-mini",
        "key": "default", "client": "ci", **values,
    }  # fmt: skip


def test_rows_come_in_order_whatever_the_batches(
    log: Log, source: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", 2)
    times = [3, 1, 1, 1, 2]
    put(log, *(chat(second, id=f"gw_{n}") for n, second in enumerate(times)))
    with reading(source) as connection:
        every = [Lean(*row) for row in lean(connection, None, NOON + timedelta(days=1))]
        late = list(lean(connection, NOON + timedelta(seconds=2), NOON + timedelta(days=1)))
        early = list(lean(connection, None, NOON + timedelta(seconds=2)))
    assert [row.id for row in every] == ["gw_1", "gw_2", "gw_3", "gw_4", "gw_0"]
    assert moment_of(every[0].started_at) == NOON + timedelta(seconds=1)
    assert [row[1] for row in late] == ["gw_4", "gw_0"]
    assert [row[1] for row in early] == ["gw_1", "gw_2", "gw_3", "gw_4"]


def test_a_trace_is_read_of_held_calls_only(log: Log, source: Place) -> None:
    put(log, chat(1, injected_ms=0.0, trace="[1]"), chat(2, injected_ms=5.0, trace="[2]"))
    with reading(source) as connection:
        rows = [Lean(*row) for row in lean(connection, None, NOON + timedelta(days=1))]
    assert [row.trace for row in rows] == [None, "[2]"]


def test_a_log_simulates_the_same_from_either_database(log: Log, source: Place) -> None:
    """rpm 3, five within a second: the fourth has 19.4 s to wait, the fifth 19.2 s. One has no
    tokens in its row, one was a handshake, one a leak."""
    used = {"input_tokens": 10, "output_tokens": 5, "usage_source": "reported"}
    put(
        log,
        *(chat(n / 5, **used) for n in range(4)),
        chat(0.8, status=429, outcome="throttled", model_sent=None, model_requested="gpt-5-mini"),
        chat(0.9, status=101, method="GET"),
        chat(0.95, status=403, outcome="blocked"),
    )
    skipped = Skipped()
    with reading(source) as connection:
        calls = arrivals(lean(connection, None, NOON + timedelta(days=1)), skipped)
        found = simulate(calls, limited({"rpm": 3, "tpm": 1000}), Terms(listed=9))
    assert [(met.call.id, met.wait_s) for met in found.met] == [
        ("gw_00000.600", 19.4),
        ("gw_00000.800", 19.2),
    ]
    assert (skipped.handshakes, skipped.stopped) == (1, 1)
    # the first reserves 10 and 256 and is corrected at once; later ones reserve 10 and 5
    share = {tally.limit.kind: round(tally.used_share, 4) for tally in found.tallies}
    assert share == {"rpm": 0.9933, "tpm": 0.266}
    assert found.calls == 5
