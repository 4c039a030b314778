"""WebSocket both ways: whole messages are judged, what is refused is answered, both ends close."""

import base64
import os
import time
from collections.abc import Callable

import orjson
import pytest

from tests.e2e.calls import HOST, IN_PROGRESS, bearer, eventually, nothing_left, refused
from tests.support.clients import RawH1, Refused, Said, Way, WebSocket
from tests.support.fake_openai import FakeOpenAIThread
from tests.support.gateway_process import GatewayProcess, Keys

REALTIME = "/v1/realtime?model=gpt-realtime-2.1"
RESPONSES = "/v1/responses"
TOKEN = "openai-insecure-api-key."  # noqa: S105  # the name of a subprotocol
LEAKED = "gateway_production_key_leaked"


def dial(way: Way, keys: Keys, target: str = REALTIME, deflate: bool = False) -> WebSocket:
    """An open socket; on realtime its first event has been read."""
    ws = WebSocket(way.tls(), target, [bearer(keys.production)], deflate=deflate)
    if target == REALTIME:
        ws.hear_type("session.created")
    return ws


def heard(fake: FakeOpenAIThread, count: int, kind: str = "text") -> list[bytes]:
    """The messages of a kind that the upstream got, once there are so many."""
    fake.wait_for(lambda found: len(found[0].messages(kind)) >= count)
    return fake.requests[0].messages(kind)


# ---- the handshake -------------------------------------------------------------------------------


def test_the_key_in_authorization_is_swapped(
    gateway: GatewayProcess, way: Way, fake: FakeOpenAIThread, keys: Keys
) -> None:
    with dial(way, keys) as ws:
        call_id = dict(ws.headers)["x-gateway-request-id"]
    request = fake.requests[0]
    assert request.values("authorization") == [f"Bearer {keys.staging}"]
    assert request.target == REALTIME
    assert keys.production.encode() not in fake.received_bytes()
    row = gateway.row(call_id)
    assert (row["status"], row["outcome"], row["endpoint"]) == (101, "forwarded", "realtime.ws")
    assert row["model_requested"] == "gpt-realtime-2.1"


def test_the_key_among_the_subprotocols_is_swapped_in_its_place(
    way: Way, fake: FakeOpenAIThread, keys: Keys
) -> None:
    offered = ["realtime", f"{TOKEN}{keys.production}", "openai-beta.realtime-v1"]
    with WebSocket(way.tls(), REALTIME, subprotocols=offered) as ws:
        ws.hear_type("session.created")
        assert ws.subprotocol == "realtime"
    request = fake.requests[0]
    assert request.values("authorization") == []
    tokens = [token.strip() for token in request.first("sec-websocket-protocol").split(",")]
    assert tokens == ["realtime", f"{TOKEN}{keys.staging}", "openai-beta.realtime-v1"]
    assert keys.production.encode() not in fake.received_bytes()


def test_organization_and_project_tokens_are_dropped(
    way: Way, fake: FakeOpenAIThread, keys: Keys
) -> None:
    offered = ["realtime", f"{TOKEN}{keys.production}", "openai-organization.org-x",
               "openai-project.proj_x"]  # fmt: skip
    with WebSocket(way.tls(), REALTIME, subprotocols=offered) as ws:
        ws.hear_type("session.created")
    tokens = fake.requests[0].first("sec-websocket-protocol")
    assert tokens == f"realtime, {TOKEN}{keys.staging}"


@pytest.mark.parametrize(
    ("offered", "authorized", "status", "code"),
    [
        (["realtime"], None, 401, "gateway_missing_key"),
        (["realtime", TOKEN + "sk-proj-FAKEunknown"], None, 401, "gateway_unknown_key"),
        (["realtime", TOKEN + "{key}", TOKEN + "{key}"], None, 400, "gateway_ambiguous_key"),
        (["realtime", TOKEN + "{key}"], "{key}", 400, "gateway_ambiguous_key"),
        (["realtime", "x.{key}"], "{key}", 403, LEAKED),
    ],
)
def test_a_handshake_that_is_refused_is_answered_in_http(
    way: Way, fake: FakeOpenAIThread, keys: Keys,
    offered: list[str], authorized: str | None, status: int, code: str,
) -> None:  # fmt: skip
    names = [name.replace("{key}", keys.production) for name in offered]
    head = [bearer(authorized.replace("{key}", keys.production))] if authorized else []
    with way.tls() as sock, pytest.raises(Refused) as answer:
        WebSocket(sock, REALTIME, head, subprotocols=names)
    refused(answer.value.reply, status, code)
    nothing_left(fake, keys)


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("/v1/realtime?model=m&k={key}", LEAKED),
        ("/v1/organization/costs", "gateway_endpoint_refused"),
        ("/v1/chat/completions", "gateway_endpoint_refused"),
        ("/v1/models", "gateway_endpoint_refused"),
        ("/v1/realtime%2f?model=m", "gateway_endpoint_refused"),
    ],
)
def test_a_socket_on_any_other_path_is_refused(
    way: Way, fake: FakeOpenAIThread, keys: Keys, target: str, code: str
) -> None:
    place = target.replace("{key}", keys.production)
    with way.tls() as sock, pytest.raises(Refused) as answer:
        WebSocket(sock, place, [bearer(keys.production)])
    refused(answer.value.reply, 403, code)
    nothing_left(fake, keys)


@pytest.mark.parametrize("status", [401, 403, 426, 429, 500])
def test_a_handshake_that_the_upstream_rejects_passes_as_its_answer(
    way: Way, fake: FakeOpenAIThread, keys: Keys, status: int
) -> None:
    fake.knobs.add("/v1/realtime", ws_reject=status)
    with way.tls() as sock, pytest.raises(Refused) as answer:
        WebSocket(sock, REALTIME, [bearer(keys.production)])
    reply = answer.value.reply
    assert (reply.status, bytes(reply.body)) == (status, b'{"error":{"message":"refused"}}')
    assert reply.first("x-gateway-request-id")


def test_a_plain_get_of_a_socket_endpoint_is_an_ordinary_call(
    way: Way, fake: FakeOpenAIThread, keys: Keys
) -> None:
    with RawH1(way.tls()) as client:
        reply = client.call("GET", REALTIME, keys.production)
    assert reply.status != 101
    assert reply.complete
    assert fake.requests[0].values("authorization") == [f"Bearer {keys.staging}"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("Sec-WebSocket-Version", "12"), ("Sec-WebSocket-Version", ""), ("Upgrade", "h2c")],
)
def test_an_upgrade_that_is_no_websocket_opens_no_tunnel(
    way: Way, fake: FakeOpenAIThread, keys: Keys, name: str, value: str
) -> None:
    """A tunnel would carry bytes that nobody looks at."""
    fake.knobs.add("/v1/realtime", raw=b"HTTP/1.1 101 Switching Protocols\r\n"
                   b"Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n")  # fmt: skip
    head = {"Host": HOST, "Connection": "Upgrade", "Upgrade": "websocket",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13",
            "Authorization": f"Bearer {keys.production}", name: value}  # fmt: skip
    with RawH1(way.tls()) as client:
        client.request("GET", REALTIME, list(head.items()))
        reply = client.answer()
        assert reply.status in (400, 403, 502)
        client.send(f"tunnelled {keys.production}".encode())
    assert keys.production.encode() not in fake.received_bytes()


def test_the_answers_subprotocol_never_shows_the_staging_key(
    way: Way, fake: FakeOpenAIThread, keys: Keys
) -> None:
    fake.knobs.add("/v1/realtime", ws_subprotocol=f"{TOKEN}{keys.staging}")
    offered = ["realtime", f"{TOKEN}{keys.production}"]
    with RawH1(way.tls()) as client:
        head = [("Host", HOST), ("Connection", "Upgrade"), ("Upgrade", "websocket"),
                ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="), ("Sec-WebSocket-Version", "13"),
                ("Sec-WebSocket-Protocol", ", ".join(offered))]  # fmt: skip
        client.request("GET", REALTIME, head)
        client.sock.settimeout(1)
        seen = client.rest()
    assert keys.staging.encode() not in seen


# ---- messages pass -------------------------------------------------------------------------------


@pytest.mark.parametrize("deflate", [False, True])
@pytest.mark.parametrize("fragments", [1, 2, 7])
def test_messages_pass_both_ways_unchanged(
    way: Way, fake: FakeOpenAIThread, keys: Keys, fragments: int, deflate: bool
) -> None:
    text = '{ "type":"session.update",  "session": {"instructions":"gr\u00fc\u00df \\u00e4"} }'
    with dial(way, keys, deflate=deflate) as ws:
        assert ws.deflated == deflate
        ws.text(text, fragments)
        assert ws.hear_type("session.updated")["session"]["instructions"] == "grüß ä"
    frame = fake.requests[0].frames[0]
    assert (frame.data, frame.fragments) == (text.encode(), fragments)


def test_a_long_compressed_message_passes(way: Way, fake: FakeOpenAIThread, keys: Keys) -> None:
    audio = base64.b64encode(os.urandom(225_000)).decode()
    with dial(way, keys, deflate=True) as ws:
        ws.tell({"type": "input_audio_buffer.append", "audio": audio}, fragments=3)
        ws.tell({"type": "input_audio_buffer.commit"})
        ws.hear_type("input_audio_buffer.committed")
    assert orjson.loads(heard(fake, 1)[0])["audio"] == audio


def test_binary_messages_pass(way: Way, fake: FakeOpenAIThread, keys: Keys) -> None:
    data = os.urandom(5000)
    with dial(way, keys) as ws:
        ws.binary(data)
        assert heard(fake, 1, "binary") == [data]


def test_the_upstreams_messages_come_as_they_were(
    way: Way, fake: FakeOpenAIThread, keys: Keys
) -> None:
    sent = ['{ "odd":  "spaces" }', "no json", "gr\u00fc\u00df", "x" * 300_000, ""]
    fake.knobs.add("/v1/responses", ws_send=sent, ws_fragment=70_000)
    with dial(way, keys, RESPONSES) as ws:
        assert [ws.hear().data.decode() for _ in sent] == sent


def test_pings_and_pongs_pass_with_their_payload(
    way: Way, fake: FakeOpenAIThread, keys: Keys
) -> None:
    with dial(way, keys) as ws:
        ws.ping(b"payload-1")
        assert ws.hear() == Said("pong", b"payload-1")
        assert heard(fake, 1, "ping") == [b"payload-1"]


def test_many_responses_on_one_socket(way: Way, fake: FakeOpenAIThread, keys: Keys) -> None:
    with dial(way, keys, RESPONSES) as ws:
        for lane in ("a", "b", "c"):
            ws.tell({"type": "response.create", "model": "m", "input": "x", "stream_id": lane})
        done = {ws.hear_type("response.completed")["stream_id"] for _ in range(3)}
    assert done == {"a", "b", "c"}
    assert len(heard(fake, 3)) == 3


def test_a_socket_lives_longer_than_a_call_may_wait_for_its_head(
    gateway: GatewayProcess, way: Way, fake: FakeOpenAIThread, keys: Keys
) -> None:
    with dial(way, keys) as ws:
        time.sleep(1.2)
        ws.tell({"type": "session.update", "session": {}})
        ws.hear_type("session.updated")
        assert gateway.metric(IN_PROGRESS, endpoint="realtime.ws") == 1
    assert len(fake.requests) == 1


def test_our_key_in_a_message_of_the_upstream_is_masked(
    way: Way, fake: FakeOpenAIThread, keys: Keys
) -> None:
    text = f'{{"type":"error","message":"bad {keys.staging}, {keys.production}"}}'
    fake.knobs.add("/v1/responses", ws_send=[text], ws_fragment=50)
    stars = text.replace(keys.staging, "*" * len(keys.staging))
    with dial(way, keys, RESPONSES) as ws:
        said = ws.hear().data.decode()
    assert said == stars.replace(keys.production, "*" * len(keys.production))


# ---- messages refused ----------------------------------------------------------------------------

FORMS: dict[str, Callable[[str], str]] = {
    "plain": lambda key: f'{{"type":"response.create","note":"{key}"}}',
    "no json": lambda key: f"hello {key}",
    "json escapes": lambda key: f'{{"note":"\\u0073k\\u002d{key[3:]}"}}',
    "nested json": lambda key: orjson.dumps(
        {"item": orjson.dumps({"a": f"\\u0073k-{key[3:]}"}).decode()}
    ).decode(),
    "base64": lambda key: f'{{"note":"{base64.b64encode(key.encode()).decode()}"}}',
    "base64url in text": lambda key: f"x {base64.urlsafe_b64encode(b'ab' + key.encode()).decode()}",
    "percent": lambda key: f'{{"url":"https://x/?k={key.replace("-", "%2D")}"}}',
    "a name": lambda key: f'{{"{key}":1}}',
    "two parts": lambda key: orjson.dumps(
        {"content": [{"text": key[:30]}, {"text": key[30:]}]}
    ).decode(),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
@pytest.mark.parametrize("target", [REALTIME, RESPONSES], ids=["realtime", "responses"])
def test_a_message_with_the_production_key_is_dropped_and_answered(
    way: Way, fake: FakeOpenAIThread, keys: Keys, target: str, form: Callable[[str], str]
) -> None:
    with dial(way, keys, target) as ws:
        ws.text(form(keys.production))
        error = ws.hear_type("error")
        inner = error["error"]
        assert (inner["type"], inner["code"]) == ("permission_error", LEAKED)
        assert set(inner) >= {"message", "type", "param", "code"}
        assert keys.production not in inner["message"]
        if target == RESPONSES:
            assert error["status"] == 403
            ws.tell({"type": "response.create", "model": "m", "input": "still open"})
            ws.hear_type("response.completed")
        else:
            assert error["event_id"]
            ws.tell({"type": "session.update", "session": {}})
            ws.hear_type("session.updated")
    assert len(heard(fake, 1)) == 1
    assert keys.production.encode() not in fake.received_bytes()


def test_the_refusal_names_the_stream_that_it_refuses(
    way: Way, fake: FakeOpenAIThread, keys: Keys
) -> None:
    del fake
    with dial(way, keys, RESPONSES) as ws:
        ws.tell({"type": "response.create", "stream_id": "lane-7", "input": keys.production})
        error = ws.hear_type("error")
    assert (error["status"], error["stream_id"]) == (403, "lane-7")


def test_a_refused_message_has_a_row_of_its_own(
    gateway: GatewayProcess, way: Way, fake: FakeOpenAIThread, keys: Keys
) -> None:
    del fake
    since = f"gw_{int(time.time() * 1000):012x}"
    with dial(way, keys, RESPONSES) as ws:
        ws.text(f"k {keys.production}")
        ws.hear_type("error")
        ws.text(f"k {keys.production}")
        ws.hear_type("error")
    assert eventually(lambda: len([r for r in gateway.rows(0) if r["id"] > since]) == 3)
    rows = [row for row in gateway.rows(0) if row["id"] > since]
    assert [row["status"] for row in rows] == [101, 403, 403]
    assert [row["error_code"] for row in rows[1:]] == [LEAKED, LEAKED]
    assert {row["outcome"] for row in rows[1:]} == {"blocked"}


@pytest.mark.parametrize("deflate", [False, True])
def test_a_key_spread_over_fragments_is_found(
    way: Way, fake: FakeOpenAIThread, keys: Keys, deflate: bool
) -> None:
    with dial(way, keys, deflate=deflate) as ws:
        ws.text(f'{{"type":"x","note":"{keys.production}"}}', fragments=9)
        assert ws.hear_type("error")["error"]["code"] == LEAKED
    assert keys.production[:40].encode() not in fake.received_bytes()


def test_messages_sent_before_the_handshake_is_answered_are_judged_too(
    way: Way, fake: FakeOpenAIThread, keys: Keys
) -> None:
    handshake = [("Host", HOST), ("Connection", "Upgrade"), ("Upgrade", "websocket"),
                 ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="), ("Sec-WebSocket-Version", "13"),
                 bearer(keys.production)]  # fmt: skip
    with RawH1(way.tls()) as client:
        text = f"early {keys.production}".encode().ljust(200)
        early = b"\x81" + bytes([128 + 126]) + len(text).to_bytes(2, "big") + bytes(4) + text
        client.request("GET", REALTIME, handshake, early)
        assert client.rest_of(b"\r\n\r\n").startswith(b"HTTP/1.1 101")
        assert LEAKED.encode() in client.rest_of(LEAKED.encode())
    assert keys.production.encode() not in fake.received_bytes()


def test_fragments_wait_for_the_whole_message(way: Way, fake: FakeOpenAIThread, keys: Keys) -> None:
    with dial(way, keys) as ws:
        ws.part(f'{{"type":"x","note":"{keys.production[:50]}')
        time.sleep(0.2)
        assert keys.production[:50].encode() not in fake.received_bytes()


@pytest.mark.parametrize("cut", [12, 40, 90])
def test_a_key_split_over_two_messages_is_found_in_the_second(
    way: Way, fake: FakeOpenAIThread, keys: Keys, cut: int
) -> None:
    with dial(way, keys) as ws:
        ws.text(f"first half {keys.production[:cut]}")
        ws.text(f"{keys.production[cut:]} second half")
        codes = {ws.hear_type("error")["error"]["code"] for _ in range(2)}
        assert codes == {"invalid_value", LEAKED}  # the fake's own, to the first half; and ours
    assert keys.production[cut:].encode() not in fake.received_bytes()


def test_a_key_split_over_two_json_messages_is_found_in_the_second(
    way: Way, fake: FakeOpenAIThread, keys: Keys
) -> None:
    """The strings under one name are one text for whoever puts the messages together again."""

    def item(text: str) -> dict[str, object]:
        return {"type": "conversation.item.create",
                "item": {"content": [{"type": "input_text", "text": text}]}}  # fmt: skip

    with dial(way, keys) as ws:
        ws.tell(item(f"it is {keys.production[:60]}"))
        ws.hear_type("conversation.item.done")
        ws.tell(item(f"{keys.production[60:]} now"))
        assert ws.hear_type("error")["error"]["code"] == LEAKED
    assert keys.production[60:].encode() not in fake.received_bytes()


def test_a_binary_message_with_the_key_is_refused(
    way: Way, fake: FakeOpenAIThread, keys: Keys
) -> None:
    with dial(way, keys) as ws:
        ws.binary(b"\x00\xff" + keys.production.encode() + b"\x00")
        assert ws.hear_type("error")["error"]["code"] == LEAKED
    assert keys.production.encode() not in fake.received_bytes()


def test_a_large_message_with_the_key_is_refused(
    way: Way, fake: FakeOpenAIThread, keys: Keys
) -> None:
    with dial(way, keys) as ws:
        ws.text("x" * 3_000_000 + keys.production + "y" * 100_000)
        assert ws.hear_type("error")["error"]["code"] == LEAKED
    assert keys.production.encode() not in fake.received_bytes()


def test_messages_keep_their_order_where_long_ones_are_judged(
    way: Way, fake: FakeOpenAIThread, keys: Keys
) -> None:
    """A long message is judged elsewhere; the short one behind it must not overtake it."""
    with dial(way, keys) as ws:
        for n in range(6):
            ws.tell({"type": "input_audio_buffer.append", "n": n,
                     "audio": "A" * (400_000 if n % 2 == 0 else 10)})  # fmt: skip
        got = [orjson.loads(data)["n"] for data in heard(fake, 6)]
    assert got == list(range(6))


def test_a_ping_with_the_key_never_leaves(way: Way, fake: FakeOpenAIThread, keys: Keys) -> None:
    with dial(way, keys) as ws:
        ws.ping(keys.production.encode()[:125])
        said = ws.hear()
        assert said.kind in ("close", "eof")
        assert said.code in (1008, None)
    assert keys.production[:40].encode() not in fake.received_bytes()


def test_a_close_reason_with_the_key_never_leaves(
    way: Way, fake: FakeOpenAIThread, keys: Keys
) -> None:
    with dial(way, keys) as ws:
        ws.close(4001, keys.production[:123])
        codes = fake.wait_for(lambda found: bool(found[0].messages("close")))[0].frames
    assert codes[-1].code == 4001
    assert keys.production[:40].encode() not in fake.received_bytes()


def test_a_message_above_the_limit_closes_the_socket(
    gateway: GatewayProcess, fake: FakeOpenAIThread, keys: Keys
) -> None:
    """64 MB would take its time here: the size is told in the frame's head, and grows in parts."""
    gateway.reload({"leaks": {"max_body_bytes": 100_000}})
    assert eventually(lambda: gateway.metric("openai_gateway_config_reloads_total") > 0)
    with dial(gateway.way, keys) as ws:
        ws.text("x" * 100_001)
        said = ws.hear()
        assert (said.kind, said.code) == ("close", 1008)
    with dial(gateway.way, keys) as ws:
        for _ in range(11):
            ws.part("y" * 10_000)
        assert ws.hear().code == 1008
    with dial(gateway.way, keys, deflate=True) as ws:
        ws.text("z" * 50_000_000)
        assert ws.hear().code == 1008
    assert b"xxxx" not in fake.received_bytes()
    assert b"zzzz" not in fake.received_bytes()
    assert b"yyyy" not in fake.received_bytes()
    gateway.reload({})


# ---- the end -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "reason"), [(1000, "bye"), (4000, "own"), (1001, ""), (3000, "x")]
)
def test_the_clients_close_reaches_the_upstream(
    way: Way, fake: FakeOpenAIThread, keys: Keys, code: int, reason: str
) -> None:
    with dial(way, keys) as ws:
        ws.close(code, reason)
        found = fake.wait_for(lambda found: bool(found[0].messages("close")))
        assert ws.hear().kind in ("close", "eof")
    frame = found[0].frames[-1]
    assert (frame.code, frame.data) == (code, reason.encode())


@pytest.mark.parametrize(("code", "reason"), [(1000, "bye"), (1008, "policy"), (4100, "expired")])
def test_the_upstreams_close_reaches_the_client(
    way: Way, fake: FakeOpenAIThread, keys: Keys, code: int, reason: str
) -> None:
    fake.knobs.add("/v1/realtime", ws_close=(code, reason), after_events=1)
    with dial(way, keys) as ws:
        ws.tell({"type": "session.update", "session": {}})
        assert ws.hear() == Said("close", reason.encode(), code)


@pytest.mark.parametrize("how", ["reset", "vanish"])
def test_a_client_that_vanishes_ends_the_upstreams_socket(
    gateway: GatewayProcess, way: Way, fake: FakeOpenAIThread, keys: Keys, how: str
) -> None:
    ws = dial(way, keys)
    call_id = dict(ws.headers)["x-gateway-request-id"]
    ws.reset() if how == "reset" else ws.sock.close()
    fake.wait_for(lambda found: found[0].connection.closed)
    assert gateway.row(call_id)["status"] == 101


@pytest.mark.parametrize("fail", ["reset", "close", "garbage"])
def test_an_upstream_that_vanishes_never_looks_like_a_normal_close(
    way: Way, fake: FakeOpenAIThread, keys: Keys, fail: str
) -> None:
    fake.knobs.add("/v1/realtime", fail=fail, at="body", after_events=1)
    with dial(way, keys) as ws:
        ws.tell({"type": "session.update", "session": {}})
        said = ws.hear()
    assert said.kind in ("close", "eof", "reset")
    assert said.code not in (1000, 1001)


def test_garbage_of_the_client_closes_the_socket(
    way: Way, fake: FakeOpenAIThread, keys: Keys
) -> None:
    with dial(way, keys) as ws:
        ws.raw(b"\xff\xff\xff\xff this is no frame")
        assert ws.hear().kind in ("close", "eof")
    fake.wait_for(lambda found: found[0].connection.closed)


def test_text_that_is_no_utf8_closes_the_socket(
    way: Way, fake: FakeOpenAIThread, keys: Keys
) -> None:
    mask = bytes(4)
    with dial(way, keys) as ws:
        ws.raw(b"\x81\x84" + mask + b"\xff\xfe\xfd\xfc")
        assert ws.hear().kind in ("close", "eof")
    assert heard(fake, 0) == []


def test_after_a_socket_has_closed_a_call_works(
    way: Way, fake: FakeOpenAIThread, keys: Keys
) -> None:
    with dial(way, keys) as ws:
        ws.close()
    with RawH1(way.tls()) as client:
        assert client.call("GET", "/v1/models", keys.production).status == 200
    assert len(fake.requests) == 2
