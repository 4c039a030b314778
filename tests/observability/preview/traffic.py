"""Two minutes of a staging host's day: what a gateway meets, in the shares in which it does."""

import json
import random
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from tests.support.clients import RawH1
from tests.support.fake_openai import FakeOpenAIThread
from tests.support.gateway_process import GatewayProcess, Keys, merged

CHAT: Final = "/v1/chat/completions"
EMBEDDINGS: Final = "/v1/embeddings"
MODELS: Final = ("gpt-5", "gpt-5.4-mini", "gpt-6-luna")
UNPRICED: Final = "gpt-6.2-astra-law"
WORKERS: Final = 8

type Act = Callable[[RawH1, str], None]


def config(keys: Mapping[str, Keys]) -> dict[str, Any]:
    """Two teams; limits and budgets that this traffic comes near to."""
    return {
        "keys": {
            "mappings": [
                {
                    "name": name,
                    "production": [f"env:{name.upper()}_PRODUCTION"],
                    "staging": f"env:{name.upper()}_STAGING",
                }
                for name in keys
            ]
        },
        "limits": {
            "rules": [
                {"name": "search", "match": {"key": "search"}, "per": ["key", "model"],
                 "rpm": 45, "tpm": 300_000},
                {"name": "at-once", "per": ["key"], "concurrency": 20},
                {"name": "all", "rpm": 900},
            ]
        },
        "budgets": [
            {"name": "staging", "usd": 40, "period": "day"},
            {"name": "search", "usd": 1.2, "period": "hour", "match": {"key": "search"}},
            {"name": "trial", "usd": 100, "period": "total"},
        ],
        "leaks": {"responses": "report"},
    }  # fmt: skip


def environment(keys: Mapping[str, Keys]) -> dict[str, str]:
    return {
        f"{name.upper()}_{kind}": value
        for name, pair in keys.items()
        for kind, value in (("PRODUCTION", pair.production), ("STAGING", pair.staging))
    }


class Traffic:
    """Calls of a few clients at once until the time is over."""

    def __init__(
        self, gateway: GatewayProcess, fake: FakeOpenAIThread, keys: Mapping[str, Keys], secret: str
    ) -> None:
        self.gateway, self.fake, self.keys, self.secret = gateway, fake, keys, secret
        self.chance = random.Random(8)  # noqa: S311 - a picture, not a key
        self.began = time.monotonic()

    def run(self, seconds: float) -> None:
        workers = [threading.Thread(target=self._work, args=(seconds,)) for _ in range(WORKERS)]
        for worker in workers:
            worker.start()
        self._reload_after(seconds * 0.45, {"log": {"bodies_retention_days": 2}})
        self._reload_after(seconds * 0.25, {"no_such_field": 1})
        self._reload_after(seconds * 0.08, {})
        for worker in workers:
            worker.join()

    def _reload_after(self, seconds: float, change: dict[str, Any]) -> None:
        time.sleep(seconds)
        self.gateway.reload(merged(self.gateway.config, change))

    def _work(self, seconds: float) -> None:
        acts: tuple[tuple[Act, float], ...] = (
            (self._chat, 52), (self._stream, 26), (self._embed, 12), (self._unpriced, 1),
            (self._fault, 3), (self._unknown, 2), (self._leak, 1), (self._answered, 1),
            (self._production, 0.4), (self._break_off, 1.5),
        )  # fmt: skip
        doing, shares = zip(*acts, strict=True)
        while (spent := time.monotonic() - self.began) < seconds:
            (act,) = self.chance.choices(doing, shares)
            name = "search" if self.chance.random() < 0.35 else "shop"
            with RawH1(self.gateway.way.tls()) as client:
                act(client, self.keys[name].production)
            busy = 0.35 < spent / seconds < 0.7
            time.sleep(self.chance.uniform(0.02, 0.1 if busy else 0.5))

    def _answer(self, **more: Any) -> None:
        """How long OpenAI takes for the next answer, and what it counts."""
        used = int(self.chance.lognormvariate(7.5, 0.6))
        told = {
            "prompt_tokens": used,
            "completion_tokens": used // 3,
            "total_tokens": used + used // 3,
            "prompt_tokens_details": {"cached_tokens": used // 128 * 64},
            "completion_tokens_details": {"reasoning_tokens": used // 6},
        }
        wait = min(2.5, self.chance.lognormvariate(-1.6, 0.7))
        effects = {"delay_s": wait, "patch": {"usage": told}, "times": 1, **more}
        self.fake.knobs.add(CHAT, **effects)

    def _body(self, content: str = "Hello", **more: Any) -> bytes:
        model = self.chance.choices(MODELS, (1, 5, 3))[0]
        asked = {"model": model, "messages": [{"role": "user", "content": content}], **more}
        return json.dumps(asked).encode()

    def _chat(self, client: RawH1, key: str) -> None:
        self._answer()
        client.call("POST", CHAT, key, self._body())

    def _stream(self, client: RawH1, key: str) -> None:
        self._answer(event_delay_s=0.02, events=20)
        client.call("POST", CHAT, key, self._body(stream=True))

    def _embed(self, client: RawH1, key: str) -> None:
        asked = {"model": "text-embedding-3-small", "input": "one two three"}
        client.call("POST", EMBEDDINGS, key, json.dumps(asked).encode())

    def _unpriced(self, client: RawH1, key: str) -> None:
        client.call("POST", CHAT, key, self._body(model=UNPRICED))

    def _fault(self, client: RawH1, key: str) -> None:
        status, code = self.chance.choice(((500, "server_error"), (429, "rate_limit_exceeded")))
        self._answer(status=status, body=json.dumps({"error": {"code": code}}).encode())
        client.call("POST", CHAT, key, self._body())

    def _break_off(self, client: RawH1, key: str) -> None:
        self._answer(fail="reset", at="body", after_events=3)
        client.call("POST", CHAT, key, self._body(stream=True))

    def _unknown(self, client: RawH1, key: str) -> None:
        del key
        client.call("POST", CHAT, "sk-proj-" + "FAKE" * 12, self._body())

    def _leak(self, client: RawH1, key: str) -> None:
        client.call("POST", CHAT, key, self._body(f"why does {self.secret} not work?"))

    def _answered(self, client: RawH1, key: str) -> None:
        self._answer(text=f"Try {self.secret}.")
        client.call("POST", CHAT, key, self._body())

    def _production(self, client: RawH1, key: str) -> None:
        client.call("POST", CHAT, key, self._body(f"my key is {key}"))
