"""What the benchmark's numbers are made of."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench import table
from tests.bench.figures import Figure, compared, paired_difference, paired_ratio, percentile

numbers = st.lists(st.floats(0.001, 1e6), min_size=1, max_size=60)


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([5.0], 0.5, 5.0),
        ([1.0, 2.0], 0.5, 1.0),
        ([3.0, 1.0, 2.0], 0.5, 2.0),
        ([float(n) for n in range(1, 101)], 0.99, 99.0),
        ([float(n) for n in range(1, 101)], 1.0, 100.0),
        ([1.0, 2.0], 0.0, 1.0),
    ],
)
def test_percentile_is_the_nearest_rank(values: list[float], share: float, expected: float) -> None:
    assert percentile(values, share) == expected


@given(numbers, st.floats(0.01, 1.0))
def test_percentile_leaves_no_more_than_its_share_above(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9


def test_a_slow_round_drops_out_of_the_paired_ratio() -> None:
    # One round ran while the machine was three times as slow: medians apart would say 1.5.
    assert paired_ratio([1.0, 3.0, 1.0], [1.2, 3.6, 1.2]) == pytest.approx(1.2)
    assert paired_difference([1.0, 9.0, 2.0], [3.0, 10.0, 4.0]) == 2.0


def test_rounds_that_do_not_pair_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        paired_ratio([1.0, 2.0], [1.0])


@pytest.mark.parametrize(
    ("noop", "gateway", "others", "verdict"),
    [
        (1.0, 0.9, None, "aim"),
        (1.0, 1.2, None, "ok"),
        (1.0, 1.3, None, "MISSED"),
        (1.0, 1.3, 0.05, "MISSED"),
        (1.0, 1.3, 0.5, "noisy"),
        (1.0, 1.2, 0.5, "ok"),
    ],
)
def test_verdict(noop: float, gateway: float, others: float | None, verdict: str) -> None:
    figure = compared("x", "ms", [noop], [gateway], bar=1.25, aim=1.0, others=others)
    assert figure.verdict == verdict


def test_a_figure_without_a_bar_is_never_missed() -> None:
    assert compared("x", "ms", [1.0], [9.0]).verdict == "-"
    assert Figure("x", "", None, 9.0, "value").verdict == "-"


def test_a_value_is_judged_by_the_gateways_own() -> None:
    assert Figure("x", "ms", 5.0, 0.9, "value", None, 1.0).verdict == "ok"
    assert Figure("x", "ms", 0.1, 1.1, "value", None, 1.0).verdict == "MISSED"


def test_a_difference_is_judged_by_what_comes_on_top() -> None:
    above = compared("x", "MB", [100.0], [130.0], judged="difference", bar=60.0, aim=25.0)
    assert (above.paired, above.verdict) == (30.0, "ok")


def test_the_table_fits_a_terminal() -> None:
    figures = [
        compared("above no-op, 1 MB / 100 kB", "us", [12345.6], [99999.9], bar=1.25, others=0.9),
        compared("RSS after 50000 calls", "MB", [100.0], [130.0], judged="difference", bar=60.0),
        Figure("longest step of the loop", "ms", None, 0.5, "value", None, 1.0),
    ]
    lines = table.lines(figures)
    assert max(map(len, lines)) <= 80
    assert "+30.0" in lines[3]
    assert "+60.0" in lines[3]
    assert lines[2].split()[-3:] == ["8.10", "1.25", "noisy"]


def test_the_data_is_json_and_holds_the_verdicts() -> None:
    (entry,) = json.loads(json.dumps(table.data([compared("x", "ms", [1.0], [2.0], bar=1.5)])))
    assert (entry["name"], entry["paired"], entry["verdict"]) == ("x", 2.0, "MISSED")
