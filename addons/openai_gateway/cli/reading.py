"""What the commands that read the call log share: their options, their words, a quiet end."""

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:  # slow to import, and not needed for --help
    from openai_gateway.readiness.place import Place
    from openai_gateway.readiness.source import Log

WIDTH: Final = 80
_SINCE: Final = re.compile(r"([0-9]{1,9})([smhd])")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_LONGEST: Final = timedelta(days=36500)

type Function = Callable[..., None]


def _moment(_context: click.Context, _option: click.Parameter, text: str | None) -> datetime | None:
    """30s, 15m, 12h or 7d, as the moment that lies so long before now, in UTC."""
    if text is None:
        return None
    found = _SINCE.fullmatch(text)
    if not found:
        raise click.BadParameter("is no age; write 30s, 15m, 12h or 7d")
    try:
        age = timedelta(**{_UNITS[found[2]]: int(found[1])})
    except OverflowError:
        age = _LONGEST
    return datetime.now(UTC) - min(age, _LONGEST)


def options(function: Function) -> Function:
    """--since, --json and --config."""
    return since(as_json(config(function)))


since = click.option(
    "--since",
    metavar="AGE",
    callback=_moment,
    help="Only calls that began since then: 30s, 15m, 12h, 7d.",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
config = click.option(
    "--config",
    metavar="FILE",
    help="Else OPENAI_GATEWAY_CONFIG, else ./gateway.yaml; only its log.database is read, so no"
    " key needs to be set.",
)


@contextmanager
def log(config: str | None, named: "Place | None" = None) -> Iterator["Log"]:
    """The call log, `named` or that of the configuration, open to be read; what is wrong with it is
    said with exit code 1."""
    from openai_gateway.readiness.place import NoLog
    from openai_gateway.readiness.source import reading

    try:
        with quiet(), reading(named or place(config)) as connection:
            yield connection
    except NoLog as error:
        raise click.ClickException(str(error)) from error


def place(config: str | None) -> "Place":
    """Where the log is that a gateway started here would write. Raises: NoLog."""
    from openai_gateway.readiness import place

    return place.place(config, os.environ, Path.cwd())


@contextmanager
def quiet() -> Iterator[None]:
    """A reader that has seen enough (`| head`) ends the command, without a word."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # else the interpreter tries once more to write what is left, and complains
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None


def say(text: str, **style: Any) -> None:
    """A line, in colour on a terminal only; letters that it does not have become `?`."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    shown = text.encode(encoding, "replace").decode(encoding)
    if style and "NO_COLOR" not in os.environ:
        shown = click.style(shown, **style)
    click.echo(shown)


def can_draw() -> bool:
    """Whether blocks can be drawn here."""
    return "utf" in (getattr(sys.stdout, "encoding", None) or "").lower()


def usd(nano: int | None) -> str:
    """Exact, to the nano-dollar; `-` where nothing is known."""
    if nano is None:
        return "-"
    return f"{nano // 10**9:,}.{nano % 10**9:09d}"


def cut(text: str, width: int) -> str:
    """The text in so many columns. A store that others write to must not steer the terminal."""
    text = "".join(sign if sign.isprintable() else "?" for sign in text)
    return text if len(text) <= width else f"{text[: width - 1]}…"
