"""Readings are bounded, and what was left out is said."""

import base64
import gzip
import hashlib
import zlib

import pytest

from openai_gateway.content.fold import fold
from openai_gateway.content.views import (
    OVERLAP,
    PIECE,
    Budget,
    budget_for,
    is_quick,
    pieces,
    small_budget,
    views,
)


def test_a_text_that_hides_nothing_stays_the_same_object() -> None:
    text = b'{"content": "50% of it, a & b, C:\\\\new\\n"}'
    assert fold(text) is text


def test_a_plain_text_has_one_reading_and_costs_nothing() -> None:
    budget = budget_for(5)
    before = budget.bytes_left
    assert list(views(b"plain", budget)) == [b"plain"]
    assert (budget.bytes_left, budget.over) == (before, False)


def test_nothing_is_read_beyond_the_budget() -> None:
    budget = Budget(bytes_left=100)
    given_text = base64.b64encode(b"hidden text in here " * 20)
    assert list(views(given_text, budget)) == [given_text]
    assert budget.over


def test_a_count_of_views_is_a_bound_too() -> None:
    budget = Budget(bytes_left=1 << 20, views_left=0)
    list(views(base64.b64encode(b"hidden text in here, and more"), budget))
    assert budget.over


def test_hardly_anything_of_noise_in_base64_is_read() -> None:
    noise = base64.b64encode(hashlib.shake_256(b"noise").digest(40_000))
    first, *derived = views(noise, budget_for(len(noise)))
    assert first == noise
    assert sum(map(len, derived)) < len(noise) / 20


@pytest.mark.parametrize("size", [20, OVERLAP])
@pytest.mark.parametrize("back", [1, 19, OVERLAP // 2, OVERLAP])
@pytest.mark.parametrize("seam", [PIECE, 2 * PIECE - OVERLAP])
def test_what_lies_over_a_seam_is_whole_in_one_piece(seam: int, back: int, size: int) -> None:
    data = bytearray(3 * PIECE)
    data[seam - back : seam - back + size] = b"x" * size
    assert any(b"x" * size in piece for piece in pieces(bytes(data)))


def test_escapes_make_a_text_slow_to_read() -> None:
    assert is_quick(b"\\u0041" * 500)
    assert not is_quick(b"\\u0041" * 5000)
    assert not is_quick(b"x" * 40_000)
    assert not is_quick(b"\\163" * 5000)
    assert not is_quick(b"=73" * 5000)
    assert not is_quick(b"&lowbar;" * 2000)
    assert small_budget().bytes_left < budget_for(0).bytes_left


def noise(size: int) -> bytes:
    return hashlib.shake_256(b"noise").digest(size)


def shown(data: bytes) -> bool:
    return any(b"HIDDEN" in view for view in views(data, budget_for(len(data))))


@pytest.mark.parametrize(
    "before", [b" " * 1_100_000, noise(1_500_000), b" " * 3_000_000],
    ids=["1.1 MB blank", "1.5 MB noise", "3 MB blank"],
)  # fmt: skip
def test_what_is_packed_is_read_to_its_end(before: bytes) -> None:
    assert shown(gzip.compress(before + b"HIDDEN" + b" " * 100))


def test_the_last_of_many_packed_files_is_read() -> None:
    assert shown(b"".join(gzip.compress(b"%d" % n) for n in range(80)) + gzip.compress(b"HIDDEN"))


def test_the_streams_of_a_pdf_are_read() -> None:
    assert shown(b"%PDF-1.4 <<>>stream\r\n" + zlib.compress(b"HIDDEN") + b"\r\nendstream")


@pytest.mark.parametrize("glued", range(4))
def test_base64_is_read_beyond_the_first_piece_whatever_its_alignment(glued: int) -> None:
    hidden = noise(1_500_000) + b"   HIDDEN in a text of some length   " + noise(100_000)
    assert shown(b"x" * glued + b'"' + base64.b64encode(hidden) + b'"')


def test_what_ends_before_its_end_is_said() -> None:
    cut = gzip.compress(noise(100_000))[:-50_000]
    budget = budget_for(len(cut))
    list(views(cut, budget))
    assert budget.over


def read_folded(data: bytes) -> bytes:
    return next(views(data, budget_for(len(data))))


def test_hardly_anything_of_a_large_binary_is_folded() -> None:
    assert len(read_folded(noise(200_000))) < 40_000


@pytest.mark.parametrize(
    "hidden",
    [b"HIDDEN in some text", rb"\u0048IDDEN in some text", "HIDDEN as UTF-16".encode("utf-16-le"),
     "".join(chr(ord(letter) + 0xFEE0) for letter in "HIDDEN").encode()],
)  # fmt: skip
def test_text_in_a_large_binary_is_folded(hidden: bytes) -> None:
    assert b"HIDDEN" in read_folded(noise(100_000) + hidden + noise(100_000))


def test_a_large_text_is_folded_whole_though_some_of_it_is_no_utf8() -> None:
    words = "Größe und Gewicht, ".encode("latin-1") * 1000
    for text in (words * 10, noise(80_000) + words + noise(80_000)):
        assert b"HIDDEN" in read_folded(
            text[:85_000] + "HéIéDéDéEéN".encode("latin-1") + text[85_000:]
        )


def test_a_large_text_in_utf8_is_folded_whole_though_cut_within_a_letter() -> None:
    text = "Привет, ".encode() * 10_000
    assert b"HIDDEN" in read_folded(text[1:] + "HéIéDéDéEéN Привет".encode()[:-1])


def test_an_entity_that_nobody_knows_ends_the_rounds() -> None:
    assert fold(b"&nosuchname; &lowbar;") == b"&nosuchname; _"


@pytest.mark.parametrize("pairs", [3, 5000])
def test_of_many_backslashes_one_stays(pairs: int) -> None:
    assert fold(rb"\\a" * pairs + rb"\\\\u0073") == rb"\a" * pairs + b"s"


@pytest.mark.parametrize("others", [0, 500])
def test_percents_are_undone_whether_rare_or_many(others: int) -> None:
    assert fold(b"%73%4B%5f%zz" + b"a" * others) == b"sK_%zz" + b"a" * others
