"""Every place of a head is read but the credential's own, and a redacted head stays a valid one."""

import base64
import re
from typing import Any
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_gateway.core.call import Header, Request
from openai_gateway.leaks.reading.ledger import Done
from openai_gateway.leaks.reading.read_head import CleanLines, HeadReading, read_head
from openai_gateway.leaks.rules.rule import Hit, Rule
from tests.support.planted import FAKE, NAMED, Always, Planted, ample, fake

KEY = fake().encode()
MARK = b"[REDACTED:fake-key]"
QUOTED = b"%5BREDACTED%3Afake-key%5D"
TARGET = b"/v1/chat/completions"
COMMON: list[Header] = [
    (b"Host", b"api.openai.com"),
    (b"User-Agent", b"OpenAI/Python 3.54.0"),
    (b"Content-Type", b"application/json"),
]
VALUE = re.compile(rb"[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?|")


def request(*headers: Header, target: bytes = TARGET, trailers: tuple[Header, ...] = ()) -> Request:
    return Request("POST", "api.openai.com", target, [*COMMON, *headers], b"{}", trailers)


def head(sent: Request, done: Done = "redact", *rules: Rule) -> HeadReading:
    return read_head(sent, Planted(rules or (FAKE,)), Always(done), ample())


def places(reading: HeadReading) -> list[tuple[str, str, str]]:
    return [(finding.place, finding.location, done) for finding, done in reading.findings]


def test_a_clean_head_stays_the_same() -> None:
    sent = request((b"cookie", b"a=b; c=d"), target=TARGET + b"?a=b&c=%20d+e")
    reading = head(sent)
    assert (reading.findings, reading.over_budget) == ([], False)
    assert (reading.target, reading.headers) == (sent.target, sent.headers)
    assert reading.trailers is sent.trailers


@pytest.mark.parametrize(
    ("target", "after", "place"),
    [
        (b"/v1/files/" + KEY, b"/v1/files/" + QUOTED, "the url path"),
        (b"/v1/%46" + KEY[1:] + b"/x%20y", b"/v1/" + QUOTED + b"/x%20y", "the url path"),
        (TARGET + b"?a=b&key=" + KEY + b"&c=%20", TARGET + b"?a=b&key=" + QUOTED + b"&c=%20",
         "the url query, key"),
        (TARGET + b"?key=say+" + KEY, TARGET + b"?key=say+" + QUOTED, "the url query, key"),
        (TARGET + b"?" + KEY + b"=1", TARGET + b"?" + QUOTED + b"=1", "a name in the url query"),
        (TARGET + b"?" + KEY, TARGET + b"?" + QUOTED, "a name in the url query"),
    ],
)  # fmt: skip
def test_the_url_is_read_and_redacted_percent_coded(
    target: bytes, after: bytes, place: str
) -> None:
    reading = head(request(target=target))
    assert reading.target == after
    assert places(reading) == [(place, "url", "redact")]


def test_a_run_in_a_query_is_written_again() -> None:
    run = base64.b64encode(b"the key is " + KEY + b"??>>")
    target = TARGET + b"?state=" + quote(run, safe="").encode()
    reading = head(request(target=target))
    value = reading.target.partition(b"?state=")[2]
    assert re.fullmatch(rb"[A-Za-z0-9%]+", value)
    assert base64.b64decode(unquote(value.decode())) == b"the key is " + MARK + b"??>>"


@pytest.mark.parametrize(
    ("name", "value", "after", "place"),
    [
        (b"X-Note", b"a " + KEY + b" b", b"a " + MARK + b" b", "header x-note"),
        (b"Cookie", b"a=1; sid=" + KEY + b"; b=2", b"a=1; sid=" + MARK + b"; b=2", "cookie sid"),
        (b"Cookie", b"a=1; " + KEY + b"=2", b"a=1; " + MARK + b"=2", "a cookie's name"),
        (b"Referer", b"https://x/?k=" + KEY, b"https://x/?k=" + MARK, "header referer"),
        (b"X-State", b'{"a": "' + KEY + b'"}', b'{"a": "' + MARK + b'"}', "header x-state, a"),
        (b"X-Auth", b"Basic " + base64.b64encode(KEY + b":"),
         b"Basic " + base64.b64encode(MARK + b":"), "header x-auth"),
    ],
)  # fmt: skip
def test_header_values_are_read_and_redacted(
    name: bytes, value: bytes, after: bytes, place: str
) -> None:
    reading = head(request((name, value)))
    assert reading.headers == [*COMMON, (name, after)]
    assert places(reading) == [(place, "header", "redact")]


def test_a_name_stands_before_its_value() -> None:
    reading = head(request((b"X-Password", b"verysecret1")), "redact", NAMED)
    assert reading.headers[-1] == (b"X-Password", b"[REDACTED:named-value]")


def test_trailers_are_read() -> None:
    reading = head(request(trailers=((b"X-Sum", KEY),)))
    assert reading.trailers == ((b"X-Sum", MARK),)
    assert places(reading) == [("trailer x-sum", "header", "redact")]


@pytest.mark.parametrize(
    ("header", "place"),
    [
        ((KEY, b"1"), "a header name"),
        ((b"Content-Type", b"text/plain; boundary=" + KEY), "header content-type"),
        ((b"Sec-WebSocket-Protocol", b"realtime, " + KEY), "header sec-websocket-protocol"),
    ],
)
def test_what_would_break_the_head_is_blocked(header: Header, place: str) -> None:
    reading = head(request(header))
    assert places(reading) == [(place, "header", "block")]
    assert reading.headers == [*COMMON, header]


def test_a_secret_in_the_method_is_blocked() -> None:
    sent = request()
    sent.method = fake()
    assert places(head(sent)) == [("the method", "url", "block")]


@pytest.mark.parametrize(
    "header",
    [
        (b"Authorization", b"Bearer " + KEY),
        (b"authorization", b"Basic " + base64.b64encode(b"key is " + KEY)),
        (b"Sec-WebSocket-Protocol", b"realtime, openai-insecure-api-key." + KEY),
    ],
)
def test_the_credential_is_left_alone(header: Header) -> None:
    assert head(request(header)).findings == []


@pytest.mark.parametrize("done", ["block", "report", "allow"])
def test_only_a_redaction_changes_the_head(done: Done) -> None:
    sent = request((b"X-Note", KEY), target=TARGET + b"?a=" + KEY)
    reading = head(sent, done)
    assert {action for _, _, action in places(reading)} == {done}
    assert (reading.target, reading.headers) == (sent.target, sent.headers)


def test_what_the_budget_leaves_out_is_said() -> None:
    budget = ample()
    budget.bytes_left = 10
    sent = request((b"X-Note", base64.b64encode(b"the key is " + KEY)))
    reading = read_head(sent, Planted(), Always(), budget)
    assert (reading.findings, reading.over_budget) == ([], True)


PARTS = st.sampled_from(
    [KEY, KEY.replace(b"-", b"%2d"), b"%2F", b" ", b"+", b"=", b"&", b"a", b";", b'"', b"%41",
     base64.b64encode(b"it is " + KEY), b"\xc3\xa9", b"/", b"?"]
)  # fmt: skip
WORDS = st.lists(PARTS, max_size=6).map(b"".join)


@given(WORDS, WORDS, WORDS)
def test_any_head_stays_valid_and_is_redacted_once(
    value: bytes, cookie: bytes, query: bytes
) -> None:
    query = query.replace(b" ", b"")
    sent = request((b"x-note", value.strip()), (b"cookie", cookie.strip()),
                   target=TARGET + b"?q=" + query)  # fmt: skip
    reading = head(sent)
    for (name, before), (also, after) in zip(sent.headers, reading.headers, strict=True):
        assert name == also
        assert VALUE.fullmatch(after)
        assert after == before or places(reading)
    assert not re.search(rb"[^\x21-\x7e\x80-\xff]", reading.target)
    if all(done == "redact" for _, _, done in places(reading)):
        again = head(request(*reading.headers[3:], target=reading.target))
        assert again.findings == []


def test_a_line_that_was_clean_is_not_read_again_and_one_beside_it_is() -> None:
    known = CleanLines()
    asked: list[bytes] = []

    class Watched(Planted):
        def find(self, text: bytes, **more: Any) -> list[Hit]:
            asked.append(text)
            return super().find(text, **more)

    def read(*headers: tuple[bytes, bytes]) -> HeadReading:
        asked.clear()
        return read_head(request(*headers), Watched(), Always("redact"), ample(), known)

    assert read((b"x-note", b"hello")).findings == []
    assert any(b"hello" in text for text in asked)
    assert read((b"x-note", b"hello")).findings == []
    assert asked == []
    assert places(read((b"x-note", b"hello"), (b"x-other", KEY))) == [
        ("header x-other", "header", "redact")
    ]
    assert read((b"x-note", b"hello"), (b"x-other", KEY)).findings  # what was found is not known


def test_known_lines_are_bounded() -> None:
    known = CleanLines()
    known.add(b"%d" % number for number in range(10_000))
    known.add([b"x" * 257])
    assert known.unknown([b"9999"]) == []
    assert known.unknown([b"0", b"x" * 257]) == [b"0", b"x" * 257]
