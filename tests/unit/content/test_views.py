"""Readings are bounded, and what was left out is said."""

import base64
import hashlib

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
    assert small_budget().bytes_left < budget_for(0).bytes_left
