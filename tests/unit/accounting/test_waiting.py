"""What waits to be written is bounded, and what there is no room for is counted."""

from collections import Counter

import pytest

from openai_gateway.accounting import waiting
from openai_gateway.accounting.bodies import Body
from openai_gateway.accounting.claims import Bid, Decision
from openai_gateway.accounting.waiting import Note, Waiting


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


def bid(name: str, said: list[Decision]) -> Bid:
    return Bid(name, name, {"id": name}, said.append)


def test_a_claim_is_taken_when_it_is_ripe_and_all_of_them_at_the_end() -> None:
    """Rows that claim nothing are not held back behind it."""
    queue = Waiting(Counts(), Counts(), lambda: None)
    queue.put_claim({"id": 1}, (), bid("resp_1", []), ripe_at=10.0)
    assert not queue.ready(9.9)
    assert queue.ready(10.0)
    queue.put({"id": 2})
    assert [one.row for one in queue.entries(9.9)] == [{"id": 2}]
    assert (queue.entries(9.9), len(queue)) == ([], 1)
    assert [one.row for one in queue.entries()] == [{"id": 1}]


def test_claims_are_bounded_and_one_without_room_wins_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(waiting, "CLAIMS_MAX", 1)
    rows, said = Counts(), list[Decision]()
    queue = Waiting(rows, Counts(), lambda: None)
    for name in ("resp_1", "resp_2"):
        queue.put_claim({"id": name}, (), bid(name, said), ripe_at=0.0)
    assert said == [Decision(won=False)]
    assert (rows.seen, len(queue)) == ({"dropped": 1}, 1)


def test_only_what_others_wait_for_wakes_the_writer() -> None:
    woken: list[bool] = []
    queue = Waiting(Counts(), Counts(), lambda: woken.append(True))
    queue.put_charge("resp_1", charged=True)
    assert woken == []
    queue.put_charge("resp_2", charged=False)
    assert woken == [True]


def test_of_several_notes_of_an_id_nothing_is_forgotten() -> None:
    queue = Waiting(Counts(), Counts(), lambda: None)
    for charged, budgets in ((False, None), (False, "[1]"), (True, None), (False, None)):
        queue.put_charge("resp_1", charged, budgets)
    assert queue.charges() == {"resp_1": Note(True, "[1]")}
    assert queue.charges() == {}
