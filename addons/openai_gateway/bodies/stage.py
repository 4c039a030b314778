"""Two stages: one reads the body and never objects, the other refuses what could not be read.

They are two because a production key out of place wins over a body that is broken: the tripwire
stands between them.
"""

import asyncio
import re
from collections.abc import Awaitable
from typing import Final

from openai_gateway.api.errors import refusal
from openai_gateway.content.body import fields, read, values
from openai_gateway.core.call import Call
from openai_gateway.core.verdict import PASS, Refuse, Verdict

# Up to here reading takes less than 1 ms; above, a thread does it.
INLINE: Final = 64 * 1024
LONGEST_MODEL: Final = 128
# What a model's name may look like in a row. Nothing that looks like a key gets there.
MODEL: Final = re.compile(r"(?!sk-|sess-|ek_|Bearer)[A-Za-z0-9][A-Za-z0-9._:/@-]{0,127}")
QUERY_MODEL: Final = re.compile(rb"[?&]model=([A-Za-z0-9._:/@-]{1,128})(?=&|$)")


class ReadContent:
    """Sets `call.content` from the raw body."""

    name = "content"
    limit_s = 30.0

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes

    def check(self, call: Call) -> Verdict | Awaitable[Verdict]:
        request = call.request
        if not request.body:
            return PASS
        if len(request.body) > INLINE or request.values(b"content-encoding"):
            return self.in_thread(call)
        call.content = read(request.headers, request.body, self.max_bytes)
        return PASS

    async def in_thread(self, call: Call) -> Verdict:
        request = call.request
        call.content = await asyncio.to_thread(read, request.headers, request.body, self.max_bytes)
        return PASS


class CheckContent:
    """Refuses what `ReadContent` could not read; then notes the model, and whether it streams."""

    name = "body"
    limit_s = 5.0

    def check(self, call: Call) -> Verdict | Awaitable[Verdict]:
        content = call.content
        if content.fault is not None:
            return Refuse(refusal(content.fault, content.detail))
        call.stream = isinstance(content.parsed, dict) and content.parsed.get("stream") is True
        if len(content.data) > INLINE and content.kind != "json":
            return self.in_thread(call)
        call.model_requested = model_of(call)
        return PASS

    async def in_thread(self, call: Call) -> Verdict:
        call.model_requested = await asyncio.to_thread(model_of, call)
        return PASS


def model_of(call: Call) -> str | None:
    """The model that the call asks for: in its JSON, its form or its query."""
    named: object = None
    if isinstance(call.content.parsed, dict):
        named = call.content.parsed.get("model")
        if named is None:  # a realtime or live session that is minted or opened by a POST
            session = call.content.parsed.get("session")
            named = session.get("model") if isinstance(session, dict) else None
    elif call.content.kind in ("multipart", "form"):
        named = form_model(call)
    if named is None:
        found = QUERY_MODEL.search(call.request.target)
        named = found and found.group(1).decode()
    return named if isinstance(named, str) and MODEL.fullmatch(named) else None


def form_model(call: Call) -> str | None:
    said = values(call.request.headers, b"content-type")
    pairs = fields(call.content.kind, said[0], call.content.data)
    value = next((value for name, value in pairs if name == "model"), None)
    return value[: LONGEST_MODEL + 1].decode("utf-8", "replace") if value is not None else None
