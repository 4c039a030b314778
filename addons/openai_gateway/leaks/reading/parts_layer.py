"""Where the parts of a multipart body stand, and what may be put into a part's head."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from openai_gateway.content import multipart
from openai_gateway.leaks.reading.edits import Cut
from openai_gateway.leaks.reading.form_layer import quoted

# RFC 8187: a value that is percent-coded.
EXTENDED: Final = re.compile(rb"\*=[^;\r\n]*+")
# A replacement that took one of these would take a value's end, or the line's.
SHAPE: Final = re.compile(rb'["\r\n]')


@dataclass(frozen=True, slots=True)
class Placed:
    """A part, with where its head and its data begin in the body."""

    part: multipart.Part = field(repr=False)
    head: int
    data: int

    def header(self, name: bytes) -> bytes:
        """A header of the part; `name` in lower case."""
        for line in self.part.head.split(b"\r\n"):
            key, _, value = line.partition(b":")
            if key.strip().lower() == name:
                return value.strip().lower()
        return b""


def placed(body: bytes, content_type: bytes) -> Iterator[Placed]:
    """The parts in order. Raises: multipart.Malformed."""
    boundary = multipart.boundary_of(content_type)
    # Strictly read, nothing else stands between two parts.
    gap, at = len(b"\r\n--") + len(boundary), len(b"--") + len(boundary)
    for part in multipart.parts(body, boundary):
        head = at + len(b"\r\n")
        data = head + len(part.head) + len(b"\r\n\r\n")
        yield Placed(part, head, data)
        at = data + len(part.data) + gap


def is_multipart(body: bytes, content_type: bytes) -> bool:
    try:
        multipart.parts(body, multipart.boundary_of(content_type))
    except multipart.Malformed:
        return False
    return True


def in_head(head: bytes, cut: Cut) -> Cut | None:
    """The cut as it may stand in a head; None where the head would lose its shape."""
    if SHAPE.search(head, cut.start, cut.end):
        return None
    for value in EXTENDED.finditer(head):
        if value.start() <= cut.start and cut.end <= value.end():
            new = None if cut.new is None else quoted(cut.new)
            return replace(cut, new=new, mask=quoted(cut.mask))
    return cut
