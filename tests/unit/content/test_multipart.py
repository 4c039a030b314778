"""A multipart body has one reading, or none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_gateway.content.multipart import Malformed, boundary_of, parameters, parts, with_field

ONE = b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n--b--\r\n'


def test_parts_come_with_name_file_name_and_data() -> None:
    body = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a;b.wav"\r\n'
        b"Content-Type: audio/wav\r\n\r\n\r\n--c\r\n\r\n--b\r\n"
        b"content-disposition: form-data; name=n\r\n\r\n\r\n--b--"
    )
    file, field = parts(body, b"b")
    assert (file.name, file.filename, file.data) == ("file", "a;b.wav", b"\r\n--c\r\n")
    assert (field.name, field.filename, field.data) == ("n", None, b"")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--b--",
        b"preamble\r\n" + ONE,
        ONE.replace(b"--b--", b"--b"),
        ONE[:-6],
        ONE + b"epilogue",
        ONE + ONE,
        ONE.replace(b"\r\n\r\n", b"\r\n"),
        ONE.replace(b"\r\n", b"\n"),
        ONE.replace(b"--b\r\n", b"--bc\r\n"),
        ONE.replace(b"Content-Disposition:", b"Content-Disposition"),
        ONE.replace(b'"model"', b'"model'),
        ONE.replace(b'"model"', b'"model"; name="other"'),
        ONE.replace(b"\r\n\r\n", b"\r\nx: " + b"y" * 20_000 + b"\r\n\r\n"),
        b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\n" * 3000 + b"\r\n--b--",
    ],
)
def test_what_is_not_whole_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        parts(body, b"b")


@pytest.mark.parametrize(
    "value",
    [
        b"multipart/form-data",
        b"multipart/form-data; boundary=",
        b'multipart/form-data; boundary=""',
        b"multipart/form-data; boundary=" + b"x" * 71,
        b"multipart/form-data; boundary=\xc3\xa9",
        b"multipart/form-data; boundary=a; boundary=b",
        b'multipart/form-data; boundary="a',
    ],
)
def test_a_boundary_is_named_once_and_short(value: bytes) -> None:
    with pytest.raises(Malformed):
        boundary_of(value)


def test_a_quoted_boundary_is_read() -> None:
    assert boundary_of(b'multipart/form-data; charset=utf-8; Boundary="a;b c"') == b"a;b c"


def test_parameters_are_in_lower_case() -> None:
    assert parameters(b"Text/Plain; Charset=UTF-8") == (b"text/plain", {b"charset": b"UTF-8"})


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=5))
def test_data_comes_back_as_it_was(values: list[bytes]) -> None:
    boundary = b"q" * 40
    head = b"--" + boundary + b'\r\nContent-Disposition: form-data; name="f"\r\n\r\n'
    body = b"".join(head + value + b"\r\n" for value in values) + b"--" + boundary + b"--\r\n"
    assert [part.data for part in parts(body, boundary)] == values


def test_a_field_is_replaced_and_no_other_byte() -> None:
    file = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        b"whisper-1\r\n--c\r\n"
    )
    body = file + ONE
    assert with_field(body, b"b", "model", b"other") == file + ONE.replace(b"whisper-1", b"other")
    assert with_field(body, b"b", "absent", b"other") == body
    with pytest.raises(Malformed):
        with_field(body[:-6], b"b", "model", b"other")


@given(st.lists(st.binary(max_size=40).filter(lambda data: b"--b" not in data), max_size=4))
def test_whatever_stands_around_a_field_stays(others: list[bytes]) -> None:
    head = b'--b\r\nContent-Disposition: form-data; name="n"\r\n\r\n%b\r\n'
    around = b"".join(head % data for data in others)
    body = around + ONE[:-7] + around + b"--b--\r\n"
    left = with_field(body, b"b", "model", b"m")
    assert left == body.replace(b"\r\nwhisper-1\r\n", b"\r\nm\r\n")
