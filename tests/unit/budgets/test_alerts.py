"""One POST a threshold, three tries, counted once, in nobody's way."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import orjson
import pytest

from openai_gateway.budgets.alerts import BACKOFF_S, WAITING_MAX, Alerts, message
from openai_gateway.budgets.ledger import Reached
from openai_gateway.budgets.post import NotSent
from openai_gateway.budgets.rule import Rule
from openai_gateway.config.places import Proxy
from openai_gateway.core.secret import Secret
from tests.budgets.rig import USD

URL = "https://hooks.example/services/T000/SECRET"
PROXY = Proxy("http", "proxy.example", 3128, "http://proxy.example:3128")


class Counts(Counter[str]):
    def add(self, result: str, rows: int) -> None:
        self[result] += rows


class Hook:
    """A webhook that fails so many times, or hangs, and the pauses between."""

    def __init__(self, fails: int = 0) -> None:
        self.fails = fails
        self.got: list[bytes] = []
        self.urls: list[str] = []
        self.proxies: list[Proxy | None] = []
        self.pauses: list[float] = []
        self.hangs = False

    async def post(self, url: Secret, body: bytes, proxy: Proxy | None) -> None:
        self.urls.append(url.reveal())
        self.proxies.append(proxy)
        self.got.append(body)
        if self.hangs:
            await asyncio.Event().wait()
        if self.fails:
            self.fails -= 1
            raise NotSent("answered 500")

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(0)


def rule(*webhooks: str, period: str = "month") -> Rule:
    told = tuple(map(Secret, webhooks or (URL,)))
    return Rule("team", 25 * USD, period, "UTC", True, False, (0.8,), "", told)  # type: ignore[arg-type]


def reached(
    of: Rule | None = None, kept: Callable[[], bool] = lambda: True, end: int | None = 1_796_083_200
) -> Reached:
    return Reached(of or rule(), "0.8", 20_100_000_000, 25 * USD, end, kept)


def alerts(hook: Hook) -> tuple[Alerts, Counts]:
    counts = Counts()
    return Alerts(counts, "staging", PROXY, hook.post, hook.pause), counts


def test_the_message_is_what_the_contract_says() -> None:
    assert message(reached(), "staging") == {
        "text": (
            "Budget team (staging) has reached 0.8 times its limit: $20.10 of $25.00 in this "
            "month. It begins anew at 2026-12-01T00:00:00Z."
        ),
        "budget": "team",
        "threshold": 0.8,
        "spent_usd": 20.1,
        "limit_usd": 25.0,
        "period": "month",
        "resets_at": "2026-12-01T00:00:00Z",
        "environment": "staging",
    }
    endless = message(reached(rule(period="total"), end=None), "production")
    assert endless["resets_at"] is None
    assert str(endless["text"]).endswith("$20.10 of $25.00 in total. It has no end.")


async def test_a_threshold_is_one_post() -> None:
    hook = Hook()
    made, counts = alerts(hook)
    made.put(reached())
    await made.stop()
    assert [orjson.loads(body) for body in hook.got] == [message(reached(), "staging")]
    assert (counts, hook.pauses) == ({"sent": 1}, [])
    assert (hook.urls, hook.proxies) == ([URL], [PROXY])


async def test_a_proxy_that_changes_is_the_way_of_the_next_alert() -> None:
    hook = Hook()
    made, _ = alerts(hook)
    made.put(reached())
    await made.stop()
    made.proxy = None
    made.put(reached())
    await made.stop()
    assert hook.proxies == [PROXY, None]


async def test_each_webhook_gets_one_post_and_the_alert_is_counted_once() -> None:
    hook = Hook()
    made, counts = alerts(hook)
    made.put(reached(rule("https://a.example/", "https://b.example/", "https://a.example/")))
    await made.stop()
    assert sorted(hook.urls) == ["https://a.example/", "https://b.example/"]
    assert counts == {"sent": 1}


async def test_an_alert_that_one_webhook_never_took_has_failed_once() -> None:
    works, fails = Hook(), Hook(fails=3)
    counts = Counts()

    async def post(url: Secret, body: bytes, proxy: Proxy | None) -> None:
        await (works if url.reveal() == URL else fails).post(url, body, proxy)

    made = Alerts(counts, "staging", None, post, works.pause)
    made.put(reached(rule(URL, "https://b.example/")))
    await made.stop()
    assert (len(works.got), len(fails.got), counts) == (1, 3, {"failed": 1})


@pytest.mark.parametrize(("fails", "result"), [(1, "sent"), (2, "sent"), (3, "failed")])
async def test_it_is_tried_three_times_and_counted_once(fails: int, result: str) -> None:
    hook = Hook(fails)
    made, counts = alerts(hook)
    made.put(reached())
    await made.stop()
    assert (len(hook.got), counts) == (min(fails + 1, 3), {result: 1})
    assert hook.pauses == list(BACKOFF_S[:fails])


async def test_it_waits_until_it_is_written_down_that_it_goes() -> None:
    hook = Hook()
    made, counts = alerts(hook)
    looks = iter([False, False, True])

    def kept() -> bool:
        assert not hook.got
        return next(looks)

    made.put(reached(kept=kept))
    await made.stop()
    assert (len(hook.pauses), counts) == (2, {"sent": 1})


async def test_a_database_that_is_dead_does_not_keep_it_back_for_good() -> None:
    hook = Hook()
    made, counts = alerts(hook)
    made.put(reached(kept=lambda: False))
    await made.stop()
    assert counts == {"sent": 1}
    assert 2.9 < sum(hook.pauses) < 3.2


async def test_a_webhook_that_hangs_holds_up_no_other_and_is_counted_at_the_end() -> None:
    hangs, works = Hook(), Hook()
    hangs.hangs = True
    hooks = iter([hangs, works])
    counts = Counts()

    async def post(url: Secret, body: bytes, proxy: Proxy | None) -> None:
        await next(hooks).post(url, body, proxy)

    made = Alerts(counts, "staging", None, post, works.pause)
    made.put(reached())
    made.put(reached())
    await made.stop(within_s=0.05)
    assert counts == {"sent": 1, "failed": 1}


async def test_what_waits_is_bounded_and_the_rest_counted() -> None:
    hook = Hook()
    hook.hangs = True
    made, counts = alerts(hook)
    for _ in range(WAITING_MAX + 3):
        made.put(reached())
    assert counts == {"failed": 3}
    await made.stop(within_s=0)
    assert counts == {"failed": WAITING_MAX + 3}


async def test_without_a_webhook_it_is_logged_alone(caplog: pytest.LogCaptureFixture) -> None:
    hook = Hook()
    made, counts = alerts(hook)
    with caplog.at_level(logging.WARNING, "openai_gateway"):
        made.put(reached(replace(rule(), webhooks=())))
        await made.stop()
    assert (hook.got, counts) == ([], {})
    assert "Budget team (staging) has reached 0.8 times its limit" in caplog.text


async def test_no_log_line_holds_the_url(caplog: pytest.LogCaptureFixture) -> None:
    made, _ = alerts(Hook(fails=3))
    with caplog.at_level(logging.DEBUG):
        made.put(reached())
        await made.stop()
    assert caplog.text.count("the webhook was not told (answered 500)") == 3
    assert "hooks.example" not in caplog.text
    assert "SECRET" not in caplog.text
