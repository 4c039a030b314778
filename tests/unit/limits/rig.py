"""A gateway's limits put together on a virtual clock, over a memory store, plain or far away."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

from openai_gateway.api.endpoints import EndpointTable
from openai_gateway.config.load import read
from openai_gateway.content.body import read as read_body
from openai_gateway.core.call import Call, Request
from openai_gateway.core.usage import Usage
from openai_gateway.core.verdict import Verdict
from openai_gateway.limits.estimate import Recent
from openai_gateway.limits.failing import StoreUnavailable
from openai_gateway.limits.limit import Admission, Charge, Limit, State, Store
from openai_gateway.limits.memory import Memory
from openai_gateway.limits.rulings import Facts, Rulings
from openai_gateway.limits.settle import Settlement
from openai_gateway.limits.stage import Limits, Shared
from openai_gateway.limits.waiting import Waiting
from tests.unit.limits.test_rulings import ENV
from tests.unit.limits.virtual import VirtualClock

TABLE = EndpointTable.load(Path("rules/endpoints.yaml"))
JSON = (b"content-type", b"application/json")


class Far:
    """A memory store that answers a while later, as one elsewhere does; silent while `away`."""

    def __init__(self, near: Memory, delay_s: float = 0.01) -> None:
        self.near = near
        self.delay_s = delay_s
        self.away = False
        self.renewed: list[str] = []

    async def _answer[T](self, said: T) -> T:
        await asyncio.sleep(self.delay_s)
        if self.away:
            raise StoreUnavailable
        return said

    async def take(self, charges: Sequence[Charge], lease: str) -> Admission:
        await self._answer(None)
        return self.near.take(charges, lease)

    async def adjust(self, charges: Sequence[Charge], lease: str = "") -> None:
        await self._answer(None)
        self.near.adjust(charges, lease)

    async def renew(self, limits: Sequence[Limit], lease: str) -> None:
        self.renewed.append(lease)
        await self._answer(None)
        self.near.renew(limits, lease)

    async def release(self, limits: Sequence[Limit], lease: str) -> None:
        await self._answer(None)
        self.near.release(limits, lease)

    async def peek(self, limits: Sequence[Limit]) -> tuple[State, ...]:
        return await self._answer(self.near.peek(limits))

    async def close(self) -> None:
        return


class Rig:
    def __init__(self, clock: VirtualClock, limits: str, *, far: bool = False) -> None:
        self.clock = clock
        self.memory = Memory(clock)
        self.far = Far(self.memory)
        store: Store = self.far if far else self.memory
        self.waiting = Waiting(clock)
        self.recent = Recent()
        self.settlement = Settlement(store, self.recent, self.waiting)
        loaded = read(f"keys: {{}}\nlimits:\n{limits}", ENV)
        self.rulings = Rulings(loaded.config.limits, loaded.where)
        shared = Shared(store, self.settlement, self.waiting, self.recent, clock)
        self.stage = Limits(loaded.config.limits, self.rulings, shared, "staging")

    async def asks(self, call: Call) -> Verdict:
        """The stage's verdict, as the corridor takes it: whatever passes has left."""
        said = self.stage.check(call)
        verdict = await said if asyncio.iscoroutine(said) else said
        call.admitted = True
        return verdict

    async def remaining(self) -> dict[str, int]:
        """What is left in the buckets of a chat."""
        limits = self.rulings.of(Facts("default", "gpt-5-mini", "ci", "chat.create")).limits
        return {state.limit.kind: state.remaining for state in self.memory.peek(limits)}


def chat(**body: object) -> Call:
    """A chat of 6 input tokens (8 bytes are 2, and 4 for the message) and `max_tokens` of 94."""
    asked = {"messages": [{"role": "user", "content": "Hello!!!"}], "max_tokens": 94} | body
    return posted("/v1/chat/completions", asked)


def posted(path: str, body: object) -> Call:
    data = json.dumps(body).encode()
    call = Call(Request("POST", "api.openai.com", path.encode(), [JSON], data))
    call.content = read_body([JSON], data, 2**26)
    row = TABLE.match("POST", path.encode())
    if row is not None:
        call.endpoint, call.route = row.name, row
    call.key, call.client, call.model_requested = "default", "ci", "gpt-5-mini"
    return call


def used(tokens_in: int, tokens_out: int, source: str = "reported") -> Usage:
    return Usage(
        input_tokens=tokens_in,
        output_tokens=tokens_out,
        total_tokens=tokens_in + tokens_out,
        source=source,  # type: ignore[arg-type]  # a word of Source
    )
