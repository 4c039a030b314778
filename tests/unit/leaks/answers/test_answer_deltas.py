"""Which texts an event goes on with, which it ends, and where people look for them."""

from typing import Any

import pytest

from openai_gateway.leaks.answers.answer_deltas import told
from openai_gateway.leaks.answers.answer_told import EVERYTHING, NOTHING, End, Key


def pieces(value: dict[str, Any]) -> list[tuple[str, str]]:
    return [(piece.key.place, piece.text) for piece in told(value).pieces]


def test_places_are_those_of_the_choice_and_of_the_item() -> None:
    calls = [{"index": 3, "function": {"arguments": "x"}}, {"index": 4, "custom": {"input": "y"}}]
    audio = {"data": "AAAA", "transcript": "z"}
    delta = {"content": "a", "reasoning_content": "b", "tool_calls": calls, "audio": audio}
    assert pieces({"choices": [{"index": 1, "delta": delta}]}) == [
        ("choices[1].delta.content", "a"),
        ("choices[1].delta.reasoning_content", "b"),
        ("choices[1].delta.tool_calls[3].function.arguments", "x"),
        ("choices[1].delta.tool_calls[4].custom.input", "y"),
        ("choices[1].delta.audio.transcript", "z"),
    ]
    item = {"item_id": "i", "output_index": 2}
    event = {"type": "response.output_text.delta", **item, "content_index": 1, "delta": "a"}
    assert pieces(event) == [("output[2].content[1].output_text", "a")]
    event = {"type": "response.function_call_arguments.delta", **item, "delta": "a"}
    assert pieces(event) == [("output[2].function_call_arguments", "a")]
    assert pieces({"type": "transcript.text.delta", "delta": "a"}) == [("transcript.text", "a")]


def test_what_a_shell_says_is_two_texts() -> None:
    event = {"type": "response.shell_call_output_content.delta", "output_index": 0}
    found = told({**event, "delta": {"stdout": "a", "stderr": "b"}}).pieces
    assert [piece.path for piece in found] == [("delta", "stdout"), ("delta", "stderr")]
    done = told({"type": "response.shell_call_output_content.done", "output_index": 0})
    assert len({piece.key for piece in found}) == 2
    assert all(end.of(piece.key) for piece in found for end in done.ends)


@pytest.mark.parametrize(
    ("ended", "kind", "others"),
    [
        ("response.output_text.done", "response.output_text", "response.refusal"),
        ("response.content_part.done", "response.refusal", None),
        ("response.output_item.done", "response.mcp_call_arguments", None),
        ("response.reasoning_summary_part.done", "response.reasoning_summary_text",
         "response.reasoning_text"),
    ],
)  # fmt: skip
def test_a_text_ends_with_its_done_or_with_what_holds_it(
    ended: str, kind: str, others: str | None
) -> None:
    item = {"item_id": "i", "output_index": 2, "content_index": 0}
    (piece,) = told({"type": f"{kind}.delta", **item, "delta": "a"}).pieces
    (end,) = told({"type": ended, "output_index": 2, "content_index": 0}).ends
    assert end.of(piece.key)
    (elsewhere,) = told({"type": f"{kind}.delta", **item, "output_index": 3, "delta": "a"}).pieces
    assert not end.of(elsewhere.key)
    assert others is None or not end.of(Key(others, piece.key.fields))


def test_a_choice_ends_all_its_texts_and_no_other_choices() -> None:
    (end,) = told({"choices": [{"index": 1, "delta": {}, "finish_reason": "length"}]}).ends
    assert end.of(Key("choices", (1, "delta", "content")))
    assert not end.of(Key("choices", (0, "delta", "content")))


def test_a_step_of_a_run_has_arguments_and_a_run_ends_all() -> None:
    calls = [{"index": 0, "code_interpreter": {"input": "x"}}]
    delta = {"step_details": {"type": "tool_calls", "tool_calls": calls}}
    (piece,) = told({"id": "s", "object": "thread.run.step.delta", "delta": delta}).pieces
    assert piece.text == "x"
    (end,) = told({"id": "s", "object": "thread.run.step", "status": "completed"}).ends
    assert end.of(piece.key)
    assert told({"object": "thread.run", "status": "completed"}) == EVERYTHING
    assert told({"object": "thread.run", "status": "in_progress"}) == NOTHING
    assert told({"object": "thread.run", "status": "failed"}).broken


def test_sound_is_no_text() -> None:
    for kind in ("response.output_audio.delta", "speech.audio.delta"):
        assert told({"type": kind, "delta": "AAAA"}).media
    assert told({"choices": [{"index": 0, "delta": {"audio": {"data": "AA"}}}]}).media


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"choices": None},
        {"choices": [None, 7, {"delta": [], "index": []}]},
        {"choices": [{"delta": {"tool_calls": [None, {"function": 7}], "content": None}}]},
        {"type": 7, "object": []},
        {"type": "x.delta", "delta": 7},
        {"type": "x.delta", "delta": {"a": 7}},
        {"object": "thread.message.delta", "delta": {"content": [{"text": None}]}},
        {"object": "thread.run.step.delta", "delta": {"step_details": {"tool_calls": {}}}},
    ],
)
def test_odd_events_go_on_with_no_text(value: dict[str, Any]) -> None:
    assert told(value).pieces == ()


def test_an_end_of_everything_is_the_end_of_each() -> None:
    assert End().of(Key("choices", (0, "text")))
    assert End().of(Key("transcript.text", (None,) * 5))
