"""`openai-gateway serve`: runs the gateway, as `mitmdump -s addons/gateway.py` does."""

import sys
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from openai_gateway.host.worker import Worker

DEFAULT_LISTEN: Final = "127.0.0.1:8080"
EXAMPLES: Final = """\b
Examples:
  openai-gateway serve
  openai-gateway serve --config staging.yaml --listen 0.0.0.0:8080
  openai-gateway serve --workers 4
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


def _worker(_context: click.Context, _option: click.Parameter, text: str | None) -> "Worker | None":
    """Which worker this process is, as its parent says; no user needs to."""
    if text is None:
        return None
    from openai_gateway.host.worker import Worker

    try:
        return Worker.of(text)
    except ValueError:
        raise click.BadParameter("is set by the parent of several workers alone") from None


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
    help="Processes on the one port; the metrics of each on a port of its own, counting up from"
    " metrics.listen. SIGHUP replaces them one after another.",
)
@click.option("--as-worker", hidden=True, callback=_worker)
def serve(
    config: str | None, listen: tuple[str, int], workers: int, as_worker: "Worker | None"
) -> None:
    """Run the gateway until a signal ends it.

    A wrong or unsafe set-up stops the start with exit code 1, every problem on a line of its own.
    """
    if workers > 1 and as_worker is None:
        from openai_gateway.host.workers import run as run_several

        sys.exit(run_several(config, listen, workers))
    from openai_gateway.host.serve import run

    sys.exit(run(config, listen, as_worker))
