"""Which bodies are kept beside a call's row, and in what form: readable, cut, without secrets.

They are made fit for the table in the writer's thread: no call waits for that.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal

from openai_gateway.core.call import Call
from openai_gateway.core.scrub import mask

type Side = Literal["request", "response"]
type WhichBodies = Literal["off", "errors", "all"]
type BodyRow = Mapping[str, object]
type Redact = Callable[[bytes], bytes | None]
"""Takes secrets out of a text; None where it holds one that cannot be taken out."""

WITHHELD: Final = "(withheld: it may hold a secret)"
# Pictures, sound and embeddings in base64, and embeddings as lists of numbers: nobody reads them.
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{512}[A-Za-z0-9+/_-]*={0,2}")
_NUMBERS: Final = re.compile(
    r"\[\s*-?\d+\.\d+(?:[eE][-+]?\d+)?(?:\s*,\s*-?\d+\.\d+(?:[eE][-+]?\d+)?){31,}\s*\]"
)
_READABLE: Final = ("application/json", "application/jsonl", "application/x-ndjson", "text/")
_TYPE_MAX: Final = 64


@dataclass(frozen=True, slots=True)
class Body:
    """What was kept of one body. `size` is all of it, as it went over the wire."""

    call_id: str
    side: Side
    at: float
    content_type: str
    size: int
    data: bytes = field(repr=False)
    cut: bool = False


def of(call: Call, most: int) -> tuple[Body, ...]:
    """What is to be kept of this call: of an unjudged request, and of an empty body, nothing."""
    found = []
    request = call.request.body
    if request and call.request.values(b"content-encoding"):
        request = call.content.data
    if request and call.judged:
        kind = call.request.first(b"content-type").decode("latin-1") or call.content.kind
        found.append(_body(call, "request", kind, call.request_bytes, request, most))
    if call.answer_kept is not None and call.response_bytes:
        size = call.response_bytes
        found.append(_body(call, "response", call.answer_type, size, call.answer_kept, most))
    return tuple(found)


def _body(call: Call, side: Side, kind: str, size: int, data: bytes, most: int) -> Body:
    cut = len(data) > most or (side == "response" and size > len(data))
    return Body(call.id, side, call.started_at, kind, size, bytes(data[:most]), cut)


def stored(body: Body, redact: Redact) -> BodyRow:
    """The row of `bodies`."""
    return {
        "id": body.call_id,
        "side": body.side,
        "at": datetime.fromtimestamp(body.at, UTC),
        "content_type": mask(body.content_type)[:_TYPE_MAX],
        "size": body.size,
        "cut": body.cut,
        "body": _text(body, redact),
    }


def _text(body: Body, redact: Redact) -> str:
    media = body.content_type.partition(";")[0].strip().lower()
    if not (media.startswith(_READABLE) or media.endswith("+json") or media in ("json", "form")):
        return f"({media or 'unnamed'}, {body.size} bytes)"
    clean = redact(body.data)
    if clean is None:
        return WITHHELD
    text = mask(clean.decode("utf-8", "replace")).replace("\0", "")
    text = _BASE64.sub(lambda run: f"(base64, {len(run[0])} characters)", text)
    return _NUMBERS.sub(lambda run: f"(numbers, {run[0].count(',') + 1})", text)
