"""A rule's pattern as a tree: RE2's syntax, read byte by byte.

From the tree comes what no engine tells: how long a match can be, what every match holds, and a
short beginning that a scan can look for. RE2 has compiled a pattern before it is parsed here.
"""

from dataclasses import dataclass
from typing import Final

from openai_gateway.leaks.engine.byte_sets import ALL, NEWLINE, PERL, POSIX, fold, span

DEEPEST: Final = 60

type Node = Byte | Cat | Alt | Repeat | Group | At


class NotBytes(ValueError):
    """The pattern asks for what bytes cannot tell; the message says what."""


@dataclass(frozen=True, slots=True)
class Byte:
    """One byte of a set; bit N of the mask stands for byte N."""

    mask: int


@dataclass(frozen=True, slots=True)
class Cat:
    """One after the other."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Alt:
    """One of them."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """So many of it; `most` None: without an end."""

    item: Node
    least: int
    most: int | None
    lazy: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """What stands in capturing brackets."""

    item: Node


@dataclass(frozen=True, slots=True)
class At:
    """A place, and no byte: `^`, `$` of the text; `(?m)^`, `(?m)$` of a line; `\\b`, `\\B`."""

    what: str


_LETTERS: Final = {"a": 7, "f": 12, "t": 9, "n": 10, "r": 13, "v": 11}
_PLACES: Final = {"b": "\\b", "B": "\\B", "A": "^", "z": "$"}


def parse(pattern: str) -> Node:
    """The tree of a pattern that RE2 takes. Raises: NotBytes."""
    parser = _Parser(pattern.encode().decode("latin-1"))
    try:
        tree = parser.choice(frozenset(), 0)
    except NotBytes:
        raise
    except (IndexError, ValueError) as error:
        raise NotBytes("ends too early") from error
    if parser.at < len(parser.text):
        raise NotBytes("has a bracket that nothing opens")
    return tree


class _Parser:
    """Goes through the pattern once. Flags hold to the end of their group, as in RE2."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def choice(self, flags: frozenset[str], depth: int) -> Node:
        """Up to the end of a group, or of the pattern."""
        if depth > DEEPEST:
            raise NotBytes("has groups nested too deeply")
        branches: list[list[Node]] = [[]]
        while self.at < len(self.text) and self.text[self.at] != ")":
            if self.took("|"):
                branches.append([])
            elif (found := self.switched(flags)) is not None:
                flags = found
            else:
                branches[-1].extend(self.item(flags, depth))
        made = tuple(Cat(tuple(one)) if len(one) != 1 else one[0] for one in branches)
        return Alt(made) if len(made) > 1 else made[0]

    def item(self, flags: frozenset[str], depth: int) -> list[Node]:
        """One piece, with what repeats it."""
        if self.took("\\Q"):
            return self.quoted(flags)
        return [self.repeated(self.piece(flags, depth))]

    def piece(self, flags: frozenset[str], depth: int) -> Node:
        letter = self.next()
        if letter == "(":
            return self.group(flags, depth)
        if letter == "[":
            return Byte(self.bracket(flags))
        if letter == ".":
            return Byte(ALL if "s" in flags else ALL & ~NEWLINE)
        if letter in "^$":
            return At(f"(?m){letter}" if "m" in flags else letter)
        if letter == "\\":
            return self.escaped(flags)
        return self.literal(ord(letter), flags)

    def literal(self, code: int, flags: frozenset[str]) -> Byte:
        mask = span(code, code)
        return Byte(fold(mask) if "i" in flags else mask)

    def quoted(self, flags: frozenset[str]) -> list[Node]:
        """`\\Q…\\E`; a repetition after it is for its last letter."""
        end = self.text.find("\\E", self.at)
        inside = self.text[self.at : end] if end >= 0 else self.text[self.at :]
        self.at += len(inside) + 2
        pieces: list[Node] = [self.literal(ord(letter), flags) for letter in inside]
        return [*pieces[:-1], self.repeated(pieces[-1])] if pieces else []

    def group(self, flags: frozenset[str], depth: int) -> Node:
        captures = True
        if self.took("?"):
            if self.took("P<") or self.took("<"):
                self.at = self.text.index(">", self.at) + 1
            else:
                captures = False
                flags = self.flags(flags)  # up to the colon
                self.next()
        inside = self.choice(flags, depth + 1)
        self.next()
        return Group(inside) if captures else inside

    def switched(self, flags: frozenset[str]) -> frozenset[str] | None:
        """`(?i)`, which holds from here on; None where it opens a group."""
        start = self.at
        if not self.took("(?"):
            return None
        found = self.flags(flags)
        if self.at > start + 2 and self.took(")"):
            return found
        self.at = start
        return None

    def flags(self, flags: frozenset[str]) -> frozenset[str]:
        on = True
        while self.at < len(self.text) and self.text[self.at] in "imsU-":
            letter = self.next()
            if letter == "-":
                on = False
            else:
                flags = flags | {letter} if on else flags - {letter}
        return flags

    def repeated(self, piece: Node) -> Node:
        while (bounds := self.bounds()) is not None:
            piece = Repeat(piece, *bounds, self.took("?"))
        return piece

    def bounds(self) -> tuple[int, int | None] | None:
        if self.took("*"):
            return 0, None
        if self.took("+"):
            return 1, None
        if self.took("?"):
            return 0, 1
        end = self.text.find("}", self.at)
        least, comma, most = self.text[self.at + 1 : end].partition(",")
        if self.text[self.at : self.at + 1] != "{" or end < 0 or not least.isdigit():
            return None
        if most and not most.isdigit():
            return None
        self.at = end + 1
        return int(least), (int(most) if most else None) if comma else int(least)

    def escaped(self, flags: frozenset[str]) -> Node:
        letter = self.text[self.at]
        if letter in _PLACES:
            self.at += 1
            return At(_PLACES[letter])
        if letter == "C":
            self.at += 1
            return Byte(ALL)
        mask = self.escaped_set()
        return Byte(fold(mask) if "i" in flags else mask)

    def escaped_set(self) -> int:
        """What follows a backslash, as bytes."""
        letter = self.next()
        if letter.lower() in PERL:
            mask = PERL[letter.lower()]
            return mask if letter.islower() else ALL & ~mask
        if letter in "pP":
            raise NotBytes(f"uses \\{letter}, but rules look at bytes; write the bytes instead")
        code = self.code(letter)
        if code > 255:
            raise NotBytes("uses a code above \\xFF, but rules look at bytes")
        return span(code, code)

    def code(self, letter: str) -> int:
        if letter == "x" and self.took("{"):
            end = self.text.index("}", self.at)
            digits, self.at = self.text[self.at : end], end + 1
            return int(digits, 16)
        if letter == "x":
            self.at += 2
            return int(self.text[self.at - 2 : self.at], 16)
        if letter in "01234567":
            while len(letter) < 3 and self.text[self.at : self.at + 1] in tuple("01234567"):
                letter += self.next()
            return int(letter, 8)
        return _LETTERS.get(letter, ord(letter))

    def bracket(self, flags: frozenset[str]) -> int:
        """A class, up to its closing bracket."""
        negated = self.took("^")
        mask = 0
        first = True
        while first or self.text[self.at] != "]":
            first = False
            mask |= self.posix() or self.range()
        self.at += 1
        if "i" in flags:
            mask = fold(mask)
        return ALL & ~mask if negated else mask

    def posix(self) -> int:
        """`[:alpha:]` inside a class; 0 where there is none."""
        if not self.text.startswith("[:", self.at):
            return 0
        end = self.text.find(":]", self.at)
        name = self.text[self.at + 2 : end].removeprefix("^")
        if end < 0 or name not in POSIX:
            return 0
        negated = self.text[self.at + 2] == "^"
        self.at = end + 2
        return ALL & ~POSIX[name] if negated else POSIX[name]

    def range(self) -> int:
        """A member of a class, or a range of them."""
        low = self.member()
        if low.bit_count() != 1 or self.text[self.at] != "-" or self.text[self.at + 1] == "]":
            return low
        self.at += 1
        return span(low.bit_length() - 1, self.member().bit_length() - 1)

    def member(self) -> int:
        letter = self.next()
        return self.escaped_set() if letter == "\\" else span(ord(letter), ord(letter))

    def took(self, text: str) -> bool:
        """Whether the text stands here; then it is behind us."""
        if not self.text.startswith(text, self.at):
            return False
        self.at += len(text)
        return True

    def next(self) -> str:
        self.at += 1
        return self.text[self.at - 1]
