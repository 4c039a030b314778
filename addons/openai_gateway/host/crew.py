"""Which worker starts, retires or ends next: the decisions alone, without a process or a clock.

The first start goes through one worker alone: what it refuses is told once, and what it makes (the
authority, the tables) is there for the others. While serving, one that dies is started again.
"""

import itertools
import logging
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from openai_gateway.host.acts import Act, End, Finish, Kill, Retire, Start, Tell

UP_S: Final = 90.0  # from its start until a worker serves: 2 to 3 s, on a busy machine 20
READY_S: Final = 90.0  # the same of one that is to replace another, which then serves well
EARLY_S: Final = 10.0  # one that dies sooner is started again later and later
FIRST_DELAY_S: Final = 0.5
LONGEST_DELAY_S: Final = 30.0
END_S: Final = 35.0  # above a worker's own limits for its drain and its log


@dataclass(slots=True)
class Member:
    """One process. `until` is when it has had its time; `patience_s` what its calls may take."""

    id: int
    number: int
    started: float
    until: float | None
    up: bool = False
    patience_s: float = 0.0


@dataclass(slots=True)
class Post:
    """One of the N places: who holds it, who is to take it over, who has held it."""

    number: int
    current: Member | None = None
    fresh: Member | None = None
    retired: list[Member] = field(default_factory=list)
    deaths: int = 0
    due: float | None = None

    def members(self) -> list[Member]:
        """All its processes."""
        return [one for one in (self.current, self.fresh, *self.retired) if one is not None]


def delay_s(deaths: int) -> float:
    """How long to wait before a start, after so many early deaths in a row (from 1)."""
    return min(FIRST_DELAY_S * 2.0 ** min(deaths - 1, 10), LONGEST_DELAY_S)


def ended(code: int) -> str:
    """How a process ended, in words; a negative code is the signal that ended it."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"


class Crew:
    """Each method is told what has happened, and says what is to be done about it."""

    def __init__(self, count: int) -> None:
        self.posts = [Post(number) for number in range(1, count + 1)]
        self.serving = False
        self.ending = False
        self._code = 0
        self._ids = itertools.count(1)
        self._to_roll: list[Post] = []

    def begin(self, now: float) -> list[Act]:
        """Starts the first one."""
        return [self._start(self.posts[0], now)]

    def up(self, member: int, patience_s: float, now: float) -> list[Act]:
        """It serves; its calls may take so long."""
        post, one = self._find(member)
        one.up, one.patience_s = True, patience_s
        if one is post.fresh or self.ending:
            return []
        one.until = None
        if self.serving:
            return [Tell(logging.WARNING, f"worker {post.number} serves again")]
        missing = [each for each in self.posts if each.current is None]
        if missing:
            return [self._start(each, now) for each in missing]
        if all(each.current is not None and each.current.up for each in self.posts):
            self.serving = True
            return [Tell(logging.INFO, f"{len(self.posts)} workers serve")]
        return []

    def ready(self, member: int, now: float) -> list[Act]:
        """It serves well: one that is to take over does so."""
        post, one = self._find(member)
        if one is not post.fresh or self.ending:
            return []
        acts: list[Act] = []
        if post.current is not None:
            post.current.until = now + post.current.patience_s + END_S
            post.retired.append(post.current)
            acts.append(Retire(post.current.id))
        post.current, post.fresh, post.due, post.deaths, one.until = one, None, None, 0, None
        return [*acts, *self._roll(now)]

    def gone(self, member: int, code: int, now: float) -> list[Act]:
        """Its process has ended."""
        post, one = self._find(member)
        if one in post.retired:
            post.retired.remove(one)
            return self._left()
        if one is post.fresh:
            post.fresh = None
            return self._left() if self.ending else self._roll_stopped(post, code)
        post.current = None
        if self.ending:
            return self._left()
        if not self.serving:
            told = Tell(logging.ERROR, f"worker {post.number} {ended(code)}: nothing is started")
            return [told, *self._end(1, now)]
        return [self._again(post, one, code, now)]

    def hangup(self, now: float) -> list[Act]:
        """Replaces every worker, one after another; those whose turn is over come once more."""
        if self.ending or not self.serving:
            return [Tell(logging.WARNING, "SIGHUP passed over: not all workers serve yet")]
        waiting = self._to_roll
        self._to_roll = [*waiting, *(post for post in self.posts if post not in waiting)]
        return [Tell(logging.INFO, "SIGHUP: replacing the workers"), *self._roll(now)]

    def terminate(self, now: float) -> list[Act]:
        """Ends all."""
        return [] if self.ending else self._end(0, now)

    def tick(self, now: float) -> list[Act]:
        """What only the time brings."""
        return [*self._overdue(now), *self._due(now)]

    def members(self) -> list[Member]:
        """All processes."""
        return [one for post in self.posts for one in post.members()]

    def _find(self, member: int) -> tuple[Post, Member]:
        return next(
            (post, one) for post in self.posts for one in post.members() if one.id == member
        )

    def _start(self, post: Post, now: float) -> Start:
        one = Member(next(self._ids), post.number, now, now + UP_S)
        post.current, post.due = one, None
        return Start(one.id, post.number)

    def _again(self, post: Post, one: Member, code: int, now: float) -> Tell:
        post.deaths = post.deaths + 1 if now - one.started < EARLY_S else 1
        wait_s = delay_s(post.deaths)
        post.due = now + wait_s
        text = f"worker {post.number} {ended(code)}; it is started again in {wait_s:g} s"
        return Tell(logging.ERROR, text)

    def _roll(self, now: float) -> list[Act]:
        if any(post.fresh is not None for post in self.posts):
            return []
        if not self._to_roll:
            return [Tell(logging.INFO, "all workers were replaced")]
        post = self._to_roll.pop(0)
        post.fresh = Member(next(self._ids), post.number, now, now + READY_S)
        hurried: list[Act] = [End(one.id) for one in post.retired]
        return [*hurried, Start(post.fresh.id, post.number)]

    def _roll_stopped(self, post: Post, code: int) -> list[Act]:
        self._to_roll.clear()
        text = (
            f"worker {post.number} was not replaced: the new one {ended(code)} before it was "
            f"ready; those that serve stay"
        )
        return [Tell(logging.ERROR, text)]

    def _end(self, code: int, now: float) -> list[Act]:
        self.ending, self._code = True, code
        self._to_roll.clear()
        for one in self.members():
            one.until = now + END_S
        return [*(End(one.id) for one in self.members()), *self._left()]

    def _left(self) -> list[Act]:
        return [Finish(self._code)] if self.ending and not self.members() else []

    def _overdue(self, now: float) -> Iterator[Act]:
        for one in self.members():
            if one.until is not None and now >= one.until:
                one.until = None
                yield Tell(logging.ERROR, f"worker {one.number} took too long and is killed")
                yield Kill(one.id)

    def _due(self, now: float) -> Iterator[Act]:
        for post in self.posts:
            free = post.current is None and post.fresh is None
            if free and post.due is not None and now >= post.due and not self.ending:
                yield self._start(post, now)
