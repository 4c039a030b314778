"""Rules that can never decide anything are found, and none that can."""

import pytest

from openai_gateway.config.load import read
from openai_gateway.limits.unmatched import Known, never_matching
from tests.unit.limits.test_rulings import ENV

KNOWN = Known(
    key=frozenset({"default", "ci"}),
    model=frozenset({"gpt-5-mini", "gpt-6-luna"}),
    endpoint=frozenset({"chat.create", "chat.get", "responses.create"}),
)


def found(rules: str, known: Known = KNOWN) -> dict[int, str]:
    config = read(f"keys: {{}}\nlimits:\n  rules:\n{rules}", ENV).config
    return dict(never_matching(config.limits.rules, known))


@pytest.mark.parametrize(
    ("match", "field"),
    [
        ("{key: nobody}", "key"),
        ('{model: "gtp-5*"}', "model"),
        ('{endpoint: ["chats.*", "video*"]}', "endpoint"),
    ],
)
def test_a_glob_that_fits_no_known_name_is_told(match: str, field: str) -> None:
    told = found(f"    - {{match: {match}, rpm: 3}}\n")
    assert told == {0: f"can never match: no {field} that is known fits match.{field}"}


@pytest.mark.parametrize(
    "match",
    [
        "{key: [nobody, ci]}",
        '{model: "gpt-5*"}',
        "{model: gpt-5-mini-2025-08-07}",
        '{model: "ft:*"}',
        '{endpoint: "chat.*"}',
        "{client: anybody}",
    ],
)
def test_what_can_match_is_not_told(match: str) -> None:
    assert found(f"    - {{match: {match}, rpm: 3}}\n") == {}


def test_an_open_set_is_never_judged() -> None:
    text = '    - {match: {key: x, model: "y*", endpoint: z}, rpm: 3}\n'
    assert found(text, Known()) == {}
    assert found("    - {match: {client: x}, rpm: 3}\n", Known(client=frozenset({"ci"}))) != {}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("{rpm: 3, tpm: 9}", "{match: {key: ci}, rpm: 1}"),
        ('{match: {model: "gpt-5*"}, rpm: 3}', '{match: {model: "gpt-5-mini*"}, rpm: 1}'),
        ('{match: {model: "gpt-5*"}, rpm: 3}', "{match: {model: gpt-5-mini, key: ci}, rpm: 1}"),
        ("{match: {key: [default, ci]}, rpm: 3}", "{rpm: 1}"),
        ('{match: {endpoint: "chat.*"}, rpm: 3}', "{match: {endpoint: chat.get}, rpm: 1}"),
    ],
)
def test_a_rule_that_an_earlier_one_always_beats_is_told(first: str, second: str) -> None:
    told = found(f"    - {first}\n    - {second}\n")
    assert told == {1: "can never decide: rule-1 stands before it and names the same limits"}


def test_two_rules_together_may_beat_a_third() -> None:
    told = found("    - {rpm: 3}\n    - {tpm: 3}\n    - {rpm: 1, tpm: 1}\n")
    assert told == {
        2: "can never decide: rule-1, rule-2 stands before it and names the same limits"
    }


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("{rpm: 3}", "{rpm: 1, tpm: 1}"),
        ("{match: {key: ci}, rpm: 3}", "{rpm: 1}"),
        ('{match: {model: "gpt-5-*"}, rpm: 3}', '{match: {model: "gpt-5*"}, rpm: 1}'),
        ('{match: {model: "gpt-*-mini"}, rpm: 3}', '{match: {model: "gpt-5-*"}, rpm: 1}'),
        ("{match: {client: a}, rpm: 3}", "{match: {client: b}, rpm: 1}"),
    ],
)
def test_a_rule_that_may_still_decide_is_not_told(first: str, second: str) -> None:
    assert found(f"    - {first}\n    - {second}\n") == {}
