"""`openai-gateway serve`: runs the gateway, as `mitmdump -s addons/gateway.py` does."""

import sys
from typing import Final

import click

DEFAULT_LISTEN: Final = "127.0.0.1:8080"
EXAMPLES: Final = """\b
Examples:
  openai-gateway serve
  openai-gateway serve --config staging.yaml --listen 0.0.0.0:8080
"""


def address(_context: click.Context, _option: click.Parameter, text: str) -> tuple[str, int]:
    """HOST:PORT, or [ADDRESS]:PORT for IPv6, as (host, port)."""
    host, _, port = text.rpartition(":")
    bare = host.removeprefix("[").removesuffix("]")
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise click.BadParameter("is not HOST:PORT with a port from 1 to 65535")
    if not bare or (":" in bare) != (host == f"[{bare}]"):
        raise click.BadParameter("is not HOST:PORT; an IPv6 address stands in brackets")
    return bare, int(port)


@click.command(epilog=EXAMPLES)
@click.option(
    "--config",
    metavar="FILE",
    help="The configuration; else OPENAI_GATEWAY_CONFIG, else ./gateway.yaml, else the two keys"
    " of the environment.",
)
@click.option(
    "--listen",
    metavar="HOST:PORT",
    callback=address,
    default=DEFAULT_LISTEN,
    show_default=True,
    help="Where clients' HTTPS_PROXY points to.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    metavar="N",
    default=1,
    show_default=True,
    help="Processes on the one port. Only 1 in this version.",
)
def serve(config: str | None, listen: tuple[str, int], workers: int) -> None:
    """Run the gateway until a signal ends it.

    A wrong or unsafe set-up stops the start with exit code 1, every problem on a line of its own.
    """
    if workers > 1:
        raise click.BadParameter(
            "several workers come with shared limits, in a later version; run 1",
            param_hint="--workers",
        )
    from openai_gateway.host.serve import run

    sys.exit(run(config, listen))
