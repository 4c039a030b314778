"""What waits to be written is bounded, and what there is no room for is counted."""

from collections import Counter

import pytest

from openai_gateway.accounting import waiting
from openai_gateway.accounting.bodies import Body
from openai_gateway.accounting.waiting import Waiting


class Counts:
    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()

    def add(self, result: str, rows: int) -> None:
        self.seen[result] += rows


def body(size: int) -> Body:
    return Body("gw_1", "request", 0.0, "text/plain", size, b"x" * size)


def test_bodies_above_their_bound_are_dropped_and_their_rows_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(waiting, "BODIES_MAX_BYTES", 10)
    rows, bodies = Counts(), Counts()
    queue = Waiting(rows, bodies, lambda: None)
    for number in range(3):
        queue.put({"id": number}, (body(6),))
    first, second, third = queue.entries()
    assert [bool(one.bodies) for one in (first, second, third)] == [True, False, False]
    assert (bodies.seen, rows.seen) == ({"dropped": 2}, {})
    queue.put({"id": 4}, (body(6),))  # what was taken makes room
    assert queue.entries()[0].bodies


def test_a_batch_of_large_bodies_is_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "BATCH_BYTES", 10)
    queue = Waiting(Counts(), Counts(), lambda: None)
    for number in range(4):
        queue.put({"id": number}, (body(6),))
    assert [len(queue.entries()) for _ in range(3)] == [2, 2, 0]


def test_the_writer_is_woken_by_a_whole_batch() -> None:
    woken: list[bool] = []
    queue = Waiting(Counts(), Counts(), lambda: woken.append(True))
    for number in range(waiting.BATCH - 1):
        queue.put({"id": number})
    assert woken == []
    queue.put({"id": "last"})
    assert woken == [True]
