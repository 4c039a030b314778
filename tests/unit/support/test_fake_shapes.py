"""What the fake answers is what the official SDK's own types describe, field by field."""

from collections.abc import Iterator
from typing import Any

import httpx
import orjson
import pytest
from openai.types import (
    Batch,
    Completion,
    CreateEmbeddingResponse,
    FileObject,
    ImageEditStreamEvent,
    ImageGenStreamEvent,
    ImagesResponse,
    Model,
    ModerationCreateResponse,
    Upload,
    VectorStore,
)
from openai.types.audio import (
    Transcription,
    TranscriptionStreamEvent,
    TranscriptionVerbose,
)
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.fine_tuning import FineTuningJob
from openai.types.realtime import ClientSecretCreateResponse, RealtimeServerEvent
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from tests.support.clients import Way, WebSocket, bearer, client, events

MODEL = {"model": "gpt-6-luna"}
CHAT = {**MODEL, "messages": []}
ASK = {**MODEL, "input": "hi"}
PAINT = {"model": "gpt-image-2", "prompt": "a cat"}
ITEM = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}
STREAM = {"stream": True}
USAGE = {"stream_options": {"include_usage": True}}


@pytest.fixture
def api(way: Way, key: str) -> Iterator[httpx.Client]:
    with client(way, key) as made:
        yield made


@pytest.mark.parametrize(
    ("path", "body", "shape"),
    [
        ("/v1/chat/completions", CHAT, ChatCompletion),
        ("/v1/completions", {**MODEL, "prompt": "hi"}, Completion),
        ("/v1/responses", ASK, Response),
        ("/v1/responses", {**ASK, "background": True}, Response),
        ("/v1/embeddings", ASK, CreateEmbeddingResponse),
        ("/v1/moderations", {"input": "hi"}, ModerationCreateResponse),
        ("/v1/images/generations", PAINT, ImagesResponse),
        ("/v1/batches", {"endpoint": "/v1/responses", "input_file_id": "file-x"}, Batch),
        ("/v1/uploads", {"bytes": 1, "filename": "x", "purpose": "batch"}, Upload),
        ("/v1/vector_stores", {"name": "x"}, VectorStore),
        ("/v1/fine_tuning/jobs", {**MODEL, "training_file": "file-x"}, FineTuningJob),
        ("/v1/realtime/client_secrets", {}, ClientSecretCreateResponse),
    ],
)
def test_json_answers(api: httpx.Client, path: str, body: dict[str, Any], shape: Any) -> None:
    value = api.post(path, json=body).content
    TypeAdapter(shape).validate_json(value)


@pytest.mark.parametrize(
    ("path", "body", "shape"),
    [
        ("/v1/chat/completions", {**CHAT, **STREAM, **USAGE}, ChatCompletionChunk),
        ("/v1/responses", {**ASK, **STREAM}, ResponseStreamEvent),
        ("/v1/images/generations", {**PAINT, **STREAM}, ImageGenStreamEvent),
        ("/v1/images/edits", {**PAINT, **STREAM}, ImageEditStreamEvent),
    ],
)
def test_events_of_streams(api: httpx.Client, path: str, body: dict[str, Any], shape: Any) -> None:
    adapter = TypeAdapter(shape)
    datas = [data for data in events(api.post(path, json=body).content) if data != "[DONE]"]
    assert len(datas) > 1
    for data in datas:
        adapter.validate_json(data)


@pytest.mark.parametrize(
    ("form", "shape"),
    [
        ({"model": "whisper-1"}, Transcription),
        ({"model": "gpt-4o-mini-transcribe"}, Transcription),
        ({"model": "whisper-1", "response_format": "verbose_json"}, TranscriptionVerbose),
        ({"model": "gpt-4o-mini-transcribe", "stream": "true"}, TranscriptionStreamEvent),
    ],
)
def test_transcriptions(api: httpx.Client, form: dict[str, str], shape: Any) -> None:
    files = {"file": ("a.wav", b"RIFF")}
    content = api.post("/v1/audio/transcriptions", data=form, files=files).content
    values = (
        [orjson.loads(d) for d in events(content)] if "stream" in form else [orjson.loads(content)]
    )
    for value in values:
        TypeAdapter(shape).validate_python(value)


def test_files_and_models(api: httpx.Client) -> None:
    made = api.post("/v1/files", data={"purpose": "batch"}, files={"file": ("x", b"1")}).content
    FileObject.model_validate_json(made)
    for value in api.get("/v1/models").json()["data"]:
        Model.model_validate(value)


def test_realtime_events(way: Way, key: str) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)
    with WebSocket(way.tls(), "/v1/realtime?model=gpt-realtime-2.1", [bearer(key)]) as ws:
        for kind in ("session.update", "conversation.item.create", "input_audio_buffer.commit"):
            ws.tell({"type": kind, "session": {}, "item": ITEM})
        ws.tell({"type": "nonsense"})
        ws.tell({"type": "response.create"})
        kinds: list[str] = []
        while not kinds or kinds[-1] != "response.done":
            event = ws.hear().json()
            adapter.validate_python(event)
            kinds.append(event["type"])
    assert "error" in kinds
