"""Sums by one column: exact, within a window, and equal to the rows they are made of."""

import time
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_gateway.readiness.report import BY, SUMS, Report, report
from openai_gateway.readiness.source import reading
from tests.support.call_log import NOW, made_row, place_of, write

HOUR = timedelta(hours=1)


def summed(root: Path, by: str, since: timedelta | None = None) -> Report:
    with reading(place_of(root)) as connection:
        return report(connection, by, NOW - since if since else None)


def test_calls_cost_and_tokens_by_the_model_sent_dearest_first(tmp_path: Path) -> None:
    write(
        tmp_path,
        [
            made_row(model_sent="a", cost_nano_usd=5, input_tokens=7, total_tokens=9),
            made_row(model_sent="a", cost_nano_usd=None, usage_source="estimated"),
            made_row(model_sent="b", model_requested="a", cost_nano_usd=2**40, total_tokens=1),
            made_row(model_sent=None, cost_nano_usd=0, status=401),
        ],
    )
    made = summed(tmp_path, "model").as_json()
    rows = made["rows"]
    assert isinstance(rows, list)
    assert [(r["model"], r["calls"], r["cost_nano_usd"], r["unpriced_calls"]) for r in rows] == [
        ("b", 1, 2**40, 0), ("a", 2, 5, 1), (None, 1, 0, 0),
    ]  # fmt: skip
    assert (rows[1]["input_tokens"], rows[1]["total_tokens"]) == (7, 9)
    assert rows[1]["estimated_calls"] == 1
    total = made["total"]
    assert isinstance(total, dict)
    assert (total["calls"], total["cost_nano_usd"], total["unpriced_calls"]) == (4, 2**40 + 5, 1)


def test_the_window_begins_where_it_says(tmp_path: Path) -> None:
    write(tmp_path, [made_row(NOW - 2 * HOUR), made_row(NOW - HOUR), made_row(NOW)])
    assert summed(tmp_path, "key", HOUR).total["calls"] == 2
    assert summed(tmp_path, "key").total["calls"] == 3


def test_days_are_those_of_utc_in_their_order(tmp_path: Path) -> None:
    midnight = NOW.replace(hour=0)
    late = midnight - timedelta(microseconds=1)
    write(tmp_path, [made_row(midnight, cost_nano_usd=9), made_row(late), made_row(late)])
    made = summed(tmp_path, "day").groups
    assert [(g.name, g.sums["calls"]) for g in made] == [("2026-11-23", 2), ("2026-11-24", 1)]


def test_an_empty_log_has_no_groups_and_sums_of_nothing(tmp_path: Path) -> None:
    write(tmp_path, [])
    assert summed(tmp_path, "client").as_json() == {"rows": [], "total": dict.fromkeys(SUMS, 0)}


ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "model_sent": st.sampled_from(["a", "b", None]),
            "client": st.sampled_from(["x", "y"]),
            "cost_nano_usd": st.none() | st.integers(0, 2**50),
            "total_tokens": st.none() | st.integers(0, 2**50),
        }
    ),
    max_size=12,
)


@given(rows=ROWS)
@settings(max_examples=25, deadline=None)
def test_whatever_it_is_summed_by_the_total_is_that_of_the_rows(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, object]]
) -> None:
    root = tmp_path_factory.mktemp("log")
    write(root, [made_row(**row) for row in rows])
    for by in BY:
        made = summed(root, by)
        for column, source in (("cost_nano_usd", 0), ("total_tokens", 0)):
            right = sum(row[column] or source for row in rows)  # type: ignore[misc]  # ints or None
            assert made.total[column] == right
            assert sum(group.sums[column] for group in made.groups) == right
        assert made.total["unpriced_calls"] == sum(row["cost_nano_usd"] is None for row in rows)
        assert made.total["calls"] == len(rows)


@pytest.mark.soak
def test_two_hundred_thousand_rows_are_summed_at_once(tmp_path: Path) -> None:
    """A fifth of a million rows; a million may take two seconds, on a quieter machine."""
    rows = [
        made_row(
            NOW - timedelta(seconds=n / 10), model_sent=f"m{n % 40}", client=f"c{n % 99}",
            trace='[{"stage":"route","verdict":"pass","us":7}]' * 8,
            total_tokens=n, cost_nano_usd=n,
        )
        for n in range(200_000)
    ]  # fmt: skip
    write(tmp_path, rows)
    del rows
    for by in BY:
        before = time.perf_counter()
        assert summed(tmp_path, by, 24 * HOUR).total["calls"] == 200_000
        assert time.perf_counter() - before < 0.8, by
