"""A stream comes apart into the same events wherever it was cut, and no byte is lost or held."""

import time
import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_gateway.api.sse import Event, Events

CHAT = (
    b'data: {"id":"chatcmpl-1","choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n'
    b": keep-alive\n\n"
    b'event: response.completed\ndata: {"type":"response.completed"}\n\n'
    b"data: first\ndata: second\nid: 7\nretry: 10\n\n"
    b"data: [DONE]\n\n"
)
TOLD = [
    (None, b'{"id":"chatcmpl-1","choices":[{"index":0,"delta":{"content":"Hi"}}]}'),
    (None, None),
    ("response.completed", b'{"type":"response.completed"}'),
    (None, b"first\nsecond"),
    (None, b"[DONE]"),
]


def read(chunks: list[bytes], most: int = 1 << 20) -> tuple[list[Event], Event | None]:
    events = Events(most)
    found = [event for chunk in chunks for event in events.feed(chunk)]
    return found, events.end()


def told(events: list[Event]) -> list[tuple[str | None, bytes | None]]:
    return [(event.name, event.data) for event in events]


def cuts(data: bytes, at: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(place % (len(data) + 1) for place in at)})
    return [data[a:b] for a, b in pairwise(places)]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_every_ending_reads_alike_however_it_is_cut(end: bytes, mark: bytes) -> None:
    data = mark + CHAT.replace(b"\n", end)
    for place in range(len(data) + 1):
        events, rest = read([data[:place], data[place:]])
        whole = [*events, *([rest] if rest else [])]
        assert told(whole) == TOLD
        assert b"".join(event.raw for event in whole) == data
        assert [event.raw for event in whole] == [
            mark * (n == 0) + event.raw.replace(b"\n", end)
            for n, event in enumerate(read([CHAT])[0])
        ]


def test_byte_by_byte_is_as_good_as_whole() -> None:
    events, rest = read([CHAT[at : at + 1] for at in range(len(CHAT))])
    assert (told(events), rest) == (TOLD, None)


def test_an_event_is_given_with_the_byte_that_ends_it() -> None:
    events = Events()
    assert events.feed(b"data: x\n") == []
    assert [event.data for event in events.feed(b"\n")] == [b"x"]


LINES = st.sampled_from(
    [b"data: x", b"data:y", b"data", b"event: e", b": c", b"id: 1", b"", b"", b"", b"datax: n"]
)
ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])
STREAMS = st.lists(st.tuples(LINES, ENDS)).map(lambda lines: b"".join(a + b for a, b in lines))


@given(STREAMS | st.binary(), st.lists(st.integers(0, 10_000), max_size=20))
def test_no_cut_changes_what_is_read(data: bytes, at: list[int]) -> None:
    events, rest = read(cuts(data, at))
    whole, end = read([data])
    assert [event.raw for event in events] == [event.raw for event in whole]
    assert told(events) == told(whole)
    assert (rest.raw if rest else None) == (end.raw if end else None)
    assert b"".join(event.raw for event in [*events, *([rest] if rest else [])]) == data


@given(STREAMS, st.lists(st.integers(0, 10_000), max_size=20))
def test_which_event_is_too_long_does_not_hang_on_the_cut(data: bytes, at: list[int]) -> None:
    events, rest = read(cuts(data, at), most=12)
    assert b"".join(event.raw for event in [*events, *([rest] if rest else [])]) == data
    small = [event.raw for event in events if not event.oversized]
    assert small == [event.raw for event in read([data])[0] if len(event.raw) <= 12]


def test_the_last_data_without_an_end_is_given_as_the_rest() -> None:
    events, rest = read([b"data: a\n\ndata: [DONE]\n"])
    assert told(events) == [(None, b"a")]
    assert rest is not None
    assert rest.data == b"[DONE]"


def test_an_event_above_the_bound_passes_in_pieces_and_the_next_is_read() -> None:
    data = b"data: " + b"x" * 5000 + b"\r\n\r\ndata: y\r\n\r\n"
    events, _ = read([data[at : at + 100] for at in range(0, len(data), 100)], most=1000)
    assert b"".join(event.raw for event in events) == data
    assert {event.data for event in events if event.oversized} == {None}
    assert told([event for event in events if not event.oversized]) == [(None, b"y")]


def test_a_stream_without_an_end_is_not_kept() -> None:
    events, chunk, passed = Events(), b"x" * 65536, 0
    tracemalloc.start()
    for _ in range(1600):  # 100 MB
        passed += sum(len(event.raw) for event in events.feed(chunk))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    rest = events.end()
    assert passed + len(rest.raw if rest else b"") == 1600 * 65536
    assert most < 4 << 20


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b'data: {"a": [1, null]}\n\n', {"a": [1, None]}),
        (b"data: [DONE]\n\n", None),
        (b"data: {\n\n", None),
        (b'data: {"a":\ndata: 1}\n\n', {"a": 1}),
        (b": nothing\n\n", None),
    ],
)
def test_the_data_is_read_as_json_where_it_is_some(raw: bytes, value: object) -> None:
    assert Event(raw).value == value


def best_us(data: bytes, size: int, events: int) -> float:
    """The fastest of five runs, per event: a busy machine must not fail the test."""
    best = 1e9
    for _ in range(5):
        began = time.perf_counter()
        parser = Events()
        for at in range(0, len(data), size):
            for event in parser.feed(data[at : at + size]):
                _ = event.data
        best = min(best, time.perf_counter() - began)
    return best / events * 1e6


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("size", [300, 16384])
def test_an_event_costs_less_than_ten_microseconds(end: bytes, size: int) -> None:
    data = (b"data: " + b"x" * 290 + end + end) * 2000
    assert best_us(data, size, 2000) < 10
