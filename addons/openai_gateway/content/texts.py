"""The texts of a JSON value with their places, and the texts that belong together joined.

A value that is spread over two content parts, or two messages of a socket, shows only where the
strings under one name are read one after the other.
"""

from collections.abc import Iterable, Iterator
from typing import Final

import orjson

MOST_TEXTS: Final = 20_000
MOST_NAMES: Final = 64
TAIL: Final = 256
# As much of the next message as a key that began before it can reach into, escaped.
SEAM: Final = 4096
# Larger messages are sound or files; their bytes are joined, their texts are not.
LARGE: Final = 256 * 1024


type Path = tuple[str | int, ...]


def texts(value: object) -> Iterator[tuple[str, str]]:
    """(place, text) of every string and every name, in order."""
    for path, item in walk(value):
        if isinstance(item, str):
            yield place(path), item
        elif isinstance(item, dict):
            yield from ((f"a name in {place(path)}", name) for name in item)


def walk(value: object) -> Iterator[tuple[Path, object]]:
    """Every string, object and list with its path; a stack of its own, as depth is the client's."""
    stack: list[tuple[Path, object]] = [((), value)]
    left = MOST_TEXTS
    while stack and left:
        left -= 1
        path, item = stack.pop()
        yield path, item
        if isinstance(item, dict):
            steps: Iterable[tuple[str | int, object]] = item.items()
        else:
            steps = enumerate(item) if isinstance(item, list) else ()
        inner = [((*path, step), one) for step, one in steps if isinstance(one, str | dict | list)]
        stack.extend(reversed(inner))


def place(path: Path) -> str:
    """A path as people write it: `messages[3].content`."""
    written = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return written.removeprefix(".")


def joined(value: object) -> dict[str, str]:
    """The strings under each name, one after the other; list indices do not count."""
    found: dict[str, list[str]] = {}
    for path, text in walk(value):
        if isinstance(text, str):
            name = next((step for step in reversed(path) if isinstance(step, str)), "")
            found.setdefault(name, []).append(text)
    return {name: "".join(parts) for name, parts in found.items()}


class SocketTail:
    """The last characters of a socket's text, to be judged together with its next message."""

    __slots__ = ("named", "raw")

    def __init__(self) -> None:
        self.raw = b""
        self.named: dict[str, str] = {}

    def with_next(self, content: bytes) -> bytes:
        """The seam between what went before and this message; nothing where nothing went before."""
        if not self.raw:
            return b""
        seams = [self.raw + content[:SEAM]]
        for name, text in named_texts(content).items():
            if name in self.named:
                seams.append((self.named[name] + text[:SEAM]).encode())
        return b"\n".join(seams)

    def keep(self, content: bytes) -> None:
        """Remembers a message that went on."""
        self.raw = (self.raw + content)[-TAIL:]
        for name, text in named_texts(content).items():
            kept = self.named.pop(name, "") + text
            self.named[name] = kept[-TAIL:]
        while len(self.named) > MOST_NAMES:
            del self.named[next(iter(self.named))]


def named_texts(content: bytes) -> dict[str, str]:
    if len(content) > LARGE:
        return {}
    try:
        return joined(orjson.loads(content))
    except orjson.JSONDecodeError:
        return {}
