"""The store that several gateways share: one Lua script a question, on Redis' own clock.

The script is bucket.lua; here are its keys, its numbers and the connections. This is the one
module that knows redis-py.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import Any, Final, cast

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisClusterException, RedisError

from openai_gateway.config.store_url import Address, Login
from openai_gateway.limits.bucket import (
    LEASE_US,
    PERIODS_US,
    SECOND_US,
    Admitted,
    place_state,
    state,
)
from openai_gateway.limits.limit import Admission, Charge, Limit, State, StoreFault

BUCKET_LUA: Final = Path(__file__).with_name("bucket.lua").read_text(encoding="utf-8")
# redis-py's own pools refuse a call beyond their size, or grow without end. As many as limits and
# budgets ask at once, together: who waits for a connection would be taken for unanswered.
CONNECTIONS: Final = 32
# A backstop for whoever asks without a limit of time; limits/failing.py has the real one.
SOCKET_S: Final = 5.0
# Where there is another host to ask: the probe of limits/failing.py must come past a silent one.
NEXT_HOST_S: Final = 1.0
LONGEST_NAME: Final = 200
# Beside its own errors redis-py lets through what a transport says that was closed under it.
FAULTS: Final = (
    RedisError, RedisClusterException, OSError, EOFError, ValueError, RuntimeError,
)  # fmt: skip


class Scripts:
    """Runs Lua on one Redis, whichever way it is reached. Makes no connection before the first."""

    def __init__(self, address: Address) -> None:
        self._client, self._clients = _clients(address)
        self._passwords = [password.reveal() for password in address.passwords]
        self._turns = asyncio.Semaphore(CONNECTIONS)
        self._digests: dict[str, str] = {}

    async def run(self, script: str, keys: Sequence[bytes], arguments: Sequence[str | int]) -> Any:
        """What the script returns. All keys must hold one hash tag: a cluster keeps them together.

        Never asked twice: a script that was lost on its way may have run.
        Raises: StoreFault.
        """
        digest = self._digests.get(script)
        if digest is None:
            # not for safety: it is the name that Redis itself gives to a script
            digest = hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()
            self._digests[script] = digest
        try:
            async with self._turns:
                try:
                    return await self._ask("EVALSHA", digest, len(keys), *keys, *arguments)
                except NoScriptError:
                    return await self._ask("EVAL", script, len(keys), *keys, *arguments)
        except FAULTS as error:
            raise StoreFault(self._said(error)) from error

    async def close(self) -> None:
        """Closes the connections."""
        for client in self._clients:
            await client.aclose()

    def _ask(self, *command: bytes | str | int) -> Awaitable[Any]:
        return cast(Awaitable[Any], self._client.execute_command(*command))

    def _said(self, error: Exception) -> str:
        text = f"{type(error).__name__}: {error}"
        for password in self._passwords:
            text = text.replace(password, "…")
        return text


class RedisStore:
    """The buckets that all gateways of an environment share."""

    def __init__(self, scripts: Scripts, environment: str, script: str = BUCKET_LUA) -> None:
        self._scripts = scripts
        self._prefix = f"{{gw}}:{environment}:"
        self._script = script
        self._renewing: set[str] = set()
        self._ended: set[str] = set()

    async def take(self, charges: Sequence[Charge], lease: str) -> Admission:
        """All or nothing.

        Raises: StoreFault, here as in every question.
        """
        limits = [charge.limit for charge in charges]
        answer = await self._ask("take", limits, lease, [charge.amount for charge in charges])
        at = answer[1] + answer[2] / SECOND_US
        if answer[0] == 1:
            return Admitted(charges, _used(limits, answer), at)
        asked = [charge.amount for charge in charges]
        return Admission(False, _states(limits, asked, answer), at)

    async def adjust(self, charges: Sequence[Charge], lease: str = "") -> None:
        """Corrects buckets both ways; a place of concurrency is no amount."""
        corrected = [charge for charge in charges if charge.limit.kind != "concurrency"]
        if corrected:
            amounts = [charge.amount for charge in corrected]
            await self._ask("adjust", [charge.limit for charge in corrected], lease, amounts)

    async def renew(self, limits: Sequence[Limit], lease: str) -> None:
        """Keeps the places of a call that still runs."""
        limits = _places(limits)
        self._renewing.add(lease)
        try:
            await self._ask("renew", limits, lease)
        finally:
            self._renewing.discard(lease)
            ended = lease in self._ended
            self._ended.discard(lease)
        if ended:
            # another connection may have overtaken this one, and the place been taken again
            await self._ask("release", limits, lease)

    async def release(self, limits: Sequence[Limit], lease: str) -> None:
        """Frees the places of a call that has ended."""
        if lease in self._renewing:
            self._ended.add(lease)
        await self._ask("release", _places(limits), lease)

    async def peek(self, limits: Sequence[Limit]) -> tuple[State, ...]:
        """What is left."""
        answer = await self._ask("peek", limits, "")
        return _states(limits, [0] * len(limits), answer)

    async def close(self) -> None:
        """Closes the connections."""
        await self._scripts.close()

    async def _ask(
        self, question: str, limits: Sequence[Limit], lease: str, asked: Sequence[int] = ()
    ) -> list[int]:
        if not limits:
            return [1, 0, 0]
        numbers: list[str | int] = [question, lease, LEASE_US]
        for place, limit in enumerate(limits):
            period = PERIODS_US.get(limit.kind, 0)
            numbers += (period, limit.amount, asked[place] if asked else 0)
        keys = [self._key(limit) for limit in limits]
        return cast(list[int], await self._scripts.run(self._script, keys, numbers))

    def _key(self, limit: Limit) -> bytes:
        """A name that a client made up may be long, or no text that UTF-8 could hold."""
        name = limit.bucket.encode("utf-8", "surrogatepass")
        if len(name) > LONGEST_NAME:
            name = hashlib.sha256(name).hexdigest().encode()
        return f"{self._prefix}{limit.kind}:".encode() + name


def _places(limits: Sequence[Limit]) -> Sequence[Limit]:
    return [limit for limit in limits if limit.kind == "concurrency"]


def _used(limits: Sequence[Limit], answer: Sequence[int]) -> list[int]:
    """In bucket.py's units; of a limit of concurrency the places that are held."""
    numbers = zip(limits, answer[3::2], answer[4::2], strict=True)
    return [
        whole * PERIODS_US[limit.kind] + rest if limit.kind in PERIODS_US else whole
        for limit, whole, rest in numbers
    ]


def _states(
    limits: Sequence[Limit], asked: Sequence[int], answer: Sequence[int]
) -> tuple[State, ...]:
    numbers = zip(answer[3::2], answer[4::2], strict=True)
    found = []
    for limit, amount, (whole, rest) in zip(limits, asked, numbers, strict=True):
        period = PERIODS_US.get(limit.kind)
        if period is None:
            found.append(place_state(limit, whole, rest, amount))
        else:
            found.append(state(limit, whole * period + rest, amount))
    return tuple(found)


def _clients(address: Address) -> "tuple[Redis | RedisCluster, list[Redis | RedisCluster]]":
    """The one to ask, and all that there are to close."""
    if address.topology == "cluster":
        nodes = [ClusterNode(host, port) for host, port in address.hosts]
        settings = _settings(address, address.login, NEXT_HOST_S)
        cluster = RedisCluster(startup_nodes=nodes, **settings)
        return cluster, [cluster]
    settings = _settings(address, address.login, SOCKET_S)
    if address.topology == "single":
        host, port = address.hosts[0]
        single = Redis(host=host, port=port, db=address.db, **settings)
        return single, [single]
    sentinels = Sentinel(  # type: ignore[no-untyped-call]  # redis-py left its types out
        address.hosts,
        sentinel_kwargs=_settings(address, address.sentinel_login, NEXT_HOST_S),
        db=address.db,
        **settings,
    )
    master = cast(Redis, sentinels.master_for(address.service))
    return master, [master, *sentinels.sentinels]


def _settings(address: Address, login: Login, silent_s: float) -> dict[str, Any]:
    """The same for every kind: no retries, as a question must not be asked twice; RESP2, which
    old servers and proxies speak too."""
    settings: dict[str, Any] = {
        "username": login.user,
        "password": login.password.reveal() if login.password else None,
        "protocol": 2,
        "retry": Retry(NoBackoff(), 0),
        "socket_timeout": silent_s,
        "socket_connect_timeout": silent_s,
    }
    return settings | ({"ssl": True, **address.tls_files} if address.tls else {})
