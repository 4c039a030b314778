"""The bytes of an event with some of its values written anew, all others as they came."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from openai_gateway.api.sse import Event
from openai_gateway.leaks.answers.answer_lookout import Lookout
from openai_gateway.leaks.answers.answer_splice import Path, span, spans, written
from openai_gateway.leaks.answers.answer_told import Piece

_DATA: Final = re.compile(rb"^data(?::|$)", re.MULTILINE)
_BOM: Final = b"\xef\xbb\xbf"


def one_line(event: Event) -> bytes:
    """The event with its data in one line: the JSON of several would be cut by their names."""
    raw = event.raw
    if b"\r" not in raw and (raw.count(b"\n") < 4 or len(_DATA.findall(raw)) < 2):
        return raw
    lines = [line for line in raw.removeprefix(_BOM).splitlines() if line]
    others = [line for line in lines if line.partition(b":")[0] != b"data"]
    data = (event.data or b"").replace(b"\n", b" ")
    return b"\n".join((*others, b"data: " + data, b"", b""))


def respelled(
    raw: bytes, changed: Mapping[Path, bytes], pieces: Sequence[Piece], lookout: Lookout
) -> bytes:
    """The event with these texts, and the insides of these lists of log probabilities."""
    if len(changed) == 1 and len(pieces) == 1 and pieces[0].odds is None:
        found = span(raw, pieces[0].path, pieces[0].text)
        if found:
            start, end = found
            text = written(changed[pieces[0].path], raw.isascii())
            return b"%b%b%b" % (raw[:start], text, raw[end:])
    return _spliced(raw, changed, lookout)


def _spliced(raw: bytes, changed: Mapping[Path, bytes], lookout: Lookout) -> bytes:
    """Of equal names the last one counts; those before it are emptied."""
    places = spans(raw, changed)
    last = {path: start for path, start, _ in places}
    if len(last) < len(changed):
        lookout.over_budget = True
        return b""  # what cannot be found cannot be taken out
    ascii_only, at = raw.isascii(), 0
    parts: list[bytes] = []
    for path, start, end in places:
        new = changed[path] if last[path] == start else b""
        parts += (raw[at:start], _value(raw[start : start + 1], new, path, ascii_only))
        at = end
    return b"".join((*parts, raw[at:]))


def _value(sign: bytes, new: bytes, path: Path, ascii_only: bool) -> bytes:
    if sign == b'"':
        return written(new, ascii_only)
    if sign == b"[":
        return b"[%b]" % new
    return b"null" if path[-1] == "logprobs" else b"{}"
