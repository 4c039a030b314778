"""The real gateway with faults planted in it, for `mitmdump -s`: what fails, and how, is read from
the file that FAULT_FILE names, at every call. Its text is `PLACE HOW`, for instance
`keys.identify raise` or `hook:request cancel`; an empty file plants nothing.
"""

import asyncio
import dataclasses
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from openai_gateway.accounting.meter import Meter
from openai_gateway.chain import Chain, build
from openai_gateway.config.load import Loaded
from openai_gateway.core.call import Call
from openai_gateway.core.stage import Stage
from openai_gateway.core.verdict import PASS, Verdict
from openai_gateway.host import streams
from openai_gateway.host.addon import gateway
from openai_gateway.host.upkeep import Upkeep
from openai_gateway.keys.tripwire import TripwireStage
from openai_gateway.leaks.answers.answers import AnswerScan
from openai_gateway.rulebook import Rulebook
from openai_gateway.services import Services
from openai_gateway.telemetry.metrics import Metrics

FAULT_FILE = Path(os.environ["FAULT_FILE"])


def planted(place: str) -> str | None:
    """How `place` is to fail now, if it is."""
    words = FAULT_FILE.read_text().split()
    return words[1] if len(words) == 2 and words[0] == place else None


def throw(how: str) -> None:
    if how == "raise":
        raise ValueError("planted")
    if how == "cancel":
        raise asyncio.CancelledError
    if how == "exit":
        raise SystemExit(3)


class Faulty:
    """A stage that fails when it is told to, and is itself otherwise."""

    limit_s = 0.3

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.name = stage.name

    def check(self, call: Call) -> Verdict | Awaitable[Verdict]:
        how = planted(self.name)
        if how is None:
            return self.stage.check(call)
        throw(how)
        if how == "hang":
            return self._hang()
        if how == "twice":
            return (PASS, PASS)  # type: ignore[return-value]  # that is the fault
        return None  # type: ignore[return-value]  # that is the fault

    async def _hang(self) -> Verdict:
        await asyncio.sleep(3600)
        return PASS


def make(loaded: Loaded, rules: Rulebook, services: Services) -> Chain:
    chain = build(loaded, rules, services)
    return dataclasses.replace(chain, stages=tuple(Faulty(stage) for stage in chain.stages))


def plant(owner: Any, method: str, place: str) -> None:
    """Makes one method fail where the file says so."""
    real: Callable[..., Any] = getattr(owner, method)

    def wrapped(*given: Any) -> Any:
        how = planted(place)
        if how is not None:
            throw(how)
        return real(*given)

    setattr(owner, method, wrapped)


HOOKS = {
    "http_connect": ("connections", "connect"),
    "http_connect_upstream": ("connections", "connect_upstream"),
    "server_connect": ("connections", "dial"),
    "client_connected": ("connections", "connected"),
    "next_layer": ("connections", "next_layer"),
    "requestheaders": ("dispatcher", "open"),
    "request": ("dispatcher", "decide"),
    "responseheaders": ("answers", "answered"),
    "response": ("answers", "done"),
    "error": ("answers", "broken"),
    "websocket_message": ("sockets", "message"),
}

DEEP = (
    (streams.Relay, "__call__", "hook:stream"),
    (TripwireStage, "message", "tripwire:message"),
    (Upkeep, "_reload", "upkeep:reload"),
    (Meter, "settle", "books:settle"),
    (Metrics, "record", "books:metrics"),
    (AnswerScan, "whole", "answer:whole"),
    (AnswerScan, "feed", "answer:feed"),
)


def slow_start(made: Any) -> None:
    """Holds the start while the file says `hook:running wait`: the port is open by then."""
    real = made.running

    async def running() -> None:
        while planted("hook:running") == "wait":  # noqa: ASYNC110  # another process clears it
            await asyncio.sleep(0.02)
        await real()

    made.running = running


def faulty() -> Any:
    made = gateway(make)
    slow_start(made)
    for hook, (owner, method) in HOOKS.items():
        plant(getattr(made, owner), method, f"hook:{hook}")
    for owner, method, place in DEEP:
        plant(owner, method, place)
    return made


addons = [faulty()] if __name__.startswith("__mitmproxy_script__") else []
