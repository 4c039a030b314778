"""A redaction leaves no trace, breaks nothing, changes nothing else, and is done once."""

import base64
import binascii
import functools
import json
import re
from collections.abc import Callable
from urllib.parse import parse_qsl, quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_gateway.content import multipart
from openai_gateway.core.call import Content
from openai_gateway.leaks.reading.read import Reading, read_body
from tests.support.planted import CARD, FAKE, Always, Planted, ample, fake

MARK = "[REDACTED:fake-key]"
SECRET = re.compile("FAKE-[a-z0-9]{16}")

type Coding = Callable[[str], str]


def redact(text: bytes) -> Reading:
    content = Content(text, "json")
    return read_body(
        content, b"application/json", Planted((FAKE, CARD)), Always(), ample(len(text))
    )


def done(reading: Reading) -> set[str]:
    return {action for _, action in reading.findings}


def as_json(text: str) -> str:
    return json.dumps({"inner": text, "n": [1, None]})


def as_ascii_json(text: str) -> str:
    return json.dumps([text, "é"], ensure_ascii=True)


def as_units(text: str) -> str:
    return "".join(f"\\u{ord(c):04x}" if ord(c) < 0x10000 else c for c in text)


def as_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def as_url_base64(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def as_wrapped(text: str) -> str:
    return base64.encodebytes(text.encode()).decode().strip()


def as_hex(text: str) -> str:
    return binascii.hexlify(text.encode()).decode().upper()


def as_percent(text: str) -> str:
    return quote(text, safe="")


def as_entities(text: str) -> str:
    return "".join(f"&#{ord(c)};" for c in text)


def as_utf_16(text: str) -> str:
    return base64.b64encode(text.encode("utf-16-le")).decode()


# What is replaced in the middle of these is not coded itself.
SPLICED = ("units", "percent", "entities")
CODINGS: dict[str, Coding] = {
    "JSON": as_json,
    "JSON in ASCII": as_ascii_json,
    "units": as_units,
    "base64": as_base64,
    "base64url": as_url_base64,
    "wrapped base64": as_wrapped,
    "hex": as_hex,
    "percent": as_percent,
    "entities": as_entities,
    "UTF-16 in base64": as_utf_16,
}


@pytest.mark.parametrize("coding", CODINGS)
def test_a_secret_is_replaced_in_every_coding(coding: str) -> None:
    code = CODINGS[coding]
    text = json.dumps({"a": "é", "d": code(f"the key is {fake()}, é"), "z": ["é"]}).encode()
    wanted = json.dumps({"a": "é", "d": code(f"the key is {MARK}, é"), "z": ["é"]}).encode()
    reading = redact(text)
    assert done(reading) == {"redact"}
    # Where the length told nothing of padding, it is padded.
    assert reading.data.replace(b"=", b"") == wanted.replace(b"=", b"") or coding in SPLICED
    assert MARK in json.loads(reading.data)["d"] or coding not in SPLICED
    assert reading.data.startswith(b'{"a": "\\u00e9", "d": "')
    assert reading.data.endswith(b', "z": ["\\u00e9"]}')


@pytest.mark.parametrize("outer", CODINGS)
@pytest.mark.parametrize("inner", CODINGS)
def test_a_secret_is_replaced_in_a_coding_in_a_coding(outer: str, inner: str) -> None:
    coded = CODINGS[outer](CODINGS[inner](f"the key is {fake()} and more"))
    reading = redact(json.dumps({"d": coded}).encode())
    assert done(reading) == {"redact"}
    assert redact(reading.data).findings == []


def in_codings(text: str, codings: list[str]) -> str:
    return functools.reduce(lambda coded, name: CODINGS[name](coded), codings, text)


# A blank on both sides, so that the secret is a word of its own.
WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
PLANTED = st.builds(
    lambda left, number, right: f"{left} {fake(number)} {right}",
    WORDS, st.integers(0, 9999), WORDS,
)  # fmt: skip
CODED = st.builds(in_codings, PLANTED, st.lists(st.sampled_from(sorted(CODINGS)), max_size=3))
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(-(10**6), 10**6), WORDS, PLANTED, CODED)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | PLANTED, inner, max_size=4),
    max_leaves=12,
)


def shape(value: object) -> object:
    """The value with its texts left out; names and all else stay."""
    if isinstance(value, dict):
        return [(SECRET.sub(MARK, name), shape(one)) for name, one in pairs(value)]
    if isinstance(value, list):
        return [shape(one) for one in value]
    return "text" if isinstance(value, str) else value


def strings(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for _, one in pairs(value) for text in strings(one)]
    if isinstance(value, list):
        return [text for one in value for text in strings(one)]
    return [value] if isinstance(value, str) else []


def pairs(value: dict[str, object]) -> list[tuple[str, object]]:
    return value["pairs"]  # type: ignore[return-value]


def load(text: bytes) -> object:
    return json.loads(text, object_pairs_hook=lambda found: {"pairs": found})


def holds_secret(text: str) -> bool:
    return bool(redact(json.dumps([text]).encode()).findings)


@settings(max_examples=200, deadline=None)
@given(VALUES, st.booleans(), st.sampled_from([None, 1]))
def test_any_document_stays_one_without_its_secrets(
    value: object, ascii_only: bool, indent: int | None
) -> None:
    text = json.dumps([value], ensure_ascii=ascii_only, indent=indent).encode()
    reading = redact(text)
    if done(reading) <= {"redact"}:
        before, after = load(text), load(reading.data)
        assert shape(before) == shape(after)
        assert redact(reading.data).findings == []
        for old, new in zip(strings(before), strings(after), strict=True):
            assert new == old or holds_secret(old)
    assert not reading.over_budget


@settings(max_examples=100, deadline=None)
@given(PLANTED, st.lists(st.sampled_from(sorted(CODINGS)), max_size=3))
def test_a_planted_secret_is_always_found(planted: str, codings: list[str]) -> None:
    reading = redact(json.dumps({"text": in_codings(planted, codings)}).encode())
    assert reading.findings
    assert "report" not in done(reading)


EDGE = b"--------1f9a"
MULTIPART = b"multipart/form-data; boundary=" + EDGE
NAMES = st.text("ab é;=.-", max_size=8)
DATA = st.one_of(
    st.binary(max_size=40),
    CODED.map(str.encode),
    PLANTED.map(lambda text: text.encode("utf-16")),
    VALUES.map(lambda value: json.dumps(value).encode()),
    st.lists(VALUES, max_size=3).map(lambda some: "\n".join(map(json.dumps, some)).encode()),
).filter(lambda data: EDGE not in data)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(NAMES | PLANTED.filter(str.isprintable), DATA), min_size=1, max_size=4))
def test_any_multipart_keeps_its_parts(named: list[tuple[str, bytes]]) -> None:
    heads = [f'Content-Disposition: form-data; name="{quote(name)}"'.encode() for name, _ in named]
    parts = [b"--%s\r\n%s\r\n\r\n%s\r\n" % (EDGE, head, data)
             for head, (_, data) in zip(heads, named, strict=True)]  # fmt: skip
    sent = b"".join(parts) + b"--%s--\r\n" % EDGE
    reading = read_body(Content(sent, "multipart"), MULTIPART, Planted(), Always(), ample(10**4))
    before, after = (multipart.parts(data, EDGE) for data in (sent, reading.data))
    assert len(before) == len(after)
    clean = [data for _, data in named if not is_touched(data)]
    assert [part.data for part in after if part.data in clean] == clean


def is_touched(data: bytes) -> bool:
    """Whether there is anything to redact in it."""
    reading = read_body(Content(data, "text"), b"", Planted(), Always(), ample(len(data)))
    return bool(reading.findings)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(WORDS | PLANTED, CODED | WORDS), max_size=4))
def test_any_form_keeps_its_fields(fields: list[tuple[str, str]]) -> None:
    sent = urlencode(fields).encode()
    reading = read_body(Content(sent, "form"), b"", Planted(), Always(), ample(len(sent)))
    before, after = (parse_qsl(data.decode(), True) for data in (sent, reading.data))
    assert len(before) == len(after)
    for (name, value), (also, changed) in zip(before, after, strict=True):
        assert name == also or MARK in also
        assert value == changed or is_touched(value.encode())
