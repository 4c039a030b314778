"""Fills the templates of a rule's examples, so that no file holds what looks like a live secret.

A template is text with fields: `{class:n}` or `{class:n-m}` draws so many characters of a class,
`{crc32}` is the checksum of GitHub and npm over what was drawn before it, `{b64:TEXT}` and such
encode a template, and MADE has whole values. `{{` and `}}` are braces. The same Random gives the
same text, and what is drawn is never by bad luck what plausible.py takes for no secret.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final

from openai_gateway.leaks.rules.drawn import CLASSES, ENCODED, MADE, Undrawable, checksum, run

LONGEST: Final = 65_536
DEEPEST: Final = 4


class TemplateFault(ValueError):
    """The template cannot be filled; the message says why."""


def fill(template: str, random: Random) -> bytes:
    """The text of a template. Raises: TemplateFault."""
    if len(template) > LONGEST:
        raise TemplateFault("is longer than 64 KiB")
    return _Filling(template, random).text(0)


@dataclass(slots=True)
class _Filling:
    """One template on its way: `made` is what stands since its beginning, or since an encoding
    began; `drawn` is what classes gave since the last plain text that ends in no letter."""

    template: str
    random: Random
    at: int = 0
    drawn: bytes = field(default=b"")

    def text(self, depth: int) -> bytes:
        """Up to the end, or to the brace that closes the field this text stands in."""
        if depth > DEEPEST:
            raise TemplateFault("has fields nested too deeply")
        made: list[bytes] = []
        size = braces = 0
        while self.at < len(self.template):
            braces += self.template.startswith("{{", self.at)
            if depth and not braces and self.template[self.at] == "}":
                break
            braces -= self.template.startswith("}}", self.at)
            made.append(self.piece(depth))
            size += len(made[-1])
            if size > LONGEST:
                raise TemplateFault("makes more than 64 KiB")
        return b"".join(made)

    def piece(self, depth: int) -> bytes:
        for brace in "{}":
            if self.template.startswith(brace * 2, self.at):
                self.at += 2
                self.drawn = b""
                return brace.encode()
        letter = self.template[self.at]
        self.at += 1
        if letter == "}":
            raise TemplateFault("closes a brace that is not open; a brace itself is written twice")
        if letter == "{":
            return self.field(depth)
        self.drawn = b""
        return letter.encode()

    def field(self, depth: int) -> bytes:
        """What stands between braces, the opening one behind us."""
        name, colon = self.name()
        if name in ENCODED and colon:
            made = ENCODED[name](self.text(depth + 1))
            self.close(name)
            return made
        end = self.template.find("}", self.at)
        option = self.template[self.at : end] if end >= 0 else ""
        self.at = end if end >= 0 else len(self.template)
        self.close(name)
        made = self.value(name, option)
        self.drawn = self.drawn + made if name in CLASSES else b""
        return made

    def name(self) -> tuple[str, str]:
        start = self.at
        while self.at < len(self.template) and self.template[self.at] not in ":}":
            self.at += 1
        name = self.template[start : self.at]
        if self.template[self.at : self.at + 1] != ":":
            return name, ""
        self.at += 1
        return name, ":"

    def close(self, name: str) -> None:
        if self.template[self.at : self.at + 1] != "}":
            raise TemplateFault(f"does not close the brace of `{name}`")
        self.at += 1

    def value(self, name: str, option: str) -> bytes:
        if name == "crc32":
            return checksum(self.drawn)
        if name in CLASSES:
            return run(CLASSES[name], self.length(name, option), self.random)
        made: Callable[[str, Random], bytes] | None = MADE.get(name)
        if made is None:
            known = ", ".join(sorted([*CLASSES, *ENCODED, *MADE, "crc32"]))
            raise TemplateFault(f"has the unknown field `{name}`; known are {known}")
        try:
            return made(option, self.random)
        except Undrawable as error:
            raise TemplateFault(f"`{name}` {error}") from error

    def length(self, name: str, option: str) -> int:
        """`n`, or a draw of `n-m`."""
        least, _, most = option.partition("-")
        numbers = [least, most or least]
        if not all(one.isascii() and one.isdigit() and len(one) < 6 for one in numbers):
            raise TemplateFault(f"`{name}` needs a length, like {{{name}:36}} or {{{name}:20-40}}")
        low, high = map(int, numbers)
        if low > high:
            raise TemplateFault(f"`{name}` has its longest length before its shortest")
        return self.random.randint(low, high)
