"""`openai-gateway calls`: the rows of the call log, the newest first or as they come."""

import json
import signal
from collections.abc import Iterable
from datetime import datetime
from threading import Event
from typing import TYPE_CHECKING, Final

import click

from openai_gateway.cli.reading import cut, log, options, say, usd

if TYPE_CHECKING:  # slow to import, and not needed for --help
    from openai_gateway.readiness.rows import Row

MOST: Final = 10_000
_FEW: Final = 50
_EVERY_S: Final = 0.5
_FAILED: Final = 400
_FINE: Final = ("forwarded", "replayed")
_HEAD: Final = f"{'UTC':<14} {'id':<31} {'':<3} {'model':<14} {'cost USD':>13}"
EXAMPLES: Final = """\b
Examples:
  openai-gateway calls --since 1h
  openai-gateway calls --tail
  openai-gateway calls --limit 1 --json
"""


@click.command(epilog=EXAMPLES)
@click.option(
    "--limit",
    type=click.IntRange(1, MOST),
    metavar="N",
    help=f"So many rows at most; {_FEW} if not given.",
)
@click.option(
    "--tail",
    is_flag=True,
    help="Print rows as they are written, until Ctrl-C; with --since or --limit those first.",
)
@options
def calls(
    limit: int | None, tail: bool, since: datetime | None, as_json: bool, config: str | None
) -> None:
    """List the calls of the log, the newest first, refused ones too.

    A call has its row when it has ended. In place of a cost that is 0 because the call was refused
    or failed stands why.
    """
    if tail:
        _follow(limit, since, as_json, config)
        return
    from openai_gateway.readiness import rows

    with log(config) as connection:
        found = rows.newest(connection, since, limit or _FEW)
        if as_json:
            click.echo(json.dumps([rows.as_json(row) for row in found], indent=2))
        else:
            _list(found)


def _follow(limit: int | None, since: datetime | None, as_json: bool, config: str | None) -> None:
    from openai_gateway.readiness import rows

    stopped = _interrupted()
    with log(config) as connection:
        new = rows.Tail(connection)
        first = rows.newest(connection, since, limit or _FEW) if limit or since else []
        if not as_json:
            say(_HEAD, bold=True)
        _tell(reversed(first), as_json)
    told = {row["id"] for row in first}
    while not stopped.wait(_EVERY_S):
        with log(config) as connection:
            _tell((row for row in new.fresh(connection) if row["id"] not in told), as_json)


def _interrupted() -> Event:
    """Set by the first Ctrl-C; the second one ends the process whatever it does.

    An exception in its place would come out of any line, a half-closed connection's too.
    """
    stopped = Event()

    def stop(number: int, _frame: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        stopped.set()

    signal.signal(signal.SIGINT, stop)
    return stopped


def _tell(found: "Iterable[Row]", as_json: bool) -> None:
    from openai_gateway.readiness import rows

    for row in found:
        if as_json:
            click.echo(json.dumps(rows.as_json(row)))
        else:
            _line(row)


def _list(found: "list[Row]") -> None:
    if not found:
        say("no calls")
        return
    say(_HEAD, bold=True)
    for row in found:
        _line(row)


def _line(row: "Row") -> None:
    fine = row["outcome"] in _FINE and row["status"] < _FAILED and row["error_code"] is None
    last = usd(row["cost_nano_usd"]) if fine else _why(row)
    model = row["model_sent"] or row["model_requested"] or "-"
    at = row["started_at"].strftime("%m-%d %H:%M:%S")
    text = f"{at:<14} {row['id']:<31} {row['status']:<3} {cut(model, 14):<14} {cut(last, 13):>13}"
    if fine:
        say(text)
    else:
        say(text, fg="red")


def _why(row: "Row") -> str:
    """The outcome; where the upstream was asked, what it said."""
    if row["outcome"] in _FINE:
        return str(row["error_code"] or "error")
    return str(row["outcome"])
