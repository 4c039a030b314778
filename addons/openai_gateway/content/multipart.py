"""Takes a multipart body apart, strictly: what two readers could read differently is no multipart.

RFC 2046 §5.1 without preamble and epilogue, which no client of OpenAI's sends.
"""

from dataclasses import dataclass, field
from typing import Final

MOST_PARTS: Final = 2000
MOST_HEAD: Final = 16 * 1024
LONGEST_BOUNDARY: Final = 70


class Malformed(ValueError):
    """The body is no multipart as its content-type says; the text repeats no client's bytes."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part: its raw head, the name and file name of its content-disposition, its data."""

    head: bytes = field(repr=False)
    name: str
    filename: str | None
    data: bytes = field(repr=False)


def parameters(value: bytes) -> tuple[bytes, dict[bytes, bytes]]:
    """A header value's first word and its parameters, names in lower case.

    Raises: Malformed where a name comes twice or a quote does not close.
    """
    found: dict[bytes, bytes] = {}
    pieces = split_outside_quotes(value)
    for piece in pieces[1:]:
        name, _, text = piece.strip().partition(b"=")
        name = name.strip().lower()
        if name in found:
            raise Malformed("a parameter comes twice")
        if name:
            found[name] = unquoted(text.strip())
    return pieces[0].strip().lower(), found


def split_outside_quotes(value: bytes) -> list[bytes]:
    """The value cut at the semicolons that stand in no quoted string."""
    pieces: list[bytes] = []
    quoted = False
    for piece in value.split(b";"):
        if quoted:
            pieces[-1] += b";" + piece
        else:
            pieces.append(piece)
        quoted ^= bool((piece.count(b'"') - piece.count(b'\\"')) % 2)
    if quoted:
        raise Malformed("a quote does not close")
    return pieces


def unquoted(text: bytes) -> bytes:
    if len(text) >= 2 and text[:1] == text[-1:] == b'"':
        return text[1:-1].replace(b'\\"', b'"').replace(b"%22", b'"')
    return text


def boundary_of(content_type: bytes) -> bytes:
    """The boundary that the content-type names. Raises: Malformed."""
    boundary = parameters(content_type)[1].get(b"boundary", b"")
    if not boundary or len(boundary) > LONGEST_BOUNDARY or not boundary.isascii():
        raise Malformed("the content-type names no usable boundary")
    return boundary


def parts(data: bytes, boundary: bytes) -> list[Part]:
    """All parts in their order. Raises: Malformed."""
    mark = b"--" + boundary
    if not data.startswith(mark):
        raise Malformed("it does not begin with its boundary")
    pieces = (b"\r\n" + data).split(b"\r\n" + mark, MOST_PARTS + 1)
    if pieces.pop().rstrip(b"\r\n \t") != b"--":
        raise Malformed("its last boundary is missing")
    if len(pieces) < 2:
        raise Malformed("it has no part")
    return [part(piece) for piece in pieces[1:]]


def part(piece: bytes) -> Part:
    """One part from what stands between two boundaries."""
    line_end, rest = piece[:2], piece[2:]
    head, gap, data = rest.partition(b"\r\n\r\n")
    if line_end != b"\r\n" or not gap or len(head) > MOST_HEAD:
        raise Malformed("a part's head does not end")
    disposition = b""
    for line in head.split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if not colon:
            raise Malformed("a part's head has a line without a name")
        if name.strip().lower() == b"content-disposition":
            disposition = value
    named = parameters(disposition)[1]
    filename = named.get(b"filename", named.get(b"filename*"))
    shown = None if filename is None else text(filename)
    return Part(head, text(named.get(b"name", b"")), shown, data)


def text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def with_field(data: bytes, boundary: bytes, name: str, value: bytes) -> bytes:
    """The same body with another value in the parts of that name; every other byte as it was.

    Raises: Malformed.
    """
    parts(data, boundary)
    mark = b"\r\n--" + boundary
    pieces = (b"\r\n" + data).split(mark)
    for number, piece in enumerate(pieces[1:-1], 1):
        found = part(piece)
        if found.name == name:
            pieces[number] = b"\r\n" + found.head + b"\r\n\r\n" + value
    return mark.join(pieces)[2:]
