"""How much a call may use, before it has: the tokens and images that its limits hold in reserve.

The input is estimated from its bytes, the output taken for the most that the call allows; where it
sets no bound, for what its model lately wrote. The answer's usage corrects it (settle.py).
"""

from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from openai_gateway.api import tokens
from openai_gateway.api.asking import MAXIMA, MOST, count, several
from openai_gateway.api.endpoints import Endpoint
from openai_gateway.content.body import fields, values
from openai_gateway.content.coding import Fault
from openai_gateway.core.call import Call

type Object = Mapping[str, object]

# Up to here, and of so many values, an estimate takes below 1 ms; above, a thread makes it.
INLINE: Final = 32 * 1024
SHORT: Final = 4 * 1024
MOST_VALUES: Final = 1000
FIRST_OUTPUT: Final = 256
MOST_MODELS: Final = 256
LATELY: Final = 16
SOUND_BYTES: Final = 1600  # of a token of sound: 10 tokens a second of 16 kB, as tokens.py counts

READS: Final = frozenset({"embeddings.create", "moderations.create", "decisions.create"})
DRAWS: Final = frozenset({"images.generate", "images.edit", "images.vary"})
SPEAKS: Final = "audio.speech"
HEARS: Final = "audio.transcribe"
SEVERAL: Final = frozenset({"chat.create", "completions.create", "unknown"})
# Of these the model's own tokens are what they cost; seconds, storage and later work are not here.
_TOKENS: Final = frozenset({"tokens", "tokens_tools"})


@dataclass(frozen=True, slots=True)
class Estimate:
    """Tokens in and out, images, and how many answers were asked for."""

    input_tokens: int = 0
    output_tokens: int = 0
    images: int = 0
    answers: int = 1

    @property
    def tokens(self) -> int:
        """What is reserved of a limit of tokens."""
        return self.input_tokens + self.output_tokens


NOTHING: Final = Estimate()


class Recent:
    """What models lately wrote in one answer: the mean of their last LATELY, 256 at the start."""

    __slots__ = ("_models", "_most")

    def __init__(self, most: int = MOST_MODELS) -> None:
        self._most = most
        self._models: OrderedDict[str, deque[int]] = OrderedDict()

    def of(self, model: str | None) -> int:
        """The output tokens to expect of one answer, rounded up."""
        seen = self._models.get(model or "")
        return -(-sum(seen) // len(seen)) if seen else FIRST_OUTPUT

    def note(self, model: str | None, output_tokens: int) -> None:
        """One answer more."""
        name = model or ""
        seen = self._models.get(name)
        if seen is None:
            seen = self._models[name] = deque(maxlen=LATELY)
        seen.append(output_tokens)
        self._models.move_to_end(name)
        while len(self._models) > self._most:
            self._models.popitem(last=False)


def is_heavy(data: bytes) -> bool:
    """Whether the estimate of a body or a frame has to be made in a thread."""
    if len(data) <= SHORT:
        return False
    return len(data) > INLINE or sum(data.count(mark) for mark in (b",", b"[", b"{")) > MOST_VALUES


def of_call(call: Call, recent: Recent) -> Estimate:
    """The estimate of an HTTP call."""
    if not _counts(call):
        return NOTHING
    asked = _asked(call)
    if call.endpoint in DRAWS:
        return _drawn(call, asked)
    if call.endpoint == HEARS:
        heard = -(-len(call.content.data) // SOUND_BYTES)
        return Estimate(heard, recent.of(call.model_sent or call.model_requested))
    return of_request(asked, call.endpoint, call.model_sent or call.model_requested, recent)


def of_request(asked: object, endpoint: str, model: str | None, recent: Recent) -> Estimate:
    """The estimate of a request that is JSON: a body, or what a WebSocket frame asks for."""
    told = asked if isinstance(asked, dict) else {}
    read = tokens.of_request(told)
    if endpoint in READS:
        return Estimate(read)
    if endpoint == SPEAKS:
        text = told.get("input")
        said = tokens.of_speech(text) if isinstance(text, str) else 0
        return Estimate(read, said)
    answers = several(told) if endpoint in SEVERAL else 1
    bounds = [bound for name in MAXIMA if (bound := count(told.get(name))) is not None]
    most = max(bounds) if bounds else recent.of(model)
    return Estimate(read, min(most * answers, MOST), answers=answers)


def _counts(call: Call) -> bool:
    """Whether the call uses tokens or images at all; an unknown endpoint is taken to."""
    row = call.route
    if call.request.method != "POST":
        return False
    if not isinstance(row, Endpoint) or call.endpoint in READS or call.endpoint in DRAWS:
        return True
    return row.category == "inference" and not row.again and not _TOKENS.isdisjoint(row.cost)


def _asked(call: Call) -> Object:
    """The request's own fields: of its JSON, or of its form."""
    content = call.content
    if isinstance(content.parsed, dict):
        return content.parsed
    if content.kind not in ("multipart", "form") or call.endpoint == HEARS:
        return {}
    said = values(call.request.headers, b"content-type")
    try:
        pairs = fields(content.kind, said[0] if said else b"", content.data)
    except Fault:
        return {}
    pictures = [name for name, _ in pairs if name.startswith("image")]
    return {name: _text(data) for name, data in pairs if name not in pictures} | {"image": pictures}


def _text(data: bytes) -> str:
    return data[: tokens.SAMPLE].decode("utf-8", "replace")


def _drawn(call: Call, asked: Object) -> Estimate:
    """Pictures: those that go in, and those that are asked for."""
    pictures = several(asked)
    read = tokens.of_request(asked)
    if call.endpoint != "images.generate":
        read += tokens.PER_IMAGE * max(1, _given(asked))
    partial = count(asked.get("partial_images")) or 0
    each = tokens.of_picture(asked.get("quality")) + tokens.PER_PARTIAL * min(partial, 8)
    return Estimate(read, min(pictures * each, MOST), pictures, pictures)


def _given(asked: Object) -> int:
    images = asked.get("image", asked.get("images"))
    return min(len(images), 64) if isinstance(images, list) else 1
