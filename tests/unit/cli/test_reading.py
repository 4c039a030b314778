"""What a table shows of texts that others wrote."""

import pytest

from openai_gateway.cli.reading import cut


@pytest.mark.parametrize(
    ("text", "shown"),
    [("team", "team"), ("a longer one", "a lon…"), ("\x1b[2Jx", "?[2Jx"), ("a\nb\u202e", "a?b?")],
)
def test_a_text_is_cut_and_steers_no_terminal(text: str, shown: str) -> None:
    assert cut(text, 6) == shown
