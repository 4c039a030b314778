"""The one addon that mitmproxy knows: each hook hands over, and shuts the door if that fails.

mitmproxy goes on with a flow whose hook raised. So every hook here ends in one of two ways: it did
its work, or it catches whatever came (cancellation and sys.exit too) and closes what it guards.
"""

import asyncio
from typing import Any

from mitmproxy import connection, http, tls
from mitmproxy.proxy import layer, server_hooks

from openai_gateway.chain import Build, build
from openai_gateway.host import faults, http_stream
from openai_gateway.host.answers import Answers
from openai_gateway.host.connections import Connections
from openai_gateway.host.dispatch import Dispatcher
from openai_gateway.host.lifecycle import Lifecycle
from openai_gateway.host.sockets import Sockets
from openai_gateway.host.state import State


class Gateway:
    """Registered with mitmproxy under the name `gateway`. `make` builds the chain of stages."""

    name = "gateway"

    def __init__(self, make: Build = build) -> None:
        self.state = State()
        self.dispatcher = Dispatcher(self.state)
        self.answers = Answers(self.state)
        self.sockets = Sockets(self.state)
        self.connections = Connections(self.state)
        self.lifecycle = Lifecycle(self.state, make)
        http_stream.install(
            self.answers.fault_page, self.lifecycle.max_body, lambda: self.state.retiring
        )

    # ---- starting and stopping: a fault here must stop the process, so nothing is caught ------

    def load(self, loader: Any) -> None:
        self.lifecycle.load(loader)

    def configure(self, _updated: set[str]) -> None:
        self.lifecycle.configure()

    async def running(self) -> None:
        await self.lifecycle.running()

    async def done(self) -> None:
        await self.lifecycle.done()

    # ---- connections ----------------------------------------------------------------------------

    def client_connected(self, client: connection.Client) -> None:
        try:
            self.connections.connected(client)
        except BaseException as fault:  # noqa: BLE001  # closed whatever happened
            client.error = "internal error"
            self._report("client_connected", fault)

    def client_disconnected(self, client: connection.Client) -> None:
        try:
            self.connections.gone(client)
        except BaseException as fault:  # noqa: BLE001  # it has gone, whatever came
            self._report("client_disconnected", fault)

    def http_connect(self, flow: http.HTTPFlow) -> None:
        try:
            self.connections.connect(flow)
        except BaseException as fault:  # noqa: BLE001  # closed whatever happened
            self.dispatcher.fail(flow, "http_connect", fault)

    def http_connect_upstream(self, flow: http.HTTPFlow) -> None:
        try:
            self.connections.connect_upstream(flow)
        except BaseException as fault:  # noqa: BLE001  # without credentials the proxy refuses
            self._report("http_connect_upstream", fault)

    def next_layer(self, ask: layer.NextLayer) -> None:
        try:
            self.connections.next_layer(ask)
        except BaseException as fault:  # noqa: BLE001  # then it is no tunnel: TLS ends here
            self._report("next_layer", fault)

    async def server_connect(self, data: server_hooks.ServerConnectionHookData) -> None:
        try:
            await self.connections.dial(data)
        except BaseException as fault:  # noqa: BLE001  # closed whatever happened
            data.server.error = "internal error"
            self._report("server_connect", fault)

    def tls_failed_client(self, data: tls.TlsData) -> None:
        self.lifecycle.upkeep.distrusted(data.conn)

    # ---- calls ----------------------------------------------------------------------------------

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        try:
            self.dispatcher.open(flow)
        except BaseException as fault:  # noqa: BLE001  # closed whatever happened
            self.dispatcher.fail(flow, "requestheaders", fault)

    async def request(self, flow: http.HTTPFlow) -> None:
        if flow.response is not None:
            return
        try:
            await self.dispatcher.decide(flow)
        except asyncio.CancelledError as fault:
            if not self.dispatcher.left(flow):
                self.dispatcher.fail(flow, "request", fault)
        except BaseException as fault:  # noqa: BLE001  # closed whatever happened
            self.dispatcher.fail(flow, "request", fault)

    def responseheaders(self, flow: http.HTTPFlow) -> None:
        try:
            self.answers.answered(flow)
        except BaseException as fault:  # noqa: BLE001  # closed whatever happened
            self.dispatcher.withhold(flow, fault)

    async def response(self, flow: http.HTTPFlow) -> None:
        try:
            await self.answers.done(flow)
        except BaseException as fault:  # noqa: BLE001  # closed whatever happened
            self.dispatcher.fail(flow, "response", fault)
            self.answers.end(flow)

    async def error(self, flow: http.HTTPFlow) -> None:
        try:
            await self.answers.broken(flow)
        except BaseException as fault:  # noqa: BLE001  # the call has ended already
            self._report("error", fault)

    # ---- open sockets ---------------------------------------------------------------------------

    async def websocket_message(self, flow: http.HTTPFlow) -> None:
        try:
            await self.sockets.message(flow)
        except BaseException as fault:  # noqa: BLE001  # unpassed, the socket drops it and closes
            self._report("websocket_message", fault)

    def websocket_end(self, flow: http.HTTPFlow) -> None:
        try:
            self.sockets.ended(flow)
        except BaseException as fault:  # noqa: BLE001  # the socket has ended already
            self._report("websocket_end", fault)

    def _report(self, hook: str, fault: BaseException) -> None:
        faults.report(self.state.services, hook, fault)


def gateway(make: Build = build) -> Gateway:
    """The addon of one process."""
    return Gateway(make)
