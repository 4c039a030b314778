"""Gives the call its meter, and makes OpenAI tell the usage of a chat stream that did not ask."""

from typing import Final

from openai_gateway.accounting.meter import Charged, Meter
from openai_gateway.accounting.socket import SocketMeter
from openai_gateway.api import features
from openai_gateway.api.endpoints import Endpoint
from openai_gateway.api.include_usage import inject, needs_usage
from openai_gateway.api.prices import PriceTable
from openai_gateway.core.call import Call
from openai_gateway.core.verdict import PASS, Pass, Verdict

FREE: Final = ("none",)


class Accounting:
    """The stage before the key is attached: it changes the body, and nothing sees it after."""

    name: Final = "accounting"
    limit_s: Final = 1.0

    def __init__(self, prices: PriceTable, charged: Charged) -> None:
        self._prices = prices
        self._charged = charged

    def check(self, call: Call) -> Verdict:
        """Sets `call.meter` and `features`; asks for the usage where the client did not."""
        if call.features is None:
            call.features = features.of(call.content.parsed, len(call.content.data))
        if call.websocket:
            call.socket_meter = SocketMeter(call, self._prices, self._charged)
            return PASS
        row = call.route
        billed = not isinstance(row, Endpoint) or tuple(row.cost) != FREE
        again = isinstance(row, Endpoint) and row.again
        meter = Meter(call, self._prices, self._charged, billed=billed, again=again)
        call.meter = meter
        if call.content.kind != "json" or not needs_usage(call.endpoint, call.content.parsed):
            return PASS
        body = inject(call.content.data, call.content.parsed)
        if body is call.content.data:
            return PASS
        call.request.body = body
        # What was packed leaves plain: it had to be unpacked to be read.
        call.request.drop(b"content-encoding")
        meter.strips = True
        return Pass("include_usage")
