"""The spend that many gateways share: one script a question in Redis, all or nothing, by its clock.

How Redis is reached is none of its business: it is handed a runner of scripts.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from itertools import batched
from pathlib import Path
from typing import Any, Final, Protocol

import orjson

from openai_gateway.budgets.memory import KEPT_S, LEASE_S
from openai_gateway.budgets.store import (
    Account,
    Ask,
    Balance,
    Bill,
    Override,
    Reserved,
    Settled,
    Unavailable,
)

SPEND_LUA: Final = Path(__file__).with_name("spend.lua").read_text(encoding="utf-8")
# In slices: an event loop that was busy for a second has not waited a second for the store.
ANSWER_S: Final = 0.25
SLICES: Final = 5
# Fewer than there are connections: whoever waits for one must not be taken for unanswered.
AT_ONCE: Final = 16
RENEWED_AT_ONCE: Final = 500
SILENT: Final = "the store of the budgets does not answer"

type Args = list[str | int]

_LEASE_MS: Final = str(LEASE_S * 1000)


class Scripts(Protocol):
    """What runs a script in Redis; limits/redis.py has one."""

    async def run(self, script: str, keys: list[bytes], arguments: list[str | int]) -> Any:
        """What the script returns."""
        ...


class RedisSpend:
    """A SpendStore in Redis; see spend.lua. No question waits longer than ANSWER_S."""

    shared: Final = True

    def __init__(
        self,
        scripts: Scripts,
        environment: str,
        faults: tuple[type[Exception], ...] = (OSError,),
        failed: Callable[[], None] = lambda: None,
    ) -> None:
        """`faults`: what `scripts` raises where Redis does not answer; `failed` counts them."""
        self._scripts = scripts
        self._prefix = f"{{gw}}:{environment}:budget"
        self._faults: tuple[type[Exception], ...] = (TimeoutError, *faults)
        self._failed = failed
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._silent_at = 0.0

    async def reserve(self, asks: Sequence[Ask], lease: str) -> Reserved:
        args: Args = ["reserve", lease, _LEASE_MS]
        for account, amount, limit, floor in asks:
            told = "-" if limit is None else str(limit)
            args += (str(amount), told, str(floor), _forgotten(account))
        answer = await self._of([ask.account for ask in asks], args)
        balances = tuple(_balance(*told) for told in batched(answer[1:], 3))
        return Reserved(answer[0] == b"1", balances)

    async def settle(
        self, bills: Sequence[Bill], lease: str, again: bool = False
    ) -> tuple[Settled, ...]:
        args: Args = ["settle", lease, "1" if again else "0"]
        for account, amount, floor, thresholds in bills:
            args += (str(amount), str(floor), _forgotten(account), str(len(thresholds)))
            for share, reached_by in thresholds:
                args += (share, str(reached_by))
        answer = await self._of([bill.account for bill in bills], args)
        return tuple(
            Settled(_balance(spent, used, alerted), _shares(reached))
            for spent, used, alerted, reached in batched(answer, 4)
        )

    async def keep(self, accounts: Sequence[Account], lease: str, name: str, for_s: int) -> None:
        await self._of(accounts, ["keep", lease, name, str(for_s * 1000)])

    async def renew(self, leases: Mapping[str, Sequence[Account]]) -> None:
        places: dict[Account, str] = {}
        said: list[tuple[str, str]] = []
        for lease, accounts in leases.items():
            for account in accounts:
                said.append((places.setdefault(account, str(len(places) + 1)), lease))
        keys = [self._leases(account) for account in places]
        for some in batched(said, RENEWED_AT_ONCE):
            args: Args = ["renew", _LEASE_MS]
            for one in some:
                args += one
            await self._ask(keys, args)

    async def read(self, accounts: Sequence[Account]) -> tuple[Balance, ...]:
        answer = await self._of(accounts, ["read"]) if accounts else ()
        return tuple(_balance(*told) for told in batched(answer, 3))

    async def override(self, said: Override) -> None:
        told = orjson.dumps([said.budget, said.limit, said.until, said.by, said.at]).decode()
        await self._ask([self._overrides], ["override", said.budget, told])

    async def overrides(self) -> tuple[Override, ...]:
        answer = await self._ask([self._overrides], ["overrides"])
        return tuple(one for told in answer if (one := _override(told)) is not None)

    async def _of(self, accounts: Sequence[Account], args: Args) -> Sequence[bytes]:
        keys: list[bytes] = []
        for account in accounts:
            keys += (self._book(account), self._leases(account))
        return await self._ask(keys, args)

    async def _ask(self, keys: list[bytes], args: Args) -> Sequence[bytes]:
        """The time limit is for the answer alone. Many that come at once take turns, and all who
        wait for theirs give up with the first that got none."""
        loop = asyncio.get_running_loop()
        came_at = loop.time()
        async with self._turns:
            if self._silent_at >= came_at:
                raise Unavailable(SILENT)
            try:
                return await self._answer(keys, args)
            except self._faults as error:
                self._silent_at = loop.time()
                self._failed()
                raise Unavailable(SILENT) from error

    async def _answer(self, keys: list[bytes], args: Args) -> Sequence[bytes]:
        """Raises: TimeoutError, and what the scripts raise."""
        asking = asyncio.ensure_future(self._scripts.run(SPEND_LUA, keys, args))
        try:
            for _ in range(SLICES):
                if (await asyncio.wait((asking,), timeout=ANSWER_S / SLICES))[0]:
                    answer: Sequence[bytes] = asking.result()
                    return answer
            raise TimeoutError
        finally:
            asking.cancel()

    @property
    def _overrides(self) -> bytes:
        return f"{self._prefix}:overrides".encode()

    def _book(self, account: Account) -> bytes:
        return f"{self._prefix}:{account.budget}:{account.period}:{account.start}".encode()

    def _leases(self, account: Account) -> bytes:
        return self._book(account) + b":leases"


def _forgotten(account: Account) -> str:
    """When Redis may forget the account; `0`: never."""
    return "0" if account.end is None else str(account.end + KEPT_S)


def _override(told: bytes) -> Override | None:
    """None where somebody else wrote it: what cannot be read raises nothing, and stops no tick."""
    try:
        budget, limit, until, by, at = orjson.loads(told)
    except (ValueError, TypeError):
        return None
    fits = isinstance(budget, str) and isinstance(limit, int) and isinstance(by, str)
    timed = isinstance(until, int | float) and isinstance(at, int | float)
    return Override(budget, limit, until, by, at) if fits and timed else None


def _balance(spent: bytes, used: bytes, alerted: bytes) -> Balance:
    return Balance(int(spent), int(used) - int(spent), frozenset(_shares(alerted)))


def _shares(told: bytes) -> tuple[str, ...]:
    return tuple(share for share in told.decode().split(",") if share)
