"""Label values come from closed sets."""

import pytest

from openai_gateway.telemetry.labels import Labels, Series, Words, among, status

LABELS = Labels(frozenset({"chat.create"}), frozenset({"ci"}), frozenset({"gpt-5"}))


@pytest.mark.parametrize(
    ("name", "label"), [("gpt-5", "gpt-5"), ("gpt-5 ", "other"), ("", "other"), (None, "none")]
)
def test_models(name: str | None, label: str) -> None:
    assert LABELS.model(name) == label


def test_endpoints_and_keys_that_are_not_ours_are_unknown() -> None:
    assert (LABELS.endpoint("chat.create"), LABELS.endpoint("/v1/x")) == ("chat.create", "unknown")
    assert (LABELS.key("ci"), LABELS.key("sk-FAKE")) == ("ci", "unknown")


@pytest.mark.parametrize(
    ("code", "label"),
    [(200, "200"), (404, "404"), (499, "499"), (529, "529"), (0, "none"), (999, "other")],
)
def test_statuses(code: int, label: str) -> None:
    assert status(code) == label


def test_among_takes_the_word_or_what_stands_for_the_rest() -> None:
    assert among(frozenset({"a"}), "a") == "a"
    assert among(frozenset({"a"}), "b") == "other"
    assert among(frozenset({"a"}), "b", "error") == "error"


def test_words_are_let_in_until_there_are_64() -> None:
    words = Words()
    assert [words(str(number)) for number in range(65)][62:] == ["62", "63", "other"]
    assert words("0") == "0"


def test_series_are_given_whole_or_not_at_all() -> None:
    series = Series(most=10)
    assert series.take(8)
    assert not series.take(3)
    assert series.take(2)
    assert not series.take(1)
