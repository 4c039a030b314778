"""Which budgets a call falls under."""

import pytest

from openai_gateway.budgets.matching import MOST_REMEMBERED, Matching, Traits, traits
from openai_gateway.config.policy import Match
from openai_gateway.core.call import Call, Request

CALL = Traits("default", "gpt-5-mini", "ci", "chat.create")


def match(**fields: object) -> Match:
    return Match.model_validate(fields)


@pytest.mark.parametrize(
    ("fields", "holds"),
    [
        ({}, True),
        ({"key": "default"}, True),
        ({"key": "other"}, False),
        ({"model": "gpt-5*"}, True),
        ({"model": "gpt-5"}, False),
        ({"model": ("o1*", "gpt-5-mini")}, True),
        ({"client": ("web", "c?")}, True),
        ({"client": "CI"}, False),
        ({"endpoint": "chat.*"}, True),
        ({"endpoint": "chatXcreate"}, False),
        ({"key": "default", "model": "gpt-5*", "client": "ci", "endpoint": "chat.*"}, True),
        ({"key": "default", "model": "gpt-5*", "client": "web"}, False),
    ],
)
def test_a_budget_holds_where_each_field_that_it_names_holds(
    fields: dict[str, object], holds: bool
) -> None:
    assert Matching([(match(**fields), "it")]).of(CALL) == (("it",) if holds else ())


def test_all_that_hold_are_found_in_their_order() -> None:
    known = Matching([(match(), 1), (match(model="o1"), 2), (match(endpoint="chat.*"), 3)])
    assert known.of(CALL) == known.of(CALL) == (1, 3)


def test_models_that_clients_make_up_do_not_fill_the_memory() -> None:
    known = Matching([(match(model="gpt*"), 1)])
    for number in range(3 * MOST_REMEMBERED):
        known.of(Traits("default", f"gpt-{number}", "ci", "chat.create"))
    assert len(known._remembered) <= MOST_REMEMBERED


def test_the_model_that_is_sent_counts_and_else_the_answers() -> None:
    call = Call(Request("POST", "api.openai.com", b"/v1", []), key="default", client="ci")
    assert traits(call).model == ""
    call.model_response = "gpt-5-2025-08-07"
    assert traits(call).model == "gpt-5-2025-08-07"
    call.model_requested = "gpt-5"
    assert traits(call).model == "gpt-5"
    call.model_sent = "gpt-5-mini"
    assert traits(call) == Traits("default", "gpt-5-mini", "ci", "unknown")


@pytest.mark.parametrize(("glob", "holds"), [("*", True), ("gpt*", False)])
def test_a_call_without_a_model_is_matched_by_any_alone(glob: str, holds: bool) -> None:
    known = Matching([(match(model=glob), 1)])
    assert bool(known.of(Traits("default", "", "ci", "unknown"))) == holds
