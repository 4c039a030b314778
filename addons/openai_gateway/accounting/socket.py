"""The meter of an open WebSocket: each response that ends on it is a call with its own row."""

from openai_gateway.accounting.meter import Charged, charge, note_anomalies
from openai_gateway.api.prices import PriceTable, undated
from openai_gateway.api.usage_socket import Bill, SocketUsage
from openai_gateway.core.call import Call


class SocketMeter:
    """Follows the messages of one socket, whose handshake is `call`."""

    __slots__ = ("_call", "_charged", "_prices", "_usage")

    def __init__(self, call: Call, prices: PriceTable, charged: Charged) -> None:
        self._call = call
        self._prices = prices
        self._charged = charged
        self._usage = SocketUsage(call.endpoint, call.model_sent or call.model_requested)

    def client(self, message: bytes) -> None:
        """A message that went to OpenAI."""
        self._usage.client(message)

    def server(self, message: bytes) -> list[Call]:
        """A message that came from OpenAI; the calls that it ends, to be recorded."""
        return self._rows(self._usage.server(message))

    def end(self) -> list[Call]:
        """What is left to charge when the socket has closed."""
        return self._rows(self._usage.end())

    def _rows(self, bills: list[Bill]) -> list[Call]:
        return [row for bill in bills if (row := self._row(bill)) is not None]

    def _row(self, bill: Bill) -> Call | None:
        usage, name = bill.parsed.first_sight(self._charged), bill.parsed.charge_id
        if usage is None or (name is not None and name in self._charged):
            return None
        if name is not None:
            self._charged.note(name, charged=True)
        row = self._call.on_socket()
        row.stream, row.status, row.outcome = True, 200, "forwarded"
        row.admitted = row.closed = True
        socket = self._call
        row.model_sent = sent = usage.model or socket.model_sent or socket.model_requested
        row.model_requested = self._asked_as(sent) if sent else None
        charge(row, usage, self._prices)
        note_anomalies(row, bill.parsed)
        if bill.parsed.guessed:
            row.usage_missing = "stream_aborted"
        return row

    def _asked_as(self, sent: str) -> str:
        """The answer may name the model with its date, which nobody asked for."""
        plain = undated(sent)
        return self._call.renamed.get(plain, sent) if plain != sent else self._call.asked_as(sent)
