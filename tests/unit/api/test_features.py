"""Features: what is compared of a request, and that none of its text is in them."""

import json
import time

import orjson
import pytest
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


def of(value: object) -> dict[str, object] | None:
    return features.of(value, len(json.dumps(value)))


def test_a_chat_request_is_told_by_names_kinds_hashes_and_limits() -> None:
    found = of(CHAT)
    assert found is not None
    assert found["fields"] == [
        "max_completion_tokens", "messages", "model", "response_format", "tools",
    ]  # fmt: skip
    assert found["tools"] == ["function", "web_search"]
    assert found["limits"] == {"max_completion_tokens": 100}
    assert {"system", "schema", "tools_hash"} <= found.keys()


def test_none_of_its_text_is_in_it() -> None:
    assert b"WORD" not in orjson.dumps(of(CHAT))


def test_the_same_prompt_has_the_same_hash_and_another_has_not() -> None:
    other = {**CHAT, "messages": [{"role": "system", "content": "Be long."}]}
    again = {**CHAT, "messages": [CHAT["messages"][0], {"role": "user", "content": "x"}]}  # type: ignore[index]
    first, second, third = (of(one) or {} for one in (CHAT, other, again))
    assert first["system"] != second["system"]
    assert first["system"] == third["system"]


def test_instructions_of_responses_count_as_the_system_prompt() -> None:
    found = of({"instructions": "Be brief.", "text": {"format": {"type": "json_object"}}})
    assert found is not None
    assert found.keys() == {"fields", "system", "schema"}


@pytest.mark.parametrize(
    "long",
    [
        {"tools": [{"type": "function", "name": "f" * 80}] * 1000},
        {"tools": [{"type": "function", "parameters": {"a": [1] * 50_000}}]},
        {"instructions": "x" * 70_000},
        {"messages": [{"role": "system", "content": "x" * 1000}] * 70},
        {"response_format": {str(number): number for number in range(5000)}},
    ],
)
def test_what_is_long_is_not_hashed_and_says_so(long: dict[str, object]) -> None:
    found = of({"model": "m", **long, "padding": "x" * 60_000})
    assert found is not None
    hashes = [found[name] for name in ("tools_hash", "system", "schema") if name in found]
    assert hashes == ["long"]


def test_what_is_short_has_the_same_hash_in_a_long_request() -> None:
    long = of({**CHAT, "padding": "x" * 100_000})
    short = of(CHAT)
    assert long is not None
    assert short is not None
    for name in ("tools_hash", "system", "schema"):
        assert long[name] == short[name] != "long"


@pytest.mark.parametrize(
    "huge",
    [
        {"tools": [{"type": "function", "name": "f"}] * 100_000},
        {"tools": [[[[1] * 20] * 20] * 20] * 20},
        {"messages": [{"role": "user", "content": "x"}] * 100_000},
        {str(number): number for number in range(200_000)},
    ],
)
def test_no_request_holds_the_event_loop(huge: dict[str, object]) -> None:
    size = len(orjson.dumps(huge))
    took = []
    for _ in range(5):
        began = time.perf_counter()
        features.of(huge, size)
        took.append(time.perf_counter() - began)
    assert min(took) < 0.002


@given(JSON)
def test_any_json_gives_something_small_or_nothing(value: object) -> None:
    found = of(value)
    assert (found is None) is (not isinstance(value, dict))
    assert len(orjson.dumps(found)) < 2000
