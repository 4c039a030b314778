"""No sink shows a credential, and no text of a client forges a line."""

import io
import logging
import sys
import time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_gateway.core.scrub import Scrubber, ScrubFilter, scrub
from openai_gateway.core.secret import Secret

BODY = "FAKE" * 10
KEYS = [prefix + BODY for prefix in ("sk-", "sk-proj-", "sk-svcacct-", "sk-admin-", "sess-", "ek_",
                                     "whsec_")]  # fmt: skip
ODD = 'od d/val"ue?é'


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "key={}&x=1",
        "/v1/files/{}/content",
        '{{"a":"{}"}}',
        "x{}",
        "a\\n{}",
        "line\n{}\nline",
        "%22{}%22",
        "Authorization: Bearer {}",
        "b'authorization', b'Bearer {}'",
        "openai-insecure-api-key.{}, realtime",
    ],
)
def test_a_key_is_masked_wherever_it_stands(key: str, text: str) -> None:
    shown = scrub(text.format(key))
    assert BODY not in shown
    assert "FAKEFAKE" not in shown


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Authorization: Bearer tok.en/x+y==", "tok.en"),
        ("authorization:bearer    abc123", "abc123"),
        ("Proxy-Authorization: Basic Y2k6cGFzcw==", "Y2k6"),
        ("proxy-authorization = Digest user=x", "user"),
        ("said Bearer Bearer hidden", "hidden"),
        ("said Basic%20aGlkZGVu", "aGlkZGVu"),
        ("'Proxy-Authorization': 'Negotiate hidden'", "hidden"),
        ("(b'authorization', b'hidden')", "hidden"),
        ("api-key: hidden", "hidden"),
        ("X-API-Key: hidden", "hidden"),
        ("http://user:hidden@proxy.example:3128/", "hidden"),
        ("http://user:p@hidden@proxy.example/", "hidden"),
        ("redis://:hidden@host", "hidden"),
        ("openai-insecure-api-key.hidden", "hidden"),
        ("sk%2Dproj%2D" + BODY, "FAKE"),
        ("ek%5F" + BODY, "FAKE"),
    ],
)
def test_other_credentials_are_masked(text: str, secret: str) -> None:
    shown = scrub(text)
    assert secret not in shown
    assert "***" in shown


@pytest.mark.parametrize(
    "text",
    [
        "POST /v1/chat/completions 200 in 12 ms",
        "a task-list for the risk-averse",
        "https://api.openai.com/v1/models?user=a@b.example",
        "key default of mapping ci, sess",
        "no authorization header came",
    ],
)
def test_plain_words_stay_as_they_are(text: str) -> None:
    assert scrub(text) == text


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("a\nb", "a\\nb"),
        ("a\r\nb", "a\\r\\nb"),
        ("a\tb", "a\\tb"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\x00\x7f\x9b", "\\x00\\x7f\\x9b"),
        ("\u2028\u202e\u2066", "\\u2028\\u202e\\u2066"),
        ("\ud800", "\\ud800"),
        ("Zoë, 東京", "Zoë, 東京"),
    ],
)
def test_what_could_forge_a_line_or_steer_a_terminal_is_escaped(raw: str, shown: str) -> None:
    assert scrub(raw) == shown


PIECES = st.sampled_from(
    ["sk-", "sk-proj-", "ek_", "Bearer ", "Basic ", "authorization", ": ", "://", "@", "\n", "'",
     "FAKEFAKE", "***", " ", "%20", "%2D", "\\", "openai-insecure-api-key.", ",", "api-key="]
)  # fmt: skip


@given(st.lists(PIECES | st.text(max_size=3), max_size=14).map("".join))
def test_scrubbing_twice_is_scrubbing_once(text: str) -> None:
    once = scrub(text)
    assert scrub(once) == once


@given(st.text(max_size=20), st.text(max_size=20))
def test_no_text_around_it_keeps_a_known_value_from_being_masked(before: str, after: str) -> None:
    assert ODD not in Scrubber([Secret(ODD)])(f"{before}{ODD}{after}")


@pytest.mark.parametrize(
    "unit",
    ["sk-", "Bearer ", "Bearer", " ", "://", "a", "@", "authorization:", "ek_", "%20", "Basic+"],
)
def test_the_time_is_linear_in_the_text(unit: str) -> None:
    def seconds(size: int) -> float:
        text = unit * (size // len(unit))
        began = time.perf_counter()
        scrub(text)
        return time.perf_counter() - began

    # Quadratic work over half a megabyte would take minutes.
    assert min(seconds(500_000) for _ in range(2)) < 2.0


@pytest.mark.parametrize(
    "form",
    [
        ODD,
        quote(ODD, safe=""),
        quote(ODD, safe="").lower(),
        "".join(f"%{byte:02X}" for byte in ODD.encode()),
    ],
)
def test_a_known_value_of_any_shape_is_masked_in_each_encoding(form: str) -> None:
    assert Scrubber([Secret(ODD)])(f"a={form};") == "a=***;"


def test_the_longer_of_two_known_values_is_masked_whole() -> None:
    assert Scrubber([Secret("abcd"), Secret("abcdefgh")])("x abcdefgh y") == "x *** y"


def test_a_value_of_three_letters_would_mask_everything_and_is_left_alone() -> None:
    assert Scrubber([Secret("abc"), Secret("")])("abc and so on") == "abc and so on"


def logged(write, *values: Secret) -> str:
    """What a handler behind the filter writes."""
    sink = io.StringIO()
    handler = logging.StreamHandler(sink)
    handler.addFilter(ScrubFilter(values))
    log = logging.Logger("test")
    log.addHandler(handler)
    write(log)
    return sink.getvalue()


def test_a_record_s_message_and_arguments_are_scrubbed() -> None:
    text = logged(lambda log: log.warning("%s said\n%s", "Bearer abcdef", ODD), Secret(ODD))
    assert text == "Bearer *** said\\n***\n"


def test_a_traceback_is_scrubbed_and_each_of_its_lines_marked() -> None:
    def write(log: logging.Logger) -> None:
        try:
            raise ValueError(f"no {KEYS[0]}\n2026-01-01 forged line")
        except ValueError:
            log.exception("failed", stack_info=True)

    text = logged(write)
    assert BODY not in text
    first, *rest = text.splitlines()
    assert first == "failed"
    assert "| 2026-01-01 forged line" in rest
    assert all(line.startswith("| ") for line in rest)


def test_two_handlers_with_the_filter_show_the_same() -> None:
    record = logging.LogRecord("n", logging.ERROR, "p", 1, "a\n%s", (KEYS[1],), None)
    try:
        raise ValueError("x\ny")
    except ValueError:
        record.exc_info = sys.exc_info()
    scrubbed = ScrubFilter()
    assert scrubbed.filter(record)
    assert record.exc_info is None  # no handler gets at the exception's own words
    once = logging.Formatter().format(record)
    assert scrubbed.filter(record)
    assert logging.Formatter().format(record) == once


def test_a_value_that_becomes_known_later_is_masked_from_then_on_beside_the_old_ones() -> None:
    sink = io.StringIO()
    handler = logging.StreamHandler(sink)
    scrubbed = ScrubFilter([Secret("first word")])
    handler.addFilter(scrubbed)
    log = logging.Logger("test")
    log.addHandler(handler)
    log.warning("first word, second word")
    scrubbed.know([Secret("second word")])
    log.warning("first word, second word")
    assert sink.getvalue().splitlines() == ["***, second word", "***, ***"]


@pytest.mark.parametrize("arguments", [(), (Secret(KEYS[0]),), ({"a": 1},)])
def test_a_record_that_cannot_be_worded_does_not_raise_and_shows_nothing(arguments) -> None:
    text = logged(lambda log: log.warning("%d %s %(b)s", *arguments))
    assert BODY not in text
    assert text.count("\n") == 1
