"""Which bodies are kept, and in what form."""

import base64
import gzip

import pytest

from openai_gateway.accounting.bodies import WITHHELD, Body, of, stored
from openai_gateway.core.call import Call, Content, Request

JSON = (b"content-type", b"application/json")


def call(body: bytes = b'{"a": 1}', *headers: tuple[bytes, bytes], judged: bool = True) -> Call:
    made = Call(Request("POST", "api.openai.com", b"/v1/responses", [JSON, *headers], body))
    made.content, made.judged, made.request_bytes = Content(body, "json"), judged, len(body)
    return made


def same(data: bytes) -> bytes:
    return data


def text(data: bytes, kind: str = "application/json") -> object:
    return stored(Body("gw_1", "request", 0.0, kind, len(data), data), same)["body"]


def test_both_sides_are_kept_with_their_sizes() -> None:
    made = call()
    made.answer_type, made.answer_kept = "application/json; charset=utf-8", b'{"b": 2}'
    made.response_bytes = 8
    request, response = of(made, 100)
    assert (request.side, request.size, request.cut, request.data) == (
        "request", 8, False, b'{"a": 1}',
    )  # fmt: skip
    assert (response.side, response.size, response.cut) == ("response", 8, False)
    row = stored(response, same)
    assert (row["id"], row["content_type"], row["body"]) == (
        made.id, "application/json; charset=utf-8", '{"b": 2}',
    )  # fmt: skip


def test_a_request_that_was_not_judged_is_not_kept() -> None:
    assert of(call(judged=False), 100) == ()


def test_what_is_longer_is_cut_and_marked() -> None:
    made = call(b"x" * 50)
    made.answer_type, made.answer_kept, made.response_bytes = "text/plain", b"y" * 10, 11
    request, response = of(made, 10)
    assert (request.data, request.size, request.cut) == (b"x" * 10, 50, True)
    assert (response.data, response.size, response.cut) == (b"y" * 10, 11, True)


def test_a_packed_body_is_kept_unpacked() -> None:
    made = call(gzip.compress(b'{"a": 1}'), (b"content-encoding", b"gzip"))
    made.content = Content(b'{"a": 1}', "json")
    assert of(made, 100)[0].data == b'{"a": 1}'


def test_an_unpacked_body_that_was_changed_is_kept_as_it_left() -> None:
    made = call(b'{"stream_options": {}, "a": 1}')
    made.content = Content(b'{"a": 1}', "json")
    assert of(made, 100)[0].data == b'{"stream_options": {}, "a": 1}'


def test_what_nobody_reads_is_told_by_its_size() -> None:
    picture = base64.b64encode(bytes(range(256)) * 4)
    assert text(b'{"b64_json": "%b"}' % picture) == (
        f'{{"b64_json": "(base64, {len(picture)} characters)"}}'
    )
    numbers = ", ".join(["-0.0123"] * 1536).encode()
    assert text(b'{"embedding": [%b]}' % numbers) == '{"embedding": (numbers, 1536)}'
    assert text(b"\x00\x01", "audio/mpeg") == "(audio/mpeg, 2 bytes)"
    assert text(b"{}", "gzip coded") == "(gzip coded, 2 bytes)"
    assert text(b"{}", "") == "(unnamed, 2 bytes)"


def test_short_runs_and_lists_stay() -> None:
    said = b'{"id": "%b", "v": [1.5, 2.5]}' % (b"a" * 100)
    assert text(said) == said.decode()


@pytest.mark.parametrize("kind", ["text/event-stream", "application/problem+json", "json"])
def test_text_of_every_kind_is_kept(kind: str) -> None:
    assert text(b"data: x\n\n", kind) == "data: x\n\n"


def test_what_holds_a_secret_that_cannot_be_taken_out_is_withheld() -> None:
    body = Body("gw_1", "request", 0.0, "application/json", 2, b"{}")
    assert stored(body, lambda _: None)["body"] == WITHHELD


def test_what_looks_like_a_key_is_masked_in_body_and_type() -> None:
    key = "sk-proj-" + "FAKE" * 8
    said = b'{"k": "%b"}' % key.encode()
    row = stored(Body("gw_1", "request", 0.0, f"application/json; a={key}", 9, said), same)
    assert "FAKE" not in str(row)


def test_no_zero_byte_reaches_the_database() -> None:
    assert text(b"a\0b\xff", "text/plain") == "ab\ufffd"
