"""What a step is: the application's own code, and proofs from what OpenAI really received."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Self

from tests.support.fake_openai import FakeOpenAIThread, Received
from tests.support.gateway_process import GatewayProcess
from tests.support.gateway_settings import Keys
from tests.support.relay import Asked


@dataclass(frozen=True, slots=True)
class Proof:
    """One claim of the story, what was expected for it, and what happened."""

    claim: str
    holds: bool
    expected: str
    happened: str

    @classmethod
    def same(cls, claim: str, expected: object, happened: object) -> Self:
        return cls(claim, expected == happened, _words(expected), _words(happened))


def _words(value: object) -> str:
    return (", ".join(map(str, value)) or "nothing") if isinstance(value, list) else str(value)


@dataclass(frozen=True, slots=True)
class Scene:
    """What one step saw: what the application printed, what arrived at OpenAI, what was dialled.

    `fault` is what ended the application's code before its end, in words; empty where nothing did.
    """

    gateway: GatewayProcess
    fake: FakeOpenAIThread
    keys: Keys
    said: list[str]
    fault: str
    arrived: list[Received]
    dialled: list[Asked]

    def heard(self, number: int = 0) -> str:
        """A line of the application's output; the fault where it did not come so far."""
        return self.said[number] if number < len(self.said) else self.fault or "nothing"

    @property
    def calls(self) -> list[str]:
        """The calls that arrived in this step."""
        return [f"{call.method} {call.path}" for call in self.arrived]

    @property
    def credentials(self) -> list[str]:
        """The Authorization headers that arrived in this step."""
        return [value for call in self.arrived for value in call.values("authorization")]

    @property
    def leaked(self) -> bool:
        """Whether the production key is in any byte that arrived since the story began."""
        return self.keys.production.encode() in self.fake.received_bytes()


type Check = Callable[[Scene], Iterator[Proof]]
type Prepare = Callable[[FakeOpenAIThread], None]
type Show = Callable[[Scene], list[str]]


def as_it_is(fake: FakeOpenAIThread) -> None:
    """Nothing to prepare."""
    del fake


@dataclass(frozen=True, slots=True)
class Step:
    """`code` is shown, then run as it is; `{production}` in `sent` is the key; `show` is a table.

    The first proof that does not hold ends the story, so later ones may rely on it.
    """

    title: str
    about: str
    check: Check
    code: str = ""
    sent: tuple[str, ...] = ()
    prepare: Prepare = as_it_is
    show: Show | None = None
