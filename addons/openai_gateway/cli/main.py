"""`openai-gateway`: which commands there are. Each is imported only when it is asked for, so that
help comes at once and a broken part stops no other."""

import difflib
from collections.abc import Mapping
from importlib import import_module
from typing import Final

import click

from openai_gateway import __version__

# name: (module of this package that holds a command of that name, its line in --help)
COMMANDS: Final[Mapping[str, tuple[str, str]]] = {
    "serve": ("serve", "Run the gateway until a signal ends it."),
    "config": ("config", "Check or explain a gateway.yaml, or print its JSON Schema."),
    "budgets": ("budgets", "Tell where each budget stands, or raise one for a while."),
    "doctor": ("doctor", "Tell whether this machine is set up, and how to mend it."),
    "faults": ("faults", "List what is made to fail on purpose, and how often it did."),
    "report": ("report", "Sum calls, tokens and cost by model, key, client, day."),
    "calls": ("calls", "List the calls of the log, the newest first or as they come."),
    "explain": ("explain", "Tell one call: its stages, its tokens, its price line by line."),
    "export": ("export", "Write the rows of the log as CSV or JSON lines."),
    "limits": ("limits", "Replay the log against other limits: what would they refuse?"),
    "scan": ("scan", "Look for secrets in files, or in what is staged in git."),
    "rules": ("rules", "Try the leak rules on their own examples."),
    "ca": ("ca", "Make or show the gateway's own certificate authority."),
    "fingerprint": ("fingerprint", "Print the sha256 of a key, for gateway.yaml."),
}

EXAMPLES: Final = """\b
Examples:
  openai-gateway serve --config gateway.yaml --listen 127.0.0.1:8080
  openai-gateway config check
  openai-gateway ca show
  openai-gateway fingerprint < key.txt
"""


class Commands(click.Group):
    """The commands above. What a user typed is never echoed: it may be a key."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 -- click's signature
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"openai_gateway.cli.{COMMANDS[cmd_name][0]}")
        command = getattr(module, cmd_name)
        assert isinstance(command, click.Command)  # noqa: S101 -- the table above is ours
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS:
            near = difflib.get_close_matches(args[0], COMMANDS, 1)
            ctx.fail(f"no such command; did you mean `{near[0]}`?" if near else "no such command")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 -- click's signature
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(
    cls=Commands, epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, prog_name="openai-gateway", message="%(prog)s %(version)s")
def main() -> None:
    """An OpenAI API gateway for staging: production keys never leave.

    Exit codes: 0 fine, 1 a check failed or the start was refused, 2 wrong usage.
    """
