"""`budgets` and `budgets raise` beside gateways that share a Redis: what one says, all see."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from openai_gateway.budgets.store import Account, Ask, Bill
from openai_gateway.cli.budgets import budgets
from openai_gateway.config.store_url import parse
from tests.budgets.rig import USD, HandClock, Rig, budget
from tests.support.call_log import write

pytest.importorskip("redis", reason="redis (extra [redis]) is not installed")

from openai_gateway.budgets.redis import RedisSpend
from openai_gateway.limits.redis import Scripts

ACCOUNT = Account("team", "total", 0, None)


@pytest.fixture
def folder(server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_GATEWAY_CONFIG", raising=False)
    text = (
        "keys: {}\nenvironment: production\nlimits: {store: 'URL'}\n"
        "budgets: [{name: team, usd: 5, period: total}]\n"
    )
    (tmp_path / "gateway.yaml").write_text(text.replace("URL", server.url))
    write(tmp_path, [])
    return tmp_path


def now() -> HandClock:
    clock = HandClock()
    clock.at = time.time()
    return clock


def run(*arguments: str) -> Any:
    result = CliRunner().invoke(budgets, arguments)
    assert result.exit_code == 0, result.output
    return result


async def told(server: Any, *work: Any) -> None:
    """Whatever gateways of the environment `production` do with the store."""
    scripts = Scripts(parse(server.url))
    try:
        for one in work:
            await one(RedisSpend(scripts, "production"))
    finally:
        await scripts.close()


def test_what_is_reserved_and_raised_is_read_from_the_store(server: Any, folder: Path) -> None:
    del folder

    async def spends(store: RedisSpend) -> None:
        await store.reserve([Ask(ACCOUNT, USD, None)], "a")
        await store.settle([Bill(ACCOUNT, USD // 2, 0, (("0.5", 1),))], "a")
        await store.reserve([Ask(ACCOUNT, 2 * USD, None)], "b")

    asyncio.run(told(server, spends))
    (found,) = json.loads(run("--json").stdout)
    assert (found["spent_nano_usd"], found["reserved_nano_usd"]) == (USD // 2, 2 * USD)
    assert (found["remaining_nano_usd"], found["percent"]) == (2_500_000_000, 10.0)
    assert (found["alerts_sent"], found["environment"]) == ([0.5], "production")
    assert "  reserved   $2.00\n" in run().stdout
    assert "known to the running gateway alone" not in run().stdout


def test_a_raise_reaches_gateways_that_share_nothing_but_the_store(
    server: Any, folder: Path
) -> None:
    del folder
    seen: list[int] = []

    async def looks(store: RedisSpend) -> None:
        rig = Rig(budget(usd=5, period="total"), store=store, clock=now())
        await rig.ledger.tick()
        seen.append(rig.status()[0].limit)

    asyncio.run(told(server, looks))
    run("raise", "team", "--to", "8", "--until", "1h")
    asyncio.run(told(server, looks))
    (found,) = json.loads(run("--json").stdout)
    assert found["limit_nano_usd"] == 8 * USD
    run("raise", "team", "--end")
    asyncio.run(told(server, looks))
    assert seen == [5 * USD, 8 * USD, 5 * USD]
    assert len(json.loads(run("--changes", "--json").stdout)) == 2
