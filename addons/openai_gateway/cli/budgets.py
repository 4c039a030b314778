"""`openai-gateway budgets`: where each budget stands, and another limit for a while."""

import json
import os
import pwd
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from openai_gateway.cli.budget_lines import as_json as json_of
from openai_gateway.cli.budget_lines import change_json, change_lines, lines
from openai_gateway.cli.reading import as_json, log, place, say

if TYPE_CHECKING:  # slow to import, and not needed for --help
    from collections.abc import Iterator, Sequence

    from openai_gateway.budgets.rule import Rule
    from openai_gateway.budgets.store import Override
    from openai_gateway.config.spending import Spending
    from openai_gateway.readiness.budgets import Standing, Standings

SEEN_S: Final = 4
EXAMPLES: Final = """\b
Examples:
  openai-gateway budgets
  openai-gateway budgets raise team --to 50 --until 2h
  openai-gateway budgets raise team --to 50 --until 2026-11-30T18:00:00Z
  openai-gateway budgets raise team --end
  openai-gateway budgets --changes
"""
_CONFIG: Final = click.option(
    "--config",
    metavar="FILE",
    help="Else OPENAI_GATEWAY_CONFIG, else ./gateway.yaml; its budgets, limits.store and"
    " log.database are read, so no key and no webhook needs to be set.",
)


@click.group(invoke_without_command=True, epilog=EXAMPLES)
@click.option("--changes", is_flag=True, help="Who has raised which budget, the newest first.")
@as_json
@_CONFIG
@click.pass_context
def budgets(context: click.Context, changes: bool, as_json: bool, config: str | None) -> None:
    """Tell where each budget stands: spent, reserved, left, its end, a forecast.

    The forecast goes on as so far, from a twentieth of the period on. Amounts are exact.
    """
    if context.invoked_subcommand is not None:
        return
    if changes:
        _tell_changes(config, as_json)
        return
    rules, said = _configured(config)
    found = _standings(config, rules, said)
    if as_json:
        click.echo(json.dumps([json_of(one, said) for one in found.budgets], indent=2))
    else:
        _tell(found, said)
    if found.why_not:
        click.echo(f"note: {found.why_not}; what is told is the call log's alone", err=True)


def _tell(found: "Standings", said: "Spending") -> None:
    if not found.budgets:
        say("no budgets")
    for number, one in enumerate(found.budgets):
        if number:
            say("")
        for text, style in lines(one, time.time()):
            say(text, **style)
    if found.budgets and not said.shared:
        say("")
        say("reserved: known to the running gateway alone, as limits.store is memory", dim=True)


def _tell_changes(config: str | None, as_json: bool) -> None:
    from openai_gateway.accounting.spend import read_changes

    with log(config) as connection:
        found = read_changes(connection)
        if as_json:
            click.echo(json.dumps([change_json(one) for one in found], indent=2))
            return
        for one in found:
            for text in change_lines(one):
                say(text)
        if not found:
            say("no changes")


@budgets.command("raise")
@click.argument("name")
@click.option("--to", metavar="USD", help="The limit until then, in US dollars.")
@click.option("--until", metavar="TIME", help="2026-11-30T18:00:00Z, or 2h or 7d from now.")
@click.option("--end", is_flag=True, help="End what was raised, now.")
@_CONFIG
@click.pass_context
def raise_(
    context: click.Context, name: str, to: str | None, until: str | None, end: bool,
    config: str | None,
) -> None:  # fmt: skip
    """Give the budget NAME a higher limit for a while, on every gateway within 4 s.

    It must be above the budget's own, and above what it is raised to already.
    """
    if end == (to is not None or until is not None) or (to is None) != (until is None):
        raise click.UsageError("give --to and --until, or --end alone")
    config = config or (context.parent.params["config"] if context.parent else None)
    rules, said = _configured(config)
    with _wrong_usage():
        from openai_gateway.budgets.overrides import ended, named, raised

        rule = named(rules, name)
        (found,) = _asked(config, rule, said)
        now, who = time.time(), _user()
        if to is not None and until is not None:
            change = raised(rule, to, until, who, now, found.override)
        else:
            change = ended(rule, who, now, found.override)
    _keep(config, change, found.status.limit, "end" if end else "raise", said)
    for text, style in _done(rule, change, found.status.limit, end):
        say(text, **style)


def _done(
    rule: "Rule", change: "Override", before: int, end: bool
) -> "list[tuple[str, dict[str, bool]]]":
    from openai_gateway.budgets.period import told
    from openai_gateway.core.money import dollars

    until = "from now on" if end else f"until {told(int(change.until))}"
    return [
        (f"{rule.name}: from {dollars(before)} to {dollars(change.limit)} {until}", {"bold": True}),
        (f"in force on every running gateway within {SEEN_S} s", {}),
    ]


def _configured(config: str | None) -> "tuple[Sequence[Rule], Spending]":
    """The budgets of gateway.yaml; what is wrong with them is said with exit code 1."""
    from openai_gateway.budgets.rule import rules
    from openai_gateway.config.load import find
    from openai_gateway.config.problems import ConfigError
    from openai_gateway.config.spending import spending

    try:
        said = spending(find(config, os.environ, Path.cwd()), os.environ)
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    return rules(said.budgets), said


def _standings(config: str | None, rules: "Sequence[Rule]", said: "Spending") -> "Standings":
    from openai_gateway.core.clock import SystemClock
    from openai_gateway.readiness.budgets import Standings, standings

    if not rules:
        return Standings(())
    with log(config) as connection:
        return standings(connection, rules, said, SystemClock())


def _asked(config: str | None, rule: "Rule", said: "Spending") -> "tuple[Standing, ...]":
    """A limit is changed only where it is known."""
    found = _standings(config, [rule], said)
    if found.why_not:
        raise click.ClickException(f"{found.why_not}; nothing was changed")
    return found.budgets


def _keep(
    config: str | None, change: "Override", before: int, command: str, said: "Spending"
) -> None:
    """First into the log of changes, then into the store that gateways share."""
    from openai_gateway.readiness.budget_changes import NotKept, keep

    try:
        keep(place(config), change, before, command, said)
    except NotKept as error:
        raise click.ClickException(str(error)) from error


@contextmanager
def _wrong_usage() -> "Iterator[None]":
    from openai_gateway.budgets.overrides import NotRaised

    try:
        yield
    except NotRaised as error:
        raise click.UsageError(str(error)) from error


def _user() -> str:
    """Who runs this, as the system knows them."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"
