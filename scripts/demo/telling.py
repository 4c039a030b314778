"""How the story looks: 80 columns, colour on a terminal only, and no key shown whole."""

import os
import re
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TextIO

from tests.support.gateway_settings import Keys

WIDTH: Final = 80
LABEL: Final = 11
INDENT: Final = "   "
STYLES: Final = {"bold": "1", "red": "31", "green": "32", "cyan": "36"}
KEY: Final = re.compile(r"sk-[A-Za-z0-9_-]{24,}")


def masked(key: str) -> str:
    """The kind and the last four characters of a key."""
    return f"sk-proj-…{key[-4:]}" if key.startswith("sk-proj-") else f"sk-…{key[-4:]}"


def hidden(text: str) -> str:
    return KEY.sub(lambda found: masked(found.group()), text)


def wrapped(text: str, width: int) -> list[str]:
    """Masked first, so that the width is that of what is shown."""
    return textwrap.wrap(hidden(text).strip(), width, break_on_hyphens=False) or [""]


def coloured(out: TextIO, env: Mapping[str, str]) -> bool:
    return out.isatty() and not env.get("NO_COLOR") and env.get("TERM") != "dumb"


class Teller:
    """Writes the story; every line passes `line`, which masks the keys."""

    def __init__(self, out: TextIO, keys: Keys) -> None:
        self._out = out
        self._colour = coloured(out, os.environ)
        self._roles = {keys.production: "production", keys.staging: "staging"}

    def line(self, text: str = "", style: str = "") -> None:
        text = hidden(text)
        if style and self._colour and text:
            text = f"\x1b[{STYLES[style]}m{text}\x1b[0m"
        self._out.write(f"{text}\n")
        self._out.flush()

    def paragraph(self, text: str, indent: str = INDENT) -> None:
        for line in wrapped(text, WIDTH - len(indent)):
            self.line(indent + line)

    def title(self, number: int, text: str) -> None:
        self.line()
        self.line(f"{number}. {text}", "bold")

    def code(self, text: str) -> None:
        for line in text.strip("\n").split("\n"):
            self.line(f"{INDENT}│ {line}".rstrip(), "cyan")
        self.line()

    def facts(self, label: str, lines: Sequence[str], width: int = LABEL) -> None:
        """Lines under one another, the label before the first."""
        for given in lines or ["nothing"]:
            for line in wrapped(self._named(given), WIDTH - len(INDENT) - width):
                self.line(f"{INDENT}{label:{width}}{line}")
                label = ""

    def table(self, lines: Iterable[str]) -> None:
        """Lines that are laid out already."""
        for line in lines:
            self.line(f"{INDENT}{hidden(line)}"[:WIDTH].rstrip())
        self.line()

    def _named(self, text: str) -> str:
        """Says of each key what it is."""
        for key, role in self._roles.items():
            text = text.replace(key, f"{masked(key)} ({role} key)")
        return text

    def proved(self, claim: str) -> None:
        self._marked("✓", claim, "green")

    def failed(self, claim: str, expected: str, happened: str) -> None:
        self._marked("✗", claim, "red")
        self.facts("expected", [expected])
        self.facts("happened", [happened])

    def _marked(self, mark: str, text: str, style: str) -> None:
        first, *more = wrapped(text, WIDTH - len(INDENT) - 2)
        self.line(f"{INDENT}{mark} {first}", style)
        for line in more:
            self.line(f"{INDENT}  {line}", style)

    def tail(self, text: str, count: int = 15) -> None:
        """The last lines of the gateway's output."""
        self.line()
        self.line(f"{INDENT}The gateway's last lines:", "bold")
        for line in text.strip().splitlines()[-count:] or ["(none)"]:
            self.paragraph(line, f"{INDENT}| ")


def on_stdout(keys: Keys) -> Teller:
    """For a terminal of any encoding."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    return Teller(sys.stdout, keys)
