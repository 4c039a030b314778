"""What is published of `reserve: expected` is what comes out."""

from pathlib import Path

import pytest

from tests.budgets.overshoot import LENGTHS, measured, storm, table

PAGE = Path(__file__).parents[2] / "docs/budgets.md"


async def test_a_model_that_costs_the_same_each_time_is_never_overshot_once_known() -> None:
    assert await storm(LENGTHS["steady"], known=True, calls=100, seed=1) <= 0


async def test_a_model_that_was_never_seen_is_taken_for_256_tokens_out() -> None:
    """500 tokens cost 1.95 times as much; and a 20th of the limit is one call."""
    over = await storm(LENGTHS["steady"], known=False, calls=100, seed=1)
    assert 0.85 <= over <= 500 / 256 - 1


@pytest.mark.soak
async def test_the_table_is_as_published() -> None:
    assert table(await measured()) in PAGE.read_text()
