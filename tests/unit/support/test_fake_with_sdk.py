"""The official SDK works against the fake as it does against OpenAI: calls, streams, errors."""

import ssl
from collections.abc import Iterator

import openai
import pytest

from tests.support.clients import Way
from tests.support.fake_openai import FakeOpenAIThread


@pytest.fixture
def sdk(way: Way, key: str) -> Iterator[openai.OpenAI]:
    context = ssl.create_default_context(cafile=str(way.ca_file))
    web = openai.DefaultHttpxClient(proxy=way.proxy_url, verify=context, trust_env=False)
    with openai.OpenAI(api_key=key, http_client=web, max_retries=0) as made:
        yield made


def test_chat_and_its_stream(sdk: openai.OpenAI) -> None:
    whole = sdk.chat.completions.create(model="gpt-6-luna", messages=[])
    chunks = sdk.chat.completions.create(model="gpt-6-luna", messages=[], stream=True)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert text == whole.choices[0].message.content


def test_responses_and_their_stream(sdk: openai.OpenAI) -> None:
    whole = sdk.responses.create(model="gpt-6-luna", input="hi")
    with sdk.responses.stream(model="gpt-6-luna", input="hi") as stream:
        assert stream.get_final_response().output_text == whole.output_text != ""


def test_embeddings_files_and_speech(sdk: openai.OpenAI) -> None:
    made = sdk.embeddings.create(model="text-embedding-3-small", input="hi")
    assert len(made.data[0].embedding) == 8
    file = sdk.files.create(file=("x.jsonl", b"{}\n"), purpose="batch")
    assert sdk.files.content(file.id).read() == b"{}\n"
    assert sdk.audio.speech.create(model="tts-1", voice="alloy", input="hi").read()


def test_errors_are_raised_as_their_own_classes(sdk: openai.OpenAI, fake: FakeOpenAIThread) -> None:
    with pytest.raises(openai.NotFoundError):
        sdk.models.retrieve("nothing")
    fake.knobs.add("/v1/models", fail="reset")
    with pytest.raises(openai.APIConnectionError):
        sdk.models.list()
    with pytest.raises(openai.AuthenticationError):
        sdk.with_options(api_key="sk-FAKEother").files.list()
