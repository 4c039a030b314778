"""When each piece of an answer may leave, where it breaks off, and how it is malformed."""

import json

import pytest

from openai_gateway.api.sse import Event
from openai_gateway.staging.plan import Pace, Plan, ends, half, produced, tokens_in

ASKED = 100.0


def called(arguments: str) -> Event:
    call = {"function": {"arguments": arguments}}
    chunk = {"choices": [{"delta": {"tool_calls": [call]}}]}
    return Event(b"data: " + json.dumps(chunk).encode() + b"\n\n")


def said(text: str) -> Event:
    chunk = {"choices": [{"delta": {"content": text}}]}
    return Event(b"data: " + json.dumps(chunk).encode() + b"\n\n")


DONE = Event(b"data: [DONE]\n\n")
ROLE = Event(b'data: {"choices": [{"delta": {"role": "assistant"}}]}\n\n')


def paced(plan: Plan, *, event_stream: bool = True) -> Pace:
    return Pace(plan, ASKED, event_stream=event_stream)


def test_the_first_event_waits_for_its_time_and_the_others_for_their_tokens() -> None:
    pace = paced(Plan(ttft_s=0.5, tokens_per_s=10))
    dues = [pace.due(event, ASKED + 0.1) for event in (ROLE, said("one"), said("two"), DONE)]
    assert dues == pytest.approx([100.5, 100.6, 100.7, 100.7])
    assert pace.last(ASKED + 0.2) == pytest.approx(100.7)


def test_nothing_leaves_before_it_came_and_lost_time_is_not_made_up() -> None:
    pace = paced(Plan(ttft_s=0.5, tokens_per_s=10))
    assert pace.due(ROLE, ASKED + 2) == ASKED + 2
    assert pace.due(said("late"), ASKED + 5) == ASKED + 5
    assert pace.due(said("at once"), ASKED + 5) == pytest.approx(ASKED + 5.1 + 0.1)
    assert pace.last(ASKED + 9) == ASKED + 9


def test_a_slow_stream_waits_before_each_event_after_the_first() -> None:
    pace = paced(Plan("r", "slow_stream", delay_s=2.0))
    assert [pace.due(one, ASKED) for one in (ROLE, said("a"), DONE)] == [100, 102, 104]


def test_both_at_once_add_up() -> None:
    pace = paced(Plan("r", "slow_stream", delay_s=2.0).with_latency(1.0, 4))
    assert [pace.due(one, ASKED) for one in (ROLE, said("a"))] == [101, 103.25]


@pytest.mark.parametrize(
    ("body", "at"),
    [
        (b'{"usage": {"prompt_tokens": 9, "completion_tokens": 20, "total_tokens": 29}}', 102.5),
        (b'{"usage": {"output_tokens": 40, "output_tokens_details": {}}}', 104.5),
        (b'{"object": "list", "data": []}', 100.5),
        (b'{"text": "\\"output_tokens\\": 9000"}', 100.5),
        (b"", 100.5),
    ],
)
def test_an_answer_that_is_no_stream_waits_for_all_its_tokens(body: bytes, at: float) -> None:
    pace = paced(Plan(ttft_s=0.5, tokens_per_s=10), event_stream=False)
    assert pace.whole(body, ASKED) == pytest.approx(at)
    assert pace.whole(body, ASKED + 60) == ASKED + 60


def test_the_last_count_is_the_answers_own() -> None:
    assert produced(b'{"a": {"output_tokens": 1}, "usage": {"output_tokens": 7}}') == 7


def test_without_a_rate_only_the_first_event_waits() -> None:
    pace = paced(Plan(ttft_s=0.5))
    assert [pace.due(one, ASKED) for one in (ROLE, said("a" * 400))] == [100.5, 100.5]


def test_a_cut_comes_after_so_many_events() -> None:
    pace = paced(Plan("r", "cut_stream", after_events=2))
    told = []
    for event in (ROLE, said("a"), said("b")):
        told.append(pace.cuts(event))
        pace.due(event, ASKED)
    assert told == [False, False, True]


@pytest.mark.parametrize("last", [DONE, Event(b"event: response.completed\ndata: {}\n\n"), None])
def test_a_short_stream_is_cut_before_it_looks_complete(last: Event | None) -> None:
    pace = paced(Plan("r", "cut_stream", after_events=99))
    assert not pace.cuts(ROLE)
    assert pace.cuts(last)
    assert not paced(Plan(ttft_s=1.0)).cuts(last)


def test_a_delta_that_speaks_of_the_end_is_not_the_end() -> None:
    assert ends(DONE)
    assert not ends(said("[DONE]"))


def test_one_event_of_a_stream_is_malformed_and_the_others_are_as_they_came() -> None:
    pace = paced(Plan("r", "malformed"))
    passed = [pace.spoiled(one.raw) for one in (ROLE, said("hello"), said("world"), DONE)]
    assert passed[0] == ROLE.raw
    assert passed[2:] == [said("world").raw, DONE.raw]
    assert passed[1].endswith(b"\n\n")
    with pytest.raises(json.JSONDecodeError):
        json.loads(Event(passed[1]).data or b"{}")


def test_a_named_event_is_cut_in_its_data() -> None:
    cut = half(b'event: response.in_progress\ndata: {"type": "response.in_progress"}\n\n')
    assert cut == b'event: response.in_progress\ndata: {"type": "respo\n\n'


def test_a_json_body_is_cut_short() -> None:
    pace = paced(Plan("r", "malformed"), event_stream=False)
    assert pace.spoiled(b'{"id": 1}') == b'{"id'
    assert pace.spoiled(b"more") == b""
    assert paced(Plan(ttft_s=1.0)).spoiled(b"more") == b"more"


@pytest.mark.parametrize(
    ("event", "tokens"),
    [
        (ROLE, 0),
        (DONE, 0),
        (said("Hi"), 1),
        (said("twelve chars"), 3),
        (Event(b'data: {"type": "response.output_text.delta", "delta": "abcdefgh"}\n\n'), 2),
        (Event(b'data: {"type": "response.output_audio.delta", "delta": "AAAABBBB"}\n\n'), 0),
        (Event(b'data: {"choices": [{"text": "abcde"}]}\n\n'), 2),
        (called("{}"), 1),
        (Event(b'data: {"choices": [null, {"delta": 5}], "delta": 7}\n\n'), 0),
        (Event(b"data: {\n\n"), 0),
        (Event(b": ping\n\n"), 0),
    ],
)
def test_the_tokens_of_an_event_are_those_of_its_text(event: Event, tokens: int) -> None:
    assert tokens_in(event) == tokens
