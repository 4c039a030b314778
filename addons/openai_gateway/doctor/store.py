"""Whether the store that limits and budgets share answers, runs our script, and forgets nothing."""

import asyncio
import time
from typing import Final

from openai_gateway.config.model import Config
from openai_gateway.config.store_url import MEMORY, StoreUrlFault, parse
from openai_gateway.doctor.finding import Part, Told, told, unknown
from openai_gateway.doctor.site import Site
from openai_gateway.limits.limit import Limit, StoreFault
from openai_gateway.limits.stores import Scripts as Runs

WAIT_S: Final = 3.0
SLOW_MS: Final = 50.0
TURNS: Final = 5
# the gateway's own script is asked by `peek`; these tell what it cannot
_ABOUT: Final = """
local now = redis.call('TIME')
local info = redis.pcall('INFO', 'memory')
local text = type(info) == 'string' and info or ''
return {now[1], now[2], string.match(text, 'maxmemory_policy:([%w-]+)') or ''}
"""
_KEYS: Final = [b"{gw}:doctor"]
_REACH: Final = "limits.store names it: is it up, and are its name, password and TLS right?"
_EVICTS: Final = "set maxmemory-policy noeviction: what it evicts is limits and budgets"


def look(site: Site) -> Told:
    """In memory there is nothing to ask."""
    if site.config is None:
        return unknown(("store",), "gateway.yaml cannot be used", "see `configuration`")
    limits = site.config.limits
    if limits.store.secret.reveal() == MEMORY:
        if limits.instances == 1:
            return told("store", [Part("pass", "memory: this process's own buckets")])
        text = f"memory, but limits.instances is {limits.instances}: each has buckets of its own"
        return told("store", [Part("warn", text, "name a Redis in limits.store")])
    try:
        return asyncio.run(_asked(site.config))
    except StoreUrlFault as error:
        return told("store", [Part("fail", str(error), _REACH)])
    except (StoreFault, TimeoutError, OSError) as error:
        text = f"{limits.store}: does not answer as it should ({_why(error)})"
        return told("store", [Part("fail", text, _REACH)])


def _why(error: Exception) -> str:
    """The first word alone, the error's name: what Redis says could hold anything."""
    return str(error).partition(":")[0] or type(error).__name__


async def _asked(config: Config) -> Told:
    """Raises: StoreUrlFault, StoreFault, TimeoutError."""
    address = parse(config.limits.store.secret.reveal())
    try:
        from openai_gateway.limits.redis import RedisStore, Scripts
    except ImportError as error:
        text = "Redis needs its driver; pip install 'openai-gateway[redis]'"
        raise StoreUrlFault(text) from error
    store = RedisStore(scripts := Scripts(address), config.environment)
    try:
        async with asyncio.timeout(WAIT_S):
            await store.peek([_nobody()])
            return await _told(str(config.limits.store), scripts)
    finally:
        await store.close()


async def _told(shown: str, scripts: Runs) -> Told:
    took: list[float] = []
    for _ in range(TURNS):
        began, wall = time.perf_counter(), time.time()
        seconds, micros, policy = await scripts.run(_ABOUT, _KEYS, [])
        took.append((time.perf_counter() - began) * 1000)
    ahead = int(seconds) + int(micros) / 1e6 - (wall + took[-1] / 2000)
    parts = [_speed(shown, sorted(took)[TURNS // 2]), _policy(policy)]
    return told("store", parts, {"Redis": ahead})


def _nobody() -> Limit:
    """A bucket that no call has: looking at it changes nothing."""
    return Limit("rpm", 1, "doctor", "doctor")


def _speed(shown: str, ms: float) -> Part:
    text = f"{shown} runs our scripts, a round trip takes {ms:.1f} ms"
    if ms < SLOW_MS:
        return Part("pass", text)
    return Part("warn", text, "put the store nearer: each call waits for it, 250 ms at the most")


def _policy(policy: bytes) -> Part:
    name = policy.decode("ascii", "replace") if policy else "not told"
    if name == "noeviction":
        return Part("pass", "evicts nothing")
    return Part("warn", f"maxmemory-policy is {name}", _EVICTS)
