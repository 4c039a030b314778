"""Strings are found where they lie, and edits leave JSON what it was."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_gateway.leaks.answers.answer_splice import (
    Path,
    begins_json,
    in_json,
    path_at,
    span,
    spans,
    walk,
    without_odds,
    written,
)
from openai_gateway.leaks.reading.edits import Edit, applied

JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=12,
)
type Object = dict[str, Any]
STYLES = st.sampled_from(
    [{"separators": (",", ":")}, {"indent": 1}, {"ensure_ascii": False}, {"indent": "\t"}]
)


def strings(value: object, path: Path = ()) -> dict[Path, str]:
    if isinstance(value, str):
        return {path: value}
    steps: Any = value.items() if isinstance(value, dict) else ()
    steps = enumerate(value) if isinstance(value, list) else steps
    return {at: text for step, inner in steps for at, text in strings(inner, (*path, step)).items()}


@given(value=JSON, style=STYLES)
def test_a_walk_meets_every_string_with_its_path(value: object, style: dict[str, Any]) -> None:
    raw = json.dumps({"x": value}, **style).encode("utf-8", "surrogatepass")
    met = {
        tuple(path): orjson.loads(raw[start:end])
        for path, start, end in walk(raw)
        if raw[start : start + 1] == b'"'
    }
    assert met == strings({"x": value})
    for path, start, end in spans(raw, met.keys()):
        assert path_at(raw, start) == path_at(raw, end - 1) == path


def test_a_name_that_stands_once_is_found_at_once() -> None:
    raw = b'data: {"a":"\\"content\\":\\"x\\"", "content" : "b\\"c", "contents":"d"}\n\n'
    found = span(raw, ("content",), 'b"c')
    assert found is not None
    assert raw[found[0] : found[1]] == b'"b\\"c"'


@pytest.mark.parametrize(
    "raw",
    [
        b'{"content":"a","x":{"content":"a"}}',
        b'{"cont\\u0065nt":"a"}',
        b'{"content":"b"}',
    ],
)
def test_a_name_that_stands_twice_or_otherwise_is_not_guessed(raw: bytes) -> None:
    assert span(raw, ("content",), "a") is None
    assert span(raw, ("other",), "a") is None


@given(value=JSON, style=STYLES, data=st.data())
def test_edits_anywhere_leave_json(
    value: object, style: dict[str, Any], data: st.DataObject
) -> None:
    raw = json.dumps([value], **style).encode("utf-8", "surrogatepass")
    bounds = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=6)))
    pairs = zip(bounds[::2], bounds[1::2], strict=False)
    # as a finder cuts: never inside of an escape or of a character
    edits = [Edit(start, end, b"[R]") for start, end in pairs if start < end and b"\\" not in raw
             and raw[start] < 0x80 and (end == len(raw) or raw[end] < 0x80)]  # fmt: skip
    made = in_json(raw, edits)
    json.loads(applied(raw, made))
    for edit in made:
        assert any(edit.start < one.end and one.start < edit.end for one in edits)


@given(before=st.text(alphabet='ab"\\ é', max_size=9), number=st.integers(100, 10**18))
def test_a_piece_of_json_may_begin_inside_of_a_string(before: str, number: int) -> None:
    whole = json.dumps({"a": f"{before}secret{before}", "n": number, "b": "x"}).encode()
    text_at, number_at = whole.index(b"secret"), whole.index(str(number).encode())
    for cut in (text_at, text_at + 2):
        piece = whole[cut:]
        edits = [
            Edit(0, text_at + 6 - cut, b"[R]"),
            Edit(number_at - cut, number_at - cut + len(str(number)), b"[N]"),
        ]
        value = json.loads(whole[:cut] + applied(piece, in_json(piece, edits, in_string=True)))
        kept = whole[text_at:cut].decode()
        assert value == {"a": f"{before}{kept}[R]{before}", "n": "[N]", "b": "x"}


def test_an_edit_over_two_strings_is_made_in_each() -> None:
    raw = b'{"ab":"cd", "n":1}'
    assert applied(raw, in_json(raw, [Edit(3, 8, b"[R]")])) == b'{"a[R]":"[R]d", "n":1}'


def test_where_it_is_no_json_nothing_is_lost() -> None:
    raw = b'{"a": 1} and 5ecret3 then "it, 77'
    edits = [Edit(13, 20, b"[R]"), Edit(27, 33, b"[S]")]
    assert applied(raw, in_json(raw, edits)) == b'{"a": 1} and [R] then "[S]'


@pytest.mark.parametrize(
    ("text", "json"),
    [
        (b"", None), (b" \n", None), (b" {", None), (b"[ \n", None), (b'{"a', True),
        (b'{ "', True), (b"{}", True), (b"[]", True), (b'[{"', True), (b"[[", True),
        (b"[Interface]", False), (b"[1] says", False), (b"{name}", False), (b"Hi {", False),
    ],
)  # fmt: skip
def test_what_begins_as_an_object_or_a_list_is_json(text: bytes, json: bool | None) -> None:
    assert begins_json(text) is json


def test_log_probabilities_are_taken_out_at_any_depth() -> None:
    raw = b'{"logprobs":[{"logprobs":{"a":1}}],"x":[{"logprobs":{"content":[]}},{"logprobs":null}]}'
    assert without_odds(raw) == (b'{"logprobs":[],"x":[{"logprobs":null},{"logprobs":null}]}')
    assert without_odds(b'{"a":"logprobs"}') == b'{"a":"logprobs"}'


def test_a_string_is_written_as_its_event_is() -> None:
    assert written("é\n".encode(), ascii_only=True) == b'"\\u00e9\\n"'
    assert written("é\n".encode(), ascii_only=False) == '"é\\n"'.encode()
