"""What is warned of at the start, and at which line, when the rule files are judged."""

import pytest

from openai_gateway import rulebook
from openai_gateway.config.load import read
from tests.unit.limits.test_rulings import ENV

TEXT = """\
keys: {}
leaks: {mode: off}
clients: {credentials: {ci: "env:OPENAI_API_KEY_STAGING"}}
budgets:
  - {name: fine, usd: 1, period: day, match: {model: "gpt-5*", key: default, client: ci}}
  - {name: files, usd: 1, period: day, match: {endpoint: ["unknown", "files.*"]}}
"""


def warnings(*budgets: str) -> list[str]:
    lines = "".join(f"  - {{name: b{n}, usd: 1, period: day, match: {match}}}\n"
                    for n, match in enumerate(budgets))  # fmt: skip
    return [str(one) for one in rulebook.read(read(TEXT + lines, ENV)).warnings]


@pytest.mark.parametrize(
    ("match", "field"),
    [
        ("{key: nobody}", "key"),
        ("{client: k6}", "client"),
        ("{model: 'gtp-5*'}", "model"),
        ("{endpoint: 'imagse.*'}", "endpoint"),
        ("{endpoint: 'images.*', key: [nobody, no-one]}", "key"),
    ],
)
def test_a_budget_that_no_call_can_fall_under_is_told_with_its_line(match: str, field: str) -> None:
    (told,) = warnings(match)
    assert told == (
        f"gateway.yaml:7:5: budgets.2: can never match: no {field} that is known fits match.{field}"
    )


def test_budgets_that_can_hold_are_not_told() -> None:
    assert warnings("{}", "{model: '*'}", "{endpoint: 'images.*', client: 'c*'}") == []
