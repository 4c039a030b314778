"""From OpenAI's own JSON to nano-dollars: the golden cases, read and priced in one go."""

from pathlib import Path
from typing import Any, Final

import orjson
import pytest

from openai_gateway.api.prices import PriceTable
from openai_gateway.api.usage import from_json
from openai_gateway.api.usage_socket import SocketUsage

type Object = dict[str, Any]

PRICES: Final = PriceTable.load(Path(__file__).parents[3] / "rules" / "prices.yaml")


def chat(model: str, asked: int, made: int, inside: Object | None = None, **outside: int) -> Object:
    usage = {
        "prompt_tokens": asked,
        "completion_tokens": made,
        "total_tokens": asked + made,
        "prompt_tokens_details": inside,
        "completion_tokens_details": outside,
    }
    return {"id": "chatcmpl-1", "model": model, "service_tier": "default", "usage": usage}


def response(
    model: str, asked: int, made: int, inside: Object | None = None, **more: Any
) -> Object:
    usage = {
        "input_tokens": asked,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0, **(inside or {})},
        "output_tokens": made,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": asked + made,
    }
    head = {"id": "resp_1", "status": "completed", "model": model, "service_tier": "default"}
    return {**head, "output": [], "usage": usage, **more}


WRITTEN: Final = {"cached_tokens": 1024, "cache_write_tokens": 3000}
LIVES: Final = {"cache_write_tokens_details": {"ttl_30m_tokens": 1000, "ttl_12h_tokens": 2000}}
IMAGE: Final = {
    "input_tokens": 1050,
    "input_tokens_details": {"text_tokens": 50, "image_tokens": 1000},
    "output_tokens": 1056,
    "total_tokens": 2106,
}
HEARD: Final = {
    "type": "tokens",
    "input_tokens": 140,
    "input_token_details": {"audio_tokens": 126, "text_tokens": 14},
    "output_tokens": 45,
    "total_tokens": 185,
}
SEARCHED: Final = {"web_search": {"num_requests": 2}}
ITEMS: Final = [
    {"type": "web_search_call", "action": {"type": kind}}
    for kind in ("search", "search", "open_page")
]
TOOLS: Final = [
    {"type": "file_search_call"},
    {"type": "code_interpreter_call", "container_id": "cntr_1"},
]
FINE: Final = "ft:gpt-4.1-mini-2025-04-14:acme::x"
SPOKEN: Final = {"usage": {"input_tokens": 14, "output_tokens": 101, "total_tokens": 115}}
VIDEO: Final = {"id": "video_1", "model": "sora-2-pro", "size": "1280x720", "seconds": "8"}
BATCH: Final = response("gpt-5.4", 1_000_000, 200_000, {"cached_tokens": 100_000})
BATCH.pop("service_tier")

CASES: Final[list[tuple[str, str, Object | None, Object, int]]] = [
    ("1", "chat.create", chat("gpt-6-luna", 1000, 500), {}, 350_000),
    (
        "2",
        "chat.create",
        chat("gpt-5.4-mini", 2006, 300, {"cached_tokens": 1920}, reasoning_tokens=128),
        {},
        1_558_500,
    ),
    ("3", "responses.create", response("gpt-6.1-sol", 5000, 800, WRITTEN), {}, 17_554_400),
    ("4", "responses.create", response("gpt-6.1-sol", 5000, 800, WRITTEN | LIVES), {}, 22_554_400),
    (
        "5",
        "responses.create",
        response("gpt-6-luna", 300_000, 1000, {"cached_tokens": 200_000}),
        {},
        24_750_000,
    ),
    ("6a", "responses.create", response("gpt-6-luna", 272_000, 1000), {}, 27_700_000),
    ("6b", "responses.create", response("gpt-6-luna", 272_001, 1000), {}, 55_150_200),
    (
        "7",
        "responses.create",
        response("gpt-5-nano", 1001, 3, {"cached_tokens": 1}, service_tier="flex"),
        {},
        25_603,
    ),
    (
        "8a",
        "responses.create",
        response("gpt-5.5", 1000, 100, service_tier="priority"),
        {},
        20_000_000,
    ),
    ("8b", "responses.create", response("gpt-5.5", 1000, 100), {}, 8_000_000),
    ("9", "batches.get", BATCH, {}, 2_638_000_000),
    (
        "10",
        "chat.create",
        chat("gpt-audio-1.5", 300, 450, {"audio_tokens": 100}, audio_tokens=400),
        {},
        29_800_000,
    ),
    (
        "11",
        "embeddings.create",
        {"model": "text-embedding-3-small", "usage": {"prompt_tokens": 8, "total_tokens": 8}},
        {},
        160,
    ),
    ("12", "images.generate", {"usage": IMAGE}, {"model": "gpt-image-2"}, 39_930_000),
    ("13", "audio.transcribe", {"usage": HEARD}, {"model": "gpt-4o-mini-transcribe"}, 400_000),
    (
        "14a",
        "audio.transcribe",
        {"usage": {"type": "duration", "seconds": 12.5}},
        {"model": "gpt-transcribe"},
        937_500,
    ),
    (
        "14b",
        "audio.transcribe",
        {"usage": {"type": "duration", "seconds": 9}},
        {"model": "whisper-1"},
        900_000,
    ),
    ("15a", "audio.speech", None, {"model": "tts-1", "input": "x" * 1234}, 18_510_000),
    ("15b", "audio.speech", SPOKEN, {"model": "gpt-4o-mini-tts"}, 1_220_400),
    (
        "18",
        "responses.create",
        response("gpt-6-luna", 9000, 300, output=ITEMS, tool_usage=SEARCHED),
        {},
        21_050_000,
    ),
    ("19", "responses.create", response("gpt-6-luna", 2000, 400, output=TOOLS), {}, 10_400_000),
    ("20", "videos.create", VIDEO, {}, 2_400_000_000),
    ("21", "chat.create", chat(FINE, 1000, 100, {"cached_tokens": 200}), {}, 1_000_000),
    (
        "22",
        "chat.create",
        chat("gpt-4.1", 100, 250, accepted_prediction_tokens=150, rejected_prediction_tokens=60),
        {},
        2_200_000,
    ),
    ("23", "decisions.create", response("gpt-6-luna", 1200, 40), {}, 120_000),
    ("25", "moderations.create", {"id": "modr-1", "model": "omni-moderation"}, {}, 0),
]


@pytest.mark.parametrize(("endpoint", "answer", "request_", "nano"), [c[1:] for c in CASES],
                         ids=[case[0] for case in CASES])  # fmt: skip
def test_an_answer_costs_what_was_worked_out_by_hand(
    endpoint: str, answer: Object | None, request_: Object, nano: int
) -> None:
    parsed = from_json(endpoint, answer, request_)
    assert parsed.anomalies == ()
    assert parsed.usage is not None
    cost = PRICES.cost(parsed.usage, endpoint=endpoint, requested_model=request_.get("model"))
    assert (cost.nano_usd, cost.unpriced_model) == (nano, None)


def test_golden_24_tokens_are_known_where_the_price_is_not() -> None:
    usage = from_json("chat.create", chat("gpt-6.2-astra-law", 1000, 10)).usage
    assert usage is not None
    cost = PRICES.cost(usage, endpoint="chat.create", requested_model="gpt-6.2-astra-law")
    assert (cost.nano_usd, usage.total_tokens) == (None, 1010)


SESSIONS: Final[list[tuple[str, str, str, list[Object], int]]] = [
    (
        "16",
        "realtime.ws",
        "gpt-realtime-2.1",
        [
            {
                "type": "response.done",
                "response": {
                    "id": "resp_1",
                    "status": "completed",
                    "usage": {
                        "total_tokens": 700,
                        "input_tokens": 500,
                        "input_token_details": {
                            "text_tokens": 119,
                            "audio_tokens": 381,
                            "cached_tokens": 320,
                            "cached_tokens_details": {"text_tokens": 64, "audio_tokens": 256},
                        },
                        "output_tokens": 200,
                        "output_token_details": {"text_tokens": 40, "audio_tokens": 160},
                    },
                },
            }
        ],
        15_548_000,
    ),
    (
        "17",
        "live.ws",
        "gpt-live-1",
        [
            {"type": "session.usage.updated", "usage": {"seconds": seconds}}
            for seconds in (10.0, 61.5, 93.0)
        ],
        77_500_000,
    ),
]


@pytest.mark.parametrize(("endpoint", "model", "messages", "nano"), [c[1:] for c in SESSIONS],
                         ids=[case[0] for case in SESSIONS])  # fmt: skip
def test_a_session_costs_what_was_worked_out_by_hand(
    endpoint: str, model: str, messages: list[Object], nano: int
) -> None:
    socket = SocketUsage(endpoint, model)
    bills = [bill for message in messages for bill in socket.server(orjson.dumps(message))]
    (bill,) = [*bills, *socket.end()]
    assert bill.parsed.usage is not None
    cost = PRICES.cost(bill.parsed.usage, endpoint=endpoint, requested_model=model)
    assert (cost.nano_usd, cost.unpriced_model) == (nano, None)
