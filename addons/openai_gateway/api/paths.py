"""The path of a request, decoded once; what two readers could take differently is refused.

A server behind a load balancer may decode twice, join `//` or follow `..`: what was judged here
must be what is asked for there.
"""

import re
from typing import Final
from urllib.parse import unquote_to_bytes

_LONGEST: Final = 2048
# Nearly every path: letters that mean themselves, no empty segment, none of dots only.
_PLAIN: Final = re.compile(r"(?:/(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._~:@!$&'()*+,=-]+)+/?")
_OUTSIDE: Final = re.compile(rb"[^\x21-\x7e]|#")
_BAD_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_ESCAPE: Final = re.compile(r"%[0-9A-Fa-f]{2}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class BadPath(ValueError):
    """The path is refused; the message names the rule, never the path."""


def segments(target: bytes) -> tuple[str, ...]:
    """The decoded segments of a request target, without query and one trailing slash.

    Raises: BadPath.
    """
    raw = target.split(b"?", 1)[0]
    if len(raw) > _LONGEST:
        raise BadPath(f"is longer than {_LONGEST} bytes")
    if _OUTSIDE.search(target):
        raise BadPath("holds a fragment (#), a space, a control character or one beyond ASCII")
    text = raw.decode("ascii")
    if not text.startswith("/"):
        raise BadPath("does not begin with /")
    parts = text.removesuffix("/").split("/")[1:]
    if _PLAIN.fullmatch(text):
        return tuple(parts)
    if not parts:
        raise BadPath("is empty")
    return tuple(_segment(part) for part in parts)


def _segment(part: str) -> str:
    """One segment, decoded once."""
    raw = part.encode("ascii")
    if not raw:
        raise BadPath("holds an empty segment (//)")
    if _BAD_ESCAPE.search(raw):
        raise BadPath("holds a % that begins no escape")
    try:
        text = unquote_to_bytes(raw).decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadPath("does not decode to UTF-8") from error
    _judge(text)
    return text


def _judge(text: str) -> None:
    if text in (".", ".."):
        raise BadPath("holds a . or .. segment")
    if "/" in text or "\\" in text:
        raise BadPath("holds an encoded slash (%2f) or a backslash")
    if _CONTROL.search(text):
        raise BadPath("holds an encoded control character")
    if _ESCAPE.search(text):
        raise BadPath("is encoded twice")
    if any(mark in text for mark in ";?#"):
        raise BadPath("holds a path parameter (;) or an encoded ? or #")
