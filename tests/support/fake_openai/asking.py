"""A request as a route sees it: its JSON or form read once, the fake's memory, the knob."""

import email.parser
import email.policy
import itertools
import math
import time
from dataclasses import dataclass, field
from typing import Any

import orjson

from tests.support.fake_openai.answers import Answer, error, of_json
from tests.support.fake_openai.credentials import Door
from tests.support.fake_openai.knobs import Knob
from tests.support.fake_openai.recorder import Received

TEXT = "Hello from the fake OpenAI, which read every byte of your request."
MOST = 5000
_ids = itertools.count(1)


class BadRequest(Exception):
    """A request that OpenAI would answer with a 400; carries the answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.body)
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a multipart body."""

    data: bytes
    filename: str | None = None
    content_type: str = "text/plain"


@dataclass(slots=True)
class Memory:
    """What the fake remembers between calls, so that a later GET finds what a POST made."""

    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)

    def put(self, value: dict[str, Any], content: bytes) -> None:
        """Adds an object; the oldest goes where there are too many: a bench runs long."""
        while len(self.objects) >= MOST:
            oldest = next(iter(self.objects))
            del self.objects[oldest]
            self.contents.pop(oldest, None)
        self.objects[value["id"]] = value
        self.contents[value["id"]] = content

    def clear(self) -> None:
        self.objects.clear()
        self.contents.clear()


@dataclass(slots=True)
class Asking:
    """One request and its surroundings; `params` are the {segments} of the route's template."""

    request: Received
    knob: Knob
    memory: Memory
    door: Door
    params: dict[str, str] = field(default_factory=dict)
    _json: dict[str, Any] | None = None

    @property
    def json(self) -> dict[str, Any]:
        if self._json is None:
            self._json = self._read()
        return self._json

    def _read(self) -> dict[str, Any]:
        try:
            value = orjson.loads(self.request.decoded() or b"{}")
        except orjson.JSONDecodeError as fault:
            text = "We could not parse the JSON body of your request."
            raise BadRequest(error(400, "invalid_request_error", None, text)) from fault
        return value if isinstance(value, dict) else {}

    @property
    def form(self) -> dict[str, Part]:
        """The fields of a multipart body; of a JSON body its texts."""
        kind = self.request.first("content-type")
        if not kind.startswith("multipart/form-data"):
            return {name: Part(str(value).encode()) for name, value in self.json.items()}
        return _parts(kind, self.request.decoded())

    def field(self, name: str, default: str = "") -> str:
        part = self.form.get(name)
        return part.data.decode(errors="replace") if part else default

    @property
    def model(self) -> str:
        """The model asked for; a 400 where there is none."""
        model = self.json.get("model")
        if isinstance(model, str) and model:
            return model
        text = "you must provide a model parameter"
        raise BadRequest(error(400, "invalid_request_error", None, text))

    @property
    def text(self) -> str:
        return TEXT if self.knob.text is None else self.knob.text

    @property
    def deltas(self) -> list[str]:
        """The text in the pieces a stream sends: as many as the knob says, else word by word."""
        words = self.text.split(" ")
        pieces = [word if n == 0 else f" {word}" for n, word in enumerate(words)]
        if self.knob.events is not None:
            pieces = [f"w{n:05d} " for n in range(self.knob.events)]
        if self.knob.huge_event_bytes:
            pieces.insert(1, "h" * self.knob.huge_event_bytes)
        return pieces

    def answer(self, value: dict[str, Any], status: int = 200) -> Answer:
        return of_json(self.patched(value), status)

    def patched(self, value: dict[str, Any]) -> dict[str, Any]:
        """The object with the knob's fields over its own."""
        return {**value, **self.knob.patch} if self.knob.patch else value

    def keep(self, value: dict[str, Any], content: bytes = b"") -> dict[str, Any]:
        """Remembers an object under its id."""
        value = self.patched(value)
        self.memory.put(value, content)
        return value


def fresh(prefix: str) -> str:
    return f"{prefix}fake{next(_ids):020d}"


def now() -> int:
    return int(time.time())


def tokens(value: object) -> int:
    """What the fake says a text costs: a token for each four bytes, at least one."""
    return max(1, math.ceil(len(orjson.dumps(value)) / 4))


def _parts(kind: str, body: bytes) -> dict[str, Part]:
    parser = email.parser.BytesParser(policy=email.policy.HTTP)
    message = parser.parsebytes(b"content-type: " + kind.encode() + b"\r\n\r\n" + body)
    found: dict[str, Part] = {}
    for part in message.iter_parts() if message.is_multipart() else ():
        name = str(part.get_param("name", "", header="content-disposition"))
        data = part.get_payload(decode=True)
        content = data if isinstance(data, bytes) else b""
        found[name] = Part(content, part.get_filename(), part.get_content_type())
    return found
