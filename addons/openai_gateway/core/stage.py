"""What the corridor asks of a stage: a name, a time limit, and one question."""

from collections.abc import Awaitable
from typing import Protocol

from openai_gateway.core.call import Call
from openai_gateway.core.verdict import Changed, Verdict


class Stage(Protocol):
    """One room of the corridor. It may change `call.request`; it never knows another room.

    `check` may be plain or async. An async one is cut off after `limit_s` seconds, and the call
    refused: a stage that waits longer on purpose says so by its own limit.
    """

    @property
    def name(self) -> str: ...

    @property
    def limit_s(self) -> float: ...

    def check(self, call: Call) -> Verdict | Awaitable[Verdict]: ...


class Message(Protocol):
    """A stage that also judges what goes over an open WebSocket, whole messages at a time.

    Not `whole`: the seam between a message and what went before it, of which nothing can be
    replaced any more.
    """

    def message(self, call: Call, content: bytes, *, whole: bool = True) -> Verdict | Changed: ...
