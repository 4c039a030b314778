"""Keeps secrets out of the call log: what others chose of a row is looked at before it is written.

A call may be refused before the stage has read it, and an answer or a socket's messages name models
too: so every row is looked at here, whatever became of its call.
"""

from typing import Final
from urllib.parse import unquote_to_bytes

from openai_gateway.core.call import Call
from openai_gateway.leaks.reading.places import Detector

WITHHELD: Final = "(withheld)"
# What a row shows of a client's and of the upstream's own words.
LEFT_OUT: Final = (
    "sdk", "model_requested", "model_sent", "model_response", "service_tier", "openai_request_id"
)  # fmt: skip
REPLACED: Final = ("error_code", "upstream_error")
LONGEST: Final = 4096  # a row shows far less


def clean(call: Call, detector: Detector) -> None:
    """Takes out what holds a secret. One look at all of it; only then at each."""
    path, method = _path(call), _raw(call.request.method)
    texts = [path, method]
    for name in (*LEFT_OUT, *REPLACED):
        said = getattr(call, name)
        if said:
            texts.append(_raw(said))
    if not detector.find(b"\n".join(texts)):
        return
    if detector.find(path):
        _withhold_path(call)
    if detector.find(method):
        call.request.method = "-"
    for name in (*LEFT_OUT, *REPLACED):
        said = getattr(call, name)
        if said and detector.find(_raw(said)):
            setattr(call, name, WITHHELD if name in REPLACED else None)


def blank(call: Call) -> None:
    """Takes all of it out, where it could not be looked at."""
    _withhold_path(call)
    call.request.method = "-"
    for name in (*LEFT_OUT, *REPLACED):
        if getattr(call, name):
            setattr(call, name, WITHHELD if name in REPLACED else None)


def _path(call: Call) -> bytes:
    """The path as it stands and, where it is percent-coded, as it is meant."""
    path = call.request.target.split(b"?", 1)[0][:LONGEST]
    return path + b"\n" + unquote_to_bytes(path) if b"%" in path else path


def _withhold_path(call: Call) -> None:
    call.request.target = f"{WITHHELD} {call.endpoint}".encode()


def _raw(text: str) -> bytes:
    return text[:LONGEST].encode("utf-8", "surrogateescape")
