"""The line before a limit (`on_limit: wait`): first come first served for each bucket.

Only the first of a line asks the store again, when its wait is over or something was given back;
the others wait for its turn to end. So nobody overtakes, and nobody asks in vain. A call that goes
away, is refused or has waited long enough leaves its place at once.
"""

import asyncio
from bisect import insort
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from openai_gateway.core.clock import Clock
from openai_gateway.limits.limit import Admission, Charge, Limit, State
from openai_gateway.limits.messages import longest

type Take = Callable[[], Awaitable[Admission]]

MOST_WAITING: Final = 1000
"""In one line; who comes then is refused at once."""
MOST_IN_ALL: Final = 10_000


class Drained(Exception):
    """The gateway stops: whoever waited is let go."""


@dataclass(slots=True, eq=False)
class _Turn:
    """One waiting call. `stir` says that it is the first now, or should ask again before its time;
    `ready` is that time, 0 where it was told none; `told` is what it waits for."""

    number: int
    until: float
    ready: float = 0.0
    told: State | None = None
    line: str | None = None
    stir: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class _Line:
    """Never empty. `told` is what its first was last told of the bucket."""

    told: State
    turns: list[_Turn] = field(default_factory=list)


class Waiting:
    """All lines of one process."""

    __slots__ = ("_clock", "_drained", "_in_all", "_lines", "_most", "_numbers")

    def __init__(self, clock: Clock, most: int = MOST_WAITING) -> None:
        self._clock = clock
        self._most = most
        self._lines: dict[str, _Line] = {}
        self._numbers = count()
        self._in_all = 0
        self._drained = False

    def __len__(self) -> int:
        return self._in_all

    def line_of(self, charges: Iterable[Charge]) -> str | None:
        """The first of the call's buckets before which others wait already."""
        if not self._lines:
            return None
        names = (charge.limit.name for charge in charges if charge.amount)
        return next((name for name in names if name in self._lines), None)

    def nudge(self, limits: Iterable[Limit]) -> None:
        """Something was given back: the first of each line may come sooner than it was told."""
        for limit in limits if self._lines else ():
            line = self._lines.get(limit.name)
            if line is not None:
                line.turns[0].stir.set()

    def drain(self) -> None:
        """Lets everybody go who waits, and whoever comes later."""
        self._drained = True
        for line in self._lines.values():
            for turn in line.turns:
                turn.stir.set()

    async def waits(
        self, charges: Sequence[Charge], take: Take, said: Admission | None, max_wait_s: float
    ) -> Admission:
        """The admission, or the last refusal: the wait is over, would be too long, or too many are
        in line.

        `said`: the store's refusal, or None for a call that found a line before it asked. Raises:
        Drained; whatever `take` raises.
        """
        turn = _Turn(next(self._numbers), self._clock.monotonic() + max_wait_s)
        self._in_all += 1
        try:
            while said is None or not said.admitted:
                if not await self._comes_up(turn, charges, said):
                    return said or _as_told(turn, charges)
                said = await take()
            return said
        finally:
            self._in_all -= 1
            self._leave(turn)

    async def _comes_up(
        self, turn: _Turn, charges: Sequence[Charge], said: Admission | None
    ) -> bool:
        """Whether it is this call's turn to ask; False where it gives up."""
        line = self.line_of(charges)
        if said is None and line is None:
            return True  # whoever waited has gone since
        turn.told = self._lines[line].told if line else None
        if said is not None:
            turn.told = said.states[longest(said.states)]
            turn.ready = self._clock.monotonic() + turn.told.wait_s
        if turn.ready > turn.until or not self._stands(turn):
            return False
        return await self._waited(turn)

    async def _waited(self, turn: _Turn) -> bool:
        """Until it is up; False where its time is over before."""
        while not self._is_up(turn):
            if self._drained:
                raise Drained
            left = turn.until - self._clock.monotonic()
            if left <= 0:
                return False
            ready = turn.ready - self._clock.monotonic() if self._is_first(turn) else left
            await _stirred(turn, min(left, ready))
        turn.stir.clear()
        return True

    def _stands(self, turn: _Turn) -> bool:
        """Takes a place, in the order of arrival; only the one who asks now stays before it."""
        if turn.told is None:
            return False
        name = turn.told.limit.name
        if turn.line != name:
            self._leave(turn)
            line = self._lines.get(name) or _Line(turn.told)
            if len(line.turns) >= self._most or self._in_all > MOST_IN_ALL:
                return False
            insort(line.turns, turn, lo=min(1, len(line.turns)), key=_number)
            self._lines[name], turn.line = line, name
        self._lines[name].told = turn.told
        return True

    def _is_first(self, turn: _Turn) -> bool:
        return turn.line is not None and self._lines[turn.line].turns[0] is turn

    def _is_up(self, turn: _Turn) -> bool:
        """The first of a line asks when its time has come, or when something was given back."""
        if self._drained or not self._is_first(turn):
            turn.stir.clear()
            return False
        return turn.stir.is_set() or self._clock.monotonic() >= turn.ready

    def _leave(self, turn: _Turn) -> None:
        """Gives the place up; who comes first now is told so."""
        if turn.line is None:
            return
        line, was_first = self._lines[turn.line], self._is_first(turn)
        line.turns.remove(turn)
        if not line.turns:
            del self._lines[turn.line]
        elif was_first:
            line.turns[0].stir.set()
        turn.line = None


def _number(turn: _Turn) -> int:
    return turn.number


async def _stirred(turn: _Turn, seconds: float) -> None:
    """Waits for the event, or for the time."""
    try:
        async with asyncio.timeout(seconds):
            await turn.stir.wait()
    except TimeoutError:
        return


def _as_told(turn: _Turn, charges: Sequence[Charge]) -> Admission:
    """The refusal of a call that never came up to ask: what the first of its line was told."""
    told = turn.told or State(charges[0].limit, 0, 1.0, 1.0)
    return Admission(False, (told,), 0.0)
