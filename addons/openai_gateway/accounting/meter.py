"""What one call consumed and what it cost: reads the answer as it comes, settles the bill once.

A token is counted once, a price is never guessed silently, and nothing that happens to a stream
loses the books: where the upstream does not say, an estimate stands in and is marked as one.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from openai_gateway.api.include_usage import UsageStripper
from openai_gateway.api.prices import PriceTable
from openai_gateway.api.salvage import Salvage
from openai_gateway.api.sse import Events, json_value
from openai_gateway.api.usage import from_json
from openai_gateway.api.usage_reading import Parsed
from openai_gateway.api.usage_stream import StreamUsage
from openai_gateway.core.call import Call
from openai_gateway.core.usage import Usage

SUCCESS: Final = 200
FAILED: Final = 300
# A larger answer is searched for its usage, not parsed: nothing may hold the loop above 1 ms.
PARSED: Final = 64 * 1024
MOST_IDS: Final = 100_000


class Charged:
    """The ids that were charged, and those whose bill is still to come; bounded, oldest first out.

    It lives in memory; accounting/charges.py keeps what it holds over a restart.
    """

    def __init__(self, most: int = MOST_IDS) -> None:
        self._most = most
        self._ids: OrderedDict[str, bool] = OrderedDict()

    def __contains__(self, name: object) -> bool:
        return self._ids.get(str(name)) is True

    def awaited(self, name: str) -> bool:
        """Whether this id's end was announced and has not been seen."""
        return self._ids.get(name) is False

    def note(self, name: str, charged: bool) -> None:
        """Remembers an id; once charged it stays so."""
        self._ids[name] = charged or name in self
        self._ids.move_to_end(name)
        while len(self._ids) > self._most:
            self._ids.popitem(last=False)


class Meter:
    """The meter of one call. `again`: the answer repeats what an earlier call was billed for."""

    __slots__ = (
        "_call", "_charged", "_events", "_parsed", "_prices", "_request", "_salvage", "_stream",
        "_stripper", "again", "billed", "strips",
    )  # fmt: skip

    def __init__(
        self, call: Call, prices: PriceTable, charged: Charged, *, billed: bool, again: bool
    ) -> None:
        """`billed`: the endpoint costs something at all."""
        self._call = call
        self._prices = prices
        self._charged = charged
        self._request = call.content.parsed
        self._stream: StreamUsage | None = None
        self._events: Events | None = None
        self._stripper: UsageStripper | None = None
        self._salvage: Salvage | None = None
        self._parsed: Parsed | None = None
        self.billed = billed
        self.again = again
        self.strips = False

    def begin(self, event_stream: bool) -> None:
        """The answer's head is here and its body will stream."""
        if not event_stream:
            self._salvage = Salvage()
            return
        self._stream = StreamUsage(self._call.endpoint, self._request)
        if self.strips:
            self._stripper = UsageStripper()
        else:
            self._events = Events()

    def feed(self, chunk: bytes) -> bytes:
        """A piece of the answer; gives what the client gets of it."""
        if self._stream is not None and self._stripper is not None:
            passed = []
            for event, raw in self._stripper.feed(chunk):
                self._stream.event(event)
                passed.append(raw)
            return b"".join(passed)
        if self._stream is not None and self._events is not None:
            for event in self._events.feed(chunk):
                self._stream.event(event)
        elif self._salvage is not None:
            self._salvage.piece(chunk)
        return chunk

    def end(self) -> bytes:
        """The answer's last byte is here; gives what was held back."""
        if self._stream is not None and self._stripper is not None:
            rest = self._stripper.end()
            if rest is None:
                return b""
            self._stream.event(rest[0])
            return rest[1]
        if self._stream is not None and self._events is not None:
            event = self._events.end()
            if event is not None:
                self._stream.event(event)
        return b""

    def whole(self, body: bytes) -> None:
        """An answer that was held until it was whole."""
        if len(body) > PARSED:
            self._salvage = Salvage()
            self._salvage.piece(body)
        else:
            self._parsed = from_json(self._call.endpoint, json_value(body), self._request)

    def settle(self, broken: bool) -> None:
        """Writes usage and cost into the call; `broken`: the answer did not come to its end.

        What was refused or failed costs nothing, as the call says from its beginning.
        """
        call = self._call
        if not call.admitted or call.websocket or not SUCCESS <= call.status < FAILED:
            return
        parsed = self._result(broken)
        self._request = None
        usage = self._owed(parsed)
        note_anomalies(call, parsed)
        if usage is None:
            self._nothing(parsed)
        else:
            charge(call, usage, self._prices)
            if parsed.guessed:
                call.usage_missing = "stream_aborted" if broken else "not_reported"
        if parsed.charge_id is not None:
            call.bill = (parsed.charge_id, parsed.final)
            self._charged.note(parsed.charge_id, charged=parsed.final)
        for name, _ in parsed.containers:
            self._charged.note(name, charged=True)

    def _result(self, broken: bool) -> Parsed:
        if self._stream is not None:
            return self._stream.result(broken)
        if self._parsed is not None:
            return self._parsed
        found = self._salvage.found() if self._salvage is not None else None
        return from_json(self._call.endpoint, found, self._request)

    def _owed(self, parsed: Parsed) -> Usage | None:
        """What is to be charged of it: nothing twice, nothing that is only read again."""
        name = parsed.charge_id
        if self.again and not (name is not None and self._charged.awaited(name)):
            return None
        return parsed.first_sight(self._charged)

    def _nothing(self, parsed: Parsed) -> None:
        """No bill: because none is due, or because none could be read."""
        call = self._call
        if self.billed and parsed.final and not self.again:
            call.cost_nano_usd = None
            call.usage_missing = "parse_error" if parsed.anomalies else "not_reported"


def note_anomalies(call: Call, parsed: Parsed) -> None:
    """What the answer told that no answer should: for the metrics, and for who explains the row."""
    if parsed.anomalies:
        call.usage_anomalies = parsed.anomalies
        call.trace.append(("settle", f"odd usage: {', '.join(parsed.anomalies)}", 0))


def charge(call: Call, usage: Usage, prices: PriceTable) -> None:
    """Writes a bill into the call. What had to be assumed makes it an estimate."""
    sent = call.model_sent or call.model_requested
    cost = prices.cost(usage, endpoint=call.endpoint, requested_model=sent)
    call.usage = usage
    call.usage_source = usage.source
    if cost.notes and usage.source == "reported":
        call.usage_source = "estimated"
    call.model_response, call.service_tier = usage.model, usage.service_tier
    call.cost_nano_usd = cost.nano_usd
    call.unpriced_model = cost.unpriced_model
    call.avoided_nano_usd = avoided(call, usage, prices)


def avoided(call: Call, usage: Usage, prices: PriceTable) -> int:
    """What the same use of the model that was asked for would have cost more, in nano-dollars;
    0 where either has no price. Second bills of an answer, of a tool's model, are the same."""
    if not call.substituted or call.cost_nano_usd is None:
        return 0
    asked = call.model_requested
    same = replace(usage, model=asked)
    cost = prices.cost(same, endpoint=call.endpoint, requested_model=asked)
    return 0 if cost.nano_usd is None else max(0, cost.nano_usd - call.cost_nano_usd)


def billed_units(usage: Usage) -> dict[str, object]:
    """What is billed but is no token of `usage` itself, for the row's JSON."""
    units: dict[str, object] = {name: _number(amount) for name, amount in usage.units.items()}
    for part in usage.parts:
        units[part.model or "other"] = tokens_of((part,))
    return units


def tokens_of(parts: Sequence[Usage]) -> dict[str, int]:
    """The tokens of second bills, in and out."""
    return {
        "input_tokens": sum(part.input_tokens for part in parts),
        "output_tokens": sum(part.output_tokens for part in parts),
    }


def _number(amount: object) -> int | float:
    value = float(str(amount))
    return int(value) if value.is_integer() else value
