"""Edits in place: whatever else stands in the body stays, byte for byte."""

import json
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from openai_gateway.staging.edits import Add, Put, Rename, spliced, told

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)
SCALAR = st.none() | st.booleans() | st.integers(-(10**12), 10**12) | TEXT
VALUE = st.recursive(
    SCALAR, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=12,
)  # fmt: skip
BLANK = st.text(" \t\r\n", max_size=3)
NAMES = ("model", "max_tokens", "reasoning_effort", "max_completion_tokens")


@st.composite
def _text(draw: st.DrawFn, value: Any) -> str:
    """A JSON text of this value, with blanks and escapes as somebody might write them."""
    if isinstance(value, str):
        return draw(_string(value))
    if isinstance(value, list):
        inner = ",".join(_blanks(draw, draw(_text(one))) for one in value)
        return f"[{inner or draw(BLANK)}]"
    if isinstance(value, dict):
        members = [
            f"{_blanks(draw, draw(_string(name)))}:{_blanks(draw, draw(_text(one)))}"
            for name, one in value.items()
        ]
        return f"{{{','.join(members) or draw(BLANK)}}}"
    return json.dumps(value)


def _blanks(draw: st.DrawFn, text: str) -> str:
    return f"{draw(BLANK)}{text}{draw(BLANK)}"


@st.composite
def _string(draw: st.DrawFn, text: str) -> str:
    if not draw(st.booleans()):
        return json.dumps(text, ensure_ascii=draw(st.booleans()))
    return f'"{"".join(draw(_letter(sign)) for sign in text)}"'


@st.composite
def _letter(draw: st.DrawFn, sign: str) -> str:
    plain = sign.isascii() and sign.isalnum()
    return f"\\u{ord(sign):04x}" if plain and draw(st.booleans()) else json.dumps(sign)[1:-1]


@st.composite
def bodies(draw: st.DrawFn) -> tuple[str, str, str, dict[str, Any]]:
    """What stands before the model's value, it, what stands behind; and what is read of them."""
    others = draw(st.dictionaries(TEXT.filter(lambda name: name not in NAMES), VALUE, max_size=5))
    at = draw(st.integers(0, len(others)))
    members = [
        _blanks(draw, draw(_string(name))) + ":" + _blanks(draw, draw(_text(value)))
        for name, value in others.items()
    ]
    name = _blanks(draw, draw(_string("model"))) + ":" + draw(BLANK)
    before = draw(BLANK) + "{" + "".join(f"{one}," for one in members[:at]) + name
    after = draw(BLANK) + "".join(f",{one}" for one in members[at:]) + "}" + draw(BLANK)
    return before, draw(_string("gpt-6.1-sol")), after, others


@given(bodies())
def test_only_the_models_value_changes(made: tuple[str, str, str, dict[str, Any]]) -> None:
    before, model, after, others = made
    data = f"{before}{model}{after}".encode()
    left = spliced(data, [Put((), "model", "gpt-6-luna")])
    assert left == f'{before}"gpt-6-luna"{after}'.encode()
    assert orjson.loads(left) == {**others, "model": "gpt-6-luna"}


@given(bodies())
def test_text_and_value_are_edited_alike(made: tuple[str, str, str, dict[str, Any]]) -> None:
    before, model, after, _ = made
    data = f"{before}{model}{after}".encode()
    edits = [
        Put((), "model", "m"),
        Add((), "reasoning", {"effort": "none"}),
        Rename((), "model", "name"),
    ]
    for one in edits:
        parsed = orjson.loads(data)
        if isinstance(one, Add) and one.name in parsed:
            continue
        assert orjson.loads(spliced(data, [one])) == told(parsed, [one])


def test_a_name_that_stands_twice_is_edited_twice() -> None:
    data = b'{"session":{"model":"a"},"session":{"model":"b","model":"c"}}'
    left = spliced(data, [Put(("session",), "model", "m")])
    assert left == b'{"session":{"model":"m"},"session":{"model":"m","model":"m"}}'


def test_edits_of_one_text_do_not_disturb_each_other() -> None:
    data = b'{ "max_tokens" : 5, "reasoning": {}, "model": "a" }'
    edits = [
        Put((), "model", "b"),
        Add(("reasoning",), "effort", "none"),
        Rename((), "max_tokens", "max_completion_tokens"),
    ]
    assert spliced(data, edits) == (
        b'{ "max_completion_tokens" : 5, "reasoning": {"effort":"none"}, "model": "b" }'
    )
    parsed = orjson.loads(data)
    assert told(parsed, edits) == orjson.loads(spliced(data, edits))
    assert parsed == orjson.loads(data)


def test_what_is_read_is_edited_below_a_path_as_well() -> None:
    edit = Put((), "model", "b").below(("response",))
    data = b'{"model":"x","response":{"model":"a"}}'
    assert spliced(data, [edit]) == b'{"model":"x","response":{"model":"b"}}'
