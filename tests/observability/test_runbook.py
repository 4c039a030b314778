"""Each alert has its part in the runbook, and what that says can be typed and asked."""

import re
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from openai_gateway.accounting.schema import CALLS
from openai_gateway.cli.main import main
from openai_gateway.telemetry.labels import Labels
from openai_gateway.telemetry.metrics import Metrics, Versions
from tests.observability.rules import alerts, records
from tests.observability.runbook import PAGE, PARTS, blocks, queries

# Programs of others that a machine with a gateway has, or that an operator brings.
OTHERS = {"curl", "df", "journalctl", "jq", "kubectl", "promtool", "redis-cli", "ss"}

TABLE = PAGE[PAGE.index("## What does it cost") : PAGE.index("### BudgetBurnFast")]

over_parts = pytest.mark.parametrize("name", list(PARTS))


def commands(text: str) -> Iterator[str]:
    """The lines after `$ `, those that go on joined."""
    for block in blocks(text, "console"):
        joined = re.sub(r"\n {4}", " ", block)
        yield from (line[2:] for line in joined.splitlines())


def resolved(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that these words name, and what is left of them."""
    command: click.Command = main
    while isinstance(command, click.Group) and words:
        below = command.get_command(click.Context(command), words[0])
        assert below is not None, f"no command {words[0]}"
        command, words = below, words[1:]
    return command, words


def test_every_alert_has_one_part_and_no_part_is_left_over() -> None:
    assert list(PARTS) == list(alerts())


@over_parts
def test_a_part_says_what_to_ask_to_type_to_do_and_when_to_ignore_it(name: str) -> None:
    part = PARTS[name]
    assert len(blocks(part, "promql")) == 1
    assert blocks(part, "console")
    assert part.count("**Do.**") == part.count("**May be ignored**") == 1
    assert alerts()[name]["labels"]["severity"] in part.lower()


@over_parts
def test_its_queries_ask_for_what_there_is(name: str) -> None:
    declared = Metrics(Labels(), Versions("", "", "")).declared
    known = {family.name for family in declared} | set(records())
    for query in queries(PARTS[name]):
        for used in re.findall(r"(?<![\w:])(?:job\w*:)?openai_gateway_[a-z_]+(?::\w+)?", query):
            bare = used.removesuffix("_bucket")
            assert bare in known or used == "openai_gateway_", used


def test_every_command_is_there_with_its_options() -> None:
    seen = 0
    for line in commands(PAGE):
        for piece in re.split(r" \| (?=[a-z])", line):
            program, *words = piece.split()
            if program != "openai-gateway":
                assert program in OTHERS, program
                continue
            command, rest = resolved(words)
            options = {name for option in command.params for name in option.opts}
            assert not isinstance(command, click.Group) or command.invoke_without_command, piece
            assert {word for word in rest if word.startswith("--")} <= options, piece
            seen += 1
    assert seen > 30


def test_the_fields_of_gateway_yaml_that_it_has_explained_are_there() -> None:
    paths = {line.split()[3] for line in commands(PAGE)
             if line.startswith("openai-gateway config explain ")}  # fmt: skip
    assert len(paths) > 8
    for path in paths:
        done = CliRunner().invoke(main, ["config", "explain", path])
        assert done.exit_code == 0, done.output


def test_the_columns_that_jq_asks_for_are_there() -> None:
    asked = {
        field
        for line in commands(PAGE)
        for filtered in re.findall(r"jq '([^']*)'", line)
        for field in re.findall(r"\.(\w+)", filtered)
    }
    assert "error_code" in asked
    assert asked <= set(CALLS.columns.keys())


@pytest.mark.parametrize("name", sorted(alerts()))
def test_a_threshold_is_told(name: str) -> None:
    """The number of a rule stands in its part, or in the table for burns; 0 and 1 are words."""
    text = PARTS[name] + (TABLE if name.startswith("BudgetBurn") else "")
    for number in re.findall(
        r"(?:>=?|<) ([\d.]+)(?: \* \d+)?(?= |$)", alerts()[name]["expr"], re.M
    ):
        value = float(number)
        if value <= 1 and value == int(value):
            continue
        ways = {
            number, f"{value:,.0f}", f"{value:.0%}".replace("%", " %"), f"{value * 1000:.0f} ms",
            {2: "two", 3: "three"}.get(int(value), number),
        }  # fmt: skip
        assert any(re.search(rf"(?<![\d.]){re.escape(way)}(?!\d)", text) for way in ways), number
