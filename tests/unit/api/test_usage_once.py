"""What can be read again has an id to be charged under, and is charged when it is over."""

import pytest

from openai_gateway.api.usage_once import charge_id, is_final


def test_ids_are_for_what_can_be_read_again() -> None:
    assert charge_id("responses.get", {"id": "resp_1"}) == "resp_1"
    assert charge_id("moderations.create", {"id": "modr-1"}) is None
    assert charge_id("responses.get", {"id": 7}) is None
    assert charge_id("responses.get", {"id": "x" * 1000}) is None
    assert charge_id("responses.get", None) is None


@pytest.mark.parametrize(
    ("answer", "final"),
    [
        ({"status": "queued"}, False),
        ({"status": "incomplete"}, True),
        ({"status": None}, True),
        ({"status": ["queued"]}, True),
        ({}, True),
        ("text", True),
    ],
)
def test_a_status_tells_whether_it_is_over(answer: object, final: bool) -> None:
    assert is_final("responses.get", answer) is final
