"""What is warned of at the start, and at which line, when the rule files are judged."""

import pytest

from openai_gateway import rulebook
from openai_gateway.config.load import read
from openai_gateway.config.problems import ConfigError
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


SHAPE = """\
keys: {}
leaks: {mode: off}
shape:
  latency: timing.yaml
  faults:
    - {fault: reset, match: {key: nobody}}
    - {fault: reset, after_events: 3}
    - {fault: timeout, probability: 0, retry_after_s: 1}
"""


def test_faults_that_never_come_are_told_with_their_lines() -> None:
    loaded = read(SHAPE.replace("  latency: timing.yaml\n", ""), ENV)
    assert [str(one) for one in rulebook.read(loaded).warnings] == [
        "gateway.yaml:5:7: shape.faults.0: can never match: no key that is known fits match.key",
        "gateway.yaml:6:22: shape.faults.1.after_events: means nothing with reset, and is not "
        "used; it is of cut_stream",
        "gateway.yaml:7:24: shape.faults.2.probability: is 0: this rule never hits",
        "gateway.yaml:7:40: shape.faults.2.retry_after_s: means nothing with timeout, and is not "
        "used; it is of overloaded, rate_limit, server_error, slow_down",
    ]


def test_a_profile_that_is_not_there_stops_the_start() -> None:
    with pytest.raises(ConfigError, match=r"shape\.latency names it"):
        rulebook.read(read(SHAPE, ENV))


def test_a_table_of_gateway_yaml_is_the_latency() -> None:
    table = "{m: {ttft_ms: {p50: 1, p95: 2}}}"
    book = rulebook.read(read(SHAPE.replace("timing.yaml", table), ENV))
    assert book.latency is not None
    assert book.latency["m"].ttft_ms.p95 == 2
