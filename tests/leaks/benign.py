"""Harmless requests by family: at most one in a hundred may be stopped."""

import base64
import json
from collections.abc import Callable
from random import Random
from typing import Final

from tests.leaks import archives, filler, papers
from tests.leaks.benign_code import CODE
from tests.leaks.benign_data import DATA
from tests.leaks.benign_docs import DOCS
from tests.leaks.case import Sent, chat, multipart, part, post, responses, upload
from tests.leaks.draw import fill
from tests.leaks.files import data_url
from tests.leaks.harmless import Text
from tests.leaks.places_chat import called, history

type Harmless = Callable[[Random], Sent]


def carried(text: Text) -> Harmless:
    """In a message, an answer of a tool, its arguments, a file or a Responses call."""

    def make(chance: Random) -> Sent:
        said = filler.around(chance, text(chance), filler.size(chance, 4_000))
        way = chance.randrange(6)
        if way == 0:
            return responses(said, instructions="Be brief.")
        if way == 1:
            return history({"role": "tool", "tool_call_id": "call_1", "content": said})
        if way == 2:
            return called(json.dumps({"input": said}))
        return upload("notes.txt", said.encode(), "text/plain") if way == 3 else chat(said)

    return make


def picture_part(chance: Random) -> Sent:
    raw = b"\xff\xd8\xff\xe0\x00\x10JFIF" + chance.randbytes(chance.randint(20_000, 400_000))
    url = data_url("image/jpeg", raw)
    return chat([{"type": "text", "text": "?"}, {"type": "image_url", "image_url": {"url": url}}])


def sound_part(chance: Random) -> Sent:
    raw = b"RIFF\x24\x08\x00\x00WAVEfmt " + chance.randbytes(chance.randint(20_000, 200_000))
    sound = {"data": base64.b64encode(raw).decode(), "format": "wav"}
    return chat([{"type": "input_audio", "input_audio": sound}])


def sound_upload(chance: Random) -> Sent:
    raw = b"ID3\x04\0\0\0\0\0\0\xff\xfb\x90d" + chance.randbytes(200_000)
    file = part('name="file"; filename="talk.mp3"', raw, "Content-Type: audio/mpeg")
    return multipart("/v1/audio/transcriptions", part('name="model"', b"whisper-1"), file)


def socket_sound(chance: Random) -> Sent:
    audio = base64.b64encode(chance.randbytes(9_600)).decode()
    event = {"type": "input_audio_buffer.append", "audio": audio}
    return Sent("WS", b"/v1/realtime?model=gpt-realtime", json.dumps(event).encode())


def reasoning(chance: Random) -> Sent:
    """What OpenAI itself hands out and takes back: encrypted reasoning, and its identifiers."""
    token = b"\x80\0\0\0\0" + chance.randbytes(chance.randint(700, 6_000))
    content = base64.urlsafe_b64encode(token).decode()
    one = {"type": "reasoning", "id": fill("rs_{x:48}", chance), "encrypted_content": content}
    return responses([{**one, "summary": []}, {"role": "user", "content": "Go on."}])


def tool_schema(chance: Random) -> Sent:
    """A tool that takes a key, without one."""
    properties = {
        "api_key": {"type": "string", "description": "The key; ask the user for it."},
        "password": {"type": "string", "minLength": 12},
        fill("{v:6}_token", chance): {"type": "string", "default": None},
        "secret_id": {"type": "string", "format": "uuid"},
    }
    parameters = {"type": "object", "properties": properties, "required": ["api_key"]}
    function = {"name": fill("set_{v:6}_password", chance), "parameters": parameters}
    return chat("Log in for me.", tools=[{"type": "function", "function": function}])


def token_numbers(chance: Random) -> Sent:
    numbers = [[chance.randrange(100_000) for _ in range(300)] for _ in range(8)]
    return post("/v1/embeddings", {"model": "text-embedding-3-small", "input": numbers})


def texts(chance: Random) -> Sent:
    said = [filler.sentence(chance) for _ in range(60)]
    return post("/v1/embeddings", {"model": "text-embedding-3-large", "input": said})


def settings_of_call(chance: Random) -> Sent:
    """The members that every call may have, filled as applications fill them."""
    return chat(
        filler.ask(chance),
        user=fill("user-{x:32}", chance),
        safety_identifier=fill("{x:64}", chance),
        prompt_cache_key=fill("shop-{uuid}", chance),
        metadata={"order": fill("{uuid}", chance), "commit": fill("{x:40}", chance)},
        max_completion_tokens=900,
        logit_bias={fill("{n:5}", chance): -100},
    )


def paging(chance: Random) -> Sent:
    query = fill("after=file-{a:24}&limit=100&order=desc&cursor={w:60}", chance)
    pairs = fill("_dd_s={l:12}; sid={uuid}", chance), fill("00-{x:32}-{x:16}-01", chance)
    headers = ((b"cookie", pairs[0].encode()), (b"traceparent", pairs[1].encode()))
    more = (b"idempotency-key", fill("stainless-python-retry-{uuid}", chance).encode())
    return Sent("GET", f"/v1/files?{query}".encode(), headers=(*headers, more))


def document(chance: Random) -> Sent:
    text = filler.text(chance, 3_000)
    name, data = chance.choice(
        (
            ("a.docx", papers.docx([text])),
            ("a.xlsx", papers.xlsx(filler.sentence(chance), shared=True)),
            ("a.pdf", papers.pdf(papers.shown(text.encode("ascii", "replace").decode()), True)),
            ("a.zip", archives.zipped(text)),
        )
    )
    return upload(name, data)


def random_file(chance: Random) -> Sent:
    return upload("model.bin", chance.randbytes(chance.randint(50_000, 700_000)))


def remote_picture(chance: Random) -> Sent:
    """Presigned addresses where OpenAI is to fetch the picture."""
    kept = [DATA["presigned address, S3"], DATA["shared address, Azure"]]
    url = chance.choice(kept)(chance)
    return chat([{"type": "image_url", "image_url": {"url": url}}])


REQUESTS: Final[dict[str, Harmless]] = {
    "picture": picture_part,
    "sound": sound_part,
    "sound upload": sound_upload,
    "sound on a socket": socket_sound,
    "encrypted reasoning": reasoning,
    "tool with a key": tool_schema,
    "token numbers": token_numbers,
    "embeddings inputs": texts,
    "settings of a call": settings_of_call,
    "paging": paging,
    "documents": document,
    "random file": random_file,
    "presigned picture": remote_picture,
}
BENIGN: Final[dict[str, Harmless]] = {
    **{name: carried(text) for name, text in {**CODE, **DATA, **DOCS}.items()},
    **REQUESTS,
}
