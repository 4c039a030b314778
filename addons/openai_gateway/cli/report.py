"""`openai-gateway report`: what was used and what it cost, summed by one column."""

import json
from datetime import datetime
from typing import TYPE_CHECKING, Final

import click

from openai_gateway.cli.reading import WIDTH, can_draw, cut, log, options, say, usd

if TYPE_CHECKING:  # slow to import, and not needed for --help
    from openai_gateway.readiness.report import Number, Report

MOST: Final = 40
_BY: Final = ("key", "model", "client", "endpoint", "day")
_BAR: Final = 8
_NAME_LEAST: Final = 8
EXAMPLES: Final = """\b
Examples:
  openai-gateway report --since 24h
  openai-gateway report --by day --since 30d
  openai-gateway report --by client --json
"""


@click.command(epilog=EXAMPLES)
@click.option(
    "--by",
    type=click.Choice(_BY),
    default="model",
    show_default=True,
    help="What to sum by; model is the one that was sent, a day one of UTC.",
)
@options
def report(by: str, since: datetime | None, as_json: bool, config: str | None) -> None:
    """Sum calls, tokens and cost of the call log.

    Cost is exact, and a call without a price is counted beside it, never as 0.
    """
    from openai_gateway.readiness.report import report as summed

    with log(config) as connection:
        found = summed(connection, by, since)
        if as_json:
            click.echo(json.dumps(found.as_json(), indent=2))
        else:
            _tell(found)


def _tell(found: "Report") -> None:
    if not found.groups:
        say("no calls")
        return
    lines = _lines(found)
    marked = bool(found.total["unpriced_calls"])
    table = [_cells(name, sums, marked) for name, sums in [*lines, ("total", found.total)]]
    widths = [max(len(row[column]) for row in [_HEAD, *table]) for column in range(4)]
    widths[0] = min(widths[0], max(_NAME_LEAST, WIDTH - sum(widths[1:]) - 3 * 2 - _BAR - 7))
    say(_row(_HEAD, widths) + "  share", bold=True)
    for cells, (_, sums) in zip(table, lines, strict=False):
        say((_row(cells, widths) + _share(sums, found.total)).rstrip())
    say(_row(table[-1], widths), bold=True)
    _footnotes(found.total)


def _lines(found: "Report") -> list[tuple[str, "Number"]]:
    """The first MOST groups, and those after them as one."""
    lines = [(group.name or "(none)", group.sums) for group in found.groups[:MOST]]
    rest = found.groups[MOST:]
    if rest:
        sums = {name: sum(group.sums[name] for group in rest) for name in found.total}
        lines.append((f"({len(rest)} more)", sums))
    return lines


_HEAD: Final = ("", "calls", "tokens", "cost USD")


def _cells(name: str, sums: "Number", marked: bool) -> tuple[str, str, str, str]:
    mark = "*" if sums["unpriced_calls"] else " " * marked
    cost = usd(sums["cost_nano_usd"]) + mark
    return name, f"{sums['calls']:,}", f"{sums['total_tokens']:,}", cost


def _row(cells: tuple[str, str, str, str], widths: list[int]) -> str:
    name = cut(cells[0], widths[0]).ljust(widths[0])
    numbers = (cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True))
    return "  ".join((name, *numbers))


def _share(sums: "Number", total: "Number") -> str:
    """The part of all cost, drawn; of all calls where nothing cost anything."""
    by = "cost_nano_usd" if total["cost_nano_usd"] else "calls"
    part = sums[by] / total[by]
    block = "█" if can_draw() else "#"
    return f"  {block * round(part * _BAR):<{_BAR}}{part:5.0%}"


def _footnotes(total: "Number") -> None:
    if total["unpriced_calls"]:
        say(f"* {total['unpriced_calls']:,} calls without a known cost, which are not in it")
    if total["estimated_calls"]:
        say(f"  {total['estimated_calls']:,} calls in it are estimates")
    if not total["cost_nano_usd"]:
        say("  share: of calls, as nothing has a cost")
