"""`openai-gateway faults`: which calls are made to fail, and how often each rule did so."""

import json
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from openai_gateway.cli.reading import cut, log, options, say

if TYPE_CHECKING:  # slow to import, and not needed for --help
    from openai_gateway.config.shaping import FaultRule, Shape
    from openai_gateway.readiness.fired import Fired

_NAME: Final = 16
_LEFT: Final = 80 - _NAME - 12 - 6 - 7 - 14 - 5 * 2
_FIELDS: Final = ("key", "model", "client", "endpoint")
EXAMPLES: Final = """\b
Examples:
  openai-gateway faults
  openai-gateway faults --since 1h --json
"""


@click.command(epilog=EXAMPLES)
@options
def faults(since: datetime | None, as_json: bool, config: str | None) -> None:
    """List the rules of shape.faults, and how often each has fired.

    A rule is active with shape.mode enforce and a probability above 0. Fired is what the call log
    knows, by the rule's name; a rule that is in the log alone is listed too.
    """
    from openai_gateway.readiness.fired import fired

    shape = _shape(config)
    with log(config) as connection:
        rows = _rows(shape, fired(connection, since))
        if as_json:
            click.echo(json.dumps(rows, indent=2))
        else:
            _tell(shape, rows)


def _shape(config: str | None) -> "Shape":
    from openai_gateway.config.load import find
    from openai_gateway.config.problems import ConfigError
    from openai_gateway.config.shaped import shaped

    try:
        return shaped(find(config, os.environ, Path.cwd()), os.environ)
    except ConfigError as error:
        raise click.ClickException("\n".join(str(one) for one in error.problems)) from error


def _rows(shape: "Shape", found: "Mapping[str, Fired]") -> list[dict[str, object]]:
    named = {rule.name for rule in shape.faults}
    rows = [_row(rule.name, rule, shape.mode, found.get(rule.name)) for rule in shape.faults]
    return rows + [_row(name, None, "off", one) for name, one in found.items() if name not in named]


def _row(name: str, rule: "FaultRule | None", mode: str, one: "Fired | None") -> dict[str, object]:
    match = {} if rule is None else {field: getattr(rule.match, field) for field in _FIELDS}
    last = one.last if one is not None else None
    return {
        "name": name,
        "fault": rule.fault if rule is not None else None,
        "probability": rule.probability if rule is not None else None,
        "match": {field: list(globs) for field, globs in match.items() if globs is not None},
        "active": rule is not None and mode == "enforce" and rule.probability > 0,
        "fired": one.calls if one is not None else 0,
        "last_fired_at": last.isoformat() if last is not None else None,
    }


def _tell(shape: "Shape", rows: list[dict[str, object]]) -> None:
    told = {"off": "nothing fails", "observe": "hits are counted, nothing fails", "enforce": ""}
    say(f"shape.mode: {shape.mode}{f' ({told[shape.mode]})' if told[shape.mode] else ''}")
    if not rows:
        say("no faults")
        return
    say(_line("", "fault", "share", "fired", "last (UTC)", "match"), bold=True)
    for row in rows:
        share = row["probability"]
        last = str(row["last_fired_at"] or "     -")[5:19].replace("T", " ")
        kind = str(row["fault"] or "(no longer)")
        shown = "-" if share is None else f"{share:.4g}"
        text = _line(str(row["name"]), kind, shown, f"{row['fired']:,}", last, _where(row["match"]))
        say(text, **({} if row["active"] else {"dim": True}))


def _line(name: str, kind: str, share: str, fired: str, last: str, where: str) -> str:
    table = f"{cut(name, _NAME):<{_NAME}}  {kind:<12}  {share:>6}  {fired:>7}  {last:<14}"
    return f"{table}  {cut(where, _LEFT)}".rstrip()


def _where(match: object) -> str:
    fields = match.items() if isinstance(match, Mapping) else ()
    return " ".join(f"{field}={','.join(globs)}" for field, globs in fields) or "all"
