"""What one call consumed and what it cost: reads the answer as it comes, settles the bill once.

A token is counted once, a price is never guessed silently, and nothing that happens to a stream
loses the books: where the upstream does not say, an estimate stands in and is marked as one.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final, NamedTuple

from openai_gateway.api.bill import Cost
from openai_gateway.api.include_usage import UsageStripper
from openai_gateway.api.prices import PriceTable
from openai_gateway.api.salvage import Salvage
from openai_gateway.api.sse import Events, json_value
from openai_gateway.api.usage import from_json
from openai_gateway.api.usage_reading import Parsed
from openai_gateway.api.usage_stream import StreamUsage
from openai_gateway.core.call import Call, Claim
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

    def claim(self, name: str) -> bool | None:
        """Whether who reads this id's end is charged; None: the call log will tell."""
        won = self.awaited(name)
        self.note(name, charged=True)
        return won


class _Told(NamedTuple):
    """What an answer told of its bill; `named` as Call.bill, `missing` why usage was guessed,
    `asked` the cost at the model that was asked for."""

    usage: Usage | None
    cost: Cost | None
    asked: Cost | None
    missing: str | None
    named: tuple[str, bool] | None


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
        note_anomalies(call, parsed)
        if self.again:
            self._read_again(parsed, broken)
        else:
            bill = self._bill(parsed, broken)
            _charge(bill, call)
            self._note(parsed)
            if bill.usage is None:
                self._nothing(parsed)
        for name, _ in parsed.containers:
            self._charged.note(name, charged=True)

    def _bill(self, parsed: Parsed, broken: bool) -> _Told:
        usage, call = parsed.first_sight(self._charged), self._call
        missing = ("stream_aborted" if broken else "not_reported") if parsed.guessed else None
        named = (parsed.charge_id, parsed.final) if parsed.charge_id is not None else None
        if usage is None:
            return _Told(None, None, None, missing, named)
        cost, asked = _cost(call, usage, self._prices), _asked(call, usage, self._prices)
        return _Told(usage, cost, asked, missing, named)

    def _read_again(self, parsed: Parsed, broken: bool) -> None:
        """What repeats an earlier bill is free, but for who sees the end of work that was pending:
        one call of all gateways."""
        name = parsed.charge_id
        if name is None or name in self._charged:
            return
        if not parsed.final:
            self._call.bill = (name, False)
            self._note(parsed)
            return
        bill = self._bill(parsed, broken)  # before the claim: what cannot be priced claims nothing
        won = self._charged.claim(name)
        if won is None:
            self._call.claim = Claim(name, partial(_charge, bill))
        elif won:
            _charge(bill, self._call)

    def _note(self, parsed: Parsed) -> None:
        if parsed.charge_id is not None:
            self._charged.note(parsed.charge_id, charged=parsed.final)

    def _result(self, broken: bool) -> Parsed:
        if self._stream is not None:
            return self._stream.result(broken)
        if self._parsed is not None:
            return self._parsed
        found = self._salvage.found() if self._salvage is not None else None
        return from_json(self._call.endpoint, found, self._request)

    def _nothing(self, parsed: Parsed) -> None:
        """No bill: because none is due, or because none could be read."""
        call = self._call
        if self.billed and parsed.final:
            call.cost_nano_usd = None
            call.usage_missing = "parse_error" if parsed.anomalies else "not_reported"


def _charge(bill: _Told, call: Call) -> None:
    """Writes what an answer told of its bill into the call."""
    call.bill = bill.named
    if bill.usage is not None and bill.cost is not None:
        _write(call, bill.usage, bill.cost, bill.asked)
        call.usage_missing = bill.missing or call.usage_missing


def note_anomalies(call: Call, parsed: Parsed) -> None:
    """What the answer told that no answer should: for the metrics, and for who explains the row."""
    if parsed.anomalies:
        call.usage_anomalies = parsed.anomalies
        call.trace.append(("settle", f"odd usage: {', '.join(parsed.anomalies)}", 0))


def charge(call: Call, usage: Usage, prices: PriceTable) -> None:
    """Writes a bill into the call. What had to be assumed makes it an estimate."""
    _write(call, usage, _cost(call, usage, prices), _asked(call, usage, prices))


def _cost(call: Call, usage: Usage, prices: PriceTable) -> Cost:
    sent = call.model_sent or call.model_requested
    return prices.cost(usage, endpoint=call.endpoint, requested_model=sent)


def _asked(call: Call, usage: Usage, prices: PriceTable) -> Cost | None:
    """What the same use of the model that was asked for would have cost; None where that was sent.
    Second bills of an answer, of a tool's model, are the same."""
    if not call.substituted:
        return None
    asked = call.model_requested
    same = replace(usage, model=asked)
    return prices.cost(same, endpoint=call.endpoint, requested_model=asked)


def _write(call: Call, usage: Usage, cost: Cost, asked: Cost | None) -> None:
    call.usage = usage
    call.usage_source = usage.source
    if cost.notes and usage.source == "reported":
        call.usage_source = "estimated"
    call.model_response, call.service_tier = usage.model, usage.service_tier
    call.cost_nano_usd = cost.nano_usd
    call.unpriced_model = cost.unpriced_model
    call.avoided_nano_usd = _avoided(cost, asked)


def _avoided(cost: Cost, asked: Cost | None) -> int:
    """In nano-dollars; 0 where either has no price."""
    if asked is None or asked.nano_usd is None or cost.nano_usd is None:
        return 0
    return max(0, asked.nano_usd - cost.nano_usd)


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
