"""Features: what is compared of a request, and that none of its text is in them."""

import orjson
from hypothesis import given
from hypothesis import strategies as st

from openai_gateway.api import features

NAMES = st.text(max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=20,
)
CHAT = {
    "model": "gpt-6-luna",
    "messages": [{"role": "system", "content": "Be brief, SECRETWORD."},
                 {"role": "user", "content": "USERWORD"}],
    "tools": [{"type": "function", "function": {"name": "TOOLWORD"}}, {"type": "web_search"}],
    "response_format": {"type": "json_schema", "json_schema": {"name": "SCHEMAWORD"}},
    "max_completion_tokens": 100,
    "Strange Field WORD": 1,
}  # fmt: skip


def test_a_chat_request_is_told_by_names_kinds_hashes_and_limits() -> None:
    found = features.of(CHAT)
    assert found is not None
    assert found["fields"] == [
        "max_completion_tokens", "messages", "model", "response_format", "tools",
    ]  # fmt: skip
    assert found["tools"] == ["function", "web_search"]
    assert found["limits"] == {"max_completion_tokens": 100}
    assert {"system", "schema", "tools_hash"} <= found.keys()


def test_none_of_its_text_is_in_it() -> None:
    assert b"WORD" not in orjson.dumps(features.of(CHAT))


def test_the_same_prompt_has_the_same_hash_and_another_has_not() -> None:
    other = {**CHAT, "messages": [{"role": "system", "content": "Be long."}]}
    again = {**CHAT, "messages": [CHAT["messages"][0], {"role": "user", "content": "x"}]}  # type: ignore[index]
    first, second, third = (features.of(one) or {} for one in (CHAT, other, again))
    assert first["system"] != second["system"]
    assert first["system"] == third["system"]


def test_instructions_of_responses_count_as_the_system_prompt() -> None:
    found = features.of({"instructions": "Be brief.", "text": {"format": {"type": "json_object"}}})
    assert found is not None
    assert found.keys() == {"fields", "system", "schema"}


@given(JSON)
def test_any_json_gives_something_small_or_nothing(value: object) -> None:
    found = features.of(value)
    assert (found is None) is (not isinstance(value, dict))
    assert len(orjson.dumps(found)) < 2000
