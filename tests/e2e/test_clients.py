"""The Python SDK through the gateway, set up by its environment alone, as the README says."""

import asyncio
import io
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.chat import ChatCompletionUserMessageParam

from tests.e2e.conftest import MakeGateway
from tests.support import faults
from tests.support.fake_openai import FakeOpenAIThread
from tests.support.fake_openai.asking import TEXT
from tests.support.fake_openai.families.media import SOUND, WORDS
from tests.support.gateway_books import Row
from tests.support.gateway_process import GatewayProcess, Keys
from tests.support.relay import RelayThread

MODEL, CHAT = "gpt-6-luna", "/v1/chat/completions"
HELLO: list[ChatCompletionUserMessageParam] = [{"role": "user", "content": "Say hello."}]
type Act = Callable[[OpenAI], object]


def surround(monkeypatch: pytest.MonkeyPatch, gateway: GatewayProcess, keys: Keys) -> None:
    """This process becomes a client: the variables of the README, and no others of their kind."""
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    told = gateway.client_env(keys.production)
    for name in ("HTTPS_PROXY", "SSL_CERT_FILE", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, told[name])


@pytest.fixture
def sdk(
    monkeypatch: pytest.MonkeyPatch, gateway: GatewayProcess, keys: Keys, fake: FakeOpenAIThread
) -> Iterator[OpenAI]:
    del fake  # emptied before the test
    surround(monkeypatch, gateway, keys)
    with OpenAI(max_retries=0) as client:
        yield client


@pytest.fixture(autouse=True)
def only_the_staging_key_arrives(fake: FakeOpenAIThread, keys: Keys) -> Iterator[None]:
    yield
    assert keys.production.encode() not in fake.received_bytes()
    offered = {value for call in fake.requests for value in call.values("authorization")}
    assert offered <= {f"Bearer {keys.staging}"}


def test_chat_and_responses(sdk: OpenAI, fake: FakeOpenAIThread, relay: RelayThread) -> None:
    chat = sdk.chat.completions.create(model=MODEL, messages=HELLO)
    assert chat.choices[0].message.content == TEXT
    assert chat.usage is not None
    assert chat.usage.total_tokens > 0
    assert sdk.responses.create(model=MODEL, input="Say hello.").output_text == TEXT
    assert [call.path for call in fake.requests] == [CHAT, "/v1/responses"]
    assert {asked.target for asked in relay.asked} <= {"api.openai.com:443"}


def test_streams(sdk: OpenAI) -> None:
    chunks = sdk.chat.completions.create(model=MODEL, messages=HELLO, stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == TEXT
    with sdk.responses.stream(model=MODEL, input="Say hello.") as stream:
        words = [event.delta for event in stream if event.type == "response.output_text.delta"]
        assert "".join(words) == stream.get_final_response().output_text == TEXT
    assert len(words) > 3


async def test_async_calls_side_by_side_and_streams(sdk: OpenAI, fake: FakeOpenAIThread) -> None:
    del sdk  # its surroundings
    async with AsyncOpenAI(max_retries=0) as client:
        asked = [client.chat.completions.create(model=MODEL, messages=HELLO) for _ in range(8)]
        answers = await asyncio.gather(*asked)
        assert [answer.choices[0].message.content for answer in answers] == [TEXT] * 8
        chunks = await client.chat.completions.create(model=MODEL, messages=HELLO, stream=True)
        words = [chunk.choices[0].delta.content or "" async for chunk in chunks]
        assert "".join(words) == TEXT
        async with client.responses.stream(model=MODEL, input="Say hello.") as stream:
            assert (await stream.get_final_response()).output_text == TEXT
    assert len(fake.requests) == 10


def test_files_go_up_and_come_down_byte_for_byte(sdk: OpenAI, fake: FakeOpenAIThread) -> None:
    lines = b"".join(b'{"custom_id": "%d"}\n' % number for number in range(20_000))
    made = sdk.files.create(file=("calls.jsonl", io.BytesIO(lines)), purpose="batch")
    assert (made.filename, made.bytes) == ("calls.jsonl", len(lines))
    assert sdk.files.content(made.id).read() == lines
    assert fake.requests[0].first("content-type").startswith("multipart/form-data; boundary=")
    assert sdk.files.delete(made.id).deleted


def test_embeddings(sdk: OpenAI) -> None:
    made = sdk.embeddings.create(model="text-embedding-3-small", input=["one", "two"])
    assert [len(entry.embedding) for entry in made.data] == [8, 8]


def test_speech_comes_back_as_binary(sdk: OpenAI, tmp_path: Path) -> None:
    asked = {"model": "tts-1", "voice": "alloy", "input": "Say hello."}
    assert sdk.audio.speech.create(**asked).read() == SOUND  # type: ignore[arg-type]  # a mapping
    with sdk.audio.speech.with_streaming_response.create(**asked) as streamed:  # type: ignore[arg-type]  # as above
        streamed.stream_to_file(tmp_path / "hello.mp3")
    assert (tmp_path / "hello.mp3").read_bytes() == SOUND


def test_transcription_of_an_upload(sdk: OpenAI) -> None:
    heard = sdk.audio.transcriptions.create(model="whisper-1", file=("hello.mp3", SOUND))
    assert heard.text == WORDS


def test_realtime(sdk: OpenAI, fake: FakeOpenAIThread) -> None:
    with sdk.realtime.connect(model="gpt-realtime-2.1") as session:
        assert session.recv().type == "session.created"
        session.response.create()
        kinds: list[str] = []
        while not kinds or kinds[-1] != "response.done":
            kinds.append(session.recv().type)
    assert kinds[0] == "response.created"
    assert fake.requests[0].path == "/v1/realtime"


async def test_realtime_refuses_a_message_and_goes_on(
    sdk: OpenAI, fake: FakeOpenAIThread, keys: Keys
) -> None:
    del sdk  # its surroundings
    async with AsyncOpenAI() as client, client.realtime.connect(model="gpt-realtime-2.1") as socket:
        assert (await socket.recv()).type == "session.created"
        await socket.session.update(session={"type": "realtime", "instructions": keys.production})
        refused = await socket.recv()
        assert refused.type == "error"
        assert refused.error.code == "gateway_production_key_leaked"
        await socket.session.update(session={"type": "realtime", "instructions": "Be kind."})
        assert (await socket.recv()).type == "session.updated"
    sent = [json.loads(data)["session"]["instructions"] for data in fake.requests[0].messages()]
    assert sent == ["Be kind."]


def test_responses_over_a_websocket(sdk: OpenAI, fake: FakeOpenAIThread) -> None:
    with sdk.responses.connect() as socket:
        for _ in range(2):
            socket.response.create(model=MODEL, input="Say hello.")
            while (event := socket.recv()).type != "response.completed":
                pass
            assert event.response.output_text == TEXT
    assert [len(call.messages()) for call in fake.requests] == [2]


# ---- refusals become the SDK's own exceptions, and are retried as they say -----------------------


def attempts(
    gateway: GatewayProcess, client: OpenAI, act: Act
) -> tuple[openai.APIStatusError, list[Row]]:
    """What the SDK raised, and the row of each of its attempts."""
    began = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    with pytest.raises(openai.APIStatusError) as raised:
        act(client)
    last = raised.value.response.headers["x-gateway-request-id"]
    gateway.row(last)
    return raised.value, [row for row in gateway.rows() if row["started_at"] >= began]


def ask(client: OpenAI) -> object:
    return client.chat.completions.create(model=MODEL, messages=HELLO)


def leak(client: OpenAI) -> object:
    messages: list[ChatCompletionUserMessageParam] = [{"role": "user", "content": client.api_key}]
    return client.chat.completions.create(model=MODEL, messages=messages)


def stranger(client: OpenAI) -> object:
    return client.with_options(api_key="sk-proj-" + "FAKE" * 10).models.list()


def administer(client: OpenAI) -> object:
    return client.get("/organization/projects", cast_to=object)


def mumble(client: OpenAI) -> object:
    headers = {"content-type": "application/json"}
    options: openai._types.RequestOptions = {"headers": headers}
    return client.post("/chat/completions", cast_to=object, content=b'{"model": ', options=options)


@pytest.mark.parametrize(
    ("act", "kind", "code"),
    [
        (stranger, openai.AuthenticationError, "gateway_unknown_key"),
        (leak, openai.PermissionDeniedError, "gateway_production_key_leaked"),
        (administer, openai.PermissionDeniedError, "gateway_endpoint_refused"),
        (mumble, openai.BadRequestError, "gateway_unreadable_body"),
    ],
)
def test_a_refusal_that_no_retry_helps_is_raised_at_once(
    sdk: OpenAI, gateway: GatewayProcess, fake: FakeOpenAIThread,
    act: Act, kind: type[openai.APIStatusError], code: str,
) -> None:  # fmt: skip
    raised, rows = attempts(gateway, sdk.with_options(max_retries=2), act)
    assert (type(raised), raised.code) == (kind, code)
    assert [row["error_code"] for row in rows] == [code]
    assert fake.requests == []


def test_an_upstream_that_breaks_off_is_retried_as_often_as_the_client_wants(
    sdk: OpenAI, gateway: GatewayProcess, fake: FakeOpenAIThread
) -> None:
    fake.knobs.add(CHAT, fail="reset")
    raised, rows = attempts(gateway, sdk.with_options(max_retries=1), ask)
    assert (type(raised), raised.code) == (
        openai.InternalServerError,
        "gateway_upstream_unreachable",
    )
    assert [row["sdk"].rpartition("retry ")[2] for row in rows] == ["0", "1"]


def test_an_upstream_that_recovers_is_not_noticed(sdk: OpenAI, fake: FakeOpenAIThread) -> None:
    fake.knobs.add(CHAT, fail="reset", times=1)
    sdk.with_options(max_retries=1).chat.completions.create(model=MODEL, messages=HELLO)
    assert len(fake.requests) == 2


def test_an_internal_error_is_raised_at_once(
    monkeypatch: pytest.MonkeyPatch, make_gateway: MakeGateway, tmp_path: Path, keys: Keys,
    fake: FakeOpenAIThread,
) -> None:  # fmt: skip
    planter = faults.Planter(tmp_path / "faults")
    process = make_gateway(script=faults.SCRIPT, env={"FAULT_FILE": str(planter.file)})
    surround(monkeypatch, process, keys)
    planter.plant("keys.identify", "raise")
    with OpenAI(max_retries=2) as client:
        raised, rows = attempts(process, client, ask)
    assert (type(raised), raised.code) == (openai.InternalServerError, "gateway_internal_error")
    assert raised.status_code == 503
    assert len(rows) == 1
    assert fake.requests == []


def test_openais_own_errors_stay_its_own(
    sdk: OpenAI, gateway: GatewayProcess, fake: FakeOpenAIThread
) -> None:
    with pytest.raises(openai.NotFoundError) as missing:
        sdk.models.retrieve("nothing")
    assert missing.value.code == "model_not_found"
    body = {"error": {"message": "Rate limit reached", "type": "requests", "code": "x"}}
    knob = {"status": 429, "body": json.dumps(body).encode(), "headers": [("retry-after", "1")]}
    fake.knobs.add(CHAT, **knob)
    raised, rows = attempts(gateway, sdk.with_options(max_retries=1), ask)
    assert isinstance(raised, openai.RateLimitError)
    assert raised.response.json() == body
    assert [row["status"] for row in rows if row["endpoint"] == "chat.create"] == [429, 429]


def test_a_call_to_another_host_is_a_connection_error(sdk: OpenAI, relay: RelayThread) -> None:
    with pytest.raises(openai.APIConnectionError, match="Connection error") as refused:
        sdk.with_options(base_url="https://evil.example/v1").models.list()
    assert "403" in str(refused.value.__cause__)
    assert relay.asked == []


def test_a_client_that_gives_up_ends_the_call_upstream(sdk: OpenAI, fake: FakeOpenAIThread) -> None:
    fake.knobs.add(CHAT, events=1000, event_delay_s=0.05)
    stream = sdk.chat.completions.create(model=MODEL, messages=HELLO, stream=True)
    next(iter(stream))
    with suppress(openai.APIError):
        stream.close()
    fake.wait_for(lambda found: found[0].aborted or found[0].connection.closed)
