"""What limits would have done with the calls of a log: the gateway's own buckets on simulated time.

Calls come when the log says they came, take what the gateway would reserve, and are corrected when
they end. What clients would have done after a refusal is not guessed: the log's calls are all.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from typing import Any, Final

from openai_gateway.limits.arrival import Arrival, corrected, learn, reserved
from openai_gateway.limits.bucket import LEASE_US, SECOND_US, Places
from openai_gateway.limits.estimate import Recent
from openai_gateway.limits.gauge import Wants
from openai_gateway.limits.gauges import Gauges, Held
from openai_gateway.limits.limit import Charge, Limit, State
from openai_gateway.limits.lines import Lines
from openai_gateway.limits.messages import longest
from openai_gateway.limits.reservation import OF_TOKENS
from openai_gateway.limits.rulings import Rulings
from openai_gateway.limits.simulated import Met, Simulated, in_order

# A place is kept for LEASE_US from its last renewal; the gateway renews it thrice in that time.
RENEW_US: Final = LEASE_US // 3
HEARD_EVERY: Final = 50_000

type Act = Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class Terms:
    """`max_wait_s`: how long calls are held (None: they are refused at once); `scale`: how many
    times as fast they come; `listed`: so many calls that met a limit are kept, the first ones."""

    max_wait_s: float | None = None
    scale: float = 1.0
    listed: int = 0


class Asked:
    """One call and what it asks for; `due_us` is when it came, by simulated time."""

    __slots__ = ("call", "due_us", "held", "read", "wants", "written")

    def __init__(self, call: Arrival, held: Held, due_us: int) -> None:
        self.call = call
        self.held = held
        self.due_us = due_us
        self.read = self.written = 0
        self.wants: tuple[Wants, ...] = held.fixed

    @property
    def charges(self) -> tuple[Charge, ...]:
        """As stores are asked."""
        return tuple(Charge(gauge.limit, amount) for gauge, amount in self.wants)

    @property
    def places(self) -> list[Places]:
        """The buckets of concurrency in which it holds a place."""
        return [gauge.places for gauge, _ in self.wants if gauge.places is not None]


def simulate(
    calls: Iterable[Arrival],
    rulings: Rulings,
    terms: Terms,
    heard: Callable[[int], None] = lambda _: None,
) -> Simulated:
    """What becomes of the calls, which come in order, or as good as. Holds none of them but those
    under way; `heard` is told now and then how many have come."""
    made, number = _Simulation(rulings, terms), 0
    for number, call in enumerate(calls, 1):
        made.comes(call)
        if not number % HEARD_EVERY:
            heard(number)
    made.ends()
    return made.told(number)


class _Simulation:
    """One run. Events are (when, number, what, about whom), the next of them first."""

    def __init__(self, rulings: Rulings, terms: Terms) -> None:
        self.now_us = 0
        self._terms = terms
        self._gauges = Gauges(rulings)
        self._lines = None if terms.max_wait_s is None else Lines[Asked](self, terms.max_wait_s)
        self._events: list[tuple[int, int, Act, Any]] = []
        self._numbers = count()
        self._recent = Recent()
        self._unlimited: dict[str, int] = {}
        self._base_us: int | None = None
        self._last_us = self._refused = self._delayed = self._set_back = 0
        self._longest_s = 0.0
        self._first: Met | None = None
        self._met: list[Met] = []

    def comes(self, call: Arrival) -> None:
        """The next call of the log."""
        due = self._due(call.at_us)
        if self._events and self._events[0][0] <= due:
            self._run(due)
        self.now_us = due
        held = self._gauges.of(call.facts, due)
        self._gauges.models[held.model] += 1
        if not held.parts:
            self._unlimited[held.model] = self._unlimited.get(held.model, 0) + 1
            return
        asked = self._asks(call, held)
        if self._lines and self._lines.line_of(asked.charges) is not None:
            self._lines.joins(asked, None)
            return
        state = self.take(asked)
        if state is None:
            self._runs(asked)
        elif self._lines is None:
            self.refused(asked, state)
        else:
            self._lines.joins(asked, state)

    def ends(self) -> None:
        """No call comes any more; who waits still hears."""
        while self._lines and self._events:
            self._run(self._events[0][0])

    def told(self, calls: int) -> Simulated:
        """All that was added up."""
        return Simulated(
            calls,
            self._refused,
            self._delayed,
            self._longest_s,
            self._base_us,
            None if self._base_us is None else self._last_us,
            self._first,
            self._met,
            in_order(tally for tally in self._gauges.tallies.values() if tally.calls),
            self._gauges.models,
            self._unlimited,
            self._set_back,
        )

    def take(self, asked: Asked) -> State | None:
        """All or nothing, as a store does: the state with the longest wait, or None where the call
        was admitted."""
        now, lease = self.now_us, asked.call.id
        fits = True
        for gauge, amount in asked.wants:
            if not gauge.fits(amount, lease, now):
                fits = False
        if fits:
            for gauge, amount in asked.wants:
                gauge.take(amount, lease, now)
            return None
        states = [one.bucket.state(one.limit, amount, lease) for one, amount in asked.wants]
        return states[longest(states)]

    def admitted(self, asked: Asked, waited_for: Limit) -> None:
        """It had waited."""
        wait_s = (self.now_us - asked.due_us) / SECOND_US
        self._runs(asked)
        self._delayed += 1
        self._longest_s = max(self._longest_s, wait_s)
        self._gauges.tally(waited_for).delays(wait_s)
        self._meets(Met(asked.call, waited_for, wait_s, delayed=True))

    def refused(self, asked: Asked, state: State) -> None:
        """By this limit. Nothing was taken."""
        for gauge, _ in asked.wants:
            gauge.tally.calls += 1
        self._refused += 1
        self._gauges.tally(state.limit).refuses(asked.call.at_us, state.wait_s)
        met = Met(asked.call, state.limit, state.wait_s, delayed=False)
        if self._first is None or asked.call.at_us < self._first.call.at_us:
            self._first = met
        self._meets(met)

    def later(self, at_us: int, act: Act, subject: object) -> None:
        """Does this then."""
        heappush(self._events, (at_us, next(self._numbers), act, subject))

    def _due(self, at_us: int) -> int:
        """When it comes by simulated time. A clock that was set back stands still."""
        if self._base_us is None:
            self._base_us = self._last_us = at_us
        if at_us < self._last_us:
            self._set_back += 1
        self._last_us = max(at_us, self._last_us)
        since = self._last_us - self._base_us
        return since if self._terms.scale == 1.0 else round(since / self._terms.scale)

    def _run(self, until_us: int) -> None:
        """All that happens until then."""
        events = self._events
        while events and events[0][0] <= until_us:
            self.now_us, _, act, subject = heappop(events)
            act(subject)

    def _asks(self, call: Arrival, held: Held) -> Asked:
        asked = Asked(call, held, self.now_us)
        if held.weighs:
            read, written = asked.read, asked.written = reserved(call, held.usual, self._recent)
            tokens, images = read + written, call.images
            parts = held.long if held.above is not None and read > held.above else held.parts
            asked.wants = tuple(
                [part.wants or (part.gauge, tokens if part.of_tokens else images) for part in parts]
            )
        return asked

    def _runs(self, asked: Asked) -> None:
        """It was admitted, and will end."""
        lasts = asked.call.duration_us
        if lasts is None:
            lasts = asked.held.usual.duration_us()
        ends_us = self.now_us + lasts
        if lasts >= LEASE_US and asked.held.places:
            self.later(self.now_us + RENEW_US, self._renew, (asked, ends_us))
        self.later(ends_us, self._settle, asked)

    def _renew(self, lease: tuple[Asked, int]) -> None:
        asked, ends_us = lease
        for places in asked.places:
            places.hold(asked.call.id, self.now_us)
        if self.now_us + LEASE_US <= ends_us:
            self.later(self.now_us + RENEW_US, self._renew, lease)

    def _settle(self, asked: Asked) -> None:
        """It has ended: its buckets are corrected, its place is free, its model is known better."""
        call = asked.call
        learn(call, asked.held.usual, self._recent)
        if asked.held.weighs:
            change = corrected(call, asked.read, asked.written, self._recent)
            images = -call.images if call.ended in ("failed", "left") else 0
            if change or images:
                self._correct(asked, change, images)
        if asked.held.places:
            for places in asked.places:
                places.free(call.id)
        if self._lines:
            self._lines.nudge([gauge.limit for gauge, _ in asked.wants])

    def _correct(self, asked: Asked, tokens: int, images: int) -> None:
        for gauge, _ in asked.wants:
            kind = gauge.limit.kind
            amount = tokens if kind in OF_TOKENS else images if kind == "ipm" else 0
            if amount:
                gauge.adjust(amount, self.now_us)

    def _meets(self, met: Met) -> None:
        if len(self._met) < self._terms.listed:
            self._met.append(met)
