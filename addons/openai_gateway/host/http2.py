"""mitmproxy's HTTP/2 connection to a client, taught to leave between calls."""

from collections.abc import Callable
from typing import Any

from mitmproxy.proxy import commands, events, layer
from mitmproxy.proxy.layers.http import ResponseEndOfMessage
from mitmproxy.proxy.layers.http._http2 import Http2Server

type Commands = layer.CommandGenerator[Any]


class GatewayHttp2Server(Http2Server):
    """Says goodbye behind the last answer under way, where `retiring`. Not before: clients give up
    their open streams at a GOAWAY (httpcore)."""

    retiring: Callable[[], bool] = staticmethod(lambda: False)

    def _handle_event(self, event: events.Event) -> Commands:
        yield from super()._handle_event(event)
        if isinstance(event, ResponseEndOfMessage) and self.retiring() and not self._busy():
            self.h2_conn.close_connection()
            yield commands.SendData(self.conn, self.h2_conn.data_to_send())
            yield commands.CloseConnection(self.conn)

    def _busy(self) -> bool:
        return any(not self.is_closed(stream_id) for stream_id in self.streams)
