"""`openai-gateway export`: the call log as CSV or JSON lines, row after row."""

import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import click

from openai_gateway.cli.reading import config, log, since

if TYPE_CHECKING:  # slow to import, and not needed for --help
    from openai_gateway.readiness.rows import Row

# What a spreadsheet would take for a formula, or cut at.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
EXAMPLES: Final = """\b
Examples:
  openai-gateway export --format csv --since 7d --output calls.csv
  openai-gateway export --format jsonl | jq .cost_nano_usd
"""


@click.command(epilog=EXAMPLES)
@click.option(
    "--format", "form", type=click.Choice(("csv", "jsonl")), required=True, help="Of the output."
)
@click.option("--output", metavar="FILE", help="Else standard output.")
@since
@config
@click.option("--json", "as_json", is_flag=True, hidden=True)
def export(
    form: str, output: str | None, since: datetime | None, config: str | None, as_json: bool
) -> None:
    """Write the rows of the call log, the oldest first.

    In CSV an unknown value is an empty cell, and a cell that a spreadsheet would take for a formula
    has an apostrophe before it.
    """
    if as_json and form != "jsonl":
        raise click.UsageError("--json is --format jsonl")
    from openai_gateway.readiness import rows

    write: Callable[[Iterable[Row], IO[str]], None] = _csv if form == "csv" else _jsonl
    with log(config) as connection, _opened(output) as file:
        write(rows.every(connection, since, datetime.now(UTC)), file)


@contextmanager
def _opened(output: str | None) -> Iterator[IO[str]]:
    """Where the rows go, in UTF-8 whatever the terminal speaks."""
    if output is None:
        reconfigure = getattr(sys.stdout, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", newline="")
        yield sys.stdout
        return
    try:
        with Path(output).open("w", encoding="utf-8", newline="") as file:
            yield file
    except BrokenPipeError:
        raise
    except OSError as error:
        raise click.ClickException(f"--output cannot be written ({error.strerror})") from error


def _csv(found: "Iterable[Row]", file: IO[str]) -> None:
    from openai_gateway.readiness.rows import COLUMNS

    # RFC 4180's line end; with another, Python 3.12 does not quote a cell that holds a CR.
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([_cell(row[name]) for name in COLUMNS] for row in found)


def _jsonl(found: "Iterable[Row]", file: IO[str]) -> None:
    from openai_gateway.readiness.rows import as_json

    for row in found:
        file.write(json.dumps(as_json(row)) + "\n")


def _cell(value: Any) -> str:
    from openai_gateway.readiness.rows import iso

    if value is None:
        return ""
    if isinstance(value, datetime):
        return iso(value)
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
