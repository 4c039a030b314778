"""Each response of a socket has its own bill, also where several run at once, and what is billed by
its length is counted once."""

from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from openai_gateway.api.usage_reading import Parsed
from openai_gateway.api.usage_socket import MOST_LANES, Bill, SocketUsage
from openai_gateway.core.usage import Usage, disjoint

type Object = dict[str, Any]

REALTIME: Object = {
    "total_tokens": 700,
    "input_tokens": 500,
    "input_token_details": {
        "text_tokens": 119,
        "audio_tokens": 381,
        "image_tokens": 0,
        "cached_tokens": 320,
        "cached_tokens_details": {"text_tokens": 64, "audio_tokens": 256, "image_tokens": 0},
    },
    "output_tokens": 200,
    "output_token_details": {"text_tokens": 40, "audio_tokens": 160},
}


def hear(socket: SocketUsage, *messages: Object) -> list[Bill]:
    return [bill for message in messages for bill in socket.server(orjson.dumps(message))]


def ask(socket: SocketUsage, *messages: Object) -> None:
    for message in messages:
        socket.client(orjson.dumps(message))


def usages(bills: list[Bill]) -> list[Usage]:
    return [bill.parsed.usage for bill in bills if bill.parsed.usage]


def done(name: str, usage: Object | None = None, status: str = "completed") -> Object:
    return {"type": "response.done", "response": {"id": name, "status": status, "usage": usage}}


def test_each_response_of_a_realtime_session_is_billed() -> None:
    socket = SocketUsage("realtime.ws", "gpt-realtime-2.1")
    bills: list[Bill] = []
    for name, status in (("resp_1", "completed"), ("resp_2", "cancelled")):
        begun = {"type": "response.created", "response": {"id": name}}
        bills += hear(socket, begun, done(name, REALTIME, status))
    expected = Usage(
        input_tokens=500,
        cached_input_tokens=320,
        cached_text_tokens=64,
        cached_audio_tokens=256,
        cached_image_tokens=0,
        audio_input_tokens=381,
        output_tokens=200,
        audio_output_tokens=160,
        total_tokens=700,
        source="reported",
        model="gpt-realtime-2.1",
    )
    assert bills == [
        Bill("response", Parsed(usage=expected, charge_id="resp_1")),
        Bill("response", Parsed(usage=expected, charge_id="resp_2")),
    ]
    # 119 - 64 = 55 of text; 381 - 256 = 125 of sound
    found = {kind: count for kind, count in disjoint(expected).items() if count}
    assert found == {
        "input": 55,
        "cached_input": 320,
        "audio_input": 125,
        "output": 40,
        "audio_output": 160,
    }
    assert sum(found.values()) == 700
    assert socket.end() == []


def heard(usage: Object) -> Object:
    name = "conversation.item.input_audio_transcription.completed"
    return {"type": name, "item_id": "item_1", "transcript": "x", "usage": usage}


@pytest.mark.parametrize("by_client", [True, False])
def test_a_transcription_is_billed_at_its_own_model(by_client: bool) -> None:
    socket = SocketUsage("realtime.ws", "gpt-realtime-2.1")
    session = {"audio": {"input": {"transcription": {"model": "gpt-4o-mini-transcribe"}}}}
    if by_client:
        ask(socket, {"type": "session.update", "session": session})
    else:
        hear(socket, {"type": "session.updated", "session": session})
    told = {"type": "tokens", "input_tokens": 140, "output_tokens": 45, "total_tokens": 185}
    told["input_token_details"] = {"audio_tokens": 126, "text_tokens": 14}
    (bill,) = hear(socket, heard(told))
    assert (bill.kind, bill.parsed.charge_id) == ("transcription", "item_1")
    assert bill.parsed.usage == Usage(
        input_tokens=140,
        audio_input_tokens=126,
        output_tokens=45,
        total_tokens=185,
        source="reported",
        model="gpt-4o-mini-transcribe",
    )
    (timed,) = usages(hear(socket, heard({"type": "duration", "seconds": 4.5})))
    assert timed.units == {"second": Decimal("4.5")}


def test_a_session_names_the_model_of_its_responses() -> None:
    socket = SocketUsage("realtime.ws")
    hear(socket, {"type": "session.created", "session": {"id": "sess_1", "model": "gpt-realtime"}})
    (usage,) = usages(hear(socket, done("resp_1", REALTIME)))
    assert usage.model == "gpt-realtime"


def lane(name: str | None, **event: Any) -> Object:
    return {**event, **({"stream_id": name} if name else {})}


def over(name: str, count: int) -> Object:
    usage = {"input_tokens": count, "output_tokens": 1, "total_tokens": count + 1}
    inner = {"id": name, "status": "completed", "model": "gpt-6-luna", "usage": usage}
    return {"type": "response.completed", "response": inner}


def begun(name: str) -> Object:
    return {"type": "response.created", "response": {"id": name, "model": "gpt-6-luna"}}


def test_responses_that_run_at_once_are_told_apart() -> None:
    socket = SocketUsage("responses.ws")
    for name in ("a", "b", None):
        ask(socket, lane(name, type="response.create", model="m", input="x" * 40))
    bills = hear(
        socket,
        lane("a", **begun("resp_a")),
        lane("b", **begun("resp_b")),
        lane(None, **begun("resp_c")),
        lane("b", type="response.output_text.delta", delta="xxxx"),
        lane("b", **over("resp_b", 20)),
        lane(None, **over("resp_c", 30)),
        lane("a", **over("resp_a", 10)),
    )
    assert [(bill.lane, bill.parsed.charge_id) for bill in bills] == [
        ("b", "resp_b"),
        ("", "resp_c"),
        ("a", "resp_a"),
    ]
    assert [usage.input_tokens for usage in usages(bills)] == [20, 30, 10]
    assert socket.end() == []


def test_a_socket_that_breaks_settles_each_response_that_ran() -> None:
    socket = SocketUsage("responses.ws")
    for name, text in (("a", "x" * 40), ("b", "y" * 80)):
        ask(socket, lane(name, type="response.create", model="m", input=text))
    hear(
        socket,
        lane("a", **begun("resp_a")),
        lane("b", **begun("resp_b")),
        lane("b", type="response.output_text.delta", delta="x" * 12),
    )
    bills = socket.end()
    assert [(bill.lane, bill.parsed.charge_id) for bill in bills] == [
        ("a", "resp_a"),
        ("b", "resp_b"),
    ]
    assert [(u.input_tokens, u.output_tokens, u.source) for u in usages(bills)] == [
        (10, 0, "estimated"),
        (20, 3, "estimated"),
    ]
    assert socket.end() == []


def test_a_refused_frame_is_not_the_next_responses_request() -> None:
    socket = SocketUsage("responses.ws")
    ask(socket, {"type": "response.create", "input": "x" * 400})
    hear(socket, {"type": "error", "status": 400, "error": {"code": "invalid_stream_id"}})
    ask(socket, {"type": "response.create", "input": "x" * 4})
    hear(socket, begun("resp_1"))
    assert [usage.input_tokens for usage in usages(socket.end())] == [1]


def test_live_seconds_are_a_sum_of_which_the_last_counts() -> None:
    socket = SocketUsage("live.ws")
    ask(socket, {"type": "session.start", "session": {"model": "gpt-live-1"}})
    hear(socket, {"type": "session.started", "session": {"id": "live_1"}})
    for seconds in (10.0, 61.5, 93.0, 61.5):
        told = {"type": "session.usage.updated", "usage": {"seconds": seconds}}
        assert hear(socket, told) == []
    assert socket.end() == [
        Bill(
            "session",
            Parsed(
                usage=Usage(units={"second": Decimal(93)}, source="reported", model="gpt-live-1"),
                charge_id="live_1",
                cumulative=True,
            ),
        )
    ]
    assert socket.end() == []


def test_responses_that_a_live_session_delegates_are_billed_apart() -> None:
    socket = SocketUsage("live.ws")
    nested = [begun("resp_1"), over("resp_1", 20)]
    bills = hear(
        socket,
        *({"type": "response.event", "delegation_id": "d1", "event": event} for event in nested),
    )
    assert [(bill.kind, bill.parsed.charge_id) for bill in bills] == [("response", "resp_1")]
    assert [(usage.input_tokens, usage.model) for usage in usages(bills)] == [(20, "gpt-6-luna")]


def test_a_translation_is_as_long_as_the_sound_that_was_sent() -> None:
    socket = SocketUsage("realtime.translate.ws", "gpt-realtime-translate")
    for _ in range(3):
        ask(socket, {"type": "session.input_audio_buffer.append", "audio": "A" * 32_000})
    (usage,) = usages(socket.end())
    assert usage == Usage(
        units={"second": Decimal("1.5")}, source="estimated", model="gpt-realtime-translate"
    )
    assert socket.end() == []


def test_what_is_no_json_and_what_does_not_matter_is_passed_over() -> None:
    socket = SocketUsage("realtime.ws")
    for message in (b"", b"{", b"[]", b'"response.done"', b"\xff\x00response.done", b'{"type":1}'):
        assert socket.server(message) == []
        socket.client(message)
    assert socket.end() == []


def test_lanes_that_are_done_make_room() -> None:
    socket = SocketUsage("responses.ws")
    ask(socket, lane("first", type="response.create", input="x"))
    hear(socket, lane("first", **begun("resp_first")))
    for number in range(MOST_LANES * 3):
        name = f"lane{number}"
        ask(socket, lane(name, type="response.create", input="x"))
        assert hear(socket, lane(name, **begun(name)), lane(name, **over(name, 1)))
    assert [bill.lane for bill in socket.end()] == ["first"]


def test_a_peer_that_opens_lanes_without_end_is_bounded() -> None:
    socket = SocketUsage("responses.ws")
    for number in range(MOST_LANES * 3):
        ask(socket, lane(f"lane{number}", type="response.create", input="x"))
        hear(socket, lane(f"lane{number}", **begun(f"resp_{number}")))
    assert len(socket.end()) == MOST_LANES


TYPES = st.sampled_from(
    [
        *("response.created", "response.done", "response.completed", "response.event", "error"),
        *("session.created", "session.usage.updated", "response.output_text.delta"),
        "conversation.item.input_audio_transcription.completed",
    ]
)
NAMES = st.sampled_from(
    [
        *("response", "session", "usage", "event", "id", "type", "stream_id", "seconds", "delta"),
        *("audio", "input", "transcription", "model", "response_id", "delegation_id"),
    ]
)
ANY: Any = st.recursive(
    st.none() | st.integers(-5, 5) | st.text(max_size=3) | TYPES,
    lambda inner: st.dictionaries(NAMES, inner, max_size=4) | st.lists(inner, max_size=2),
    max_leaves=10,
)


@example([("response.event", {"event": {"type": {}}})])
@example([("response.created", {"input": {"type": {}}})])
@given(st.lists(st.tuples(TYPES, st.dictionaries(NAMES, ANY, max_size=4)), max_size=8))
def test_no_message_raises_or_counts_below_zero(messages: list[tuple[str, Object]]) -> None:
    socket = SocketUsage("live.ws")
    for kind, fields in messages:
        raw = orjson.dumps({**fields, "type": kind})
        socket.client(raw.replace(b"response.created", b"response.create"))
        for usage in usages(socket.server(raw)):
            assert min(disjoint(usage).values()) >= 0
    socket.end()
