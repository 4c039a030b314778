"""A body is what its headers say, or it is refused."""

import gzip
import json

import pytest

from openai_gateway.content.body import read
from openai_gateway.core.call import Content, Header

LIMIT = 1 << 20
JSON: Header = (b"Content-Type", b"application/json; charset=utf-8")
FORM = b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n--b--\r\n'


def of(body: bytes, *headers: Header) -> Content:
    return read(headers, body, LIMIT)


def typed(body: bytes, content_type: bytes) -> Content:
    return of(body, (b"content-type", content_type))


def test_json_is_parsed_and_kept_byte_for_byte() -> None:
    body = b'{ "model" : "gpt-5-mini", "n":1 }'
    content = of(body, JSON)
    assert content.data is body
    assert (content.kind, content.fault) == ("json", None)
    assert content.parsed == {"model": "gpt-5-mini", "n": 1}


def test_a_coded_body_is_read_without_its_coding() -> None:
    content = of(gzip.compress(b'{"a":1}'), JSON, (b"content-encoding", b"gzip"))
    assert (content.data, content.parsed) == (b'{"a":1}', {"a": 1})


@pytest.mark.parametrize(
    ("body", "content_type", "kind"),
    [
        (b"{}", b"application/json", "json"),
        (b"[]", b"APPLICATION/Problem+JSON", "json"),
        (b'"text"', b"application/json", "json"),
        (FORM, b"multipart/form-data; boundary=b", "multipart"),
        (b"a=1&b=%20", b"application/x-www-form-urlencoded", "form"),
        (b"v=0\r\n", b"application/sdp", "binary"),
        (b"\xff\0", b"application/octet-stream", "binary"),
        (b"\xff\0", b"audio/wav", "binary"),
        ("a".encode("utf-16"), b"text/plain", "text"),
        (b"{not json", b"text/plain", "text"),
    ],
)
def test_kinds(body: bytes, content_type: bytes, kind: str) -> None:
    content = typed(body, content_type)
    assert (content.kind, content.fault) == (kind, None)


def test_an_empty_body_is_fine_under_any_header() -> None:
    assert of(b"", JSON, (b"content-encoding", b"gzip")) == Content()


@pytest.mark.parametrize("body", [b' {"a":1}', b"[1]"])
def test_json_without_a_content_type_is_json(body: bytes) -> None:
    assert of(body).kind == "json"


def test_other_bytes_without_a_content_type_are_binary() -> None:
    assert of(b"abc").kind == "binary"


BROKEN = {
    "cut": b'{"model":',
    "trailing": b"{} {}",
    "nan": b'{"a": NaN}',
    "utf-8": b'{"a": "\xff"}',
    "mark": b'\xef\xbb\xbf{"a": 1}',
    "utf-16": '{"a": 1}'.encode("utf-16"),
    "utf-16 be": '{"a": 1}'.encode("utf-16-be"),
    "utf-32": '{"a": 1}'.encode("utf-32"),
    "deep": b"[" * 100_000 + b"]" * 100_000,
    "blank": b"  ",
}


@pytest.mark.parametrize("form", BROKEN)
def test_what_is_no_json_is_unreadable(form: str) -> None:
    content = of(BROKEN[form], JSON)
    assert content.fault == "gateway_unreadable_body"
    assert content.data == BROKEN[form]
    assert content.parsed is None


@pytest.mark.parametrize("form", sorted(set(BROKEN) - {"blank"}))
def test_what_is_no_json_is_unreadable_without_a_content_type(form: str) -> None:
    assert of(BROKEN[form]).fault == "gateway_unreadable_body"


TWICE = {
    "model": b'{"model":"a","x":1,"model":"b"}',
    "stream": b'{"stream":false,"stream":true}',
    "maximum": b'{"max_completion_tokens":1,"max_completion_tokens":2}',
    "blank before colon": b'{"model" :"a","model"\n:"b"}',
    "escaped": b'{"model":"a","mod\\u0065l":"b"}',
    "escaped, upper": b'{"stream":true,"str\\u0065a\\u006D":false}',
    "both escaped": b'{"m\\u006fdel":"a","\\u006dodel":"b"}',
    "escaped underscore": b'{"max_tokens":1,"max\\u005Ftokens":2}',
}


@pytest.mark.parametrize("form", TWICE)
def test_a_deciding_name_that_comes_twice_is_unreadable(form: str) -> None:
    content = of(TWICE[form], JSON)
    assert content.fault == "gateway_unreadable_body"
    assert "twice" in content.detail


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"a","tools":[{"model":"b"},{"model":"c"}]}',
        b'{"model":"model","input":"\\"model\\":"}',
        b'{"user":"a","user":"b"}',
        b'{"model":"a","input":"\\u0065 \\u4e2d"}',
        b'[{"model":1},{"model":2}]',
    ],
)
def test_other_repetitions_are_fine(body: bytes) -> None:
    assert of(body, JSON).fault is None


def test_a_long_list_of_names_is_read_in_time() -> None:
    body = json.dumps({"input": [{"model": n} for n in range(30_000)], "model": "a"}).encode()
    assert of(body, JSON).fault is None


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (FORM, b"multipart/form-data"),
        (FORM, b"multipart/form-data; boundary=c"),
        (FORM[:-8], b"multipart/form-data; boundary=b"),
        (FORM.replace(b"--b--", FORM), b"multipart/form-data; boundary=b"),
        (FORM[:-7] + FORM, b"multipart/form-data; boundary=b"),
        (b"model=a&model=b", b"application/x-www-form-urlencoded"),
        (b"a=1&" * 20_000, b"application/x-www-form-urlencoded"),
        (b"{}", b"application/json; charset=utf-16"),
        (b"{}", b"application/json; charset=utf-7"),
        (b"{}", b'application/json; charset="utf-8'),
    ],
)
def test_what_is_not_what_its_content_type_says_is_unreadable(
    body: bytes, content_type: bytes
) -> None:
    assert typed(body, content_type).fault == "gateway_unreadable_body"


def test_two_content_types_are_unreadable() -> None:
    other: Header = (b"content-type", b"text/plain")
    assert of(b"{}", JSON, other).fault == "gateway_unreadable_body"
    assert of(b"{}", JSON, JSON).fault is None


def test_an_unknown_coding_and_a_large_body_name_their_own_codes() -> None:
    assert of(b"{}", (b"content-encoding", b"x")).fault == "gateway_unsupported_encoding"
    assert read([JSON], b"{}" * 10, 10).fault == "gateway_body_too_large"


@pytest.mark.parametrize("coding", [b"gzip, chunked", b"deflate,chunked", b"compress, chunked"])
def test_a_transfer_coding_that_the_next_hop_would_undo_is_unsupported(coding: bytes) -> None:
    content = read([(b"Transfer-Encoding", coding)], b"anything", 100)
    assert content.fault == "gateway_unsupported_encoding"


def test_a_chunked_body_is_read() -> None:
    assert read([(b"transfer-encoding", b"Chunked")], b"{}", 100).fault is None
