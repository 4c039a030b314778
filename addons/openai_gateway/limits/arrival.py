"""A call as a log tells it, for the simulator: when it came, what it asked for, what it used.

A row does not keep the gateway's estimate of its input: what went in stands for it.
"""

from collections import deque
from typing import Final, Literal, NamedTuple

from openai_gateway.api.asking import MOST
from openai_gateway.limits.estimate import DRAWS, LATELY, READS, SPEAKS, Recent
from openai_gateway.limits.rulings import Facts
from openai_gateway.limits.settle import correction

type Ended = Literal["ran", "failed", "left", "refused"]

# The gateway reckons a token for so many bytes of text.
BYTES_OF_TOKEN: Final = 4
# Of these no field of the request bounds the answer, but the request says how long it will be.
_TOLD: Final = DRAWS | {SPEAKS}


class Arrival(NamedTuple):
    """One call of a log. Times are microseconds, `at_us` since 1970."""

    at_us: int
    id: str
    facts: Facts
    input_tokens: int | None = 0
    """None where the call uses tokens, and nobody knows how many."""
    output_tokens: int | None = 0
    most: int | None = None
    """The most output tokens that the request allows, of all its answers; None: it says none."""
    answers: int = 1
    images: int = 0
    duration_us: int | None = 0
    """None where it never ran."""
    request_bytes: int = 0
    ended: Ended = "ran"
    """`failed` gives back what it took, `left` (its client went away) only the output. `refused`:
    it never ran, and is taken to run as its model's calls lately did."""
    reported: bool = True
    """Whether its model's output is learned from it."""


class Usual:
    """What the calls of one model lately were like: the mean of the last LATELY."""

    __slots__ = ("durations", "inputs")

    def __init__(self) -> None:
        self.inputs: deque[int] = deque(maxlen=LATELY)
        self.durations: deque[int] = deque(maxlen=LATELY)

    def input_tokens(self, request_bytes: int) -> int:
        """Of a call of which only its size is known."""
        if self.inputs:
            return _mean(self.inputs)
        return -(-request_bytes // BYTES_OF_TOKEN)

    def duration_us(self) -> int:
        """0 before any call has run."""
        return _mean(self.durations) if self.durations else 0


def reserved(call: Arrival, usual: Usual, recent: Recent) -> tuple[int, int]:
    """Input and output tokens that the gateway would reserve for it."""
    read, written, model = call.input_tokens, call.output_tokens, call.facts.model
    if read is None:
        read = usual.input_tokens(call.request_bytes)
    elif not read and not written:
        return 0, 0  # it was billed by something else, or for nothing
    if call.facts.endpoint in READS:
        return read, 0
    if written and call.facts.endpoint in _TOLD:
        return read, written
    if call.most is not None:
        return read, call.most
    return read, min(recent.of(model) * call.answers, MOST)


def corrected(call: Arrival, read: int, written: int, recent: Recent) -> int:
    """By how many tokens its buckets change at its end, when so many were reserved."""
    if call.ended == "refused":
        return min(recent.of(call.facts.model) * call.answers, written) - written
    told = (call.input_tokens or 0) + (call.output_tokens or 0)
    left = call.ended == "left"
    return correction(told, read, written, failed=left or call.ended == "failed", left=left)


def learn(call: Arrival, usual: Usual, recent: Recent) -> None:
    """The call has ended: what the next ones of its model are reckoned by."""
    if call.ended != "ran":
        return
    if call.input_tokens is not None:
        usual.inputs.append(call.input_tokens)
    if call.duration_us is not None:
        usual.durations.append(call.duration_us)
    if call.reported and call.output_tokens:
        recent.note(call.facts.model, -(-call.output_tokens // call.answers))


def _mean(seen: "deque[int]") -> int:
    return -(-sum(seen) // len(seen))
