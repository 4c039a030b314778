"""One stage reads and never objects; the other refuses what could not be read."""

import gzip
import json

import pytest

from openai_gateway.bodies.stage import CheckContent, ReadContent
from openai_gateway.core.call import Call, Header, Request
from openai_gateway.core.corridor import ask
from openai_gateway.core.verdict import PASS, Refuse, Verdict

JSON: Header = (b"content-type", b"application/json")


def made(body: bytes, *headers: Header, target: bytes = b"/v1/responses") -> Call:
    return Call(Request("POST", "api.openai.com", target, list(headers), body))


async def walked(call: Call, limit: int = 1 << 20) -> Verdict:
    assert await ask(ReadContent(limit), call) is PASS
    return await ask(CheckContent(), call)


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (made(b"{", JSON), "gateway_unreadable_body"),
        (made(b"{}", (b"content-encoding", b"x")), "gateway_unsupported_encoding"),
        (made(b"x" * (2 << 20)), "gateway_body_too_large"),
        (made(gzip.compress(bytes(2 << 20)), (b"content-encoding", b"gzip")),
         "gateway_body_too_large"),
    ],
)  # fmt: skip
async def test_what_cannot_be_read_is_refused_by_the_second_stage(call: Call, code: str) -> None:
    verdict = await walked(call)
    assert isinstance(verdict, Refuse)
    assert verdict.refusal.code == code
    assert verdict.refusal.message


async def test_a_large_body_is_read_as_well() -> None:
    call = made(json.dumps({"model": "gpt-5", "input": "x" * 200_000}).encode(), JSON)
    assert await walked(call) is PASS
    assert call.model_requested == "gpt-5"


@pytest.mark.parametrize(
    ("body", "model", "stream"),
    [
        ({"model": "gpt-5-mini", "stream": True}, "gpt-5-mini", True),
        ({"model": "ft:gpt-5:org/x:y", "stream": 1}, "ft:gpt-5:org/x:y", False),
        ({"model": ["a"], "stream": "true"}, None, False),
        ({"model": "m" * 129}, None, False),
        ({"model": "a model"}, None, False),
        ({"model": "sk-proj-" + "FAKE" * 10}, None, False),
        ({}, None, False),
        (["model"], None, False),
        (7, None, False),
    ],
)
async def test_model_and_stream_are_noted(body: object, model: str | None, stream: bool) -> None:
    call = made(json.dumps(body).encode(), JSON)
    assert await walked(call) is PASS
    assert (call.model_requested, call.stream) == (model, stream)


FORM = b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\n%b\r\n--b--\r\n'
MULTIPART: Header = (b"content-type", b"multipart/form-data; boundary=b")


@pytest.mark.parametrize(
    ("call", "model"),
    [
        (made(FORM % b"whisper-1", MULTIPART), "whisper-1"),
        (made(FORM % (b"x" * 100_000), MULTIPART), None),
        (made(b"model=a%2Fb", (b"content-type", b"application/x-www-form-urlencoded")), "a/b"),
        (made(b"", target=b"/v1/realtime?x=1&model=gpt-realtime"), "gpt-realtime"),
        (made(b"", target=b"/v1/realtime?model=" + b"m" * 200), None),
        (made(b"", target=b"/v1/models/model=x"), None),
    ],
)
async def test_the_model_of_forms_and_queries_is_noted(call: Call, model: str | None) -> None:
    assert await walked(call) is PASS
    assert call.model_requested == model


def test_a_small_body_is_read_and_judged_at_once() -> None:
    call = Call(Request("POST", "api.openai.com", b"/v1/x", [JSON], b'{"model":"gpt-5-mini"}'))
    assert ReadContent(1000).check(call) is PASS
    assert CheckContent().check(call) is PASS
    assert call.model_requested == "gpt-5-mini"
