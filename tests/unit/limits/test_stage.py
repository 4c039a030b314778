"""The stage: which calls take from limits at all, large bodies, and frames of a WebSocket."""

import asyncio
import json

import pytest

from openai_gateway.api.asking import created, may_create
from openai_gateway.core.call import Call, Request
from openai_gateway.core.stage import Stage
from openai_gateway.core.verdict import PASS, Refuse, Verdict
from openai_gateway.limits.estimate import INLINE
from openai_gateway.limits.reservation import Reservation
from tests.unit.limits.rig import Rig, chat
from tests.unit.limits.virtual import VirtualClock, run

TOKENS = "  rules: [{name: r, rpm: 10, tpm: 1000}]\n"


def socket() -> Call:
    call = Call(Request("GET", "api.openai.com", b"/v1/responses", []))
    call.websocket = True
    call.key, call.client, call.endpoint = "default", "ci", "responses.ws"
    call.model_requested = "gpt-5-mini"
    return call


def frame(**fields: object) -> bytes:
    return json.dumps({"type": "response.create"} | fields).encode()


def reserved(call: Call) -> dict[str, int]:
    held = call.reserved
    assert isinstance(held, Reservation)
    return {charge.limit.kind: charge.amount for charge in held.charges}


def test_it_is_a_stage() -> None:
    async def scenario(clock: VirtualClock) -> Stage:
        return Rig(clock, TOKENS).stage

    assert run(scenario).name == "limits"


def test_a_call_takes_a_request_and_its_tokens() -> None:
    async def scenario(clock: VirtualClock) -> dict[str, int]:
        rig, call = Rig(clock, TOKENS), chat()
        assert await rig.asks(call) is PASS
        return reserved(call)

    assert run(scenario) == {"rpm": 1, "tpm": 100}


def test_a_call_without_limits_passes_untouched() -> None:
    async def scenario(clock: VirtualClock) -> object:
        call = chat()
        assert await Rig(clock, "  tier: null\n").asks(call) is PASS
        return call.reserved

    assert run(scenario) is None


def test_a_call_without_tokens_passes_an_empty_bucket_of_tokens() -> None:
    async def scenario(clock: VirtualClock) -> Verdict:
        rig = Rig(clock, "  rules: [{name: r, tpm: 100}]\n")
        await rig.asks(chat())
        listing = Call(Request("GET", "api.openai.com", b"/v1/models", []))
        listing.key, listing.endpoint = "default", "models.list"
        return await rig.asks(listing)

    assert run(scenario) is PASS


def test_the_model_that_leaves_is_the_one_that_is_limited() -> None:
    async def scenario(clock: VirtualClock) -> Verdict:
        rig = Rig(clock, "  rules: [{name: r, match: {model: gpt-6-luna}, rpm: 1}]\n")
        call = chat()
        call.model_sent = "gpt-6-luna"
        await rig.asks(call)
        again = chat()
        again.model_sent = "gpt-6-luna"
        return await rig.asks(again)

    verdict = run(scenario)
    assert isinstance(verdict, Refuse)
    assert verdict.refusal.message.startswith("Rate limit reached for gpt-6-luna in ")


def test_a_large_body_is_weighed_in_a_thread() -> None:
    async def scenario(clock: VirtualClock) -> dict[str, int]:
        rig = Rig(clock, "  rules: [{name: r, tpm: 100000}]\n")
        text = "word " * (INLINE // 4)
        call = chat(messages=[{"role": "user", "content": text}])
        said = rig.stage.check(call)
        assert asyncio.iscoroutine(said)
        assert await said is PASS
        return reserved(call)

    # 40960 bytes are 10240 tokens, and 4 for the message
    assert run(scenario) == {"tpm": 10_240 + 4 + 94}


def test_limits_of_requests_need_no_look_at_a_large_body() -> None:
    async def scenario(clock: VirtualClock) -> object:
        call = chat(messages=[{"role": "user", "content": "x" * INLINE}])
        return Rig(clock, "  rules: [{name: r, rpm: 3}]\n").stage.check(call)

    assert run(scenario) is PASS


def test_the_handshake_takes_nothing() -> None:
    async def scenario(clock: VirtualClock) -> dict[str, int]:
        rig, call = Rig(clock, TOKENS), socket()
        assert await rig.asks(call) is PASS
        assert call.reserved is None
        return await rig.remaining()

    assert run(scenario) == {"rpm": 10, "tpm": 1000}


@pytest.mark.parametrize(
    ("said", "tokens"),
    [
        (frame(input="Hello!!!", max_output_tokens=94), 96),
        (frame(response={"instructions": "Hello!!!", "max_output_tokens": 8}), 10),
        (frame(), 256),
        (b'{"type": "response\\u002ecreate", "max_output_tokens": 7}', 7),
    ],
)
def test_each_response_create_is_a_call_of_its_own(said: bytes, tokens: int) -> None:
    async def scenario(clock: VirtualClock) -> dict[str, int]:
        rig, opened = Rig(clock, TOKENS), socket()
        call = opened.on_socket()
        assert rig.stage.admit_frame(opened, call, said) is PASS
        assert call.model_requested == "gpt-5-mini"
        return reserved(call)

    assert run(scenario) == {"rpm": 1, "tpm": tokens}


@pytest.mark.parametrize(
    "said",
    [
        b'{"type": "session.update", "session": {"instructions": "response.create"}}',
        b'{"type": "input_audio_buffer.append", "audio": "AAAA"}',
        b"\x00\x01response.create",
        b'["response.create"]',
        b'"response.create"',
    ],
)
def test_any_other_message_takes_nothing(said: bytes) -> None:
    async def scenario(clock: VirtualClock) -> object:
        rig, opened = Rig(clock, TOKENS), socket()
        call = opened.on_socket()
        assert rig.stage.admit_frame(opened, call, said) is PASS
        return call.reserved

    assert run(scenario) is None


def test_a_frame_may_name_its_own_model() -> None:
    async def scenario(clock: VirtualClock) -> list[object]:
        rig = Rig(clock, "  rules: [{name: r, match: {model: gpt-6-luna}, rpm: 1}]\n")
        opened, told = socket(), []
        for said in (frame(model="gpt-6-luna"), frame(), frame(model="gpt-6-luna")):
            told.append(rig.stage.admit_frame(opened, opened.on_socket(), said))
        return told

    first, second, third = run(scenario)
    assert (first, second) == (PASS, PASS)
    assert isinstance(third, Refuse)


def test_a_frame_s_model_that_is_no_name_is_not_taken_up() -> None:
    async def scenario(clock: VirtualClock) -> str | None:
        rig, opened = Rig(clock, TOKENS), socket()
        call = opened.on_socket()
        rig.stage.admit_frame(opened, call, frame(model="x|key=other\nforged"))
        return call.model_requested

    assert run(scenario) == "gpt-5-mini"


def test_a_refused_frame_takes_nothing_and_the_next_may_pass() -> None:
    async def scenario(clock: VirtualClock) -> list[bool]:
        rig, opened, told = Rig(clock, "  rules: [{name: r, tpm: 100}]\n"), socket(), []
        for most in (80, 30, 20):
            verdict = rig.stage.admit_frame(
                opened, opened.on_socket(), frame(max_output_tokens=most)
            )
            told.append(verdict is PASS)
        return told

    assert run(scenario) == [True, False, True]


def test_a_large_frame_is_read_in_a_thread() -> None:
    async def scenario(clock: VirtualClock) -> dict[str, int]:
        rig, opened = Rig(clock, "  rules: [{name: r, tpm: 100000}]\n"), socket()
        call = opened.on_socket()
        said = rig.stage.admit_frame(opened, call, frame(input="word " * (INLINE // 4)))
        assert asyncio.iscoroutine(said)
        assert await said is PASS
        return reserved(call)

    assert run(scenario) == {"tpm": 10_240 + 256}


def test_off_lets_frames_pass() -> None:
    async def scenario(clock: VirtualClock) -> object:
        rig, opened = Rig(clock, "  mode: off\n" + TOKENS), socket()
        return rig.stage.admit_frame(opened, opened.on_socket(), frame())

    assert run(scenario) is PASS


def test_only_what_could_ask_for_a_response_is_parsed() -> None:
    assert may_create(frame())
    assert not may_create(b'{"type": "session.update"}')
    assert created(frame(model="m")) == {"type": "response.create", "model": "m"}
    assert created(b"{") is None
