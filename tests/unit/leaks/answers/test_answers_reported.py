"""A stream that is only reported: not a byte changes, and what is spread over events is found."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from openai_gateway.leaks.answers.answer_copy import EVERY, KEPT
from openai_gateway.leaks.answers.answer_reporter import MOST_STREAMS
from openai_gateway.leaks.answers.answers import AnswerScan
from tests.support.answer_events import (
    StandIn,
    blocks,
    chat,
    chat_stream,
    pat,
    pem,
    responses_stream,
    sse,
    typed,
)


def found(events: list[bytes]) -> list[tuple[str, str]]:
    made = AnswerScan("chat.create", StandIn(), blocks, "report")
    made.begin(True, b"text/event-stream")
    for event in events:
        assert made.feed(event) is event
    assert made.end() == b""
    return [(finding.rule.id, finding.sha256) for finding, _ in made.findings]


def pieces(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


@given(before=st.integers(0, 3 * EVERY), size=st.integers(1, 40), after=st.integers(0, 400))
@settings(max_examples=40, deadline=None)
def test_a_secret_is_found_once_wherever_the_reading_stops(
    before: int, size: int, after: int
) -> None:
    text = "w" * before + f" {pat()} " + "w " * after
    (one,) = found(chat_stream(pieces(text, size)))
    assert one[0] == "demo-pat"


def test_a_key_over_hundreds_of_events_is_found_whole() -> None:
    text = "word " * 700 + pem(90) + " word" * 700
    assert len(pem(90)) < KEPT
    (one,) = found(responses_stream(pieces(text, 6)))
    assert one[0] == "demo-key"


def test_what_was_found_in_deltas_is_the_same_finding_in_what_repeats_them() -> None:
    text = f'he said "{pat()}"\n{pem()}'
    names = [name for name, _ in found(responses_stream(pieces(text, 5)))]
    assert names == ["demo-pat", "demo-key"]


def test_what_stands_in_no_delta_is_found_too() -> None:
    item = {"type": "mcp_call", "output": f"row\n{pat()}"}
    assert found([typed("response.output_item.done", item=item)])[0][0] == "demo-pat"


def test_reading_is_rare() -> None:
    detector = StandIn()
    made = AnswerScan("chat.create", detector, blocks, "report")
    made.begin(True, b"text/event-stream")
    for event in chat_stream(["word "] * 2000):
        made.feed(event)
    made.end()
    assert detector.calls < 2000 * 5 / EVERY + 10


def test_texts_beyond_what_is_kept_are_read_when_they_go() -> None:
    many = MOST_STREAMS + 5
    events = [chat({"content": pat(f"{at:020}")}, index=at) for at in range(many)]
    assert len(found(events)) == many


def test_an_event_in_pieces_is_read() -> None:
    item = {"result": "aB3/" * 300_000, "note": pat()}
    stream = typed("response.completed", response={"output": [item]})
    bounds = [*range(0, len(stream), 60_000), len(stream)]
    events = [stream[start:end] for start, end in pairwise(bounds)]
    assert [name for name, _ in found([*events, sse(b"[DONE]")])] == ["demo-pat"]


def test_obfuscation_and_sound_are_not_read() -> None:
    delta = chat({"content": "hi"}, obfuscation=pat())
    sound = typed("response.output_audio.delta", delta=pat())
    spoken = chat({"audio": {"data": pat()}})
    assert found([delta, sound, spoken]) == []
