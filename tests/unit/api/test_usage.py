"""Each shape of usage that OpenAI answers with is read exactly, and none is believed blindly."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_gateway.api.usage import SHAPES, from_json
from openai_gateway.api.usage_reading import MOST, Parsed
from openai_gateway.core.usage import Usage, disjoint


def bill(endpoint: str, answer: object, request: object = None) -> Usage:
    """The bill of an answer in which nothing is odd."""
    parsed = from_json(endpoint, answer, request)
    assert parsed.anomalies == ()
    assert parsed.final
    assert parsed.usage is not None
    return parsed.usage


def kinds(usage: Usage) -> dict[str, int]:
    found = {kind: count for kind, count in disjoint(usage).items() if count}
    assert sum(found.values()) == usage.input_tokens + usage.output_tokens
    return found


CHAT = {
    "id": "chatcmpl-1",
    "model": "gpt-5.4-mini-2026-03-17",
    "service_tier": "default",
    "choices": [],
    "usage": {
        "prompt_tokens": 2006,
        "completion_tokens": 300,
        "total_tokens": 2306,
        "prompt_tokens_details": {"cached_tokens": 1920, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 128,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    },
}


def test_chat() -> None:
    usage = bill("chat.create", CHAT)
    assert usage == Usage(
        input_tokens=2006,
        cached_input_tokens=1920,
        output_tokens=300,
        reasoning_tokens=128,
        total_tokens=2306,
        source="reported",
        model="gpt-5.4-mini-2026-03-17",
        service_tier="default",
    )
    # 2006 - 1920 = 86; 300 - 128 = 172
    assert kinds(usage) == {"input": 86, "cached_input": 1920, "output": 172, "reasoning": 128}


@pytest.mark.parametrize("details", [{}, {"prompt_tokens_details": None}])
def test_chat_without_details(details: dict[str, Any]) -> None:
    told = {"prompt_tokens": 1000, "completion_tokens": 500, "total_tokens": 1500, **details}
    usage = bill("chat.create", {"model": "gpt-6-luna", "usage": told})
    assert usage == Usage(
        input_tokens=1000,
        output_tokens=500,
        total_tokens=1500,
        source="reported",
        model="gpt-6-luna",
    )


def test_chat_with_sound() -> None:
    told = {
        "prompt_tokens": 300,
        "completion_tokens": 450,
        "total_tokens": 750,
        "prompt_tokens_details": {"audio_tokens": 100, "cached_tokens": 0, "text_tokens": 200},
        "completion_tokens_details": {"audio_tokens": 400, "text_tokens": 50},
    }
    usage = bill("chat.create", {"model": "gpt-audio-1.5", "usage": told})
    assert (usage.audio_input_tokens, usage.audio_output_tokens) == (100, 400)
    assert kinds(usage) == {"input": 200, "audio_input": 100, "output": 50, "audio_output": 400}


def test_predictions_lie_inside_the_output() -> None:
    told = {
        "prompt_tokens": 100,
        "completion_tokens": 250,
        "total_tokens": 350,
        "completion_tokens_details": {
            "accepted_prediction_tokens": 150,
            "rejected_prediction_tokens": 60,
        },
    }
    assert kinds(bill("chat.create", {"usage": told})) == {"input": 100, "output": 250}


def test_a_search_models_call_is_a_search_too() -> None:
    told = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    usage = bill("chat.create", {"model": "gpt-5-search-api-2025-10-14", "usage": told})
    assert usage.units == {"web_search": 1}


def response(**changes: Any) -> dict[str, Any]:
    usage = {
        "input_tokens": 5000,
        "input_tokens_details": {"cached_tokens": 1024, "cache_write_tokens": 3000},
        "output_tokens": 800,
        "output_tokens_details": {"reasoning_tokens": 512},
        "total_tokens": 5800,
    }
    head = {"id": "resp_1", "object": "response", "status": "completed", "model": "gpt-6.1-sol"}
    return {**head, "service_tier": "priority", "output": [], "usage": usage, **changes}


RESPONSE = Usage(
    input_tokens=5000,
    cached_input_tokens=1024,
    cache_write_tokens=3000,
    output_tokens=800,
    reasoning_tokens=512,
    total_tokens=5800,
    source="reported",
    model="gpt-6.1-sol",
    service_tier="priority",
)


@pytest.mark.parametrize("endpoint", ["responses.create", "responses.get", "responses.cancel"])
def test_responses(endpoint: str) -> None:
    assert bill(endpoint, response()) == RESPONSE
    # 5000 - 1024 - 3000 = 976; 800 - 512 = 288
    assert kinds(RESPONSE) == {
        "input": 976,
        "cached_input": 1024,
        "cache_write": 3000,
        "output": 288,
        "reasoning": 512,
    }


@pytest.mark.parametrize("told", [{"cache_write_tokens": 3000}, {}])
def test_how_long_a_cache_write_lives_is_kept(told: dict[str, int]) -> None:
    lives = {"ttl_30m_tokens": 1000, "ttl_12h_tokens": 2000}
    inside = {"cached_tokens": 1024, **told, "cache_write_tokens_details": lives}
    answer = response()
    answer["usage"]["input_tokens_details"] = inside
    assert bill("responses.create", answer) == replace(RESPONSE, cache_write_12h_tokens=2000)


def test_no_more_was_written_for_long_than_was_written() -> None:
    answer = response()
    lives = {"ttl_30m_tokens": 0, "ttl_12h_tokens": 4000}
    answer["usage"]["input_tokens_details"]["cache_write_tokens_details"] = lives
    parsed = from_json("responses.create", answer)
    assert parsed.anomalies == ("part_above_whole",)
    assert parsed.usage == replace(RESPONSE, cache_write_12h_tokens=3000)


def test_a_compaction_and_a_decision_are_read_as_responses() -> None:
    answer = response(object="response.compaction")
    assert bill("responses.compact", answer) == RESPONSE
    told = {
        "input_tokens": 1200,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": 40,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 1240,
    }
    usage = bill("decisions.create", {"answers": [], "model": "gpt-6-luna", "usage": told})
    assert (usage.input_tokens, usage.output_tokens, usage.model) == (1200, 40, "gpt-6-luna")


def test_counting_tokens_is_no_use() -> None:
    answer = {"object": "response.input_tokens", "input_tokens": 500}
    assert from_json("responses.count", answer) == Parsed()


def test_searches_are_those_that_openai_bills() -> None:
    searches = [
        {"type": "web_search_call", "action": {"type": "search"}},
        {"type": "web_search_call", "action": {"type": "search"}},
        {"type": "web_search_call", "action": {"type": "open_page"}},
        {"type": "file_search_call", "id": "fs_1"},
    ]
    told = {"web_search": {"num_requests": 1}, "image_gen": None}
    counted = bill("responses.create", response(output=searches, tool_usage=told))
    assert counted.units == {"web_search": 1, "file_search": 1}
    assert bill("responses.create", response(output=searches)).units == {
        "web_search": 2,
        "file_search": 1,
    }
    preview = response(output=searches, tools=[{"type": "web_search_preview"}])
    assert bill("responses.create", preview).units == {"web_search_preview": 2, "file_search": 1}


def test_the_image_tool_is_a_second_bill_at_its_own_model() -> None:
    image = {
        "input_tokens": 60,
        "input_tokens_details": {"text_tokens": 50, "image_tokens": 10},
        "output_tokens": 1056,
        "total_tokens": 1116,
        "cached_tokens": 8,
        "cached_tokens_details": {"cached_image_tokens": 5, "cached_text_tokens": 3},
    }
    drawing = {"input_tokens": 7, "output_tokens": 90, "reasoning_tokens": 30, "total_tokens": 97}
    answer = response(
        tools=[{"type": "web_search"}, {"type": "image_generation", "model": "gpt-image-2"}],
        tool_usage={"image_gen": image, "web_search": {"num_requests": 0}},
        output=[{"type": "image_generation_call", "svg_usage": {"model": "gpt-6-luna", **drawing}}],
    )
    usage = bill("responses.create", answer)
    assert replace(usage, parts=()) == RESPONSE
    assert usage.parts == (
        Usage(
            input_tokens=60,
            cached_input_tokens=8,
            cached_image_tokens=5,
            cached_text_tokens=3,
            image_input_tokens=10,
            output_tokens=1056,
            image_output_tokens=1056,
            total_tokens=1116,
            source="reported",
            model="gpt-image-2",
        ),
        Usage(
            input_tokens=7,
            output_tokens=90,
            reasoning_tokens=30,
            total_tokens=97,
            source="reported",
            model="gpt-6-luna",
        ),
    )


def test_unused_tools_are_no_second_bill() -> None:
    zero = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
    answer = response(tool_usage={"image_gen": zero, "web_search": {"num_requests": 0}})
    assert bill("responses.create", answer) == RESPONSE


def test_a_container_is_charged_at_its_first_sight() -> None:
    output = [
        {"type": "code_interpreter_call", "container_id": "cntr_1"},
        {"type": "code_interpreter_call", "container_id": "cntr_1"},
        {"type": "shell_call", "environment": {"container_id": "cntr_2"}},
        {"type": "shell_call", "environment": None},
    ]
    tool = {"type": "code_interpreter", "container": {"type": "auto", "memory_limit": "4g"}}
    parsed = from_json("responses.create", response(output=output), {"tools": [tool]})
    assert parsed.containers == (("cntr_1", "container:4g"), ("cntr_2", "container:4g"))
    assert parsed.usage == replace(RESPONSE, units={"container:4g": 2}, source="estimated")
    assert parsed.first_sight(()) == parsed.usage
    assert not parsed.guessed
    once = parsed.first_sight({"cntr_1"})
    assert once == replace(RESPONSE, units={"container:4g": 1}, source="estimated")
    assert parsed.first_sight({"cntr_1", "cntr_2"}) == RESPONSE


def test_a_container_that_was_made_by_itself() -> None:
    parsed = from_json("containers.create", {"id": "cntr_1", "memory_limit": None})
    assert parsed.usage == Usage(units={"container:1g": 1}, source="estimated")
    assert parsed.charge_id == "cntr_1"


def test_embeddings() -> None:
    answer = {"model": "text-embedding-3-small", "usage": {"prompt_tokens": 8, "total_tokens": 8}}
    assert bill("embeddings.create", answer) == Usage(
        input_tokens=8, total_tokens=8, source="reported", model="text-embedding-3-small"
    )


IMAGE = {
    "input_tokens": 1050,
    "input_tokens_details": {"text_tokens": 50, "image_tokens": 1000},
    "output_tokens": 1056,
    "output_tokens_details": {"text_tokens": 0, "image_tokens": 1056},
    "total_tokens": 2106,
}


@pytest.mark.parametrize("left_out", ["", "output_tokens_details"])
def test_images(left_out: str) -> None:
    told = {name: value for name, value in IMAGE.items() if name != left_out}
    usage = bill("images.generate", {"created": 1, "data": [{}], "usage": told})
    assert usage == Usage(
        input_tokens=1050,
        image_input_tokens=1000,
        output_tokens=1056,
        image_output_tokens=1056,
        total_tokens=2106,
        source="reported",
    )
    assert kinds(usage) == {"input": 50, "image_input": 1000, "image_output": 1056}


def test_an_svg_is_a_second_bill() -> None:
    drawing = {"model": "gpt-6-luna", "input_tokens": 7, "output_tokens": 90}
    usage = bill("images.edit", {"usage": IMAGE, "svg_usage": drawing})
    assert [(part.model, part.input_tokens, part.output_tokens) for part in usage.parts] == [
        ("gpt-6-luna", 7, 90)
    ]
    alone = bill("images.generate", {"usage": None, "svg_usage": drawing})
    assert (alone.input_tokens, len(alone.parts)) == (0, 1)


def test_old_pictures_are_paid_by_the_piece() -> None:
    assert bill("images.vary", {"data": [{}, {}]}).units == {"image": 2}
    usage = bill("images.generate", {"data": [{}]}, {"model": "dall-e-3"})
    assert usage == Usage(units={"image": 1}, source="reported")


def test_a_transcription_by_tokens() -> None:
    told = {
        "type": "tokens",
        "input_tokens": 140,
        "input_token_details": {"audio_tokens": 126, "text_tokens": 14},
        "output_tokens": 45,
        "total_tokens": 185,
    }
    usage = bill("audio.transcribe", {"text": "x", "usage": told})
    assert kinds(usage) == {"input": 14, "audio_input": 126, "output": 45}
    del told["input_token_details"]
    assert kinds(bill("audio.transcribe", {"usage": told})) == {"audio_input": 140, "output": 45}


@pytest.mark.parametrize(
    ("answer", "length"),
    [
        ({"usage": {"type": "duration", "seconds": 12.5}}, Decimal("12.5")),
        ({"usage": {"type": "duration", "seconds": 9}}, Decimal(9)),
        ({"duration": 8.470000267028809}, Decimal("8.470000267028809")),
    ],
)
def test_a_transcription_by_seconds(answer: dict[str, Any], length: Decimal) -> None:
    usage = bill("audio.transcribe", {"text": "x", **answer})
    assert usage == Usage(units={"second": length}, source="reported")


VTT = "WEBVTT\n\n00:00.000 --> 00:01.000\nHi\n\n00:01.000 --> 01:02.250\nyou\n"


@pytest.mark.parametrize(
    ("answer", "length"),
    [
        ("1\n00:00:00,000 --> 01:00:02,500\nHi\n", Decimal("3602.5")),
        (VTT, Decimal("62.25")),
        ("x" * 150, Decimal(10)),
        ({"text": "x" * 31}, Decimal(3)),
    ],
)
def test_a_transcription_that_tells_nothing_is_as_long_as_its_text(
    answer: object, length: Decimal
) -> None:
    usage = from_json("audio.transcribe", answer).usage
    assert usage == Usage(units={"second": length}, source="estimated")


def test_speech_by_characters_and_by_tokens() -> None:
    by_character = bill("audio.speech", None, {"model": "tts-1-hd", "input": "Grüße" * 10})
    assert by_character == Usage(units={"character": 50}, source="reported")
    done = {"usage": {"input_tokens": 14, "output_tokens": 101, "total_tokens": 115}}
    assert kinds(bill("audio.speech", done)) == {"input": 14, "audio_output": 101}


def test_binary_speech_by_tokens_is_estimated() -> None:
    usage = from_json("audio.speech", None, {"model": "gpt-4o-mini-tts", "input": "x" * 60}).usage
    assert usage is not None
    assert kinds(usage) == {"input": 15, "audio_output": 80}  # 4 s at 20 a second
    assert usage.source == "estimated"


def test_moderations_are_free_and_known_to_be() -> None:
    assert bill("moderations.create", {"id": "modr-1"}) == Usage(source="reported")


BATCH = {
    "id": "batch_1",
    "model": "gpt-5.4",
    "usage": {
        "input_tokens": 1_000_000,
        "input_tokens_details": {"cached_tokens": 100_000},
        "output_tokens": 200_000,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 1_200_000,
    },
}


@pytest.mark.parametrize("status", ["completed", "expired", "cancelled", "failed"])
def test_a_batch_is_charged_at_its_end(status: str) -> None:
    parsed = from_json("batches.get", {**BATCH, "status": status})
    assert parsed.charge_id == "batch_1"
    assert parsed.usage is not None
    assert (parsed.usage.input_tokens, parsed.usage.cached_input_tokens) == (1_000_000, 100_000)


@pytest.mark.parametrize("status", ["validating", "in_progress", "finalizing", "cancelling"])
def test_a_batch_that_runs_is_not_charged(status: str) -> None:
    parsed = from_json("batches.get", {**BATCH, "status": status})
    assert parsed == Parsed(charge_id="batch_1", final=False)


@pytest.mark.parametrize("status", ["queued", "in_progress"])
def test_a_background_response_is_charged_when_it_is_over(status: str) -> None:
    parsed = from_json("responses.create", response(status=status, usage=None))
    assert parsed == Parsed(charge_id="resp_1", final=False)
    later = from_json("responses.get", response())
    assert (later.charge_id, later.final, later.usage) == ("resp_1", True, RESPONSE)


def test_videos() -> None:
    answer = {"id": "video_1", "model": "sora-2-pro", "status": "queued", "seconds": "8"}
    answer["size"] = "1280x720"
    assert bill("videos.create", answer) == Usage(
        units={"video_second:1280x720": Decimal(8)}, source="reported", model="sora-2-pro"
    )
    longer = bill("videos.extend", {**answer, "seconds": "12"}, {"seconds": "4"})
    assert longer.units == {"video_second:1280x720": Decimal(4)}
    assert from_json("videos.get", {**answer, "status": "failed"}).usage is None


def test_fine_tuning_is_paid_by_what_was_trained_on() -> None:
    job = {"id": "ftjob-1", "model": "gpt-4.1-mini-2025-04-14", "trained_tokens": None}
    assert from_json("fine_tuning.create", {**job, "status": "queued"}).final is False
    done = {**job, "status": "succeeded", "trained_tokens": 5000}
    assert bill("fine_tuning.get", done) == Usage(
        units={"trained_token": 5000}, source="reported", model="gpt-4.1-mini-2025-04-14"
    )


def test_an_evaluation_bills_each_of_its_models() -> None:
    one = {"model_name": "gpt-6-luna", "prompt_tokens": 10, "completion_tokens": 5}
    other = {
        "model_name": "gpt-5.4",
        "prompt_tokens": 7,
        "completion_tokens": 1,
        "cached_tokens": 2,
    }
    usage = bill("evals.runs.get", {"status": "completed", "per_model_usage": [one, other]})
    assert [(p.model, p.input_tokens, p.cached_input_tokens) for p in usage.parts] == [
        ("gpt-6-luna", 10, 0),
        ("gpt-5.4", 7, 2),
    ]
    assert usage.input_tokens == 0


def test_sessions_of_agents_grow_and_runs_of_threads_end() -> None:
    told = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
    session = from_json("agents.sessions.get", {"id": "sess_1", "status": "running", "usage": told})
    assert (session.cumulative, session.charge_id) == (True, "sess_1")
    run = {"id": "run_1", "object": "thread.run", "model": "gpt-4o", "status": "completed"}
    run_usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    assert bill("threads.runs.get", {**run, "usage": run_usage}).input_tokens == 10
    assert from_json("threads.runs.create", {**run, "status": "queued"}).final is False


def test_an_unknown_path_is_read_for_what_it_tells() -> None:
    assert bill("unknown", CHAT).input_tokens == 2006
    assert from_json("unknown", {"data": []}) == Parsed()


@pytest.mark.parametrize("endpoint", ["files.list", "models.list", "chat.messages", "batches.list"])
def test_what_bills_nothing_has_no_usage(endpoint: str) -> None:
    assert from_json(endpoint, CHAT).usage is None


def test_an_answer_without_usage_is_estimated() -> None:
    answer = {"model": "m", "choices": [{"message": {"role": "assistant", "content": "x" * 40}}]}
    asked = {"messages": [{"role": "user", "content": "y" * 80}]}
    usage = from_json("chat.create", answer, asked).usage
    assert usage is not None
    assert (usage.source, usage.model, usage.input_tokens) == ("estimated", "m", 24)
    assert usage.output_tokens == 14


def test_an_estimate_counts_the_tools_too() -> None:
    output = [{"type": "code_interpreter_call", "container_id": "cntr_1"}]
    parsed = from_json("responses.create", response(output=output, usage=None), {"input": "x"})
    assert parsed.containers == (("cntr_1", "container:1g"),)
    assert parsed.usage is not None
    assert (parsed.usage.source, parsed.usage.units) == ("estimated", {"container:1g": 1})
    again = parsed.first_sight({"cntr_1"})
    assert again is not None
    assert (again.source, again.units, parsed.guessed) == ("estimated", {}, True)


def test_an_error_is_never_estimated() -> None:
    assert from_json("chat.create", {"error": {"message": "x"}}, {"messages": []}).usage is None
    assert from_json("chat.create", None, {"messages": []}).usage is None


@pytest.mark.parametrize(
    ("told", "anomaly", "counts"),
    [
        ({"prompt_tokens": -5, "completion_tokens": 7}, "negative", (0, 7)),
        ({"prompt_tokens": "12", "completion_tokens": 7}, "wrong_type", (0, 7)),
        ({"prompt_tokens": True, "completion_tokens": 7}, "wrong_type", (0, 7)),
        ({"prompt_tokens": 1.5, "completion_tokens": 7}, "wrong_type", (0, 7)),
        ({"prompt_tokens": 10**13, "completion_tokens": 7}, "absurd", (MOST, 7)),
        ({"prompt_tokens": 1e300, "completion_tokens": 7}, "absurd", (MOST, 7)),
        (
            {"prompt_tokens": 4, "completion_tokens": 7, "total_tokens": 12},
            "total_mismatch",
            (4, 7),
        ),
        (
            {
                "prompt_tokens": 4,
                "completion_tokens": 7,
                "prompt_tokens_details": {"cached_tokens": 5},
            },
            "part_above_whole",
            (4, 7),
        ),
        (
            {"prompt_tokens": 4, "completion_tokens": 7, "prompt_tokens_details": [1]},
            "wrong_type",
            (4, 7),
        ),
    ],
)
def test_odd_numbers_are_named_and_bounded(
    told: dict[str, Any], anomaly: str, counts: tuple[int, int]
) -> None:
    parsed = from_json("chat.create", {"usage": told})
    assert anomaly in parsed.anomalies
    assert parsed.usage is not None
    assert (parsed.usage.input_tokens, parsed.usage.output_tokens) == counts
    assert parsed.usage.cached_input_tokens <= parsed.usage.input_tokens


@pytest.mark.parametrize("told", ["many", [1], {"tokens": 5}, {"prompt_tokens": "x"}])
def test_usage_that_says_nothing_is_estimated_and_named(told: object) -> None:
    parsed = from_json("chat.create", {"usage": told, "choices": []}, {"messages": []})
    assert parsed.usage is not None
    assert parsed.usage.source == "estimated"
    assert parsed.anomalies


NAMES = st.sampled_from(
    [
        *("usage", "tool_usage", "svg_usage", "input_tokens", "prompt_tokens", "output_tokens"),
        *("total_tokens", "input_tokens_details", "input_token_details", "cached_tokens"),
        *("cached_tokens_details", "audio_tokens", "image_tokens", "reasoning_tokens"),
        *("completion_tokens", "output_tokens_details", "web_search", "num_requests", "image_gen"),
        *("cache_write_tokens", "cache_write_tokens_details", "ttl_12h_tokens", "seconds"),
        *("output", "type", "action", "container_id", "environment", "tools", "container"),
        *("data", "status", "model", "per_model_usage", "trained_tokens", "duration", "size", "id"),
        *("model_grader_token_usage_per_model", "choices", "messages", "input", "text"),
    ]
)
LEAVES: Any = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats()
    | st.sampled_from(["tokens", "duration", "completed", "search", "8", "code_interpreter_call"])
    | st.text(max_size=5)
)
ANY: Any = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=25,
)


@given(st.sampled_from([*SHAPES, "files.list"]), ANY | st.dictionaries(NAMES, ANY), ANY)
def test_nothing_that_is_answered_raises_or_counts_below_zero(
    endpoint: str, answer: object, request: object
) -> None:
    parsed = from_json(endpoint, answer, request)
    known = parsed.first_sight(dict(parsed.containers))
    assert known is None or not any(unit.startswith("container") for unit in known.units)
    for usage in (parsed.usage, *(parsed.usage.parts if parsed.usage else ())):
        if usage is None:
            continue
        assert min(disjoint(usage).values()) >= 0
        assert sum(disjoint(usage).values()) == usage.input_tokens + usage.output_tokens
        assert usage.reasoning_tokens <= usage.output_tokens <= MOST
        assert usage.cached_input_tokens + usage.image_input_tokens <= 2 * usage.input_tokens
        assert all(0 <= amount <= MOST for amount in usage.units.values())
