"""Answers of OpenAI's for tests of leaks/answers: a detector that stands in, events, and a
client that puts the texts together without knowing how the gateway takes them apart."""

import json
import re
from collections.abc import Iterable
from typing import Any

from openai_gateway.leaks.engine.limit import Limit
from openai_gateway.leaks.reading.ledger import Done, Finding
from openai_gateway.leaks.rules.rule import Hit, Rule

type Object = dict[str, Any]
type Texts = dict[tuple[Any, ...], str]

PATTERNS = {
    "demo-pat": rb"(?<![A-Za-z0-9])(tok_[A-Za-z0-9]{20})(?![A-Za-z0-9])",
    "demo-named": rb"api_key[\"' ]{0,3}[:=][\"' ]{0,3}([A-Za-z0-9]{12,40})(?![A-Za-z0-9])",
    "demo-key": rb"(?s)(-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----.{64,7000}?-----END [A-Z ]{0,20}"
    rb"PRIVATE KEY-----)",
    "demo-card": rb"(?<![0-9])([0-9]{4}(?: ?[0-9]{4}){3})(?![0-9])",
    "demo-long": rb"(?<![A-Za-z0-9.])(jwt\.[A-Za-z0-9.]{300,2000})(?![A-Za-z0-9.])",
    "demo-note": rb"(?<![A-Za-z0-9])(pk_test_[a-z0-9]{16})(?![A-Za-z0-9])",
}
RULES = {name: Rule(name, name, pattern.decode()) for name, pattern in PATTERNS.items()}


class StandIn:
    """Finds by the patterns above; the same calls as leaks/engine/detector.py."""

    def __init__(self) -> None:
        self._patterns = {name: re.compile(pattern) for name, pattern in PATTERNS.items()}
        self.calls = 0

    def find(
        self, text: bytes, *, before: bytes = b"", strong: bool = False, limit: Limit | None = None
    ) -> list[Hit]:
        del strong, limit
        self.calls += 1
        found = []
        for name, pattern in self._patterns.items():
            for match in pattern.finditer(before + text):
                start, end = (place - len(before) for place in match.span(1))
                if end > 0:
                    lowered = name == "demo-note"
                    found.append(Hit(RULES[name], max(0, start), end, "", lowered))
        kept: list[Hit] = []
        for hit in sorted(found, key=lambda hit: (hit.start, -hit.end)):
            if not kept or hit.start >= kept[-1].end:
                kept.append(hit)
        return kept


def blocks(finding: Finding) -> Done:
    """A judge for whom everything is forbidden but what is at most to be reported."""
    return "report" if finding.lowered else "block"


def pat(fill: str = "aB3dE6gH9jK2mN5pQ8sT") -> str:
    return "tok" + "_" + fill


def pem(lines: int = 4) -> str:
    body = "\n".join(("MIIEvQIBADANBgkqhkiG9w0BAQEFAASC" * 2)[:64] for _ in range(lines))
    return f"-----BEGIN PRIVATE {'KEY'}-----\n{body}\n-----END PRIVATE {'KEY'}-----"


def sse(value: object, name: str = "") -> bytes:
    data = value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()
    start = f"event: {name}\n".encode() if name else b""
    return start + b"data: " + data + b"\n\n"


def chat(delta: Object, index: int = 0, finish: str | None = None, **more: Any) -> bytes:
    choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-5"}
    return sse({**head, "choices": [choice | more.pop("choice", {})], "obfuscation": "x7", **more})


def typed(kind: str, number: int = 0, **more: Any) -> bytes:
    return sse({"type": kind, **more, "sequence_number": number}, kind)


def chat_stream(pieces: Iterable[str], index: int = 0) -> list[bytes]:
    start = [chat({"role": "assistant", "content": "", "refusal": None}, index)]
    deltas = [chat({"content": piece}, index) for piece in pieces]
    return [*start, *deltas, chat({}, index, "stop"), sse(b"[DONE]")]


def responses_stream(pieces: list[str]) -> list[bytes]:
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    text = "".join(pieces)
    part = {"type": "output_text", "text": text, "annotations": []}
    item = {"id": "msg_1", "type": "message", "content": [part]}
    values: list[tuple[str, Object]] = [("response.created", {"response": {"id": "resp_1"}})]
    values += [
        ("response.output_text.delta", {**place, "delta": piece, "logprobs": []})
        for piece in pieces
    ]
    values += [
        ("response.output_text.done", {**place, "text": text, "logprobs": []}),
        ("response.content_part.done", {**place, "part": part}),
        ("response.output_item.done", {"output_index": 0, "item": item}),
        ("response.completed", {"response": {"id": "resp_1", "output": [item]}}),
    ]
    return [typed(kind, number, **more) for number, (kind, more) in enumerate(values)]


def values_of(stream: bytes) -> list[Object]:
    """The JSON of each event; fails where an event is none."""
    found = []
    assert not stream or stream.endswith((b"\n\n", b"\r\n\r\n"))
    for event in re.split(rb"\n\n|\r\n\r\n", stream)[:-1]:
        lines = event.splitlines()
        assert all(line.startswith((b"data:", b"event:", b"id:", b":")) for line in lines), event
        data = b"\n".join(line[5:].strip() for line in lines if line.startswith(b"data:"))
        if data and data != b"[DONE]":
            value = json.loads(data)
            assert isinstance(value, dict)
            found.append(value)
    return found


def texts_of(stream: bytes) -> Texts:
    """What a client makes of the deltas of a stream, text by text."""
    texts: Texts = {}

    def add(text: object, *key: object) -> None:
        if isinstance(text, str):
            texts[key] = texts.get(key, "") + text

    for value in values_of(stream):
        for choice in value.get("choices") or []:
            index, delta = choice["index"], choice.get("delta") or {}
            add(choice.get("text"), index, "text")
            for name in ("content", "refusal", "reasoning_content"):
                add(delta.get(name), index, name)
            for call in delta.get("tool_calls") or []:
                add((call.get("function") or {}).get("arguments"), index, "tool", call["index"])
            add((delta.get("function_call") or {}).get("arguments"), index, "function_call")
        if str(value.get("type", "")).endswith(".delta"):
            place = [value.get(name) for name in ("output_index", "content_index", "item_id")]
            add(value["delta"], value["type"], *place)
        if value.get("object") == "thread.message.delta":
            for part in value["delta"]["content"]:
                add(part["text"]["value"], value["id"], part["index"])
    return {key: text for key, text in texts.items() if text}
