"""Every endpoint family of the fake answers in OpenAI's shape, on both HTTP versions."""

import base64
import struct
from collections.abc import Callable, Iterator

import httpx
import orjson
import pytest

from tests.support.clients import RawH1, Way, client, events
from tests.support.fake_openai import FakeOpenAIThread


@pytest.fixture(params=[False, True], ids=["h1", "h2"])
def api(request: pytest.FixtureRequest, way: Way, key: str) -> Iterator[httpx.Client]:
    with client(way, key, http2=request.param) as made:
        yield made
        expected = "HTTP/2" if request.param else "HTTP/1.1"
        assert made.get("/v1/models").http_version == expected


def test_chat_answers_a_completion_with_usage(api: httpx.Client) -> None:
    body = {"model": "gpt-6-luna", "messages": [{"role": "user", "content": "hi"}], "n": 2}
    value = api.post("/v1/chat/completions", json=body).json()
    assert [choice["index"] for choice in value["choices"]] == [0, 1]
    usage = value["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 0
    assert api.get(f"/v1/chat/completions/{value['id']}").json() == value


@pytest.mark.parametrize("included", [True, False])
def test_chat_streams_usage_only_when_it_is_asked_for(api: httpx.Client, included: bool) -> None:
    options = {"stream_options": {"include_usage": True}} if included else {}
    body = {"model": "gpt-6-luna", "messages": [], "stream": True, **options}
    answer = api.post("/v1/chat/completions", json=body)
    assert answer.headers["content-type"].startswith("text/event-stream")
    *chunks, done = events(answer.content)
    assert done == "[DONE]"
    values = [orjson.loads(chunk) for chunk in chunks]
    assert all("obfuscation" in value for value in values if value["choices"])
    usages = [value["usage"] for value in values if value.get("usage")]
    assert len(usages) == included
    assert all(("usage" in value) == included for value in values)


def test_responses_stream_events_are_numbered_and_end_with_usage(api: httpx.Client) -> None:
    body = {"model": "gpt-6-luna", "input": "hi", "stream": True}
    values = [orjson.loads(data) for data in events(api.post("/v1/responses", json=body).content)]
    assert [value["sequence_number"] for value in values] == list(range(len(values)))
    assert values[0]["type"] == "response.created"
    assert values[-1]["type"] == "response.completed"
    assert values[-1]["response"]["usage"]["output_tokens"] > 0


def test_background_response_is_queued_and_has_its_usage_when_read(api: httpx.Client) -> None:
    body = {"model": "gpt-6-luna", "input": "hi", "background": True}
    queued = api.post("/v1/responses", json=body).json()
    assert (queued["status"], queued["usage"]) == ("queued", None)
    read = api.get(f"/v1/responses/{queued['id']}").json()
    assert read["status"] == "completed"
    assert read["usage"]["total_tokens"] > 0


def test_completions_json_and_stream(api: httpx.Client) -> None:
    body = {"model": "gpt-3.5-turbo-instruct", "prompt": "hi"}
    whole = api.post("/v1/completions", json=body).json()
    assert whole["object"] == "text_completion"
    streamed = api.post("/v1/completions", json={**body, "stream": True}).content
    *chunks, done = events(streamed)
    assert done == "[DONE]"
    text = "".join(orjson.loads(chunk)["choices"][0]["text"] for chunk in chunks)
    assert text == whole["choices"][0]["text"]


def test_embeddings_are_the_same_as_floats_and_as_base64(api: httpx.Client) -> None:
    body = {"model": "text-embedding-3-small", "input": ["a", "b"]}
    floats = api.post("/v1/embeddings", json=body).json()["data"]
    coded = api.post("/v1/embeddings", json={**body, "encoding_format": "base64"}).json()["data"]
    for one, other in zip(floats, coded, strict=True):
        assert list(struct.unpack("<8f", base64.b64decode(other["embedding"]))) == one["embedding"]


def test_moderations_have_no_usage(api: httpx.Client) -> None:
    value = api.post("/v1/moderations", json={"input": "x"}).json()
    assert value["results"][0]["flagged"] is False
    assert "usage" not in value


def test_images_json_and_stream(api: httpx.Client) -> None:
    body = {"model": "gpt-image-2", "prompt": "a cat"}
    value = api.post("/v1/images/generations", json=body).json()
    assert base64.b64decode(value["data"][0]["b64_json"]).startswith(b"\x89PNG")
    streamed = api.post("/v1/images/generations", json={**body, "stream": True}).content
    last = [orjson.loads(data) for data in events(streamed)][-1]
    assert last["type"] == "image_generation.completed"
    assert "output_tokens_details" not in last["usage"]


def test_image_edit_takes_a_form(api: httpx.Client, fake: FakeOpenAIThread) -> None:
    files = {"image": ("a.png", b"\x89PNG\r\n\x1a\n\x00\xff", "image/png")}
    answer = api.post("/v1/images/edits", data={"model": "gpt-image-2", "n": "2"}, files=files)
    assert len(answer.json()["data"]) == 2
    assert b"\x89PNG\r\n\x1a\n\x00\xff" in fake.requests[0].body


def test_speech_is_binary_or_a_stream_with_usage(api: httpx.Client) -> None:
    body = {"model": "gpt-4o-mini-tts", "voice": "alloy", "input": "hi"}
    sound = api.post("/v1/audio/speech", json=body)
    assert sound.headers["content-type"] == "audio/mpeg"
    assert len(sound.content) > 60000
    streamed = api.post("/v1/audio/speech", json={**body, "stream_format": "sse"}).content
    last = [orjson.loads(data) for data in events(streamed)][-1]
    assert last["usage"]["output_tokens"] == 101


@pytest.mark.parametrize(
    ("form", "read"),
    [
        ({"model": "gpt-4o-mini-transcribe"}, lambda b: orjson.loads(b)["usage"]["input_tokens"]),
        ({"model": "whisper-1"}, lambda b: orjson.loads(b)["usage"]["seconds"]),
        ({"model": "whisper-1", "response_format": "text"}, lambda b: b.endswith(b".\n")),
        (
            {"model": "gpt-4o-mini-transcribe", "stream": "true"},
            lambda b: orjson.loads(list(events(b))[-1])["usage"]["total_tokens"],
        ),
    ],
    ids=["tokens", "duration", "text", "stream"],
)
def test_transcriptions(
    api: httpx.Client, form: dict[str, str], read: Callable[[bytes], object]
) -> None:
    files = {"file": ("a.wav", b"RIFF\x00\x01", "audio/wav")}
    answer = api.post("/v1/audio/transcriptions", data=form, files=files)
    assert read(answer.content)


def test_a_file_comes_back_byte_for_byte(api: httpx.Client) -> None:
    data = bytes(range(256)) * 700
    files = {"file": ("x.jsonl", data)}
    made = api.post("/v1/files", data={"purpose": "batch"}, files=files).json()
    assert made["bytes"] == len(data)
    assert api.get(f"/v1/files/{made['id']}/content").content == data
    assert [f["id"] for f in api.get("/v1/files").json()["data"]] == [made["id"]]
    assert api.delete(f"/v1/files/{made['id']}").json()["deleted"] is True
    assert api.get(f"/v1/files/{made['id']}").status_code == 404


def test_a_batch_is_finished_when_it_is_read(api: httpx.Client) -> None:
    body = {"endpoint": "/v1/responses", "input_file_id": "file-x"}
    made = api.post("/v1/batches", json=body).json()
    assert made["usage"] is None
    assert api.get(f"/v1/batches/{made['id']}").json()["usage"]["total_tokens"] == 240


def test_models(api: httpx.Client) -> None:
    listed = api.get("/v1/models")
    assert "x-ratelimit-limit-requests" not in listed.headers
    shut = {m["id"]: m.get("shutdown_date") for m in listed.json()["data"]}
    assert shut["gpt-5-mini"] == "2026-12-11"
    assert api.get("/v1/models/gpt-6-luna").json()["id"] == "gpt-6-luna"
    assert api.get("/v1/models/nothing").json()["error"]["code"] == "model_not_found"


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/v1/realtime/client_secrets", ("value",)),
        ("/v1/realtime/translations/client_secrets", ("value",)),
        ("/v1/realtime/sessions", ("client_secret", "value")),
        ("/v1/realtime/transcription_sessions", ("client_secret", "value")),
        ("/v1/chatkit/sessions", ("client_secret",)),
    ],
)
def test_a_minted_key_is_accepted_afterwards(
    api: httpx.Client, path: str, place: tuple[str, ...]
) -> None:
    minted = api.post(path, json={}).json()
    for name in place:
        minted = minted[name]
    assert minted.startswith("ek_FAKE")
    own = {"authorization": f"Bearer {minted}"}
    assert api.get("/v1/models", headers=own).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("POST", "/v1/fine_tuning/jobs", "fine_tuning.job"),
        ("POST", "/v1/vector_stores", "vector_store"),
        ("POST", "/v1/vector_stores/vs_1/search", "vector_store.search_results.page"),
        ("POST", "/v1/containers", "container"),
        ("POST", "/v1/uploads", "upload"),
        ("POST", "/v1/responses/input_tokens", "response.input_tokens"),
        ("POST", "/v1/responses/compact", "response.compaction"),
        ("POST", "/v1/decisions", "decision"),
        ("POST", "/v1/conversations", "conversations"),
        ("GET", "/v1/skills", "list"),
    ],
)
def test_the_other_families(api: httpx.Client, method: str, path: str, expected: str) -> None:
    body = {"model": "gpt-6-luna"} if method == "POST" else None
    value = api.request(method, path, json=body).json()
    assert value["object"] == expected


def test_trace_upload_answers_204_without_a_body(api: httpx.Client) -> None:
    answer = api.post("/v1/traces/ingest", json={"data": []})
    assert (answer.status_code, answer.content) == (204, b"")


def test_answers_carry_openais_headers(api: httpx.Client) -> None:
    answer = api.post("/v1/moderations", json={"input": "x"})
    assert answer.headers["x-request-id"].startswith("req_")
    assert answer.headers["openai-version"] == "2020-10-01"
    assert answer.headers["x-ratelimit-limit-tokens"] == "2000000"


@pytest.mark.parametrize("sent", [b"{", b'{"messages": []}'])
def test_a_body_that_does_not_read_is_a_400(api: httpx.Client, sent: bytes) -> None:
    answer = api.post("/v1/chat/completions", content=sent)
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_an_unknown_key_gets_401_with_its_middle_masked(api: httpx.Client) -> None:
    other = "sk-proj-" + "FAKE" * 10 + "last"
    answer = api.get("/v1/models", headers={"authorization": f"Bearer {other}"})
    assert answer.status_code == 401
    error = answer.json()["error"]
    assert error["code"] == "invalid_api_key"
    assert f"sk-proj-{'*' * 40}last." in error["message"]
    assert other not in answer.text


def test_no_key_and_two_keys_get_401(way: Way, key: str) -> None:
    twice = [("Authorization", f"Bearer {key}"), ("Authorization", f"Bearer {key}")]
    for headers in ([], twice):
        with RawH1(way.tls()) as raw:
            raw.request("GET", "/v1/models", [("Host", "api.openai.com"), *headers])
            assert raw.answer().status == 401


def test_every_byte_is_kept(api: httpx.Client, fake: FakeOpenAIThread) -> None:
    body = orjson.dumps({"input": "a needle in the body"})
    headers = {"x-odd": "a needle in a header", "content-type": "application/json"}
    api.post("/v1/moderations?q=needle%20in%20the%20query", content=body, headers=headers)
    (kept,) = fake.requests
    assert kept.body == body
    assert kept.values("X-Odd") == ["a needle in a header"]
    everything = fake.received_bytes()
    for needle in (b"a needle in the body", b"a needle in a header", b"needle in the query"):
        assert needle in everything
    assert b"a needle that was never sent" not in everything
    assert kept.connection.sni == "api.openai.com"
