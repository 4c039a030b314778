"""`openai-gateway config`: is the file right, what may it say, and what does it say now?"""

import difflib
import json
import os
import re
import textwrap
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import click

from openai_gateway import rulebook
from openai_gateway.config.describe import Row, current, rows, written
from openai_gateway.config.load import WITHOUT_FILE, Loaded, find, load
from openai_gateway.config.problems import ConfigError, Problem
from openai_gateway.config.schema import schema

_WIDTH = 80
_FILE = click.option(
    "--config", "file", metavar="FILE", help="Else OPENAI_GATEWAY_CONFIG, else ./gateway.yaml."
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def config() -> None:
    """Check gateway.yaml, or tell what may stand in it.

    Example: openai-gateway config check --config gateway.yaml
    """


@config.command()
@_FILE
@_JSON
def check(file: str | None, as_json: bool) -> None:
    """Print every problem of the file, one a line; exit 1 if there is any.

    Secret references are read too. Example: openai-gateway config check
    """
    try:
        loaded = _load(file)
        loaded = replace(loaded, warnings=(*loaded.warnings, *rulebook.read(loaded).warnings))
    except ConfigError as error:
        _tell(error.problems, as_json)
    if as_json:
        click.echo("[]")
        return
    for warning in loaded.warnings:
        click.echo(f"warning: {warning}", err=True)
    click.echo(_fine(loaded))


@config.command("schema")
def schema_command() -> None:
    """Print the JSON Schema of gateway.yaml, for editors.

    Example: openai-gateway config schema > gateway.schema.json
    """
    click.echo(json.dumps(schema(), indent=2, ensure_ascii=False))


@config.command()
@click.argument("path", required=False)
@_FILE
@_JSON
def explain(path: str | None, file: str | None, as_json: bool) -> None:
    """Tell each field's meaning, type, default and, where there is a file, its value.

    PATH chooses a section or field; secrets are shown as their reference.
    Example: openai-gateway config explain keys.mappings
    """
    chosen = _chosen(path)
    data = _data(file)
    if as_json:
        click.echo(json.dumps([_entry(row, data) for row in chosen], indent=2, ensure_ascii=False))
        return
    click.echo("\n\n".join(_text(row, data) for row in chosen))


def _load(file: str | None) -> Loaded:
    return load(find(file, os.environ, Path.cwd()), os.environ)


def _tell(problems: tuple[Problem, ...], as_json: bool) -> NoReturn:
    if as_json:
        fields = ("file", "line", "column", "path", "message")
        told = [{name: getattr(problem, name) for name in fields} for problem in problems]
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join(str(problem) for problem in problems))
    raise SystemExit(1)


def _fine(loaded: Loaded) -> str:
    config = loaded.config
    number = len(config.keys.mappings)
    parts = [f"{number} mapping{'s' if number > 1 else ''}", config.environment]
    if loaded.warnings:
        parts.append(f"{len(loaded.warnings)} warning{'s' if len(loaded.warnings) > 1 else ''}")
    return f"{loaded.path or WITHOUT_FILE}: fine ({', '.join(parts)})"


def _chosen(path: str | None) -> list[Row]:
    """The rows at and below `path`; indices and `[]` may be left out."""
    every = rows()
    if path is None:
        return list(every)
    wanted = _bare(path)
    found = [row for row in every if f"{_bare(row.path)}.".startswith(f"{wanted}.")]
    if not found:
        near = difflib.get_close_matches(wanted, [_bare(row.path) for row in every], n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise click.UsageError(f"gateway.yaml has no such field{hint}")
    return found


def _bare(path: str) -> str:
    return re.sub(r"\[\]|\.\d+(?=\.|$)", "", path)


def _data(file: str | None) -> Mapping[str, Any]:
    """What the file says; nothing where there is none, and the reason on stderr where it is bad."""
    try:
        found = find(file, os.environ, Path.cwd())
        if found is None:
            return {}
        data = load(found, os.environ).lines.found.data
    except ConfigError as error:
        for problem in error.problems:
            click.echo(f"no values are shown: {problem}", err=True)
        return {}
    return data if isinstance(data, Mapping) else {}


def _entry(row: Row, data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "path": row.path,
        "type": row.type,
        "default": row.default,
        "meaning": row.meaning,
        "in_force": row.acts,
        "value": current(data, row.path),
    }


def _text(row: Row, data: Mapping[str, Any]) -> str:
    value = current(data, row.path)
    lines = [row.path, *_wrapped("", row.meaning), *_wrapped("type: ", row.type)]
    if row.default:
        lines += _wrapped("default: ", row.default)
    if value is not None and row.type != "mapping":
        lines += _wrapped("now: ", written(value))
    if not row.acts:
        lines.append("  accepted, not yet in force in this version")
    return "\n".join(lines)


def _wrapped(name: str, text: str) -> list[str]:
    return textwrap.wrap(
        name + text, _WIDTH, initial_indent="  ", subsequent_indent="    ", break_long_words=False
    )
