"""Verdicts cannot be changed once said, and an answer's body does not show."""

import dataclasses

import pytest

from openai_gateway.core.verdict import PASS, Answer, Pass, Refusal, Refuse

REFUSAL = Refusal("code", 403, "type", "message", retry=False, outcome="blocked")


@pytest.mark.parametrize("said", [PASS, Refuse(REFUSAL), Answer(200, (), b""), REFUSAL])
def test_a_verdict_is_frozen(said) -> None:
    with pytest.raises((dataclasses.FrozenInstanceError, TypeError)):
        said.status = 200


def test_a_plain_pass_is_noted_as_pass() -> None:
    assert Pass("pass") == PASS


def test_the_body_of_an_answer_does_not_show() -> None:
    assert "secret" not in repr(Answer(200, (), b"secret"))
