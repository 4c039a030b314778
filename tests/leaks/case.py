"""One request of the corpus, and the plain ways to make one."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final, Literal

from tests.leaks.filler import told
from tests.leaks.kind import Want

type Header = tuple[bytes, bytes]
type Group = Literal["kinds", "places", "simple", "split", "files", "benign"]

JSON: Final = "application/json"
CHAT: Final = "/v1/chat/completions"
RESPONSES: Final = "/v1/responses"
BOUNDARY: Final = "----7d41b9c3e2f04f5a"
USUAL: Final[tuple[Header, ...]] = (
    (b"host", b"api.openai.com"),
    (b"user-agent", b"OpenAI/Python 3.54.0"),
    (b"accept", b"application/json"),
    (b"x-stainless-lang", b"python"),
    (b"x-stainless-retry-count", b"0"),
)


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as the client sends it. Of a socket `earlier` holds the messages before `body`."""

    method: str
    target: bytes
    body: bytes = field(default=b"", repr=False)
    content_type: str = JSON
    headers: tuple[Header, ...] = ()
    trailers: tuple[Header, ...] = ()
    earlier: tuple[bytes, ...] = ()

    def all_headers(self) -> list[Header]:
        """The usual ones, the content-type and length where there is a body, and its own."""
        of_body: list[Header] = []
        if self.body and self.method != "WS":
            of_body.append((b"content-length", str(len(self.body)).encode()))
            if self.content_type:
                of_body.append((b"content-type", self.content_type.encode()))
        return [*USUAL, *of_body, *self.headers]


@dataclass(frozen=True, slots=True)
class Case:
    """A request with a secret in it, or a harmless one (`secret` is None)."""

    id: str
    group: Group
    family: str
    sent: Sent = field(repr=False)
    kind: str = ""
    secret: str | None = field(default=None, repr=False)
    want: Want = "stop"


type Place = Callable[[str, Random], Sent]  # from a bare secret
type FromText = Callable[[str], Sent]


def in_text(make: FromText) -> Place:
    """The secret stands in a sentence, with other text around it."""
    return lambda secret, chance: make(told(secret, chance))


def bare(make: FromText) -> Place:
    """The secret stands alone."""
    return lambda secret, _: make(secret)


def dumps(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def post(target: str, value: object, **more: Any) -> Sent:
    return Sent("POST", target.encode(), dumps(value), **more)


def chat(content: object, **more: object) -> Sent:
    return post(CHAT, chat_body(content, **more))


def chat_body(content: object, **more: object) -> dict[str, object]:
    message = {"role": "user", "content": content}
    system = {"role": "system", "content": "You are a patient reviewer."}
    return {"model": "gpt-5.4-mini", "messages": [system, message], **more}


def responses(value: object, **more: object) -> Sent:
    return post(RESPONSES, {"model": "gpt-5.4-mini", "input": value, **more})


def part(disposition: str, data: bytes, *lines: str) -> bytes:
    head = "\r\n".join((f"Content-Disposition: form-data; {disposition}", *lines))
    return head.encode() + b"\r\n\r\n" + data


def multipart(target: str, *parts: bytes) -> Sent:
    edge = b"--" + BOUNDARY.encode()
    body = b"".join(edge + b"\r\n" + one + b"\r\n" for one in parts) + edge + b"--\r\n"
    return Sent("POST", target.encode(), body, f"multipart/form-data; boundary={BOUNDARY}")


def upload(name: str, data: bytes, media: str = "application/octet-stream") -> Sent:
    """A file for /v1/files."""
    return multipart(
        "/v1/files",
        part('name="purpose"', b"user_data"),
        part(f'name="file"; filename="{name}"', data, f"Content-Type: {media}"),
    )
