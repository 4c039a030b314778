"""Usage is asked for by a splice, and taken out so that not one byte tells that it was there."""

import json
import time
from itertools import pairwise
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_gateway.api.include_usage import UsageStripper, inject, needs_usage, stripped
from openai_gateway.api.members import members
from openai_gateway.api.sse import Event
from tests.support.fake_openai.asking import Asking, Memory
from tests.support.fake_openai.credentials import Door
from tests.support.fake_openai.families import chat
from tests.support.fake_openai.knobs import Knob

ASKED = b'{"include_usage":true}'


def test_only_streams_that_did_not_ask_need_it() -> None:
    assert needs_usage("chat.create", {"stream": True})
    assert needs_usage("completions.create", {"stream": True, "stream_options": None})
    assert needs_usage("chat.create", {"stream": True, "stream_options": {"include_usage": False}})
    assert not needs_usage(
        "chat.create", {"stream": True, "stream_options": {"include_usage": True}}
    )


@pytest.mark.parametrize(
    ("endpoint", "parsed"),
    [
        ("responses.create", {"stream": True}),
        ("chat.create", {"stream": False}),
        ("chat.create", {"stream": "true"}),
        ("chat.create", {"stream": True, "stream_options": "all"}),
        ("chat.create", {"stream": True, "stream_options": {"include_usage": "yes"}}),
        ("chat.create", {"stream": True, "stream_options": {"include_usage": 1}}),
        ("chat.create", [True]),
        ("chat.create", None),
    ],
)
def test_what_is_no_such_stream_is_left_to_openai(endpoint: str, parsed: object) -> None:
    assert not needs_usage(endpoint, parsed)


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        (b'{"stream":true}', b'{"stream_options":%b,"stream":true}' % ASKED),
        (b' \n{ "stream" : true }\n', b' \n{"stream_options":%b, "stream" : true }\n' % ASKED),
        (
            b'{"stream":true,"stream_options": null , "n":1}',
            b'{"stream":true,"stream_options": %b , "n":1}' % ASKED,
        ),
        (b'{"stream":true,"stream_options":{}}', b'{"stream":true,"stream_options":%b}' % ASKED),
        (
            b'{"stream_options" : { "include_obfuscation": false },"stream":true}',
            b'{"stream_options" : {"include_usage":true, "include_obfuscation": false },'
            b'"stream":true}',
        ),
        (
            b'{"stream_options":{"include_usage":false,"a":[1,{"b":"}"}]},"stream":true}',
            b'{"stream_options":{"include_usage":true,"a":[1,{"b":"}"}]},"stream":true}',
        ),
        (
            b'{"stream_options":{"a":{"include_usage":false},"include_usage" : null}}',
            b'{"stream_options":{"a":{"include_usage":false},"include_usage" : true}}',
        ),
        (
            b'{"stream_options":{"include_usage":false,"a":1,"include_usage":null}}',
            b'{"stream_options":{"include_usage":true,"a":1,"include_usage":true}}',
        ),
        # the same name elsewhere, in texts, twice, escaped
        (
            b'{"metadata":{"stream_options":null},"stream_options":null}',
            b'{"metadata":{"stream_options":null},"stream_options":%b}' % ASKED,
        ),
        (
            b'{"a":"\\"stream_options\\": null","b":"stream_options","stream_options":null}',
            b'{"a":"\\"stream_options\\": null","b":"stream_options","stream_options":%b}' % ASKED,
        ),
        (
            b'{"stream_options":{},"stream_options":null}',
            b'{"stream_options":%b,"stream_options":%b}' % (ASKED, ASKED),
        ),
        (
            b'{"stream_options":null,"x":"\\u00e9","stream\\u005foptions":{}}',
            b'{"stream_options":%b,"x":"\\u00e9","stream\\u005foptions":%b}' % (ASKED, ASKED),
        ),
    ],
)
def test_the_option_is_spliced_in_and_no_other_byte_changes(body: bytes, sent: bytes) -> None:
    assert inject(body, orjson.loads(body)) == sent
    assert orjson.loads(sent)["stream_options"]["include_usage"] is True


def test_a_huge_body_that_says_the_name_twice_is_left_as_it_is() -> None:
    body = b'{"metadata":{"stream_options":null},"stream_options":{},"x":"%b"}' % (b"y" * 5_000_000)
    assert inject(body, orjson.loads(body)) is body
    once = body.replace(b'"metadata":{"stream_options":null},', b"")
    assert orjson.loads(inject(once, orjson.loads(once)))["stream_options"] == {
        "include_usage": True
    }


@pytest.mark.parametrize("parsed", [None, [], {}, "x"])
def test_what_is_no_request_is_left_as_it_is(parsed: object) -> None:
    assert inject(b"{}", parsed) == b"{}"


JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
NAMES = st.text(max_size=6) | st.sampled_from(["stream_options", "include_usage", "usage", '"'])
OBJECTS: Any = st.dictionaries(NAMES, JSON | st.dictionaries(NAMES, JSON, max_size=3))
OPTIONS: Any = st.none() | st.dictionaries(NAMES, JSON).map(
    lambda options: {**options, "include_usage": False}
)


@given(OBJECTS, OPTIONS, st.booleans(), st.sampled_from([None, 1]), st.booleans())
def test_any_body_gains_the_option_and_nothing_else(
    body: Any, options: Any, named: bool, indent: int | None, ascii_only: bool
) -> None:
    value = {**body, "stream": True}
    value.pop("stream_options", None)
    if named:
        value["stream_options"] = options
    raw = json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode()
    sent = json.loads(inject(raw, value))
    kept = (options or {}) if named else {}
    assert sent == {**value, "stream_options": {**kept, "include_usage": True}}


@given(OBJECTS, st.sampled_from([None, 2]), st.booleans())
def test_members_are_found_where_they_lie(value: Any, indent: int | None, ascii_only: bool) -> None:
    raw = json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode()
    found = [(one.name, json.loads(raw[one.value : one.end])) for one in members(raw, 0)]
    assert found == list(value.items())


def stream(included: bool, **changes: Any) -> bytes:
    """The fake's own stream; ids and times are made equal."""
    body = {"model": "gpt-6-luna", "messages": [], "prompt": "x", "stream": True}
    body |= {"stream_options": {"include_usage": included, **changes.pop("options", {})}}
    route = chat.complete if changes.pop("legacy", False) else chat.create
    ask = Asking(None, Knob(**changes), Memory(), Door(), _json=body)  # type: ignore[arg-type]  # the body is at hand
    pieces = list(route(ask).pieces or ())
    first = json.loads(pieces[0].removeprefix(b"data: "))
    raw = b"".join(pieces)
    return raw.replace(first["id"].encode(), b"chatcmpl-1").replace(
        b'"created":%d' % first["created"], b'"created":1'
    )


def passed(chunks: list[bytes]) -> bytes:
    stripper = UsageStripper()
    out = b"".join(raw for chunk in chunks for _, raw in stripper.feed(chunk))
    rest = stripper.end()
    return out + (rest[1] if rest else b"")


SHAPES: list[dict[str, Any]] = [
    {},
    {"legacy": True},
    {"options": {"include_obfuscation": False}},
    {"text": 'say "usage":null, {"usage":null} and \\"usage\\": null'},
    {"text": "usage"},
    {"events": 3},
    {"crlf": True},
]


def crlf(raw: bytes, wanted: bool) -> bytes:
    return raw.replace(b"\n", b"\r\n") if wanted else raw


@pytest.mark.parametrize("shape", SHAPES)
def test_a_client_sees_the_stream_that_it_asked_for_wherever_it_is_cut(
    shape: dict[str, Any],
) -> None:
    knobs = {name: value for name, value in shape.items() if name != "crlf"}
    plain = crlf(stream(False, **dict(knobs)), "crlf" in shape)
    told = crlf(stream(True, **dict(knobs)), "crlf" in shape)
    assert b'"usage":{' in told
    assert b'"usage":{' not in plain
    assert passed([told]) == plain
    assert passed([told[at : at + 1] for at in range(len(told))]) == plain
    for at in range(0, len(told), 7):
        assert passed([told[:at], told[at:]]) == plain


@given(st.lists(st.integers(0, 5000), max_size=12))
def test_no_cut_shows_that_usage_was_asked_for(at: list[int]) -> None:
    told = stream(True)
    places = sorted({0, len(told), *(place % len(told) for place in at)})
    assert passed([told[a:b] for a, b in pairwise(places)]) == stream(False)


def test_a_stream_that_breaks_shows_a_beginning_of_the_one_asked_for() -> None:
    told, plain = stream(True), stream(False)
    for end in range(len(told)):
        assert plain.startswith(passed([told[:end]]))


@pytest.mark.parametrize("end", [b"\n", b""])
def test_a_last_event_without_its_blank_line_is_passed_on(end: bytes) -> None:
    told, plain = (stream(included).removesuffix(b"\n\n") + end for included in (True, False))
    assert passed([told]) == plain


@pytest.mark.parametrize(
    ("raw", "left"),
    [
        (b'{"a":1,"usage":null}', b'{"a":1}'),
        (b'{"a":1, "usage" : null , "b":2}', b'{"a":1 , "b":2}'),
        (b'{"usage":null,"a":1}', b'{"a":1}'),
        (b'{ "usage": null, "a": 1 }', b'{ "a": 1 }'),
        (b'{"usage":null}', b"{}"),
        (b'{"x":{"a":1,"usage":null},"usage":null}', b'{"x":{"a":1,"usage":null}}'),
        (b'{"usage":null,"x":[{"b":1,"usage":null}]}', b'{"x":[{"b":1,"usage":null}]}'),
        (b'{"x":{"a":1,"usage":null}}', b'{"x":{"a":1,"usage":null}}'),
        (b'{"choices":[],"usage":{"a":1}}', b""),
        (b'{"choices":[1],"usage":{"a":1}}', b'{"choices":[1],"usage":{"a":1}}'),
        (b'{"choices":[],"filter":[]}', b'{"choices":[],"filter":[]}'),
        (b'{"error":{"message":"no \\"usage\\""}}', b'{"error":{"message":"no \\"usage\\""}}'),
        (b'{"a":1,"usage":null', b'{"a":1,"usage":null'),
    ],
)
def test_only_the_top_levels_usage_goes(raw: bytes, left: bytes) -> None:
    kept = b"data: " + left + b"\n\n" if left else b""
    assert stripped(Event(b"data: " + raw + b"\n\n")) == kept


def test_comments_and_errors_pass_as_they_are() -> None:
    raw = b': "usage"\n\ndata: {"error":{"message":"x"}}\n\n: bye'
    assert passed([raw]) == raw


def test_an_event_is_stripped_within_its_time() -> None:
    chunk = stream(True).split(b"\n\n")[1] + b"\n\n"
    best = 1e9
    for _ in range(5):
        stripper = UsageStripper()
        began = time.perf_counter()
        for _ in range(500):
            stripper.feed(chunk)
        best = min(best, time.perf_counter() - began)
    assert best / 500 * 1e6 < 20
