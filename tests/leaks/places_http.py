"""Where a secret can stand outside of JSON: the head, forms, uploads, plain bodies, sockets."""

import json
from random import Random
from typing import Final
from urllib.parse import urlencode

from tests.leaks import filler
from tests.leaks.case import (
    CHAT,
    RESPONSES,
    Header,
    Place,
    Sent,
    chat_body,
    dumps,
    multipart,
    part,
    post,
    upload,
)
from tests.leaks.filler import told
from tests.leaks.kind import HERE

HELLO: Final = dumps(chat_body("Hello there."))
TRANSCRIBE: Final = "/v1/audio/transcriptions"
SOUND: Final = b"RIFF\x24\x08\x00\x00WAVEfmt " + bytes(range(200, 250)) * 40


def header(name: str, value: str = HERE) -> Place:
    """A chat with one header more; `§` in either is the secret."""

    def make(secret: str, _: Random) -> Sent:
        pair = (name.replace(HERE, secret).encode(), value.replace(HERE, secret).encode())
        return Sent("POST", CHAT.encode(), HELLO, headers=(pair,))

    return make


def get(target: str, method: str = "GET") -> Place:
    return lambda secret, _: Sent(method, target.replace(HERE, secret).encode())


def second_header(secret: str, _: Random) -> Sent:
    pairs: tuple[Header, ...] = ((b"x-trace", b"a1"), (b"x-trace", f"b2 {secret}".encode()))
    return Sent("POST", CHAT.encode(), HELLO, headers=pairs)


def trailer(secret: str, _: Random) -> Sent:
    return Sent("POST", CHAT.encode(), HELLO, trailers=((b"x-sum", secret.encode()),))


def content_type(secret: str, _: Random) -> Sent:
    return Sent("POST", CHAT.encode(), HELLO, f"application/json; profile={secret}")


def sound(*parts: bytes) -> Sent:
    file = part('name="file"; filename="a.wav"', SOUND, "Content-Type: audio/wav")
    return multipart(TRANSCRIBE, part('name="model"', b"whisper-1"), *parts, file)


def field_value(secret: str, chance: Random) -> Sent:
    return sound(part('name="prompt"', told(secret, chance).encode()))


def field_name(secret: str, _: Random) -> Sent:
    return sound(part(f'name="{secret}"', b"1"))


def file_name(secret: str, _: Random) -> Sent:
    return upload(f"{secret}.txt", b"harmless", "text/plain")


def file_text(secret: str, chance: Random) -> Sent:
    return upload("notes.txt", told(secret, chance).encode(), "text/plain")


def file_unknown(secret: str, chance: Random) -> Sent:
    """A text that says that it is no text."""
    return upload("data.bin", told(secret, chance).encode())


def part_header(secret: str, _: Random) -> Sent:
    return sound(part('name="prompt"', b"Hello", f"X-Source: {secret}"))


def part_type(secret: str, _: Random) -> Sent:
    return sound(part('name="prompt"', b"Hello", f"Content-Type: text/plain; label={secret}"))


def second_part(secret: str, chance: Random) -> Sent:
    first = part('name="prompt"', b"Hello")
    return sound(first, part('name="prompt"', told(secret, chance).encode()))


def json_part(secret: str, chance: Random) -> Sent:
    """A session beside an offer, as /v1/realtime/calls takes it."""
    session = dumps({"type": "realtime", "instructions": told(secret, chance)})
    return multipart(
        "/v1/realtime/calls",
        part('name="sdp"', b"v=0\r\n", "Content-Type: application/sdp"),
        part('name="session"', session, "Content-Type: application/json"),
    )


def batch_file(secret: str, chance: Random) -> Sent:
    """JSONL, one request a line."""
    texts = [filler.sentence(chance) for _ in range(12)]
    texts.insert(chance.randrange(12), told(secret, chance))
    lines = [
        json.dumps({"custom_id": f"r{n}", "method": "POST", "url": CHAT, "body": chat_body(text)})
        for n, text in enumerate(texts)
    ]
    return upload("batch.jsonl", "\n".join(lines).encode(), "application/jsonl")


def env_file(secret: str, chance: Random) -> Sent:
    text = f"# shop\nPORT=8080\nDEBUG=false\nUPSTREAM={secret}\n{filler.logs(chance)}"
    return upload(".env", text.encode())


def csv_file(secret: str, chance: Random) -> Sent:
    rows = [f"{n},{filler.sentence(chance)},{n * 7 % 90}.5" for n in range(30)]
    rows.insert(17, f'30,"{secret}",1.0')
    return upload("rows.csv", "\r\n".join(rows).encode(), "text/csv")


def upload_chunk(secret: str, chance: Random) -> Sent:
    data = told(secret, chance).encode()
    return multipart("/v1/uploads/upload_1/parts", part('name="data"; filename="p"', data))


def form(secret: str, chance: Random) -> Sent:
    body = urlencode({"model": "whisper-1", "prompt": told(secret, chance)}).encode()
    return Sent("POST", TRANSCRIBE.encode(), body, "application/x-www-form-urlencoded")


def form_name(secret: str, _: Random) -> Sent:
    body = urlencode({secret: "1", "model": "whisper-1"}).encode()
    return Sent("POST", TRANSCRIBE.encode(), body, "application/x-www-form-urlencoded")


def plain(media: str) -> Place:
    return lambda secret, chance: Sent(
        "POST", CHAT.encode(), told(secret, chance).encode(), content_type=media
    )


def untyped(secret: str, chance: Random) -> Sent:
    """JSON that no header calls so."""
    return Sent("POST", CHAT.encode(), dumps(chat_body(told(secret, chance))), content_type="")


def offer(secret: str, _: Random) -> Sent:
    lines = ("v=0", "o=- 4611 2 IN IP4 127.0.0.1", f"s={secret}", "t=0 0", "m=audio 9 RTP 111")
    body = "\r\n".join(lines).encode()
    return Sent("POST", b"/v1/realtime/calls?model=gpt-realtime", body, "application/sdp")


def in_get_body(secret: str, _: Random) -> Sent:
    return Sent("GET", b"/v1/models", dumps({"note": secret}))


def query_and_body(secret: str, chance: Random) -> Sent:
    return post(f"{RESPONSES}?include={secret}", {"input": filler.text(chance, 300)})


def frame(target: str, value: object) -> Sent:
    return Sent("WS", target.encode(), dumps(value))


def realtime_item(secret: str, chance: Random) -> Sent:
    content = [{"type": "input_text", "text": told(secret, chance)}]
    item = {"type": "message", "role": "user", "content": content}
    event = {"type": "conversation.item.create", "item": item}
    return frame("/v1/realtime?model=gpt-realtime", event)


def realtime_session(secret: str, chance: Random) -> Sent:
    session = {"type": "realtime", "instructions": told(secret, chance)}
    event = {"type": "session.update", "session": session}
    return frame("/v1/realtime?model=gpt-realtime", event)


def socket_response(secret: str, chance: Random) -> Sent:
    event = {"type": "response.create", "model": "gpt-5.4-mini", "input": told(secret, chance)}
    return frame(RESPONSES, event)


HEAD: Final[dict[str, Place]] = {
    "query value": get(f"/v1/files?purpose=batch&after={HERE}&limit=10"),
    "query name": get(f"/v1/files?{HERE}=1"),
    "query without a value": get(f"/v1/files?{HERE}"),
    "query beside a body": query_and_body,
    "path segment": get(f"/v1/files/{HERE}"),
    "path segment inside": get(f"/v1/vector_stores/{HERE}/files"),
    "path of a DELETE": get(f"/v1/responses/{HERE}", "DELETE"),
    "header value": header("x-app-memo"),
    "header value, among words": header("x-app-memo", f"run 7; by={HERE}; ok"),
    "header name": header(f"x-{HERE}", "1"),
    "second header of a name": second_header,
    "x-user-agent header": header("x-user-agent", f"shop/2.1 ({HERE})"),
    "referer": header("referer", f"https://shop.lan/?s={HERE}"),
    "openai-project header": header("openai-project", HERE),
    "idempotency-key header": header("idempotency-key", f"retry-{HERE}"),
    "x-api-key header": header("x-api-key"),
    "cookie value": header("cookie", f"theme=dark; sid={HERE}; lang=no"),
    "cookie name": header("cookie", f"{HERE}=1; lang=no"),
    "trailer": trailer,
    "content-type's parameter": content_type,
    "body of a GET": in_get_body,
}
BODY: Final[dict[str, Place]] = {
    "form field": field_value,
    "form field's name": field_name,
    "file name": file_name,
    "text file": file_text,
    "file of unknown type": file_unknown,
    "part's header": part_header,
    "part's content-type": part_type,
    "second part of a name": second_part,
    "JSON part": json_part,
    "JSONL upload": batch_file,
    "env file": env_file,
    "CSV file": csv_file,
    "upload's chunk": upload_chunk,
    "urlencoded form": form,
    "urlencoded form, name": form_name,
    "text body": plain("text/plain"),
    "binary body": plain("application/octet-stream"),
    "body without content-type": untyped,
    "session description": offer,
    "socket: realtime item": realtime_item,
    "socket: realtime session": realtime_session,
    "socket: response.create": socket_response,
}
