"""`openai-gateway fingerprint`: what gateway.yaml may hold in place of a key."""

import json
import sys
from typing import Final

import click

from openai_gateway.core.secret import Secret

LONGEST: Final = 4096
EXAMPLES: Final = """\b
Examples:
  openai-gateway fingerprint               (asks, and shows nothing of what is typed)
  openai-gateway fingerprint < key.txt
"""


# Unknown options are taken as arguments, so that click's own message cannot echo a key.
@click.command(epilog=EXAMPLES, context_settings={"ignore_unknown_options": True})
@click.argument("given", nargs=-1, type=click.UNPROCESSED, metavar="")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def fingerprint(given: tuple[str, ...], as_json: bool) -> None:
    """Read a key from standard input, print its sha256.

    With it in `keys.mappings[].production` the gateway knows the key and never holds it.
    """
    if given:
        raise click.UsageError(
            "a key is read from standard input only: an argument shows in the process list and in"
            " the shell's history. If that was a real key, replace it"
        )
    found = _read().fingerprint()
    click.echo(json.dumps({"fingerprint": found}) if as_json else found)


def _read() -> Secret:
    if sys.stdin.isatty():
        return _checked(click.prompt("Key", hide_input=True, err=True))
    raw = sys.stdin.buffer.read(LONGEST + 1)
    if len(raw) > LONGEST:
        raise click.UsageError(f"a key has at most {LONGEST} bytes; give one key alone")
    try:
        return _checked(raw.decode())
    except UnicodeDecodeError:
        # Not `from` the cause: its text holds the input.
        raise click.UsageError("a key is text in UTF-8") from None


def _checked(text: str) -> Secret:
    key = text.removesuffix("\n").removesuffix("\r")
    if not key.strip():
        raise click.UsageError("there is no key on standard input")
    if any(character.isspace() for character in key):
        raise click.UsageError("a key has no space or line break in it; give one key alone")
    return Secret(key)
