"""`openai-gateway ca`: the gateway's own certificate authority, made, shown and handed out."""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from openai_gateway.host.authority import Authority

SOON_DAYS: Final = 30
EXAMPLES: Final = """\b
Examples:
  openai-gateway ca create
  openai-gateway ca show --json
  openai-gateway ca bundle --certs /etc/openai-gateway/certs
"""


def _options(command: Callable[..., None]) -> Callable[..., None]:
    """The options that all three share."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print a JSON object."),
        click.option("--config", metavar="FILE", help="The gateway.yaml beside which certs/ is."),
        click.option(
            "--certs", metavar="DIR", help="The folder itself; else certs/ beside gateway.yaml."
        ),
    ):
        command = option(command)
    return command


@click.group(epilog=EXAMPLES)
def ca() -> None:
    """Make or show the gateway's own certificate authority.

    Clients have to trust it. It can speak for api.openai.com and for nothing else.
    """


@ca.command(epilog="Example: openai-gateway ca create")
@_options
def create(certs: str | None, config: str | None, as_json: bool) -> None:
    """Make it where there is none; one that is there stays."""
    from openai_gateway.host import authority

    folder = _folder(certs, config)
    existed = (folder / authority.KEY_FILE).exists()
    found = _tried(lambda: authority.ensure(folder, create=True))
    _tell(found, "was there already, and stays" if existed else "made", as_json)


@ca.command(epilog="Example: openai-gateway ca show --json")
@_options
def show(certs: str | None, config: str | None, as_json: bool) -> None:
    """Tell its sha256 and its end.

    Exit code 1 where a gateway could not use it.
    """
    from openai_gateway.host import authority

    folder = _folder(certs, config)
    _tell(_tried(lambda: authority.read(folder)), "in order", as_json)


@ca.command(epilog="Example: openai-gateway ca bundle")
@_options
def bundle(certs: str | None, config: str | None, as_json: bool) -> None:
    """Write ca-bundle.pem anew.

    It holds this authority and the public roots of the installed certifi package.
    """
    from openai_gateway.host import authority

    folder = _folder(certs, config)
    _tell(_tried(lambda: authority.bundle(folder)), "bundle written", as_json)


def _folder(certs: str | None, config: str | None) -> Path:
    """Where a gateway that is started here would look: certs/ beside its gateway.yaml."""
    if certs is not None:
        return Path(certs)
    from openai_gateway.config.load import find
    from openai_gateway.config.problems import ConfigError

    try:
        found = find(config, os.environ, Path.cwd())
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    beside = found.parent if found is not None else Path.cwd()
    return Path("certs") if beside == Path.cwd() else beside / "certs"


def _tried(act: "Callable[[], Authority]") -> "Authority":
    from openai_gateway.host.authority import AuthorityError

    try:
        return act()
    except AuthorityError as error:
        raise click.ClickException(str(error)) from error


def _tell(found: "Authority", state: str, as_json: bool) -> None:
    facts = {
        "state": state,
        "sha256": found.sha256,
        "not_before": _iso(found.not_before),
        "not_after": _iso(found.not_after),
        "days_left": found.days_left,
        "key_file": str(found.key_file),
        "public_file": str(found.public_file),
        "bundle_file": str(found.bundle_file),
    }
    if as_json:
        click.echo(json.dumps(facts))
        return
    for name, value in facts.items():
        click.echo(f"{name:<12} {value}")
    if found.days_left < SOON_DAYS:
        click.echo(f"ends in {found.days_left} days: certs/README.md tells how to rotate", err=True)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
