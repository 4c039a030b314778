"""The fake's WebSockets: handshake, conversations, and every frame kept."""

import pytest

from tests.support.clients import Refused, Way, WebSocket, bearer
from tests.support.fake_openai import FakeOpenAIThread

REALTIME = "/v1/realtime?model=gpt-realtime-2.1"


def test_realtime_answers_with_usage(way: Way, fake: FakeOpenAIThread, key: str) -> None:
    with WebSocket(way.tls(), REALTIME, [bearer(key)]) as ws:
        assert ws.hear_type("session.created")["session"]["model"] == "gpt-realtime-2.1"
        ws.tell({"type": "input_audio_buffer.append", "audio": "AAAA"})
        ws.tell({"type": "conversation.item.create", "item": {"type": "message"}})
        assert ws.hear_type("conversation.item.done")["item"]["type"] == "message"
        ws.tell({"type": "response.create"})
        assert ws.hear_type("response.done")["response"]["usage"]["total_tokens"] == 700
    assert len(fake.requests[0].messages()) == 3


def test_responses_of_one_socket_interleave_by_stream_id(
    way: Way, fake: FakeOpenAIThread, key: str
) -> None:
    fake.knobs.add("/v1/responses", event_delay_s=0.01, events=3)
    with WebSocket(way.tls(), "/v1/responses", [bearer(key)]) as ws:
        for lane in ("a", "b"):
            ws.tell({"type": "response.create", "stream_id": lane, "model": "m", "input": "x"})
        seen: list[str] = []
        while seen.count("end") < 2:
            event = ws.hear().json()
            seen.append("end" if event["type"] == "response.completed" else event["stream_id"])
    first_end = seen.index("end")
    assert {"a", "b"} <= set(seen[:first_end])


def test_the_key_may_come_as_a_subprotocol_and_is_not_echoed(way: Way, key: str) -> None:
    offered = ["realtime", f"openai-insecure-api-key.{key}", "openai-project.proj_FAKE"]
    with WebSocket(way.tls(), REALTIME, subprotocols=offered) as ws:
        assert ws.subprotocol == "realtime"
        assert ws.hear_type("session.created")


def test_a_handshake_without_a_good_key_is_refused(way: Way) -> None:
    with way.tls() as sock, pytest.raises(Refused) as refused:
        WebSocket(sock, REALTIME, [bearer("sk-FAKEother")])
    assert refused.value.reply.status == 401
    assert refused.value.reply.code == "invalid_api_key"


@pytest.mark.parametrize("deflate", [True, False])
def test_frames_are_kept_whole_whatever_the_wire_does(
    way: Way, fake: FakeOpenAIThread, key: str, deflate: bool
) -> None:
    with WebSocket(way.tls(), REALTIME, [bearer(key)], deflate=deflate) as ws:
        assert ws.deflated == deflate
        ws.text('{"type": "session.update", "session": {"needle": "haystack"}}', fragments=5)
        assert ws.hear_type("session.updated")["session"]["needle"] == "haystack"
        ws.binary(b"\x00\xffbinary")
        ws.ping(b"are you there")
        assert ws.hear().kind == "pong"
        ws.close(4001, "the reason")
        assert ws.hear().kind == "close"
    fake.wait_for(lambda found: bool(found[0].messages("close")))
    kinds = [frame.kind for frame in fake.requests[0].frames]
    assert kinds == ["text", "binary", "ping", "close"]
    text, binary, ping, close = fake.requests[0].frames
    assert text.fragments == 5
    assert (binary.data, ping.data) == (b"\x00\xffbinary", b"are you there")
    assert (close.code, close.data) == (4001, b"the reason")
    for needle in (b"haystack", b"are you there", b"the reason"):
        assert needle in fake.received_bytes()
    assert not fake.requests[0].aborted


def test_a_client_that_vanishes_is_marked_aborted(
    way: Way, fake: FakeOpenAIThread, key: str
) -> None:
    with WebSocket(way.tls(), REALTIME, [bearer(key)]) as ws:
        ws.hear_type("session.created")
    fake.wait_for(lambda found: found[0].aborted)


def test_live_tells_seconds_as_a_growing_sum(way: Way, key: str) -> None:
    with WebSocket(way.tls(), "/v1/live/sessions", [bearer(key)]) as ws:
        ws.tell({"type": "session.start", "session": {"model": "gpt-live-1"}})
        assert ws.hear_type("session.usage.updated")["usage"] == {"seconds": 10.0}
        ws.tell({"type": "input"})
        assert ws.hear_type("session.usage.updated")["usage"] == {"seconds": 20.0}


def test_socket_knobs(way: Way, fake: FakeOpenAIThread, key: str) -> None:
    path = "/v1/realtime"
    fake.knobs.add(path, times=1, ws_close=(1011, "gone"), after_events=1)
    fake.knobs.add(path, times=1, fail="reset", after_events=1)
    fake.knobs.add(path, times=1, fail="close", after_events=1)
    fake.knobs.add(path, times=1, ws_send=['{"type":"x"}'], ws_fragment=3)
    ends = []
    for _ in range(3):
        with WebSocket(way.tls(), REALTIME, [bearer(key)]) as ws:
            assert ws.hear().json()["type"] == "session.created"
            ws.tell({"type": "session.update"})
            ends.append(ws.hear())
    assert (ends[0].kind, ends[0].code, ends[0].data) == ("close", 1011, b"gone")
    assert [end.kind for end in ends[1:]] == ["reset", "eof"]
    with WebSocket(way.tls(), REALTIME, [bearer(key)]) as ws:
        assert ws.hear().json() == {"type": "x"}


def test_a_handshake_refused_by_a_knob(way: Way, fake: FakeOpenAIThread, key: str) -> None:
    fake.knobs.add("/v1/realtime", ws_reject=503)
    with way.tls() as sock, pytest.raises(Refused) as refused:
        WebSocket(sock, REALTIME, [bearer(key)])
    assert refused.value.reply.status == 503
