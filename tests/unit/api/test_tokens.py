"""Estimates are near what a tokenizer counts, for every kind of text, and cheap."""

import base64
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from openai_gateway.api import tokens

PROSE = "The gateway swaps the key of production for the key of staging, and tells nobody. " * 40
BASE64 = base64.b64encode(bytes(range(256)) * 12).decode()


@pytest.mark.parametrize(
    ("text", "estimate"),
    [("", 0), ("a", 1), ("abcd", 1), ("abcde", 2), ("äöü", 2), ("漢字", 2), ("x " * 200, 100)],
)
def test_text_is_a_token_for_four_bytes(text: str, estimate: int) -> None:
    assert tokens.of_text(text) == estimate


def test_base64_and_hex_are_dense() -> None:
    assert tokens.of_text(BASE64) == -(-len(BASE64) * 5 // 7)
    assert tokens.of_text("0123456789abcdef" * 5) == 58  # 80 / 1.4
    assert tokens.of_text("0123456789abcdef" * 4) == 16  # 64 signs are no run yet


def test_only_the_run_is_dense() -> None:
    text = "words and words " * 4 + BASE64 + " and more words"
    rest = len(text) - len(BASE64)
    assert tokens.of_text(text) == -(-rest // 4) + -(-len(BASE64) * 5 // 7)


@pytest.mark.parametrize("line", ["-" * 400, "=" * 400])
def test_a_ruled_line_is_no_run(line: str) -> None:
    assert tokens.of_text(line) == 100


def test_a_long_text_is_as_dense_as_its_beginning() -> None:
    text = BASE64.rstrip("=") * 40
    assert tokens.of_text(text) == pytest.approx(len(text) / 1.4, rel=0.01)


@given(st.text())
def test_an_estimate_is_at_least_a_quarter_of_the_bytes(text: str) -> None:
    size = len(text.encode())
    assert size / 4 <= tokens.of_text(text) <= size


def test_messages_cost_four_tokens_each() -> None:
    messages = [{"role": "system", "content": "x" * 8}, {"role": "user", "content": "y" * 4}]
    assert tokens.of_request({"model": "m" * 400, "messages": messages}) == 2 + 1 + 2 * 4


def test_what_no_model_reads_costs_nothing() -> None:
    asked = {"input": "abcd", "metadata": {"a": "x" * 400}, "user": "u" * 400, "text": {}}
    assert tokens.of_request(asked) == 1


@pytest.mark.parametrize(
    ("part", "estimate"),
    [
        ({"type": "text", "text": "abcd"}, 1),
        ({"type": "image_url", "image_url": {"url": "data:image/png;base64," + BASE64}}, 1600),
        ({"type": "input_image", "image_url": "https://example/x.png"}, 1600),
        ({"type": "input_audio", "input_audio": {"data": "A" * 64000, "format": "wav"}}, 10),
        ({"type": "input_audio", "input_audio": {"data": "A" * 64000, "format": "mp3"}}, 30),
        ({"type": "input_audio", "input_audio": None}, 0),
        ({"type": "file", "file": {"file_data": "A" * 400_000}}, 4800),
        ({"type": "input_file", "file_id": "file-1"}, 1600),
    ],
)
def test_parts_cost_what_they_are(part: dict[str, object], estimate: int) -> None:
    message = {"role": "user", "content": [part]}
    assert tokens.of_request({"messages": [message]}) == estimate + 4
    assert tokens.of_request({"input": [message]}) == estimate + 4


def test_tools_and_schemas_are_read_by_the_model_too() -> None:
    tools = [{"type": "function", "name": "f"}]  # 32 bytes
    form = {"type": "json_schema", "schema": {}}  # 34 bytes
    assert tokens.of_request({"tools": tools}) == 8
    assert tokens.of_request({"response_format": form}) == 9
    assert tokens.of_request({"text": {"format": form}}) == 9
    assert tokens.of_request({"text": {"format": {"type": "text"}}}) == 0


def test_calls_of_tools_in_the_history_are_text() -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "abcd", "arguments": "{}  "}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    assert tokens.of_request({"messages": [message]}) == 2 + 4


def test_a_prompt_in_tokens_is_counted() -> None:
    assert tokens.of_request({"prompt": [1, 2, 3]}) == 3
    assert tokens.of_request({"input": [[1, 2, 3], [4]]}) == 4


@pytest.mark.parametrize("parsed", [None, [], "x", {"messages": 5}, {"input": None}])
def test_what_is_no_request_costs_nothing(parsed: object) -> None:
    assert tokens.of_request(parsed) == (5 - 4 if parsed == {"messages": 5} else 0)


def test_a_deep_request_is_read_within_bounds() -> None:
    value: object = "abcd"
    for _ in range(5000):
        value = [value]
    assert tokens.of_request({"input": value}) == 1
    assert tokens.of_value(["abcd"] * 300_000) == tokens.MOST_ITEMS - 1


ANY: st.SearchStrategy[object] = st.recursive(
    st.none() | st.integers() | st.text(max_size=5) | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "input_audio", "file", "file_data", "data", "format", "role"]),
            inner | st.sampled_from(["input_audio", "file", "image_url", "json_schema"]),
            max_size=4,
        )
    ),
    max_leaves=15,
)
FIELDS = st.sampled_from(["messages", "input", "prompt", "tools", "text", "response_format"])


@example({"input": {"type": {}}})
@given(st.dictionaries(FIELDS, ANY))
def test_no_request_raises_or_is_below_zero(parsed: dict[str, object]) -> None:
    assert tokens.of_request(parsed) >= 0


def test_pictures_and_sounds() -> None:
    assert tokens.of_picture("low") == 272
    assert tokens.of_picture("auto") == tokens.of_picture(None) == 1056
    assert tokens.of_sound(64_000) == 20  # one second of PCM
    assert tokens.of_speech("x" * 15) == 20
    assert tokens.of_listening(30) == 2


def test_an_estimate_of_60_kb_does_not_hold_the_loop() -> None:
    asked = {"messages": [{"role": "user", "content": PROSE * 18}]}
    best = 1e9
    for _ in range(5):
        began = time.perf_counter()
        tokens.of_request(asked)
        best = min(best, time.perf_counter() - began)
    assert best < 0.001
