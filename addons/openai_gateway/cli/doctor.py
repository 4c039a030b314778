"""`openai-gateway doctor`: is this machine set up? Each fault with its evidence and its fix."""

import json
import os
import shutil
import textwrap
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from openai_gateway.cli.reading import WIDTH, as_json, can_draw, quiet, say
from openai_gateway.cli.serve import DEFAULT_LISTEN, address

if TYPE_CHECKING:  # slow to import, and not needed for --help
    from openai_gateway.doctor.finding import Finding

EXAMPLES: Final = """\b
Examples:
  openai-gateway doctor
  openai-gateway doctor --config gateway.yaml --calls
  openai-gateway doctor --listen 10.0.0.5:8080   # on a staging host
"""
_MARKS: Final = {"pass": "✓", "warn": "!", "fail": "✗", "unknown": "?"}
_PLAIN: Final = {"pass": "+", "warn": "!", "fail": "x", "unknown": "?"}
_COLOURS: Final = {"pass": "green", "warn": "yellow", "fail": "red", "unknown": "cyan"}
_NAME: Final = 14


@click.command(epilog=EXAMPLES)
@click.option("--config", metavar="FILE", help="Else OPENAI_GATEWAY_CONFIG, else ./gateway.yaml.")
@click.option(
    "--listen",
    metavar="HOST:PORT",
    callback=address,
    default=DEFAULT_LISTEN,
    show_default=True,
    help="The gateway's address. If it is not one of this machine, what a client of it needs is"
    " looked at.",
)
@click.option(
    "--calls",
    is_flag=True,
    help="Make calls with the real keys through the running gateway; one of them costs a little.",
)
@click.option("--model", default="gpt-5.4-nano", show_default=True, help="For the call that costs.")
@click.option("--offline", is_flag=True, help="Do not try to reach OpenAI.")
@as_json
def doctor(
    config: str | None,
    listen: tuple[str, int],
    calls: bool,
    model: str,
    offline: bool,
    as_json: bool,
) -> None:
    """Tell whether this machine is set up, and how to mend what is not.

    Exit code 1 where a finding failed; warnings and what cannot be told are none. No key is sent
    without --calls but to a gateway that has proven itself. docs/doctor.md tells each finding.
    """
    from openai_gateway.doctor.run import examine
    from openai_gateway.doctor.site import Wish, survey

    wish = Wish(config, listen, calls, offline, model)
    found = examine(survey(wish, os.environ, Path.cwd()))
    with quiet():
        if as_json:
            told = [
                {"id": one.id, "status": one.status, "evidence": one.evidence, "fix": one.fix}
                for one in found
            ]
            click.echo(json.dumps(told, indent=2))
        else:
            _tell(found)
    if any(one.status == "fail" for one in found):
        raise SystemExit(1)


def _tell(found: "Sequence[Finding]") -> None:
    marks = _MARKS if can_draw() else _PLAIN
    for one in found:
        first, *rest = _lines(one.evidence, _NAME + 2, width=_width())
        say(f"{marks[one.status]} {one.id:<{_NAME}}{first}", fg=_COLOURS[one.status])
        for line in rest:
            say(f"{'':{_NAME + 2}}{line}")
        for line in _lines(f"fix: {one.fix}", 4, width=_width()) if one.fix else ():
            say(f"    {line}")
    counted = Counter[str](one.status for one in found)
    named = [f"{marks[name]} {counted[name]} {name}" for name in _MARKS if counted[name]]
    say("  ".join(named), bold=True)


def _width() -> int:
    return min(WIDTH, shutil.get_terminal_size((WIDTH, 24)).columns)


def _lines(text: str, indent: int, width: int) -> list[str]:
    """Paths stay whole to be copied, where they fit."""
    room = max(24, width - indent)
    return textwrap.wrap(text, room, break_on_hyphens=False) or [""]
