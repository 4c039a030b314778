"""What a request asks for that costs money."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_gateway.budgets.asked import Asked, asked
from openai_gateway.core.call import Call, Content
from tests.budgets.rig import chat

CHAT, RESPONSES = b"/v1/chat/completions", b"/v1/responses"


def of(target: bytes, method: str = "POST", **body: object) -> Asked:
    found = asked(chat({"max_completion_tokens": None, **body}, target, method))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", b"/v1/models"),
        ("POST", b"/v1/moderations"),
        ("POST", b"/v1/files"),
        ("GET", b"/v1/responses/resp_1"),
        ("GET", b"/v1/batches/batch_1"),
    ],
)
def test_what_costs_nothing_by_itself_asks_for_nothing(method: str, target: bytes) -> None:
    assert asked(chat({}, target, method)) is None


def test_an_unknown_endpoint_may_cost_something() -> None:
    assert asked(chat({}, b"/v1/brand/new")) is not None


@pytest.mark.parametrize(
    ("target", "body", "bound", "answers"),
    [
        (CHAT, {}, None, 1),
        (CHAT, {"max_tokens": 50}, 50, 1),
        (CHAT, {"max_completion_tokens": 60, "max_tokens": 50}, 60, 1),
        (CHAT, {"max_tokens": 50, "n": 3}, 50, 3),
        (CHAT, {"max_tokens": 0}, 0, 1),
        (CHAT, {"max_tokens": -1, "n": -4}, None, 1),
        (CHAT, {"max_tokens": "50", "n": 2.0}, 50, 2),
        (CHAT, {"max_tokens": True, "n": None}, None, 1),
        (RESPONSES, {"max_output_tokens": 70}, 70, 1),
        (RESPONSES, {"max_output_tokens": "inf"}, None, 1),
        (b"/v1/completions", {"prompt": "a", "max_tokens": 5, "best_of": 4, "n": 2}, 5, 4),
        (b"/v1/completions", {"prompt": ["a", "b", "c"], "max_tokens": 5, "n": 2}, 5, 6),
        (b"/v1/completions", {"prompt": [1, 2, 3], "max_tokens": 5}, 5, 1),
        (b"/v1/completions", {"prompt": [[1, 2], [3]], "max_tokens": 5}, 5, 2),
        (b"/v1/completions", {"prompt": [], "max_tokens": 5}, 5, 1),
        (CHAT, {"max_tokens": 10**18, "n": 10**18}, 10**9, 10**9),
    ],
)
def test_the_most_that_it_may_write(
    target: bytes, body: dict[str, object], bound: int | None, answers: int
) -> None:
    found = of(target, **body)
    assert (found.bound, found.answers) == (bound, answers)


def test_the_input_is_what_its_bytes_weigh() -> None:
    # 400 bytes of text are 100 tokens, and a message 4 more
    found = of(CHAT, messages=[{"role": "user", "content": "four" * 100}])
    assert found.read == 104


@pytest.mark.parametrize(
    ("target", "body", "unseen"),
    [
        (CHAT, {}, False),
        (CHAT, {"tools": [{"type": "function"}, {"type": "custom"}]}, False),
        (CHAT, {"tools": "none", "conversation": None}, False),
        (b"/v1/completions", {"prompt": "some text"}, False),
        (RESPONSES, {"previous_response_id": "resp_1"}, True),
        (RESPONSES, {"conversation": "conv_1"}, True),
        (RESPONSES, {"prompt": {"id": "pmpt_1"}}, True),
        (RESPONSES, {"tools": [{"type": "web_search_2025_08_26"}]}, True),
        (RESPONSES, {"tools": [{"type": "mcp", "server_url": "https://x.example"}]}, True),
        (RESPONSES, {"input": [{"type": "input_file", "file_id": "file-1"}]}, True),
        (CHAT, {"web_search_options": {"search_context_size": "low"}}, True),
        (b"/v1/threads/runs", {}, True),
    ],
)
def test_input_that_lies_elsewhere_is_known_to_be_there(
    target: bytes, body: dict[str, object], unseen: bool
) -> None:
    assert of(target, **body).unseen == unseen


@pytest.mark.parametrize(
    ("body", "units", "pictures"),
    [
        ({}, {}, 0),
        ({"tools": [{"type": "web_search"}]}, {"web_search": 10}, 0),
        ({"tools": [{"type": "web_search_preview_2025_03_11"}], "max_tool_calls": 2},
         {"web_search_preview": 2}, 0),
        ({"tools": [{"type": "file_search"}, {"type": "code_interpreter",
          "container": {"type": "auto", "memory_limit": "4g"}}], "max_tool_calls": 3},
         {"file_search": 3, "container:4g": 1}, 0),
        ({"tools": [{"type": "code_interpreter", "container": "cntr_1"}]}, {"container:1g": 1}, 0),
        ({"tools": [{"type": "image_generation"}], "max_tool_calls": 2}, {}, 2),
    ],
)  # fmt: skip
def test_what_tools_may_cost_by_the_call(
    body: dict[str, object], units: dict[str, int], pictures: int
) -> None:
    found = of(RESPONSES, **body)
    assert (found.most_units, found.pictures) == (units, pictures)


@pytest.mark.parametrize(
    ("body", "likely", "bound", "answers"),
    [
        ({}, 1056, 6240, 1),
        ({"quality": "low", "n": 4}, 272, 408, 4),
        ({"quality": "high"}, 4160, 6240, 1),
        ({"quality": ["high"], "partial_images": 3}, 1356, 6540, 1),
    ],
)
def test_pictures(body: dict[str, object], likely: int, bound: int, answers: int) -> None:
    found = of(b"/v1/images/generations", prompt="a cat", **body)
    assert (found.likely, found.bound, found.answers) == (likely, bound, answers)


def test_pictures_of_a_form_count_those_that_go_in() -> None:
    call = chat({}, b"/v1/images/edits")
    parts = [("model", b"gpt-image-1"), ("n", b"2"), ("image[]", b"\x89PNG"), ("image[]", b"\xff")]
    body = b"".join(
        b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name.encode(), data)
        for name, data in parts
    )
    call.request.headers.append((b"content-type", b"multipart/form-data; boundary=b"))
    call.content = Content(body + b"--b--\r\n", "multipart")
    found = asked(call)
    assert found is not None
    assert (found.read, found.answers) == (3200, 2)


def test_speech_is_characters_and_the_sound_of_them() -> None:
    found = of(b"/v1/audio/speech", input="a" * 150)
    # 150 characters are 10 s, and a second is 20 tokens
    assert (found.units, found.likely, found.bound) == ({"character": 150}, 200, 400)


def test_hearing_is_seconds_by_the_size_of_the_file() -> None:
    call = chat({}, b"/v1/audio/transcriptions")
    call.content = Content(bytes(32_000), "multipart")
    found = asked(call)
    assert found is not None
    assert (found.units, found.most_units) == ({"second": 2}, {"second": 32})


def test_films_are_seconds_of_a_size() -> None:
    found = of(b"/v1/videos", seconds="8", size="1024x1792")
    assert found.units == found.most_units == {"video_second:1024x1792": 8}
    found = of(b"/v1/videos")
    assert (found.units, found.most_units) == (
        {"video_second:720x1280": 4},
        {"video_second:720x1280": 12},
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)
NAMES = st.sampled_from(
    [
        *("model", "n", "best_of", "max_tokens", "max_output_tokens", "max_tool_calls", "tools"),
        *("prompt", "input", "messages", "quality", "image", "seconds", "size", "service_tier"),
    ]
)
PLACES = st.sampled_from(
    [
        *(CHAT, RESPONSES, b"/v1/completions", b"/v1/images/edits", b"/v1/audio/speech"),
        *(b"/v1/audio/transcriptions", b"/v1/videos", b"/v1/embeddings", b"/v1/x"),
    ]
)


@given(PLACES, JSON | st.dictionaries(NAMES, JSON))
def test_no_body_is_too_odd(target: bytes, body: object) -> None:
    call: Call = chat({}, target)
    call.content = Content(repr(body).encode("utf-8", "replace"), "json", body)
    found = asked(call)
    assert found is not None
    assert found.read >= 0
    assert orjson.dumps(found.answers)
