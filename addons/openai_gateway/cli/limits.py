"""`openai-gateway limits simulate`: the log's calls against other limits, without a call."""

import json
import math
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from openai_gateway.cli.limits_given import Given, given
from openai_gateway.cli.reading import as_json, log, quiet, since

if TYPE_CHECKING:  # slow to import, and not needed for --help
    from openai_gateway.limits.arrival import Arrival
    from openai_gateway.readiness.arrivals import Skipped

TOP: Final = 20
MOST_LISTED: Final = 10_000
_NUMBER: Final = 30
_LONGEST_S: Final = 3600
_WAIT: Final = re.compile(r"([0-9]{1,5})(ms|s|m|h)")
_UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}
EXAMPLES: Final = """\b
Examples:
  openai-gateway limits simulate --tier 3
  openai-gateway limits simulate --tier 1 --from calls.db --scale 2 --calls
  openai-gateway limits simulate --rule rpm=60,tpm=90000,per=key+model --since 24h
  openai-gateway limits simulate --tier 2 --on-limit wait --max-wait 30s --json
"""


@click.group()
def limits() -> None:
    """Replay the log's calls against other limits.

    Example: openai-gateway limits simulate --tier 3 --from calls.db
    """


def _wait(_context: click.Context, _option: click.Parameter, text: str | None) -> float | None:
    """500ms, 30s or 5m, in seconds."""
    if text is None:
        return None
    found = _WAIT.fullmatch(text)
    seconds = int(found[1]) * _UNITS[found[2]] if found else math.inf
    if seconds > _LONGEST_S:
        raise click.BadParameter("is no wait; write 500ms, 30s, 5m, an hour at most")
    return seconds


def _scale(_context: click.Context, _option: click.Parameter, scale: float) -> float:
    if not 0.001 <= scale <= 1000:
        raise click.BadParameter("must be from 0.001 to 1000")
    return scale


@limits.command(epilog=EXAMPLES)
@click.option("--tier", type=click.IntRange(1, 5), help="OpenAI's published limits of that tier.")
@click.option("--profile", metavar="FILE", help="Limits that `profile learn` has written.")
@click.option(
    "--rule", "rules", multiple=True, metavar="RULE",
    help="Own limits, like rpm=500,tpm=30000,per=key+model,model=gpt-5*; may be given again.",
)  # fmt: skip
@click.option(
    "--from", "source", metavar="WHERE",
    help="A database by its URL or file, or a file of `export`; else log.database.",
)  # fmt: skip
@since
@click.option(
    "--on-limit", type=click.Choice(("reject", "wait")), help="Else as gateway.yaml, or reject."
)
@click.option("--max-wait", metavar="TIME", callback=_wait, help="With wait: 30s if not given.")
@click.option(
    "--scale", type=float, default=1.0, show_default=True, callback=_scale,
    help="So many times as many calls in the same time: their gaps are divided by it.",
)  # fmt: skip
@click.option("--calls", "lists", is_flag=True, help="List the calls that met a limit.")
@click.option(
    "--top", type=click.IntRange(1, MOST_LISTED), default=TOP, show_default=True,
    help="So many limits, models and calls at most.",
)  # fmt: skip
@as_json
@click.option(
    "--config", metavar="FILE",
    help="Else OPENAI_GATEWAY_CONFIG, else ./gateway.yaml; its limits hold where no option names"
    " any. No key needs to be set.",
)  # fmt: skip
def simulate(
    tier: int | None, profile: str | None, rules: tuple[str, ...], source: str | None,
    since: datetime | None, on_limit: str | None, max_wait: float | None, scale: float,
    lists: bool, top: int, as_json: bool, config: str | None,
) -> None:  # fmt: skip
    """Tell which calls of the log would have been refused, or would have waited.

    The calls come when they came, take what the gateway would reserve and are corrected when they
    end, by the gateway's own buckets on simulated time. Nothing is sent. Exit 0 whatever is found.
    """
    from openai_gateway.cli.limits_output import tell
    from openai_gateway.cli.limits_told import Told
    from openai_gateway.cli.limits_told import as_json as in_json
    from openai_gateway.limits.simulate import Terms
    from openai_gateway.limits.simulate import simulate as simulated
    from openai_gateway.readiness.arrivals import Skipped

    held_to = given(tier, profile, rules, config)
    waits_s = _waits_s(held_to, on_limit, max_wait)
    terms = Terms(waits_s, scale, top if lists else 0)
    skipped = Skipped()
    with _calls(source, since, config, skipped) as calls:
        with _progress() as heard:
            found = simulated(calls, held_to.rulings, terms, heard)
        told = Told(found, skipped, held_to, terms, top)
    with quiet():
        if as_json:
            click.echo(json.dumps(in_json(told), indent=2))
        else:
            tell(told)


def _waits_s(held_to: Given, on_limit: str | None, max_wait: float | None) -> float | None:
    if (on_limit or held_to.on_limit) != "wait":
        if max_wait is not None:
            raise click.UsageError("--max-wait needs --on-limit wait")
        return None
    return held_to.max_wait_s if max_wait is None else max_wait


@contextmanager
def _calls(
    source: str | None, since: datetime | None, config: str | None, skipped: "Skipped"
) -> Iterator[Iterator["Arrival"]]:
    """The calls of a log or of an export; what is wrong with it is said with exit code 1."""
    from openai_gateway.readiness.arrivals import arrivals, in_order
    from openai_gateway.readiness.exported import exported
    from openai_gateway.readiness.lean import lean
    from openai_gateway.readiness.origin import origin
    from openai_gateway.readiness.place import NoLog

    try:
        place = None if source is None else origin(source, os.environ, Path.cwd())
        if isinstance(place, Path):
            yield in_order(arrivals(exported(place, since), skipped))
            return
    except NoLog as error:
        raise click.ClickException(str(error)) from error
    with log(config, place) as connection:
        yield arrivals(lean(connection, since, datetime.now(UTC)), skipped)


@contextmanager
def _progress() -> Iterator[Callable[[int], None]]:
    """How many calls have come, where a person waits for it; gone at the end."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    try:
        yield lambda number: click.echo(f"\r{number:,} calls", err=True, nl=False)
    finally:
        click.echo("\r" + " " * _NUMBER + "\r", err=True, nl=False)
