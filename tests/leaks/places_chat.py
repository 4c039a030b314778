"""Where a secret can stand in a chat: messages, parts, tools, schemas, members of any name.

Each place is a function from the bare value to the request.
"""

import base64
import json
from random import Random
from typing import Final

from tests.leaks import filler
from tests.leaks.case import CHAT, RESPONSES, Place, Sent, bare, chat, chat_body, in_text, post
from tests.leaks.filler import told


def history(*messages: dict[str, object]) -> Sent:
    first = {"role": "user", "content": "Look at this."}
    return post(CHAT, {"model": "gpt-5.4-mini", "messages": [first, *messages]})


def tool(**more: object) -> Sent:
    """A chat with one tool."""
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    function = {"name": "weather", "description": "Tells it.", "parameters": schema, **more}
    return chat("How is it in Oslo?", tools=[{"type": "function", "function": function}])


def property_of(**more: object) -> Sent:
    return tool(parameters={"type": "object", "properties": {"city": {"type": "string", **more}}})


def called(arguments: str) -> Sent:
    call = {"id": "call_1", "type": "function"}
    function = {"function": {"name": "run", "arguments": arguments}}
    return history({"role": "assistant", "content": None, "tool_calls": [call | function]})


def member_again(secret: str, chance: Random, first: bool) -> Sent:
    """The name `content` twice in one message; parsers keep the last."""
    pair = [told(secret, chance), "Hello there."]
    one, two = (json.dumps(text) for text in (pair if first else pair[::-1]))
    body = (
        f'{{"model":"gpt-5.4-mini","messages":[{{"role":"user","content":{one},"content":{two}}}]}}'
    )
    return Sent("POST", CHAT.encode(), body.encode())


def metadata_again(secret: str, _: Random) -> Sent:
    body = f'{{"model":"gpt-5.4-mini","input":"Hi","metadata":{{"k":"{secret}"}},"metadata":{{}}}}'
    return Sent("POST", RESPONSES.encode(), body.encode())


def json_in_json(depth: int) -> Place:
    def make(secret: str, chance: Random) -> Sent:
        value: object = {"note": told(secret, chance), "n": 3}
        for level in range(depth - 1):
            value = {"level": level, "payload": json.dumps(value)}
        return called(json.dumps(value))

    return make


def deep(secret: str, _: Random) -> Sent:
    value: object = {"x": secret}
    for level in range(60):
        value = [value] if level % 2 else {"n": value}
    return chat("Hello", metadata={"trace": value})


def in_large(share: float) -> Place:
    """Somewhere in a request of some 900 kB."""

    def make(secret: str, chance: Random) -> Sent:
        bulk = filler.text(chance, 900_000)
        at = int(len(bulk) * share)
        return chat(f"{bulk[:at]}\n{secret}\n{bulk[at:]}")

    return make


def between_pictures(secret: str, chance: Random) -> Sent:
    pictures = [picture(chance, 60_000) for _ in range(2)]
    return chat([pictures[0], {"type": "text", "text": told(secret, chance)}, pictures[1]])


def picture(chance: Random, size: int) -> dict[str, object]:
    raw = b"\xff\xd8\xff\xe0\x00\x10JFIF" + chance.randbytes(size)
    url = "data:image/jpeg;base64," + base64.b64encode(raw).decode()
    return {"type": "image_url", "image_url": {"url": url}}


def beside_escape(before: str, after: str) -> Place:
    """Next to characters that JSON writes as escapes: in the raw bytes a letter stands there."""

    def make(secret: str, chance: Random) -> Sent:
        text = filler.text(chance, 200) + before + secret + after + "end"
        body = json.dumps(chat_body(text))  # ensures ASCII: \u00e9
        return Sent("POST", CHAT.encode(), body.encode())

    return make


def image_address(secret: str, _: Random) -> Sent:
    url = f"https://pictures.shop.lan/cat.jpg?access={secret}&w=200"
    return chat([{"type": "image_url", "image_url": {"url": url}}])


def file_part(secret: str, chance: Random) -> Sent:
    data = base64.b64encode(told(secret, chance).encode()).decode()
    file = {"filename": "notes.txt", "file_data": f"data:text/plain;base64,{data}"}
    return chat([{"type": "file", "file": file}, {"type": "text", "text": "Read it."}])


CHATS: Final[dict[str, Place]] = {
    "user message": in_text(chat),
    "system message": in_text(lambda t: history({"role": "system", "content": t})),
    "developer message": in_text(lambda t: history({"role": "developer", "content": t})),
    "assistant message": in_text(lambda t: history({"role": "assistant", "content": t})),
    "refusal": in_text(lambda t: history({"role": "assistant", "content": None, "refusal": t})),
    "tool message": in_text(
        lambda t: history({"role": "tool", "tool_call_id": "call_1", "content": t})
    ),
    "text part": in_text(lambda t: chat([{"type": "text", "text": t}])),
    "message name": bare(lambda s: history({"role": "user", "name": s, "content": "Hi"})),
    "image address": image_address,
    "file_data": file_part,
    "file part's name": bare(
        lambda s: chat([{"type": "file", "file": {"file_id": "file-1", "filename": f"{s}.txt"}}])
    ),
    "tool arguments": in_text(lambda t: called(json.dumps({"command": t}))),
    "tool arguments, no JSON": in_text(called),
    "tool description": in_text(lambda t: tool(description=t)),
    "tool schema, default": bare(lambda s: property_of(default=s)),
    "tool schema, enum": bare(lambda s: property_of(enum=["a", s])),
    "tool schema, examples": bare(lambda s: property_of(examples=[f"login {s}"])),
    "tool schema, property's name": bare(
        lambda s: tool(parameters={"type": "object", "properties": {s: {"type": "string"}}})
    ),
    "response schema": in_text(
        lambda t: chat(
            "Hi",
            response_format={
                "type": "json_schema",
                "json_schema": {"name": "out", "description": t, "schema": {"type": "object"}},
            },
        )
    ),
    "metadata value": bare(lambda s: chat("Hi", metadata={"login": s})),
    "metadata name": bare(lambda s: chat("Hi", metadata={s: "login"})),
    "user": bare(lambda s: chat("Hi", user=s)),
    "safety_identifier": bare(lambda s: chat("Hi", safety_identifier=s)),
    "prompt_cache_key": bare(lambda s: chat("Hi", prompt_cache_key=f"shop-{s}")),
    "stop": bare(lambda s: chat("Hi", stop=["\n", s])),
    "prediction": in_text(lambda t: chat("Hi", prediction={"type": "content", "content": t})),
    "unknown member": in_text(lambda t: chat("Hi", vendor_options={"memo": [1, t, None]})),
    "member's name at the top": bare(lambda s: chat("Hi", **{s: 1})),
    "first of two members": lambda s, c: member_again(s, c, first=True),
    "second of two members": lambda s, c: member_again(s, c, first=False),
    "first metadata of two": metadata_again,
    "JSON in JSON, 1 deep": json_in_json(1),
    "JSON in JSON, 2 deep": json_in_json(2),
    "JSON in JSON, 3 deep": json_in_json(3),
    "JSON in JSON, 4 deep": json_in_json(4),
    "60 levels deep": deep,
    "start of 900 kB": in_large(0.0),
    "middle of 900 kB": in_large(0.47),
    "end of 900 kB": in_large(1.0),
    "between two pictures": between_pictures,
    "after an escaped line end": beside_escape("one\n", "\nnext"),
    "after an escaped tab": beside_escape("one\t", "\t"),
    "between escaped letters": beside_escape("caf\u00e9", "\u00e9"),
    "between escaped quotes": beside_escape('say "', '" '),
}
