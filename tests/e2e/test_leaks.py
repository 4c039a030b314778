"""Secrets on their way out and back, from outside: the bytes that left, the row, the metric."""

import base64
import gzip
import json
import random
import time
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from wsproto.events import Ping

from openai_gateway.leaks.rules.template import fill
from tests.e2e.calls import (
    BODY,
    CHAT,
    FILES,
    HOST,
    JSON,
    arrived,
    bearer,
    eventually,
    nothing_left,
    over_both,
    post,
    refused,
    send,
)
from tests.e2e.conftest import MakeGateway
from tests.support.clients import RawH1, Way, WebSocket
from tests.support.clients import bearer as bearer_header
from tests.support.fake_openai import FakeOpenAIThread
from tests.support.gateway_process import GatewayProcess, Keys

CODE = "gateway_secret_detected"
LEAKS = "openai_gateway_leaks_total"
RULE = "github-pat"
SECRET = fill("ghp_{alnum:30}{crc32}", random.Random(7)).decode()  # noqa: S311 - no secret of anybody
REALTIME = "/v1/realtime?model=gpt-realtime-2.1"
MARK = f"[REDACTED:{RULE}]"


def item(text: str) -> dict[str, Any]:
    """A message of a realtime socket."""
    part = {"type": "input_text", "text": text}
    said = {"type": "message", "role": "user", "content": [part]}
    return {"type": "conversation.item.create", "item": said}


def chat(text: str = f"my token is {SECRET}, thanks", **more: Any) -> bytes:
    said = {"model": "gpt-6-luna", "messages": [{"role": "user", "content": text}], **more}
    return json.dumps(said).encode()


@over_both
def test_a_secret_in_a_message_does_not_leave(
    gateway: GatewayProcess, way: Way, fake: FakeOpenAIThread, keys: Keys, version: str
) -> None:
    labels = {"rule": RULE, "action": "blocked", "location": "body"}
    before = gateway.metric(LEAKS, **labels)
    reply = post(way, version, keys, chat())
    refused(reply, 403, CODE)
    nothing_left(fake, keys)
    message = reply.json()["error"]["message"]
    assert f"{RULE} in messages[0].content" in message
    assert "leaks.allow" in message
    assert SECRET not in reply.body.decode()
    row = gateway.row(reply.first("x-gateway-request-id"))
    assert (row["outcome"], row["error_code"], row["leaks"]) == ("blocked", CODE, RULE)
    assert f"blocked {RULE}" in row["trace"] or CODE in row["trace"]
    assert gateway.metric(LEAKS, **labels) == before + 1
    assert SECRET.encode() not in gateway.database_bytes()
    assert SECRET not in gateway.output()


PLACES = {
    "path": ("GET", f"/v1/models/{SECRET}", [], b"", "the url path"),
    "query": ("GET", f"/v1/models?token={SECRET}", [], b"", "the url query, token"),
    "header": ("GET", "/v1/models", [("x-note", SECRET)], b"", "header x-note"),
    "cookie": ("GET", "/v1/models", [("cookie", f"a=b; session={SECRET}")], b"", "cookie session"),
    "escaped": ("POST", CHAT, [JSON], chat().replace(b"ghp", b"\\u0067hp"), "messages[0].content"),
    "base64": (
        "POST", CHAT, [JSON],
        chat(base64.b64encode(f"here it is: {SECRET} .".encode()).decode()), "messages[0].content",
    ),
    "nested": ("POST", CHAT, [JSON], chat(json.dumps({"a": json.dumps([SECRET])})), "messages[0]"),
    "name": ("POST", CHAT, [JSON], chat("x", metadata={SECRET: "1"}), "a name in metadata"),
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_every_place_is_looked_at_and_named(
    gateway: GatewayProcess, way: Way, fake: FakeOpenAIThread, keys: Keys, place: str
) -> None:
    method, target, more, body, told = PLACES[place]
    reply = send(way, "h1", method, target, [bearer(keys.production), *more], body)
    refused(reply, 403, CODE)
    nothing_left(fake, keys)
    assert told in reply.json()["error"]["message"]
    row = gateway.row(reply.first("x-gateway-request-id"))
    assert SECRET not in str(row)


def test_an_upload_is_looked_at_as_text(way: Way, fake: FakeOpenAIThread, keys: Keys) -> None:
    boundary = "xyzFAKE"
    body = (
        f'--{boundary}\r\ncontent-disposition: form-data; name="file"; filename="a.env"\r\n'
        f"content-type: text/plain\r\n\r\nA=1\r\nTOKEN={SECRET}\r\n--{boundary}--\r\n"
    ).encode()
    kind = ("content-type", f"multipart/form-data; boundary={boundary}")
    reply = send(way, "h1", "POST", FILES, [bearer(keys.production), kind], body)
    refused(reply, 403, CODE)
    nothing_left(fake, keys)
    assert "a.env" in reply.json()["error"]["message"]


@pytest.fixture
def redacting(make_gateway: MakeGateway, fake: FakeOpenAIThread) -> GatewayProcess:
    """A gateway whose rules redact."""
    del fake
    return make_gateway({"leaks": {"action": "redact"}})


@over_both
def test_redacted_it_leaves_without_the_secret_and_byte_for_byte_else(
    redacting: GatewayProcess, fake: FakeOpenAIThread, keys: Keys, version: str
) -> None:
    sent = chat().replace(b"thanks", b"thanks \\u00e9 \\/")
    reply = post(redacting.way, version, keys, sent)
    assert reply.status == 200
    assert reply.values("x-gateway-leaks") == [RULE]
    received = arrived(fake, keys)
    assert received.body == sent.replace(SECRET.encode(), MARK.encode())
    row = redacting.row(reply.first("x-gateway-request-id"))
    assert (row["outcome"], row["leaks"]) == ("forwarded", RULE)
    labels = {"rule": RULE, "action": "redacted", "location": "body"}
    assert redacting.metric(LEAKS, **labels) == 1


def test_redacted_in_url_and_header(
    redacting: GatewayProcess, fake: FakeOpenAIThread, keys: Keys
) -> None:
    target = f"/v1/models?note={SECRET}&x=1"
    head = [bearer(keys.production), ("x-note", f"a {SECRET} b")]
    assert send(redacting.way, "h1", "GET", target, head).status == 200
    received = arrived(fake, keys)
    assert received.target == f"/v1/models?note=%5BREDACTED%3A{RULE}%5D&x=1"
    assert received.values("x-note") == [f"a {MARK} b"]


def test_what_cannot_be_redacted_in_place_is_blocked(
    redacting: GatewayProcess, fake: FakeOpenAIThread, keys: Keys
) -> None:
    parts = [{"type": "text", "text": SECRET[:20]}, {"type": "text", "text": SECRET[20:]}]
    body = json.dumps({"model": "gpt-6-luna", "messages": [{"role": "user", "content": parts}]})
    refused(post(redacting.way, "h1", keys, body.encode()), 403, CODE)
    nothing_left(fake, keys)


def test_observe_lets_it_pass_as_it_came_and_says_so(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys
) -> None:
    process = make_gateway({"leaks": {"mode": "observe"}})
    reply = post(process.way, "h1", keys, chat())
    assert reply.status == 200
    assert reply.values("x-gateway-would") == ["blocked"]
    assert arrived(fake, keys).body == chat()
    assert process.metric(LEAKS, rule=RULE, action="would_block", location="body") == 1


def test_off_does_not_look(make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys) -> None:
    process = make_gateway({"leaks": {"mode": "off"}})
    reply = post(process.way, "h1", keys, chat())
    assert (reply.status, reply.values("x-gateway-leaks")) == (200, [])
    assert arrived(fake, keys).body == chat()
    assert process.metric(LEAKS) == 0


def test_what_is_allowed_passes_and_only_that(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys
) -> None:
    today = datetime.now(UTC).date()
    until = (today + timedelta(days=1)).isoformat()
    past = (today - timedelta(days=1)).isoformat()
    entry = {"rule": RULE, "path": "messages[*].content", "reason": "a test", "until": until}
    stale = {"rule": "aws-*", "reason": "long over", "until": past}
    process = make_gateway({"leaks": {"allow": [entry, stale]}})
    assert post(process.way, "h1", keys, chat()).status == 200
    assert arrived(fake, keys).body == chat()
    refused(post(process.way, "h1", keys, chat("x", user=SECRET)), 403, CODE)
    assert "leaks.allow.1: has expired on" in process.output()


def test_no_word_of_a_client_switches_a_rule_off(
    way: Way, fake: FakeOpenAIThread, keys: Keys
) -> None:
    body = chat(f"{SECRET} # gitleaks:allow", gateway="leaks: off")
    head = [("x-gateway-leaks", "off"), ("x-gateway-allow", RULE)]
    refused(post(way, "h1", keys, body, *head), 403, CODE)
    nothing_left(fake, keys)


def test_a_bad_rule_stops_the_start_with_its_place(make_gateway: MakeGateway) -> None:
    process = make_gateway({"leaks": {"rules": ["own.yaml"]}}, wait=False)
    assert process.wait_exit() == 1
    assert "own.yaml:1:1: (file): cannot be read" in process.output()
    assert "Traceback" not in process.output()


def test_a_frame_with_a_secret_is_answered_and_the_socket_stays(
    gateway: GatewayProcess, way: Way, fake: FakeOpenAIThread, keys: Keys
) -> None:
    frame = {"type": "response.create", "model": "gpt-6-luna", "input": f"say {SECRET}"}
    with WebSocket(way.tls(), "/v1/responses", [bearer_header(keys.production)]) as socket:
        socket.tell(frame)
        answer = socket.hear().json()
        assert (answer["type"], answer["status"]) == ("error", 403)
        assert answer["error"]["code"] == CODE
        socket.tell({**frame, "input": "hello"})
        assert socket.hear_type("response.completed")
    assert SECRET.encode() not in fake.received_bytes()
    assert eventually(
        lambda: gateway.metric(LEAKS, rule=RULE, action="blocked", location="websocket") == 1
    )


def test_a_frame_is_redacted_and_goes_on(
    redacting: GatewayProcess, fake: FakeOpenAIThread, keys: Keys
) -> None:
    frame = {"type": "response.create", "model": "gpt-6-luna", "input": f"say {SECRET} now"}
    with WebSocket(
        redacting.way.tls(), "/v1/responses", [bearer_header(keys.production)]
    ) as socket:
        socket.tell(frame)
        assert socket.hear_type("response.completed")
    received = fake.received_bytes()
    assert SECRET.encode() not in received
    rows = redacting.rows(2)
    assert RULE in [row["leaks"] for row in rows if row["method"] == "WS"]


@pytest.mark.parametrize("cut", [2, 20, 39])
def test_a_secret_over_two_frames_is_stopped_at_the_second(
    way: Way, fake: FakeOpenAIThread, keys: Keys, cut: int
) -> None:
    with WebSocket(way.tls(), REALTIME, [bearer_header(keys.production)]) as socket:
        socket.hear_type("session.created")
        socket.tell(item(SECRET[:cut]))
        socket.tell(item(SECRET[cut:]))
        assert socket.hear_type("error")["error"]["code"] == CODE
    assert f'"{SECRET[cut:]}"'.encode() not in fake.received_bytes()


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_with_a_secret_is_reported_and_passes_as_it_came(
    gateway: GatewayProcess, way: Way, fake: FakeOpenAIThread, keys: Keys, stream: bool
) -> None:
    labels = {"rule": RULE, "action": "reported", "location": "answer"}
    before = gateway.metric(LEAKS, **labels)
    fake.knobs.add(CHAT, text=f"your token is {SECRET} I think")
    reply = post(
        way, "h1", keys, BODY.replace(b"{", b'{"stream": %s, ' % str(stream).lower().encode(), 1)
    )
    assert reply.status == 200
    assert SECRET in said_of(reply.body, stream)
    row = gateway.row(reply.first("x-gateway-request-id"))
    assert (row["outcome"], row["leaks"]) == ("forwarded", RULE)
    assert gateway.metric(LEAKS, **labels) == before + 1
    if not stream:
        assert reply.values("x-gateway-leaks") == [RULE]


@over_both
@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_is_redacted(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys, stream: bool, version: str
) -> None:
    process = make_gateway({"leaks": {"responses": "redact"}})
    fake.knobs.add(CHAT, text=f"your token is {SECRET} I think")
    reply = post(process.way, version, keys, chat("hello", stream=stream))
    said = said_of(reply.body, stream)
    assert said == f"your token is {MARK} I think"
    assert reply.complete
    row = process.row(reply.first("x-gateway-request-id"))
    assert (row["usage_source"], row["leaks"]) == ("reported", RULE)


def said_of(body: bytes, stream: bool) -> str:
    """The text that a client puts together."""
    if not stream:
        return str(json.loads(body)["choices"][0]["message"]["content"])
    events = [line[6:] for line in body.decode().splitlines() if line.startswith("data: {")]
    deltas = (json.loads(event)["choices"] for event in events)
    return "".join(c["delta"].get("content") or "" for choices in deltas for c in choices)


@pytest.mark.parametrize("action", ["block", "redact", "report"])
def test_no_secret_is_in_any_sink(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys, action: str
) -> None:
    """Row, bodies, output, metrics: after a secret in every text that a row could show."""
    process = make_gateway({"leaks": {"action": action}, "log": {"bodies": "all"}})
    authorized = bearer(keys.production)
    sdk = ("x-stainless-lang", SECRET)
    for method, target, head, body in (
        ("GET", f"/v1/models/{SECRET}", [authorized], b""),
        ("GET", f"/v1/{SECRET}?a={SECRET}", [authorized], b""),
        ("GET", "/v1/models", [authorized, sdk], b""),
        ("POST", CHAT, [authorized, JSON], chat("x", model=SECRET)),
        ("POST", CHAT, [authorized, JSON], chat("x", **{SECRET: 1})),
        ("POST", CHAT, [authorized, JSON], chat()),
    ):
        send(process.way, "h1", method, target, head, body)
    rows = process.rows(6)
    assert len(rows) == 6
    assert {row["leaks"] for row in rows} == {RULE}
    metrics = process.get("/metrics")[1]
    process.stop()
    for sink in (process.database_bytes(), process.output().encode(), metrics.encode()):
        assert SECRET.encode() not in sink
    assert (SECRET.encode() in fake.received_bytes()) == (action == "report")


@pytest.mark.parametrize("flag", [4, 8, 16], ids=["extra", "name", "comment"])
def test_the_head_of_a_gzip_body_is_read(
    way: Way, fake: FakeOpenAIThread, keys: Keys, flag: int
) -> None:
    """RFC 1952 §2.3: a member's head may hold a name, a comment, and more; it leaves as it came."""
    plain, secret = chat("hello"), SECRET.encode()
    field = len(secret).to_bytes(2, "little") + secret if flag == 4 else secret + b"\0"
    press = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = press.compress(plain) + press.flush()
    end = zlib.crc32(plain).to_bytes(4, "little") + len(plain).to_bytes(4, "little")
    body = b"\x1f\x8b\x08" + bytes([flag]) + b"\0\0\0\0\0\xff" + field + packed + end
    assert gzip.decompress(body) == plain
    refused(post(way, "h1", keys, body, ("content-encoding", "gzip")), 403, CODE)
    nothing_left(fake, keys)


def test_a_304_stays_without_a_body_when_answers_are_redacted(
    make_gateway: MakeGateway, fake: FakeOpenAIThread, keys: Keys
) -> None:
    process = make_gateway({"leaks": {"responses": "redact"}})
    length = [("content-length", "1000000")]
    fake.knobs.add("/v1/files/*", status=304, headers=length, drop_headers=["content-length"])
    head = [("Host", HOST), bearer(keys.production)]
    with RawH1(process.way.tls()) as client:
        client.request("GET", "/v1/files/f/content", head)
        assert client.answer("GET").status == 304
        time.sleep(0.3)
        client.request("GET", "/v1/models", head)
        assert client.rest_of(b"\r\n").startswith(b"HTTP/1.1 200")


def test_a_long_answer_is_searched_beside_the_loop_and_passes_as_it_came(
    gateway: GatewayProcess, way: Way, fake: FakeOpenAIThread, keys: Keys
) -> None:
    body = b"word " * 200_000 + SECRET.encode() + b" word" * 10
    fake.knobs.add(CHAT, body=body, content_type="text/plain")
    reply = post(way, "h1", keys)
    assert reply.body == body
    row = gateway.row(reply.first("x-gateway-request-id"))
    assert row["leaks"] == RULE


REFUSED_EARLIER = {
    "no key, path": ("GET", f"/v1/models/{SECRET}", False, [], b""),
    "no key, coded": ("GET", f"/v1/models/%67{SECRET[1:]}", False, [], b""),
    "no key, sdk": ("GET", "/v1/models", False, [("x-stainless-lang", SECRET)], b""),
    "endpoint": ("POST", f"/v1/fine_tuning/jobs/{SECRET}/cancel", True, [], b""),
    "body": ("POST", f"/v1/responses/{SECRET}/cancel", True, [JSON], b"{no json"),
}


@pytest.mark.parametrize("which", REFUSED_EARLIER)
def test_a_call_refused_before_it_was_read_puts_no_secret_into_its_row(
    gateway: GatewayProcess, keys: Keys, which: str
) -> None:
    method, target, with_key, head, body = REFUSED_EARLIER[which]
    key = [bearer(keys.production)] if with_key else []
    reply = send(gateway.way, "h1", method, target, [*key, *head], body)
    assert reply.status in (400, 401, 403)
    row = gateway.row(reply.first("x-gateway-request-id"))
    assert SECRET[1:] not in str(row)
    assert row["error_code"]


def test_the_row_of_a_response_on_a_socket_shows_no_model_that_is_a_secret(
    make_gateway: MakeGateway, keys: Keys
) -> None:
    process = make_gateway({"leaks": {"action": "report"}})
    with WebSocket(process.way.tls(), "/v1/responses", [bearer_header(keys.production)]) as socket:
        socket.tell({"type": "response.create", "model": SECRET, "input": "hi"})
        socket.hear_type("response.completed")
    assert SECRET not in str(process.rows(2))


def test_what_a_socket_reported_is_in_a_row_though_no_response_follows(
    make_gateway: MakeGateway, keys: Keys
) -> None:
    process = make_gateway({"leaks": {"action": "report"}})
    with WebSocket(process.way.tls(), REALTIME, [bearer_header(keys.production)]) as socket:
        socket.hear_type("session.created")
        socket.tell(item(SECRET))
        assert eventually(lambda: process.metric(LEAKS) == 1)
    rows = process.rows(2)
    assert [row["leaks"] for row in rows if row["method"] == "WS"] == [RULE]
    assert process.metric(LEAKS) == 1


def test_a_ping_with_a_secret_is_counted_and_has_a_row(
    make_gateway: MakeGateway, keys: Keys
) -> None:
    process = make_gateway({})
    with WebSocket(process.way.tls(), REALTIME, [bearer_header(keys.production)]) as socket:
        socket.hear_type("session.created")
        socket._write(Ping(payload=SECRET.encode()))
        assert eventually(lambda: process.metric(LEAKS, action="blocked") == 1)
    refusals = [row for row in process.rows(2) if row["method"] == "WS"]
    assert [(row["error_code"], row["leaks"]) for row in refusals] == [(CODE, RULE)]


def test_a_refused_message_is_counted_once(make_gateway: MakeGateway, keys: Keys) -> None:
    process = make_gateway({})
    frame = {"type": "response.create", "model": "gpt-6-luna", "stream_id": SECRET}
    with WebSocket(process.way.tls(), "/v1/responses", [bearer_header(keys.production)]) as socket:
        socket.tell({**frame, "input": "hi"})
        answer = socket.hear().json()
    assert answer["status"] == 403
    assert "stream_id" not in answer
    process.rows(2)
    assert process.metric(LEAKS, rule=RULE) == 1


def test_what_the_handshake_held_is_in_its_row_alone(make_gateway: MakeGateway, keys: Keys) -> None:
    process = make_gateway({"leaks": {"action": "report"}})
    head = [bearer_header(keys.production), ("x-note", SECRET)]
    with WebSocket(process.way.tls(), REALTIME, head) as socket:
        socket.hear_type("session.created")
        socket.tell({"type": "response.create"})
        socket.hear_type("response.done")
    rows = process.rows(2)
    assert [row["method"] for row in rows if row["leaks"]] == ["GET"]
    assert process.metric(LEAKS) == 1
