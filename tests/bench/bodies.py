"""The requests: no two alike, and no text that repeats itself, as that would flatter a scanner."""

import base64
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

HOST: Final = "api.openai.com"
MODEL: Final = "gpt-6-luna"
DIFFERENT: Final = 200
_STAMP: Final = b"@" * 12
_WORDS: Final = """
able amber arch bank bell birch board brick call chair cloud coast cold core count dark deep
door draft early east field fine flour form frame gate glass grain green hand heavy hill
home hour iron judge keep kind lamp large late leaf light line long mark metal mill month
moss name near night north oak open order page paper part plain plate point pool power price
quick quiet rail rain ready rest right river road roof room salt sand sea ship shore short
side silver slow small snow sound south spring stand stone storm street table tall tide time
tower track trade tree turn valley view wall warm watch water week west wheel white wide
wind wood
"""
_ENDS: Final = ("", "s", "ed", "er", "ing", "ly", "ness", "ward", "en", "ish")
_STOPS: Final = ("", "", "", "", ",", ".")
_VOCABULARY: Final = tuple(
    word + end + stop for word in _WORDS.split() for end in _ENDS for stop in _STOPS
)


def prose(chance: random.Random, size: int) -> str:
    """Random words with commas and full stops, `size` characters long."""
    return " ".join(chance.choices(_VOCABULARY, k=size // 3 + 8))[:size]


def coded(chance: random.Random, size: int) -> str:
    """Random base64, `size` characters long."""
    return base64.b64encode(chance.randbytes(size * 3 // 4 + 3)).decode()[:size]


@dataclass(frozen=True, slots=True)
class Requests:
    """Whole requests, ready to be sent; each gets a number of its own as it is taken."""

    texts: Sequence[bytes] = field(repr=False)

    def __iter__(self) -> Iterator[bytes]:
        number = 0
        while True:
            yield self.texts[number % len(self.texts)].replace(_STAMP, b"%012d" % number, 1)
            number += 1


def chat(key: str, size: int, stream: bool = False, image: bool = False,
         different: int = DIFFERENT) -> Requests:  # fmt: skip
    """Chat completions with a body of about `size` bytes: prose with a tenth of base64, or with
    `image` a data URI of that size."""
    chance = random.Random(size + stream)  # noqa: S311 -- no secret is drawn
    make = _image if image else _text
    bodies = (_chat(make(chance, size), stream) for _ in range(different))
    return Requests([_request(key, b"/v1/chat/completions", body) for body in bodies])


def _text(chance: random.Random, size: int) -> list[dict[str, object]]:
    tenth = size // 10
    text = prose(chance, size - tenth - 250) + " " + coded(chance, tenth)
    return [{"type": "text", "text": text}]


def _image(chance: random.Random, size: int) -> list[dict[str, object]]:
    url = "data:image/png;base64," + coded(chance, size - 330)
    return [{"type": "text", "text": "What is this?"}, {"type": "image_url",
                                                        "image_url": {"url": url}}]  # fmt: skip


def _chat(content: list[dict[str, object]], stream: bool) -> bytes:
    body = {
        "model": MODEL,
        "stream": stream,
        "user": _STAMP.decode(),
        "messages": [
            {"role": "system", "content": "You answer in one short sentence."},
            {"role": "user", "content": content},
        ],
    }
    return json.dumps(body, separators=(",", ":")).encode()


def upload(key: str, size: int, different: int = 2) -> Requests:
    """Files of random bytes as multipart, `size` bytes each."""
    chance = random.Random(size)  # noqa: S311 -- no secret is drawn
    edge = b"bench-7f3a9c51d2"
    kind = b"multipart/form-data; boundary=" + edge
    bodies = (_multipart(edge, chance.randbytes(size)) for _ in range(different))
    return Requests([_request(key, b"/v1/files", body, kind) for body in bodies])


def _multipart(edge: bytes, data: bytes) -> bytes:
    field_head = b'\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nuser_data\r\n'
    file_head = (
        b'\r\nContent-Disposition: form-data; name="file"; filename="' + _STAMP + b'.pdf"\r\n'
        b"Content-Type: application/pdf\r\n\r\n"
    )
    return b"".join((b"--", edge, field_head, b"--", edge, file_head, data, b"\r\n--", edge,
                     b"--\r\n"))  # fmt: skip


def _request(key: str, path: bytes, body: bytes, kind: bytes = b"application/json") -> bytes:
    """The head that the Python SDK sends, and the body."""
    head = (
        f"Host: {HOST}\r\nAuthorization: Bearer {key}\r\nAccept: application/json\r\n"
        "User-Agent: OpenAI/Python 3.50.0\r\nAccept-Encoding: gzip, deflate\r\n"
        "X-Stainless-Lang: python\r\nX-Stainless-Package-Version: 3.50.0\r\n"
        "X-Stainless-OS: Linux\r\nX-Stainless-Arch: x64\r\nX-Stainless-Runtime: CPython\r\n"
        "X-Stainless-Async: false\r\nX-Stainless-Retry-Count: 0\r\n"
    ).encode()
    sizes = b"Content-Type: %b\r\nContent-Length: %d\r\n\r\n" % (kind, len(body))
    return b"POST %b HTTP/1.1\r\n" % path + head + sizes + body
