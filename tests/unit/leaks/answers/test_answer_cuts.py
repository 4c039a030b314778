"""Where a growing text is cut."""

import time

import pytest

from openai_gateway.leaks.answers import answer_cuts as cuts

BEGIN = b"-----BEGIN PRIVATE " + b"KEY-----"
END = b"-----END PRIVATE " + b"KEY-----"


@pytest.mark.parametrize(
    ("left", "held"),
    [
        (b"", b""),
        (b"", b"word"),
        (b"two ", b"words"),
        (b"two words ", b""),
        (b"line\n", b"x"),
        ("café".encode(), b"s"),
        ("鍵は".encode(), b"tok"),
        (b"in ", b"2024 "),
        (b"in 2024 we ", b"met"),
        (b"pay ", b"4111 1111 1111 "),
        (b"pay ", b"4111 1111 1111 1111"),
        (b"iban ", b"GB29 NWBK 6016 "),
        (b"call (", b"+49 (0)30 12"),
        (b"HELLO WORLD ", b"X"),
        (b"id=", b"12 "),
        (b"a ", BEGIN + b"\nabc "),
        (b"a " + BEGIN + b"\nabc\n" + END, b""),
        (b"a " + BEGIN + b"\nabc\n" + END + b" and ", b"x"),
        (b"a " + BEGIN + b"\nabc\n" + END + b"\n", BEGIN + b"\nx "),
        (BEGIN + b" is how the first line of such a thing in a file on a disk has to look ", b"so"),
    ],
)
def test_all_leaves_but_what_may_become_a_secret(left: bytes, held: bytes) -> None:
    assert cuts.safe(left + held, json=False) == len(left)


def test_in_json_a_key_ends_with_its_string() -> None:
    spoken = b'{"a": "' + BEGIN + b'", "b": '
    assert cuts.safe(spoken + b'"x', json=True) == len(spoken)
    escaped = b'{"a": "' + BEGIN + b'\\" x '
    assert cuts.safe(escaped, json=True) == len(b'{"a": "')


HARMLESS = [b"word", b"Don't", b'"Yes,"', b"...", b"12", b"tok_1", b"|--|"]


@pytest.mark.parametrize("harmless", HARMLESS)
def test_words_are_harmless(harmless: bytes) -> None:
    assert cuts.is_harmless(harmless)


@pytest.mark.parametrize("risky", [b"tok_aB3dE6", b"AKIAIOSF", b"deadbeef0", b"x\\", b"camelCase1"])
def test_what_may_be_a_tokens_beginning_is_not(risky: bytes) -> None:
    assert not cuts.is_harmless(risky)


def test_a_long_run_is_cut_behind_what_no_token_has() -> None:
    assert cuts.token_cut(b"a," + b"b" * 600) == 2
    assert cuts.token_cut(b"a," + b"b" * 400 + b"," + b"c" * 100) == 2
    assert cuts.token_cut(b"b" * 500 + b"," + b"c" * 100) == 501
    assert cuts.token_cut(b"b" * 600) == 0
    assert cuts.slide_cut(b"b" * 600) == 88
    assert cuts.slide_cut(b"b" * 85 + b"\\u00e9" + b"b" * 509) == 85


@pytest.mark.parametrize(
    "text",
    [b"-----BEGIN\" " * 60_000, b"-----BEGIN " * 60_000, b"1 A " * 200_000, b"\\" * 700_000,
     b"-----END" * 80_000 + b" ", b"-----BEGIN-----END " * 40_000],
)  # fmt: skip
@pytest.mark.parametrize("json", [True, False])
def test_no_text_takes_long(text: bytes, json: bool) -> None:
    began = time.process_time()
    cuts.safe(text, json)
    cuts.is_prose(text)
    cuts.is_harmless(text)
    cuts.token_cut(text)
    assert time.process_time() - began < 0.5
