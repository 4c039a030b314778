"""What is reserved for a call, each number worked out by hand: bytes / 4, 4 a message."""

import json
from pathlib import Path

import pytest

from openai_gateway.api.endpoints import EndpointTable
from openai_gateway.config.rules import rule_file
from openai_gateway.content.body import read
from openai_gateway.core.call import Call, Request
from openai_gateway.limits.estimate import (
    FIRST_OUTPUT,
    INLINE,
    LATELY,
    MOST,
    SHORT,
    Estimate,
    Recent,
    is_heavy,
    of_call,
    of_request,
)

TABLE = EndpointTable.load(rule_file(Path(), "rules/endpoints.yaml"))
JSON = (b"content-type", b"application/json")


def called(path: str, body: bytes, *headers: tuple[bytes, bytes], method: str = "POST") -> Call:
    call = Call(Request(method, "api.openai.com", path.encode(), list(headers), body))
    call.content = read(headers, body, 2**26)
    row = TABLE.match(method, path.encode())
    if row is not None:
        call.endpoint, call.route = row.name, row
    call.model_requested = "gpt-5-mini"
    return call


def guess(path: str, body: object, recent: Recent | None = None) -> Estimate:
    return of_call(called(path, json.dumps(body).encode(), JSON), recent or Recent())


HELLO = [{"role": "user", "content": "Hello!!!"}]  # 8 bytes are 2 tokens, and 4 for the message


@pytest.mark.parametrize(
    ("bounds", "output"),
    [
        ({"max_tokens": 100}, 100),
        ({"max_completion_tokens": 70}, 70),
        ({"max_tokens": 100, "n": 3}, 300),
        ({"max_tokens": 100, "max_completion_tokens": 900}, 900),
        ({}, 256),
        ({"n": 2}, 512),
        ({"max_tokens": None}, 256),
        ({"max_tokens": -1}, 256),
        ({"max_tokens": "100"}, 100),
        ({"max_tokens": 100.0}, 100),
        ({"max_tokens": True}, 256),
        ({"max_tokens": 0}, 0),
        ({"max_tokens": 10**30}, MOST),
        ({"max_tokens": 10, "n": 10**30}, MOST),
        ({"n": "x"}, 256),
    ],
)
def test_a_chat_reserves_its_input_and_the_most_it_may_write(bounds: dict, output: int) -> None:
    found = guess("/v1/chat/completions", {"messages": HELLO} | bounds)
    assert (found.input_tokens, found.output_tokens) == (6, output)
    assert found.tokens == 6 + output


def test_the_responses_api_bounds_its_output_by_another_name() -> None:
    found = guess("/v1/responses", {"input": "Hello!!!", "max_output_tokens": 50, "n": 9})
    assert found == Estimate(2, 50)


def test_completions_write_best_of_where_that_is_more() -> None:
    found = guess("/v1/completions", {"prompt": "Hello!!!", "max_tokens": 5, "best_of": 4, "n": 2})
    assert found == Estimate(2, 20, answers=4)


@pytest.mark.parametrize("path", ["/v1/embeddings", "/v1/moderations"])
def test_what_is_only_read_writes_nothing(path: str) -> None:
    assert guess(path, {"input": ["Hello!!!", "Hello!!!"]}) == Estimate(4)


@pytest.mark.parametrize(
    ("body", "images", "output"),
    [
        ({"prompt": "A cat..."}, 1, 1056),
        ({"prompt": "A cat...", "n": 4, "quality": "low"}, 4, 4 * 272),
        ({"prompt": "A cat...", "quality": "high", "partial_images": 2}, 1, 4160 + 200),
    ],
)
def test_images_are_counted_and_their_tokens_reserved(body: dict, images: int, output: int) -> None:
    assert guess("/v1/images/generations", body) == Estimate(2, output, images, images)


def form(*fields: tuple[str, bytes]) -> tuple[bytes, tuple[bytes, bytes]]:
    parts = b"".join(
        b'--X\r\ncontent-disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name.encode(), value)
        for name, value in fields
    )
    return parts + b"--X--\r\n", (b"content-type", b"multipart/form-data; boundary=X")


def test_an_edit_counts_the_pictures_of_its_form() -> None:
    body, head = form(
        ("prompt", b"A cat..."), ("n", b"2"), ("quality", b"low"),
        ("image[]", b"\x89PNG" * 500), ("image[]", b"\x89PNG" * 500),
    )  # fmt: skip
    found = of_call(called("/v1/images/edits", body, head), Recent())
    assert found == Estimate(2 + 2 * 1600, 2 * 272, 2, 2)


def test_a_transcription_is_charged_by_the_length_of_its_sound() -> None:
    body, head = form(("model", b"gpt-4o-transcribe"), ("file", bytes(160_000)))
    found = of_call(called("/v1/audio/transcriptions", body, head), Recent())
    assert found == Estimate(-(-len(body) // 1600), FIRST_OUTPUT)  # 160 kB are 10 s: 100 tokens
    assert found.input_tokens == 101


def test_speech_is_charged_by_its_text() -> None:
    assert guess("/v1/audio/speech", {"input": "x" * 30}) == Estimate(8, 40)  # 2 s of 20 tokens


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/models"),
        ("GET", "/v1/responses/resp_1"),
        ("POST", "/v1/responses/input_tokens"),
        ("POST", "/v1/files"),
        ("POST", "/v1/batches"),
        ("POST", "/v1/videos"),
    ],
)
def test_what_costs_no_tokens_reserves_none(method: str, path: str) -> None:
    body = json.dumps({"input": "Hello!!!", "max_tokens": 5}).encode()
    assert of_call(called(path, body, JSON, method=method), Recent()) == Estimate()


def test_an_unknown_endpoint_is_taken_to_cost_tokens() -> None:
    assert guess("/v1/brand/new", {"input": "Hello!!!", "max_tokens": 5}) == Estimate(2, 5)


def test_without_a_bound_it_is_what_the_model_lately_wrote() -> None:
    recent = Recent()
    recent.note("gpt-5-mini", 100)
    recent.note("gpt-5-mini", 301)
    assert guess("/v1/chat/completions", {"messages": HELLO, "n": 2}, recent).output_tokens == 402
    assert of_request({}, "responses.ws", "gpt-6-luna", recent).output_tokens == FIRST_OUTPUT


def test_the_memory_of_outputs_is_of_the_last_answers_of_a_bounded_number_of_models() -> None:
    recent = Recent(most=2)
    for _ in range(LATELY):
        recent.note("a", 1000)
    for _ in range(LATELY):
        recent.note("a", 10)
    assert recent.of("a") == 10
    recent.note("b", 1)
    recent.note("c", 1)
    assert (recent.of("a"), recent.of("b"), recent.of("c")) == (FIRST_OUTPUT, 1, 1)


@pytest.mark.parametrize(
    ("data", "heavy"),
    [
        (b"x" * INLINE, False),
        (b"x" * (INLINE + 1), True),
        (b"[" * SHORT, False),
        (b"[" * (SHORT + 1), True),
        (b"word, " * 1000, False),
        (b'{"role": "user"},' * 501, True),
    ],
)
def test_what_is_large_or_involved_is_weighed_in_a_thread(data: bytes, heavy: bool) -> None:
    assert is_heavy(data) is heavy


@pytest.mark.parametrize("body", [b"[]", b"null", b'{"messages": 7, "n": []}', b'"text"'])
def test_any_json_has_an_estimate(body: bytes) -> None:
    assert of_call(called("/v1/chat/completions", body, JSON), Recent()).output_tokens == 256


def test_a_form_that_cannot_be_read_has_an_estimate() -> None:
    body, head = form(("prompt", b"A cat..."))
    call = called("/v1/images/edits", body, head)
    call.request.headers = []
    assert of_call(call, Recent()).images == 1
