"""`openai-gateway rules`: does each leak rule find what it says, and leave alone what it should?"""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

import click

from openai_gateway.cli.reading import WIDTH, as_json, cut, quiet, say

if TYPE_CHECKING:  # slow to import, and not needed for --help
    from openai_gateway.api.price_file import Fault
    from openai_gateway.config.policy import Leaks
    from openai_gateway.leaks.rules.rule import Rule
    from openai_gateway.leaks.rules.rule_set import RuleSet

# Each example is filled anew so many times: one that holds by luck is no example.
FILLINGS: Final = 20
SUFFIXES: Final = (".yaml", ".yml", ".toml")
_HEAD: Final = ("rule", "matches", "ignores")
EXAMPLES: Final = """\b
Examples:
  openai-gateway rules check
  openai-gateway rules check rules/pii.yaml
  openai-gateway rules check gitleaks.toml --json
"""


@click.group()
def rules() -> None:
    """Try the leak rules on their own examples.

    Example: openai-gateway rules check rules/secrets.yaml
    """


@rules.command(epilog=EXAMPLES)
@click.argument("file", required=False)
@click.option(
    "--config",
    metavar="FILE",
    help="Else OPENAI_GATEWAY_CONFIG, else ./gateway.yaml; only its leaks.rules is read, so no key"
    " needs to be set.",
)
@as_json
def check(file: str | None, config: str | None, as_json: bool) -> None:
    """Run every rule's own examples, alone and among the other rules.

    FILE is a rule file (.yaml) or a gitleaks file (.toml), which has no examples; without it the
    files that leaks.rules of gateway.yaml names. Exit 1 if a rule or an example is wrong.
    """
    from openai_gateway.leaks.engine.detector import Detector
    from openai_gateway.leaks.rules.rule import RulesFault
    from openai_gateway.leaks.rules.rule_file import RuleFileError
    from openai_gateway.leaks.rules.rule_set import read

    paths = [_given(file)] if file is not None else rule_paths(config)
    try:
        found = read(paths, FILLINGS)
        engine = Detector(found.rules).engine
    except RuleFileError as error:
        _wrong(error.faults, as_json)
    except RulesFault as error:
        _wrong(_placed(error.problems, found), as_json)
    with quiet():
        _tell_json(found) if as_json else _tell(found, engine, paths)


def rule_paths(config: str | None) -> list[Path]:
    """The rule files of the gateway.yaml that a gateway started here would use; no key is read."""
    return leaks_of(config, "rules")[1]


def leaks_of(config: str | None, *names: str) -> tuple["Leaks", list[Path]]:
    """These fields of its section `leaks`, the others at their defaults; and its rule files."""
    from openai_gateway.config.load import find
    from openai_gateway.config.problems import ConfigError
    from openai_gateway.config.rules import rule_file

    try:
        path = find(config, os.environ, Path.cwd())
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    root = Path.cwd() if path is None else path.absolute().parent
    leaks = _judged({} if path is None else section(path, "leaks"), names, path)
    return leaks, [_near(rule_file(root, name)) for name in leaks.rules]


def section(path: Path, name: str) -> Mapping[str, object]:
    """One section of a gateway.yaml, whatever the rest of it is worth."""
    from openai_gateway.config import document

    try:
        with path.open("rb") as file:
            data = document.parse(file.read(document.MAX_BYTES).decode("utf-8-sig")).data
    except OSError as error:
        raise click.ClickException(f"{path}: cannot be read ({error.strerror})") from error
    except (UnicodeDecodeError, document.Unreadable) as error:
        message = f"{path}: is no YAML; `openai-gateway config check` tells where"
        raise click.ClickException(message) from error
    found = data.get(name) if isinstance(data, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _judged(leaks: Mapping[str, object], names: Sequence[str], path: Path | None) -> "Leaks":
    from pydantic import ValidationError

    from openai_gateway.config.kinds import Setting
    from openai_gateway.config.policy import Leaks
    from openai_gateway.config.problems import dotted
    from openai_gateway.config.translate import faults

    said = {name: leaks[name] for name in names if name in leaks}
    try:
        return Leaks.model_validate(said, context=Setting())
    except ValidationError as error:
        words = "; ".join(f"leaks.{dotted(loc)}: {message}" for loc, message in faults(error))
        raise click.ClickException(f"{path}: {words}") from error


def _given(file: str) -> Path:
    if Path(file).suffix.lower() not in SUFFIXES:
        raise click.UsageError("a rule file ends in .yaml, a gitleaks file in .toml")
    return Path(file)


def _near(path: Path) -> Path:
    """As one would write it here."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _placed(problems: Sequence[str], found: "RuleSet") -> list["Fault"]:
    """What only the rules together get wrong, at the file of the rule."""
    from openai_gateway.api.price_file import Fault

    split = [problem.partition(": ") for problem in problems]
    return [Fault(str(found.files.get(name, "")), 1, 1, name, said) for name, _, said in split]


def _wrong(faults: Sequence["Fault"], as_json: bool) -> NoReturn:
    with quiet():
        if as_json:
            click.echo(json.dumps({"rules": [], "faults": _fields(faults), "notes": []}, indent=2))
        else:
            for fault in faults:
                say(str(fault))
            say(f"{len(faults)} fault{'s' if len(faults) > 1 else ''}", bold=True)
    raise SystemExit(1)


def _fields(faults: Sequence["Fault"]) -> list[dict[str, object]]:
    names = ("file", "line", "column", "path", "message")
    return [{name: getattr(fault, name) for name in names} for fault in faults]


def _tell_json(found: "RuleSet") -> None:
    told = [
        {
            "id": rule.id,
            "file": str(found.files[rule.id]),
            "matches": {"ok": len(rule.matches), "of": len(rule.matches)},
            "ignores": {"ok": len(rule.ignores), "of": len(rule.ignores)},
        }
        for rule in found.rules
    ]
    whole = {"rules": told, "faults": [], "notes": _fields(found.notes)}
    click.echo(json.dumps(whole, indent=2))


def _tell(found: "RuleSet", engine: str, paths: Sequence[Path]) -> None:
    for note in found.notes:
        click.echo(f"note: {note}", err=True)
    width = min(max(len(rule.id) for rule in found.rules), WIDTH - 2 * 9 - 2)
    say(_row(_HEAD, width), bold=True)
    for rule in found.rules:
        say(_row((rule.id, _count(rule.matches), _count(rule.ignores)), width))
    say(f"{', '.join(map(str, paths))}: fine ({_summary(found.rules)}, {engine})", bold=True)


def _summary(every: Sequence["Rule"]) -> str:
    examples = sum(len(rule.matches) + len(rule.ignores) for rule in every)
    return f"{len(every)} rule{'s' * (len(every) != 1)}, {examples} examples"


def _count(examples: Sequence[str]) -> str:
    return f"{len(examples)} ok" if examples else "-"


def _row(cells: tuple[str, str, str], width: int) -> str:
    return f"{cut(cells[0], width).ljust(width)}  {cells[1]:>7}  {cells[2]:>7}"
