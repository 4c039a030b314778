"""`openai-gateway scan`: the leak rules over a team's own files, and before each commit."""

import os
import stat
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from openai_gateway.cli.reading import as_json, quiet

if TYPE_CHECKING:  # slow to import, and not needed for --help
    from openai_gateway.cli.scan_output import Outcome
    from openai_gateway.config.policy import LeakException
    from openai_gateway.leaks.sources.source_files import Looked, Source

FORMATS: Final = ("text", "json", "sarif")
MAX_BYTES: Final = 10 * 1024 * 1024
LARGEST: Final = 1024 * 1024 * 1024
# Of what a shell makes of Ctrl-C.
INTERRUPTED: Final = 130
PROGRESS_S: Final = 0.1
EXAMPLES: Final = """\b
Examples:
  openai-gateway scan .
  openai-gateway scan --staged
  openai-gateway scan src docs --format sarif > leaks.sarif
"""


@click.command(epilog=EXAMPLES)
@click.argument("paths", nargs=-1, metavar="PATH...", type=click.Path(path_type=Path))
@click.option("--staged", is_flag=True, help="What the next git commit adds, and nothing else.")
@click.option("--format", "form", type=click.Choice(FORMATS), help="Of the output; else text.")
@as_json
@click.option(
    "--max-bytes",
    type=click.IntRange(1, LARGEST),
    default=MAX_BYTES,
    show_default=True,
    help="Larger files are skipped, and counted.",
)
@click.option(
    "--config",
    metavar="FILE",
    help="Else OPENAI_GATEWAY_CONFIG, else ./gateway.yaml; only its leaks.rules and leaks.allow"
    " are read, so no key needs to be set.",
)
def scan(
    paths: tuple[Path, ...],
    staged: bool,
    form: str | None,
    as_json: bool,
    max_bytes: int,
    config: str | None,
) -> None:
    """Look for secrets as the gateway does, in files and folders or in what is staged.

    Prints FILE:LINE: rule-id for each, never the value; the summary goes to standard error. Files
    that git ignores are left out, unless they are named. `path` of leaks.allow is a file's path as
    seen from here.

    Exit 1 if a secret was found, 0 if not, also where some file could not be read: the summary
    counts those.
    """
    from openai_gateway.cli.scan_output import tell

    chosen = _format(form, as_json)
    if not paths and not staged:
        raise click.UsageError("name a PATH, or say --staged")
    try:
        outcome = _scanned(paths, staged, max_bytes, config)
        # Who reads no further must still be told by the exit code.
        with suppress(SystemExit), quiet():
            tell(outcome, chosen, max_bytes)
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
    raise SystemExit(1 if outcome.found else 0)


def _format(form: str | None, as_json: bool) -> str:
    if as_json and form not in (None, "json"):
        raise click.UsageError("--json is --format json")
    return "json" if as_json else form or "text"


def _scanned(
    paths: tuple[Path, ...], staged: bool, max_bytes: int, config: str | None
) -> "Outcome":
    from openai_gateway.cli.rules import leaks_of
    from openai_gateway.cli.scan_output import Outcome
    from openai_gateway.leaks.rules.rule import RulesFault
    from openai_gateway.leaks.rules.rule_file import RuleFileError
    from openai_gateway.leaks.rules.rule_set import read
    from openai_gateway.leaks.sources import source_scan
    from openai_gateway.leaks.sources.source_judge import ScanFailed, Terms

    outcome = Outcome()
    sources = _staged(paths) if staged else _named(paths, outcome)
    leaks, files = leaks_of(config, "rules", "allow")
    outcome.notes += _expired(leaks.allow)
    try:
        outcome.rules = read(files).rules
        terms = Terms(outcome.rules, leaks.allow, max_bytes, str(Path.cwd()))
        looked = source_scan.scan(sources, terms, source_scan.cores())
        for one in _shown(looked, len(sources)):
            outcome.add(one)
    except RuleFileError as error:
        raise click.ClickException("\n".join(map(str, error.faults))) from error
    except (RulesFault, ScanFailed) as error:
        raise click.ClickException(str(error)) from error
    return outcome


def _named(paths: tuple[Path, ...], outcome: "Outcome") -> "list[Source]":
    from openai_gateway.leaks.sources.source_tree import Tree

    for number, path in enumerate(paths, 1):
        mode = _mode(path)
        if mode is None:
            raise click.UsageError(f"{_which(number, paths)} is not there, or out of reach")
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise click.UsageError(f"{_which(number, paths)} is no file and no folder")
    tree = Tree(Path.cwd())
    found = tree.sources(paths)
    outcome.notes += tree.notes
    outcome.unreadable += tree.unseen
    return found


def _staged(paths: tuple[Path, ...]) -> "list[Source]":
    from openai_gateway.leaks.sources import source_git
    from openai_gateway.leaks.sources.source_files import Source
    from openai_gateway.leaks.sources.source_tree import near

    here = Path.cwd()
    try:
        top = Path(source_git.top(str(here)))
    except source_git.GitFailed as error:
        raise click.UsageError(f"--staged needs a git repository here: {error}") from error
    try:
        entries = {top / one.path: one for one in source_git.staged(str(here))}
        sizes = source_git.sizes([one.oid for one in entries.values()], str(here))
    except source_git.GitFailed as error:
        raise click.ClickException(str(error)) from error
    chosen = _under(paths, list(entries)) if paths else list(entries)
    found = [
        Source(near(str(path), here), sizes.get(entries[path].oid, 0), staged=entries[path])
        for path in chosen
    ]
    return sorted(found, key=lambda source: os.fsencode(source.path))


def _under(paths: tuple[Path, ...], staged: list[Path]) -> list[Path]:
    """Those of the staged files that were named, or lie in a folder that was."""
    found: set[Path] = set()
    for number, path in enumerate(paths, 1):
        whole = Path(os.path.normpath(Path.cwd() / path))
        under = [one for one in staged if one.is_relative_to(whole)]
        if not under and _mode(path) is None:
            raise click.UsageError(f"{_which(number, paths)} is not there, and not staged")
        found.update(under)
    return list(found)


def _which(number: int, paths: tuple[Path, ...]) -> str:
    """Its words are not echoed: they may be a secret."""
    return f"PATH {number}" if len(paths) > 1 else "PATH"


def _mode(path: Path) -> int | None:
    try:
        return path.stat().st_mode
    except OSError:
        return None


def _expired(allowed: Sequence["LeakException"]) -> list[str]:
    from openai_gateway.leaks.policy import expired

    today = datetime.now(UTC).date()
    return [
        f"leaks.allow.{number} has expired: it allows nothing any more"
        for number in expired(allowed, today)
    ]


def _shown(looked: Iterable["Looked"], count: int) -> Iterator["Looked"]:
    """The same, with a line that tells how far it is, on a terminal alone."""
    is_terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    told = 0.0
    try:
        for number, one in enumerate(looked, 1):
            yield one
            now = time.monotonic()
            if is_terminal and now - told > PROGRESS_S:
                told = now
                click.echo(f"\r{number:,} of {count:,} files", nl=False, err=True)
    finally:
        if is_terminal and told:
            click.echo("\r\x1b[K", nl=False, err=True, color=True)
