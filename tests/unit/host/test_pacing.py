"""What waits of an answer, for how long, and what of it is let go when too much waits."""

from math import inf

import pytest
from mitmproxy.proxy.layers.http import (
    ErrorCode,
    ResponseData,
    ResponseEndOfMessage,
    ResponseProtocolError,
)

from openai_gateway.host.pacing import MOST_EVENTS, MOST_WHOLE, Line
from openai_gateway.staging.plan import Pace, Plan

STREAM_ID, ASKED = 1, 100.0
TWO_TOKENS = b'data: {"choices": [{"delta": {"content": "12345678"}}]}\n\n'
DONE = b"data: [DONE]\n\n"
SLOW = Plan(ttft_s=1.0, tokens_per_s=10)
END = ResponseEndOfMessage(STREAM_ID)


def line(plan: Plan = SLOW, *, event_stream: bool = True) -> Line:
    return Line(Pace(plan, ASKED, event_stream=event_stream))


def data(text: bytes) -> ResponseData:
    return ResponseData(STREAM_ID, text)


def left(held: Line, now: float) -> list[object]:
    """What may leave by then."""
    found: list[object] = []
    while held and held.wait(now) <= 0:
        _, event = held.leave()
        found.append(event.data if isinstance(event, ResponseData) else event)
    return found


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_events_leave_one_by_one_however_they_came(size: int) -> None:
    held, stream = line(), TWO_TOKENS * 3 + DONE
    for start in range(0, len(stream), size):
        held.take(data(stream[start : start + size]), ASKED)
    held.take(END, ASKED)
    assert left(held, 100.99) == []
    assert left(held, 101.0) == [TWO_TOKENS]
    assert held.wait(101.0) == pytest.approx(0.2)
    assert left(held, 101.21) == [TWO_TOKENS]
    assert left(held, 101.41) == [TWO_TOKENS, DONE, END]
    assert not held


def test_an_answer_that_is_no_stream_waits_for_its_end_and_leaves_in_one_piece() -> None:
    held = line(event_stream=False)
    body = b'{"usage": {"completion_tokens": 20}}'
    held.take(data(body[:9]), ASKED)
    held.take(data(body[9:]), ASKED)
    assert held.wait(ASKED + 50) == inf
    held.take(END, ASKED + 0.5)
    assert held.wait(ASKED) == pytest.approx(3.0)
    assert left(held, ASKED + 3.01) == [body, END]


def test_what_comes_late_leaves_at_once() -> None:
    held = line()
    held.take(data(TWO_TOKENS), ASKED + 9)
    assert left(held, ASKED + 9) == [TWO_TOKENS]


@pytest.mark.parametrize(("event_stream", "most"), [(True, MOST_EVENTS), (False, MOST_WHOLE)])
def test_where_too_much_waits_the_first_goes_on(event_stream: bool, most: int) -> None:
    held = line(event_stream=event_stream)
    piece = b"data: " + b"x" * 65_536 + b"\n\n"
    pieces = most // len(piece) + 3
    for _ in range(pieces):
        held.take(data(piece), ASKED)
    gone = left(held, ASKED)
    assert 0 < len(gone) <= 3
    held.take(END, ASKED)
    rest = left(held, ASKED + 1e9)
    assert b"".join(one for one in (*gone, *rest) if isinstance(one, bytes)) == piece * pieces


def test_a_stream_that_broke_breaks_off_behind_what_came_before() -> None:
    held, broken = line(), ResponseProtocolError(STREAM_ID, "gone", ErrorCode.GENERIC_SERVER_ERROR)
    held.take(data(TWO_TOKENS), ASKED)
    held.take(broken, ASKED)
    assert left(held, ASKED + 0.5) == []
    assert left(held, ASKED + 1.01) == [TWO_TOKENS, broken]


@pytest.mark.parametrize("stream", [TWO_TOKENS * 5, TWO_TOKENS * 2 + DONE, TWO_TOKENS * 2])
def test_a_cut_stands_in_the_line_where_the_stream_breaks_off(stream: bytes) -> None:
    """None; whatever comes behind it is never asked for."""
    held = line(Plan("r", "cut_stream", after_events=2))
    held.take(data(stream), ASKED)
    held.take(END, ASKED)
    assert left(held, ASKED)[:3] == [TWO_TOKENS, TWO_TOKENS, None]


def test_what_nobody_waits_for_is_dropped_and_its_time_told() -> None:
    held = line()
    held.take(data(TWO_TOKENS), ASKED)
    assert held.drop(ASKED + 0.25) == pytest.approx(0.25)
    assert not held
    assert held.drop(ASKED + 9) == 0.0
