"""A stream's bill is the one it tells, and where it breaks the one that its words amount to."""

import json
import time
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_gateway.api.sse import Event, Events
from openai_gateway.api.usage_reading import Parsed
from openai_gateway.api.usage_stream import StreamUsage
from openai_gateway.core.usage import Usage, disjoint

type Object = dict[str, Any]

ASKED: Object = {"model": "gpt-6-luna", "messages": [{"role": "user", "content": "x" * 40}]}
TOLD: Object = {
    "prompt_tokens": 14,
    "completion_tokens": 9,
    "total_tokens": 23,
    "completion_tokens_details": {"reasoning_tokens": 4},
}


def sse(values: Iterable[Object], names: bool = False) -> bytes:
    """The events as OpenAI writes them."""
    return b"".join(
        (b"event: %b\n" % value["type"].encode() if names else b"")
        + b"data: "
        + orjson.dumps(value)
        + b"\n\n"
        for value in values
    )


def follow(
    endpoint: str, stream: bytes, request: object = None, broken: bool = False, most: int = 1 << 20
) -> Parsed:
    usage, events = StreamUsage(endpoint, request), Events(most)
    for at in range(0, len(stream), 1000):
        for event in events.feed(stream[at : at + 1000]):
            usage.event(event)
    rest = events.end()
    if rest:
        usage.event(rest)
    return usage.result(broken)


def bill(
    endpoint: str, stream: bytes, request: object = None, broken: bool = False, most: int = 1 << 20
) -> Usage:
    usage = follow(endpoint, stream, request, broken, most).usage
    assert usage is not None
    return usage


def chunk(delta: Object, **more: Any) -> Object:
    choice = {"index": 0, "delta": delta, "finish_reason": None}
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "gpt-6-luna-x"}
    return {**head, "service_tier": "default", "choices": [choice], "usage": None, **more}


CHAT = [
    chunk({"role": "assistant", "content": ""}),
    chunk({"content": "Hello"}, obfuscation="x" * 500),
    chunk({"content": " world"}),
    chunk({}),
]
LAST = chunk({}, choices=[], usage=TOLD)


def test_the_last_chunk_tells_the_bill() -> None:
    parsed = follow("chat.create", sse([*CHAT, LAST]) + b"data: [DONE]\n\n", ASKED)
    assert parsed == Parsed(
        usage=Usage(
            input_tokens=14,
            output_tokens=9,
            reasoning_tokens=4,
            total_tokens=23,
            source="reported",
            model="gpt-6-luna-x",
            service_tier="default",
        ),
        charge_id="chatcmpl-1",
    )


def test_a_bill_that_was_told_holds_though_the_stream_breaks() -> None:
    assert bill("chat.create", sse([*CHAT, LAST]), ASKED, broken=True).source == "reported"


def test_a_broken_stream_is_worth_what_it_said() -> None:
    # 40 bytes and a message asked, "Hello world" said; obfuscation is nothing
    assert bill("chat.create", sse(CHAT)[:-40], ASKED, broken=True) == Usage(
        input_tokens=14,
        output_tokens=3,
        total_tokens=17,
        source="estimated",
        model="gpt-6-luna-x",
        service_tier="default",
    )


def test_a_stream_that_broke_before_its_first_word_still_read_the_prompt() -> None:
    usage = bill("chat.create", b"", ASKED, broken=True)
    assert (usage.input_tokens, usage.output_tokens, usage.source) == (14, 0, "estimated")


@pytest.mark.parametrize(
    ("delta", "output"),
    [
        ({"refusal": "x" * 8}, 2),
        ({"reasoning_content": "x" * 8}, 2),
        ({"tool_calls": [{"index": 0, "function": {"name": "f" * 4, "arguments": "x" * 8}}]}, 3),
        ({"tool_calls": [{"index": 0, "custom": {"name": "f" * 4, "input": "x" * 8}}]}, 3),
        ({"tool_calls": None, "function_call": {"arguments": "x" * 8}}, 2),
        ({"content": "漢字漢字"}, 3),
        ({"content": 5, "tool_calls": [None, {"function": []}], "audio": None}, 0),
    ],
)
def test_every_kind_of_word_counts(delta: Object, output: int) -> None:
    usage = bill("chat.create", sse([chunk(delta)]), ASKED, broken=True)
    assert usage.output_tokens == output


def test_sound_that_was_said_counts_as_sound() -> None:
    delta = {"audio": {"id": "a", "data": "A" * 64_000, "transcript": "abcd"}}
    usage = bill("chat.create", sse([chunk(delta)]), ASKED, broken=True)
    assert (usage.output_tokens, usage.audio_output_tokens) == (21, 20)  # a second of PCM


def test_old_completions_are_chunks_too() -> None:
    texts = [{"id": "cmpl-1", "choices": [{"text": "x" * 8, "index": 0}], "usage": None}]
    assert bill("completions.create", sse(texts), {"prompt": "abcd"}, True).total_tokens == 3
    told = {"id": "cmpl-1", "choices": [], "usage": TOLD}
    assert bill("completions.create", sse([*texts, told])).total_tokens == 23


def test_an_error_before_any_word_costs_nothing() -> None:
    failed = {"error": {"message": "overloaded", "type": "server_error"}}
    assert follow("chat.create", sse([failed]), ASKED).usage is None
    assert bill("chat.create", sse([*CHAT, failed]), ASKED).source == "estimated"


RESPONSE_USAGE: Object = {
    "input_tokens": 100,
    "input_tokens_details": {"cached_tokens": 10, "cache_write_tokens": 0},
    "output_tokens": 20,
    "output_tokens_details": {"reasoning_tokens": 5},
    "total_tokens": 120,
}


def response(kind: str, usage: Object | None = None, **more: Any) -> Object:
    status = {"created": "in_progress"}.get(kind, kind)
    head = {"id": "resp_1", "object": "response", "status": status, "model": "gpt-6-luna"}
    inner = {**head, "service_tier": "flex", "output": [], "usage": usage, **more}
    return {"type": f"response.{kind}", "sequence_number": 0, "response": inner}


def delta(kind: str, text: str) -> Object:
    return {"type": f"response.{kind}.delta", "delta": text, "obfuscation": "y" * 300}


SAID = [
    response("created"),
    delta("output_text", "Hello"),
    delta("function_call_arguments", "{}"),
    delta("reasoning_summary_text", "think"),
    {"type": "response.output_text.done", "text": "Hello" * 100},
]


@pytest.mark.parametrize("kind", ["completed", "incomplete", "failed"])
@pytest.mark.parametrize("names", [False, True])
def test_the_last_event_of_a_response_tells_the_bill(kind: str, names: bool) -> None:
    stream = sse([*SAID, response(kind, RESPONSE_USAGE)], names)
    parsed = follow("responses.create", stream, {"input": "x"})
    assert parsed.charge_id == "resp_1"
    assert parsed.usage == Usage(
        input_tokens=100,
        cached_input_tokens=10,
        output_tokens=20,
        reasoning_tokens=5,
        total_tokens=120,
        source="reported",
        model="gpt-6-luna",
        service_tier="flex",
    )


def test_a_broken_response_is_worth_its_deltas_and_searches() -> None:
    items: list[Object] = [
        {"type": "web_search_call", "action": {"type": "search"}},
        {"type": "web_search_call", "action": {"type": "open_page"}},
        {"type": "file_search_call"},
        {"type": "message"},
        {"type": "code_interpreter_call", "container_id": "cntr_1", "code": "1"},
    ]
    done: list[Object] = [{"type": "response.output_item.done", "item": item} for item in items]
    parsed = follow("responses.create", sse([*SAID, *done]), {"input": "x" * 8}, broken=True)
    assert (parsed.charge_id, parsed.containers) == ("resp_1", (("cntr_1", "container:1g"),))
    assert parsed.usage == Usage(
        input_tokens=2,
        output_tokens=3,  # 12 bytes
        total_tokens=5,
        units={"web_search": 1, "file_search": 1, "container:1g": 1},
        source="estimated",
        model="gpt-6-luna",
        service_tier="flex",
    )


def test_a_response_that_failed_at_once_costs_nothing() -> None:
    stream = sse([response("created"), response("failed", None, error={"code": "server_error"})])
    parsed = follow("responses.create", stream, {"input": "x"})
    assert (parsed.usage, parsed.final) == (None, True)


def test_a_background_stream_that_breaks_is_charged_later() -> None:
    request = {"input": "x", "background": True}
    parsed = follow("responses.create", sse(SAID), request, broken=True)
    assert parsed == Parsed(charge_id="resp_1", final=False)


def test_reading_a_response_again_is_never_estimated() -> None:
    assert follow("responses.get", sse(SAID), broken=True) == Parsed(
        charge_id="resp_1", final=False
    )
    assert bill("responses.get", sse([response("completed", RESPONSE_USAGE)])).total_tokens == 120


IMAGE = {
    "input_tokens": 50,
    "input_tokens_details": {"text_tokens": 50, "image_tokens": 0},
    "output_tokens": 1056,
    "total_tokens": 1106,
}


@pytest.mark.parametrize(
    ("endpoint", "kind"),
    [("images.generate", "image_generation"), ("images.edit", "image_edit")],
)
@pytest.mark.parametrize("size", [1000, 40_000])
def test_a_picture_tells_its_bill_also_where_it_is_too_long_to_be_read(
    endpoint: str, kind: str, size: int
) -> None:
    partial = {"type": f"{kind}.partial_image", "b64_json": "A" * size}
    whole = {"type": f"{kind}.completed", "b64_json": "A" * size, "quality": "low"}
    stream = sse([partial, {**whole, "usage": IMAGE}], names=True)
    usage = bill(endpoint, stream, {"prompt": "x"}, most=20_000)
    assert usage == Usage(
        input_tokens=50,
        output_tokens=1056,
        image_output_tokens=1056,
        total_tokens=1106,
        source="reported",
    )


def test_a_long_response_tells_its_bill_behind_its_output() -> None:
    output = [{"type": "image_generation_call", "result": "A" * 90_000, "id": "ig_1"}]
    told = response("completed", None)
    told["response"] |= {"output": output, "usage": RESPONSE_USAGE, "metadata": {"usage": "x"}}
    parsed = follow("responses.create", sse([told]), {"input": "x"}, most=50_000)
    assert parsed.charge_id == "resp_1"
    assert parsed.usage is not None
    assert (parsed.usage.total_tokens, parsed.usage.model) == (120, "gpt-6-luna")
    assert (parsed.usage.service_tier, parsed.usage.source) == ("flex", "reported")


def test_pictures_without_a_bill_are_estimated() -> None:
    partial = {"type": "image_generation.partial_image", "b64_json": "A"}
    usage = bill("images.generate", sse([partial] * 2), {"prompt": "abcd"}, broken=True)
    assert (usage.input_tokens, usage.image_output_tokens) == (1, 200)
    whole = {"type": "image_generation.completed", "b64_json": "A"}
    request = {"prompt": "abcd", "quality": "high"}
    assert bill("images.generate", sse([whole]), request).image_output_tokens == 4160


def test_a_transcription() -> None:
    words = [{"type": "transcript.text.delta", "delta": "x" * 15}] * 2
    told = {"type": "tokens", "input_tokens": 140, "output_tokens": 45, "total_tokens": 185}
    told["input_token_details"] = {"audio_tokens": 126, "text_tokens": 14}
    done = {"type": "transcript.text.done", "text": "x", "usage": told}
    usage = bill("audio.transcribe", sse([*words, done]))
    assert (usage.audio_input_tokens, usage.total_tokens) == (126, 185)
    broken = bill("audio.transcribe", sse(words), broken=True)
    assert broken == Usage(units={"second": Decimal(2)}, source="estimated")


def test_speech() -> None:
    sound = {"type": "speech.audio.delta", "audio": "A" * 64_000}
    told = {"input_tokens": 14, "output_tokens": 101, "total_tokens": 115}
    done = {"type": "speech.audio.done", "usage": told}
    request = {"model": "gpt-4o-mini-tts", "input": "x" * 60}
    usage = bill("audio.speech", sse([sound, done]), request)
    assert (usage.input_tokens, usage.audio_output_tokens) == (14, 101)
    broken = bill("audio.speech", sse([sound]), request, broken=True)
    assert (broken.audio_output_tokens, broken.source) == (80, "estimated")
    old = bill("audio.speech", sse([sound]), {"model": "tts-1", "input": "x" * 60}, broken=True)
    assert old == Usage(units={"character": 60}, source="reported")


def test_a_run_of_a_thread() -> None:
    run: Object = {"id": "run_1", "object": "thread.run", "model": "gpt-4o"}
    text = {"object": "thread.message.delta", "delta": {"content": [{"text": {"value": "x" * 8}}]}}
    events = [{**run, "status": "queued", "usage": None}, text]
    done = {**run, "status": "completed", "usage": TOLD}
    assert bill("threads.runs.create", sse([*events, done])).total_tokens == 23
    broken = bill("threads.runs.create", sse(events), broken=True)
    assert (broken.output_tokens, broken.model, broken.source) == (2, "gpt-4o", "estimated")


def test_a_stream_of_an_unknown_path_is_believed_but_never_estimated() -> None:
    assert bill("unknown", sse([*CHAT, LAST])).total_tokens == 23
    assert follow("unknown", sse(CHAT), broken=True).usage is None
    assert follow("files.content", sse(CHAT), broken=True).usage is None


def test_odd_usage_is_named_and_estimated() -> None:
    odd = chunk({}, choices=[], usage={"prompt_tokens": "many"})
    parsed = follow("chat.create", sse([*CHAT, odd]), ASKED)
    assert "wrong_type" in parsed.anomalies
    assert parsed.usage is not None
    assert (parsed.usage.source, parsed.usage.output_tokens) == ("estimated", 3)


KINDS = st.sampled_from(
    [
        *("response.created", "response.completed", "response.output_text.delta", "error"),
        *("response.output_item.done", "transcript.text.done", "image_generation.completed"),
    ]
)
NAMES = st.sampled_from(
    [
        *("choices", "delta", "usage", "response", "item", "content", "tool_calls", "function"),
        *("audio", "data", "error", "id", "object", "text", "value", "action", "status"),
    ]
)
ANY: Any = st.recursive(
    st.none() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
EVENTS: Any = st.lists(
    st.tuples(KINDS | st.none() | st.integers(), st.dictionaries(NAMES, ANY, max_size=4)),
    max_size=5,
)


@given(
    st.sampled_from(["chat.create", "responses.create", "audio.transcribe", "images.edit", "x"]),
    EVENTS,
    ANY,
    st.booleans(),
)
def test_no_stream_raises_or_counts_below_zero(
    endpoint: str, events: list[tuple[object, Object]], request: object, broken: bool
) -> None:
    stream = StreamUsage(endpoint, request)
    for kind, value in events:
        raw = b"data: " + json.dumps({"type": kind, **value}).encode() + b"\n\n"
        stream.event(Event(raw))
    usage = stream.result(broken).usage
    assert usage is None or min(disjoint(usage).values()) >= 0


@pytest.mark.parametrize(
    ("endpoint", "value"),
    [
        ("chat.create", chunk({"content": "Hello"}, obfuscation="x7Q" * 3)),
        ("responses.create", {**delta("output_text", "Hello"), "item_id": "msg_1" * 10}),
    ],
)
def test_an_event_costs_less_than_thirty_microseconds_in_all(endpoint: str, value: Object) -> None:
    stream = sse([value] * 1000, names=endpoint.startswith("responses"))
    best = 1e9
    for _ in range(5):
        usage, events = StreamUsage(endpoint, {}), Events()
        began = time.perf_counter()
        for at in range(0, len(stream), 500):
            for event in events.feed(stream[at : at + 500]):
                usage.event(event)
        best = min(best, time.perf_counter() - began)
    assert best / 1000 * 1e6 < 30
