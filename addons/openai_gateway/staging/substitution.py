"""Puts a cheaper model into a call: where the endpoint has it named, and nowhere else."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import parse_qsl

from openai_gateway.api import features
from openai_gateway.api.capabilities import Capabilities
from openai_gateway.api.endpoints import Endpoint
from openai_gateway.content import multipart
from openai_gateway.content.body import fields
from openai_gateway.core.call import Call
from openai_gateway.staging.edits import Edit, Put, spliced, told
from openai_gateway.staging.fit import Asking, Unfit, fit
from openai_gateway.staging.pairs import Pair

type Object = Mapping[str, object]

# Where a request names its model, by `model_in` of rules/endpoints.yaml; of all other places
# (a path, a stored prompt, a line of an uploaded file) nothing is replaced.
_PLACES: Final = {
    "body:model": "body",
    "body:session.model": "session",
    "form:model": "form",
    "query:model": "query",
}
_LONGEST: Final = 256
SESSION: Final = ("session",)


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of a call whose model is replaced."""

    place: str
    sent: str
    edits: tuple[Edit, ...]


def change(call: Call, pair: Pair, capabilities: Capabilities) -> Change:
    """What has to be changed for the substitute. Raises: Unfit, where the call keeps its model."""
    place = _place(call)
    asking = _asking(call, place)
    if _named(asking) != pair.requested.name:
        raise Unfit("place")
    return Change(place, pair.sent.name, fit(asking, pair, capabilities))


def apply(call: Call, change: Change) -> None:
    """Writes it into the request; a packed body leaves plain then. What drift compares of a
    request is what the client wrote, so that is noted before."""
    if call.features is None:
        call.features = features.of(call.content.parsed, len(call.content.data))
    if change.place == "query":
        call.request.target = _in_query(call.request.target, change.sent)
    elif change.place == "form":
        kind = call.request.first(b"content-type")
        boundary = multipart.boundary_of(kind)
        data = multipart.with_field(call.content.data, boundary, "model", change.sent.encode())
        _leave(call, data, call.content.parsed)
    else:
        path = SESSION if change.place == "session" else ()
        edits = (Put(path, "model", change.sent), *change.edits)
        parsed = call.content.parsed
        read = told(parsed, edits) if isinstance(parsed, dict) else parsed
        _leave(call, spliced(call.content.data, edits), read)
    call.model_sent = change.sent
    call.renamed[change.sent] = call.model_requested or ""


def _leave(call: Call, data: bytes, parsed: object) -> None:
    call.request.body = data
    call.request.drop(b"content-encoding")
    call.content = replace(call.content, data=data, parsed=parsed)


def _place(call: Call) -> str:
    row = call.route
    place = _PLACES.get(row.model_in) if isinstance(row, Endpoint) else None
    if place is None:
        raise Unfit("endpoint")
    if place == "form" and call.content.kind == "json":
        return "body"
    if place == "form" and call.content.kind != "multipart":
        raise Unfit("place")
    return place


def _asking(call: Call, place: str) -> Asking:
    size = len(call.content.data)
    if place == "query":
        return Asking(call.endpoint, _query(call.request.target), size)
    if place == "form":
        return Asking(call.endpoint, _form(call), size)
    body = call.content.parsed
    if not isinstance(body, dict):
        raise Unfit("place")
    return Asking(call.endpoint, body, size, session=place == "session")


def _named(asking: Asking) -> object:
    """The model at the place where the endpoint reads it."""
    session = asking.body.get("session")
    holder = session if asking.session else asking.body
    return holder.get("model") if isinstance(holder, dict) else None


def _query(target: bytes) -> Object:
    """Names and values of the query. Raises: Unfit where a name comes twice: which one counts?"""
    pairs = parse_qsl(
        target.partition(b"?")[2].decode("latin-1"), keep_blank_values=True, max_num_fields=_LONGEST
    )
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Unfit("place")
    return found


def _in_query(target: bytes, model: str) -> bytes:
    path, _, query = target.partition(b"?")
    pieces = [
        b"model=" + model.encode() if piece.startswith(b"model=") else piece
        for piece in query.split(b"&")
    ]
    return path + b"?" + b"&".join(pieces)


def _form(call: Call) -> Object:
    kind = call.request.first(b"content-type")
    pairs = fields("multipart", kind, call.content.data)
    return {name: value[:_LONGEST].decode("utf-8", "replace") for name, value in pairs}
