"""The lines before limits on simulated time: what waiting.py does with tasks, step by step.

First come first served for each bucket. Only the first of a line asks, when its wait is over or
something was given back; who has waited `max_wait_us` is refused, and so is who would have to.
"""

import math
from bisect import insort
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from openai_gateway.limits.bucket import SECOND_US
from openai_gateway.limits.limit import Charge, Limit, State
from openai_gateway.limits.waiting import MOST_IN_ALL, MOST_WAITING


class Caller(Protocol):
    """A call that waits."""

    @property
    def charges(self) -> Sequence[Charge]: ...


class Desk[C: Caller](Protocol):
    """Where those in line ask, and where it is heard what became of them. `take` gives the state
    of the limit with the longest wait, None where the call was admitted."""

    @property
    def now_us(self) -> int: ...
    def take(self, call: C) -> State | None: ...
    def admitted(self, call: C, waited_for: Limit) -> None: ...
    def refused(self, call: C, state: State) -> None: ...
    def later(self, at_us: int, act: "Callable[[Turn[C]], None]", turn: "Turn[C]") -> None: ...


@dataclass(slots=True, eq=False)
class Turn[C: Caller]:
    """One waiting call. `said`: its last refusal, None where it never asked; `told` what it waits
    for; `ready_us`: from when on it asks, once it is the first."""

    number: int
    call: C
    until_us: int
    held_up_by: Limit
    said: State | None
    ready_us: int = 0
    told: State | None = None
    line: str | None = None
    over: bool = False


@dataclass(slots=True)
class _Line[C: Caller]:
    """Never empty. `told` is what its first was last told of the bucket."""

    told: State
    turns: "list[Turn[C]]" = field(default_factory=list)


class Lines[C: Caller]:
    """All lines of a simulation."""

    __slots__ = ("_desk", "_in_all", "_lines", "_max_wait_us", "_numbers", "_stirred")

    def __init__(self, desk: Desk[C], max_wait_s: float) -> None:
        self._desk = desk
        self._max_wait_us = round(max_wait_s * SECOND_US)
        self._lines: dict[str, _Line[C]] = {}
        self._stirred: deque[Turn[C]] = deque()
        self._numbers = self._in_all = 0

    def __len__(self) -> int:
        return self._in_all

    def line_of(self, charges: Iterable[Charge]) -> str | None:
        """The first of the call's buckets before which others wait already."""
        if not self._lines:
            return None
        names = (charge.limit.name for charge in charges if charge.amount)
        return next((name for name in names if name in self._lines), None)

    def joins(self, call: C, said: State | None) -> None:
        """`said`: its refusal, or None for a call that found a line before it asked."""
        line = self.line_of(call.charges)
        told = said or (self._lines[line].told if line else None)
        held_up_by = told.limit if told else call.charges[0].limit
        self._numbers += 1
        self._in_all += 1
        until = self._desk.now_us + self._max_wait_us
        turn = Turn(self._numbers, call, until, held_up_by, said)
        if not self._stands(turn):
            self._gives_up(turn)
        self._stir()

    def nudge(self, limits: Iterable[Limit]) -> None:
        """Something was given back: the first of each line may come sooner than it was told."""
        for limit in limits if self._lines else ():
            line = self._lines.get(limit.name)
            if line is not None:
                self._stirred.append(line.turns[0])
        self._stir()

    def _stir(self) -> None:
        """Those who were told that they are the first, or that something was given back, ask."""
        while self._stirred:
            turn = self._stirred.popleft()
            if not turn.over and self._is_first(turn):
                self._asks(turn)

    def _asks(self, turn: Turn[C]) -> None:
        """It is admitted, gives up, or waits for its next event."""
        turn.said = self._desk.take(turn.call)
        if turn.said is None:
            self._ends(turn)
            self._desk.admitted(turn.call, turn.held_up_by)
        elif not self._stands(turn):
            self._gives_up(turn)

    def _stands(self, turn: Turn[C]) -> bool:
        """Takes a place, in the order of arrival, if that is of use; only the one who asks now
        stays before it."""
        now = self._desk.now_us
        self._hears(turn, now)
        if turn.told is None or turn.ready_us > turn.until_us:
            return False
        name = turn.told.limit.name
        if turn.line != name:
            came = turn.line is None
            self._leave(turn)
            line = self._lines.get(name) or _Line(turn.told)
            if len(line.turns) >= MOST_WAITING or self._in_all > MOST_IN_ALL:
                return False
            insort(line.turns, turn, lo=min(1, len(line.turns)), key=_number)
            self._lines[name], turn.line = line, name
            if came:
                self._desk.later(turn.until_us, self._time_is_over, turn)
        self._lines[name].told = turn.told
        if self._is_first(turn):
            self._desk.later(max(turn.ready_us, now), self._is_ready, turn)
        return True

    def _hears(self, turn: Turn[C], now: int) -> None:
        line = self.line_of(turn.call.charges)
        turn.told = self._lines[line].told if line else None
        if turn.said is not None:
            turn.told, wait_s = turn.said, turn.said.wait_s
            never = math.isinf(wait_s)
            turn.ready_us = turn.until_us + 1 if never else now + round(wait_s * SECOND_US)

    def _is_ready(self, turn: Turn[C]) -> None:
        if not turn.over and self._is_first(turn) and self._desk.now_us >= turn.ready_us:
            self._asks(turn)
            self._stir()

    def _time_is_over(self, turn: Turn[C]) -> None:
        if turn.over:
            return
        if self._is_first(turn) and self._desk.now_us >= turn.ready_us:
            self._asks(turn)
        else:
            self._gives_up(turn)
        self._stir()

    def _gives_up(self, turn: Turn[C]) -> None:
        state = _refusal(turn)
        self._ends(turn)
        self._desk.refused(turn.call, state)

    def _ends(self, turn: Turn[C]) -> None:
        turn.over = True
        self._in_all -= 1
        self._leave(turn)

    def _is_first(self, turn: Turn[C]) -> bool:
        return turn.line is not None and self._lines[turn.line].turns[0] is turn

    def _leave(self, turn: Turn[C]) -> None:
        """Gives the place up; who comes first now is told so."""
        if turn.line is None:
            return
        line, was_first = self._lines[turn.line], self._is_first(turn)
        line.turns.remove(turn)
        if not line.turns:
            del self._lines[turn.line]
        elif was_first:
            self._stirred.append(line.turns[0])
        turn.line = None


def _number[C: Caller](turn: Turn[C]) -> int:
    return turn.number


def _refusal[C: Caller](turn: Turn[C]) -> State:
    """What it was told; or, where it never came up to ask, the first of its line."""
    return turn.said or turn.told or State(turn.held_up_by, 0, 1.0, 1.0)
