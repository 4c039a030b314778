"""Everything that metrics tell of, through one gateway that is well and one that is not."""

import json
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from openai_gateway.leaks.rules.template import fill
from tests.support.clients import RawH1, Way, WebSocket, bearer
from tests.support.fake_openai import FakeOpenAIThread
from tests.support.gateway_process import Keys

CHAT: Final = "/v1/chat/completions"
RESPONSES: Final = "/v1/responses"
PLAIN, STREAMED, THROTTLED, DEAR, SPENT, UNPRICED = (
    *("gpt-6-luna", "gpt-5.4-mini", "gpt-5-mini", "gpt-5", "gpt-5-nano", "gpt-6.2-astra-law"),
)
# gpt-5: 10 USD a million out, gpt-5-nano 0.40. 400,000 tokens are 4 USD and 0.16 USD.
DEAR_USAGE: Final = {"prompt_tokens": 0, "completion_tokens": 400_000, "total_tokens": 400_000}


def well() -> dict[str, Any]:
    """A limit, a budget that will be spent, and one that burns fast and tells a dead webhook."""
    return {
        "limits": {
            "rules": [{"name": "few", "match": {"model": THROTTLED}, "rpm": 3, "per": ["model"]}]
        },
        "budgets": [
            {"name": "spent", "match": {"model": SPENT}, "usd": 0.1, "period": "total"},
            {"name": "burning", "usd": 30, "period": "month", "hard": False, "alert_at": [0.1],
             "webhook": "env:HOOK"},
        ],
    }  # fmt: skip


def unwell() -> dict[str, Any]:
    """No store, and leaks looked at only."""
    return {
        "leaks": {"mode": "observe"},
        "limits": {"store": "env:STORE", "rules": [{"name": "any", "rpm": 1000}]},
    }


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Nobody else can write to it."""
    with closing(sqlite3.connect(database, isolation_level=None, timeout=10)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield


def secret() -> str:
    """In the shape of a GitHub token, its check sum too; no file holds one."""
    return fill("ghp_{alnum:30}{crc32}", random.Random(7)).decode()  # noqa: S311 -- of nobody


def body(model: str, **more: object) -> bytes:
    return json.dumps({"model": model, "messages": [], **more}).encode()


def said(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


class Traffic:
    """Rounds of calls through one gateway; each round is the same."""

    def __init__(self, way: Way, fake: FakeOpenAIThread, keys: Keys) -> None:
        self.way = way
        self.fake = fake
        self.keys = keys
        self.calls = 0

    def round(self) -> None:
        """On two rounds with a scrape between them every counter has risen."""
        self._forwarded()
        self._refused()
        self._over_their_limits()
        self._failed()
        self._broken()
        self._sockets()

    def post(self, model: str, times: int = 1, key: str | None = None, **more: object) -> None:
        with RawH1(self.way.tls()) as client:
            for _ in range(times):
                client.call("POST", CHAT, key or self.keys.production, body(model, **more))
        self.calls += times

    def _forwarded(self) -> None:
        self.post(PLAIN, 20)
        self.post(STREAMED, 10, stream=True)
        self.post(UNPRICED, 2)
        self.fake.knobs.add(CHAT, patch={"usage": DEAR_USAGE}, times=2)
        self.post(DEAR, 2)
        self.fake.knobs.add(CHAT, patch={"usage": {"prompt_tokens": -5}}, times=2)
        self.post(PLAIN, 2)

    def _refused(self) -> None:
        self.post(PLAIN, 8, key="sk-unknown-FAKE")
        self.post(PLAIN, 2, messages=said(f"my token is {secret()}"))
        self.post(PLAIN, 2, messages=said(self.keys.production))

    def _over_their_limits(self) -> None:
        self.post(THROTTLED, 70)
        self.fake.knobs.add(CHAT, patch={"usage": DEAR_USAGE}, times=1)
        self.post(SPENT)
        self.fake.knobs.clear()
        self.post(SPENT, 6)

    def _failed(self) -> None:
        for status, code, times in (
            (401, "invalid_api_key", 3),
            (429, "insufficient_quota", 3),
            (429, "rate_limit_exceeded", 35),
            (500, "server_error", 15),
        ):
            said_so = json.dumps({"error": {"code": code}}).encode()
            self.fake.knobs.add(CHAT, status=status, times=times, body=said_so)
            self.post(PLAIN, times)

    def _broken(self) -> None:
        for _ in range(6):
            self.fake.knobs.add(CHAT, fail="reset", at="body", after_events=2, times=1)
            self.post(PLAIN, stream=True)

    def _sockets(self) -> None:
        with WebSocket(self.way.tls(), RESPONSES, [bearer(self.keys.production)]) as socket:
            for _ in range(3):
                socket.tell({"type": "response.create", "model": PLAIN, "input": "x"})
                socket.hear_type("response.completed")
        self.calls += 4
