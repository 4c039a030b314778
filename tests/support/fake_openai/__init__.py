"""A stand-in for api.openai.com that keeps every byte and fails on demand."""

from tests.support.fake_openai.knobs import Knob
from tests.support.fake_openai.recorder import Connection, Frame, Received
from tests.support.fake_openai.server import FakeOpenAI
from tests.support.fake_openai.thread import FakeOpenAIThread

__all__ = ["Connection", "FakeOpenAI", "FakeOpenAIThread", "Frame", "Knob", "Received"]
