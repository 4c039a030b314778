"""The keys that no answer may show, put together from the configuration."""

from openai_gateway.chain import masks_of
from openai_gateway.core.secret import Secret


def test_a_short_value_is_not_looked_for_in_answers() -> None:
    key = "sk-proj-" + "FAKE" * 8
    assert masks_of([Secret("short"), Secret(key)]) == (key.encode(),)
