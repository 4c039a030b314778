"""Connections before and beside the calls: who may connect, what a CONNECT opens, what is dialled.

The door is shut in each of these: a connection that nothing here passed stays closed.
"""

import socket
import struct
from typing import Any, Final

from mitmproxy import connection, ctx, http
from mitmproxy.proxy import layer, layers, server_hooks

from openai_gateway.api.errors import refusal
from openai_gateway.core.call import Call, Request
from openai_gateway.core.verdict import Refusal
from openai_gateway.host.books import close_unbegun, record_refusal
from openai_gateway.host.exchange import PASSED, refusal_response
from openai_gateway.host.state import InForce, State, via
from openai_gateway.host.tunnel import Tunnel, public_address

# More than this many client connections at once are closed at once.
MOST_CLIENTS = 4096
# A linger of no time: closing sends a reset.
AT_ONCE: Final = struct.pack("ii", 1, 0)


class Connections:
    """The state machine of one connection is: connected, CONNECT passed, then calls or a tunnel."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.open = 0

    def connected(self, client: connection.Client) -> None:
        """Cuts clients that `clients.allow` does not name. While starting, nothing is cut: the
        calls themselves are answered `gateway_not_ready`."""
        self.open += 1
        force = self.state.in_force
        if self.open > MOST_CLIENTS:
            client.error = "too many connections"
        elif force is not None and not force.clients.may_connect(client.peername[0]):
            client.error = "not in clients.allow"

    def gone(self, client: connection.Client) -> None:
        """Forgets what the connection was allowed."""
        self.open -= 1
        self.state.clients.pop(client.id, None)
        self.state.tunnels.pop(client.id, None)
        for exchange in list(self.state.calls.values()):
            if exchange.client_id == client.id:
                exchange.leave()
        close_leftover(client)

    def connect(self, flow: http.HTTPFlow) -> None:
        """Judges a CONNECT: the client first, then the destination."""
        force = self.state.serving()
        if force is None:
            page = refusal("gateway_not_ready")
            call = close_unbegun(self.state, "CONNECT", page)
            flow.response = refusal_response(page, call.id, full_detail=False)
            return
        client, request = flow.client_conn, flow.request
        who = force.clients.identify(client.peername[0], request.headers.get("proxy-authorization"))
        if isinstance(who, Refusal):
            self._refuse(flow, force, who)
            return
        refused = force.destinations.connect(request.host, request.port)
        if refused is not None:
            self._refuse(flow, force, refused)
            return
        self.state.clients[client.id] = who
        if force.destinations.passes(request.host, request.port):
            self.state.tunnels[client.id] = request.host
        flow.metadata[PASSED] = True

    def _refuse(self, flow: http.HTTPFlow, force: InForce, refused: Refusal) -> None:
        request = flow.request
        call = Call(Request("CONNECT", request.host, b"", []))
        call.client = force.clients.name(flow.client_conn.peername[0])
        call.environment = force.chain.environment
        record_refusal(force.chain, call, refused)
        if refused.code == "gateway_destination_refused":
            force.chain.services.metrics.passthrough("refused")
        flow.response = refusal_response(refused, call.id, force.chain.full_detail)

    def next_layer(self, ask: layer.NextLayer) -> None:
        """Puts a blind tunnel in place where a CONNECT to a passthrough host was passed."""
        client = ask.context.client
        host = self.state.tunnels.get(client.id)
        inside_connect = any(isinstance(held, layers.HttpLayer) for held in ask.context.layers)
        if host is None or not inside_connect:
            return
        force = self.state.in_force
        if force is None:
            return
        metrics = force.chain.services.metrics
        proxy = force.chain.proxy
        through = via(proxy) if proxy is not None else None
        ask.layer = Tunnel(ask.context, host, through, metrics.passthrough)

    async def dial(self, data: server_hooks.ServerConnectionHookData) -> None:
        """The backstop before a socket opens: only what the settings name is ever dialled."""
        force = self.state.in_force
        address = data.server.address
        if force is None or address is None:
            data.server.error = "not ready"
            return
        host = self.state.tunnels.get(data.client.id)
        asked = (address[0], address[1])
        if host is not None and force.chain.proxy is None:
            await self._dial_tunnel(data, host, asked)
        elif not any(force.destinations.dials(asked, proxy)
                     for proxy in self.state.proxies(data.client.id)):  # fmt: skip
            data.server.error = "destination not allowed"

    async def _dial_tunnel(
        self, data: server_hooks.ServerConnectionHookData, host: str, asked: tuple[str, int]
    ) -> None:
        """Pins the tunnel to one public address, so that the name cannot change under it."""
        data.server.error = "address not allowed"
        address = await public_address(*asked) if asked[0] == host else None
        if address is not None:
            data.server.address = (address, asked[1])
            data.server.error = None

    def connect_upstream(self, flow: http.HTTPFlow) -> None:
        """Our own CONNECT to the corporate proxy: its credentials, and the target once more."""
        force = self.state.in_force
        if force is not None and force.proxy_authorization:
            flow.request.headers["proxy-authorization"] = force.proxy_authorization


# mitmproxy's connection handlers and their transports are not public: only these use them.


def abort_upstream(client_id: str) -> None:
    """Ends every upstream connection of one client: mitmproxy then reports the call as broken."""
    for conn, transport in _transports(client_id):
        if isinstance(conn, connection.Server) and transport.handler is not None:
            transport.handler.cancel("overdue")


def reset_client(client_id: str) -> None:
    """Resets one client's connection: a TCP RST, no goodbye of TLS or HTTP."""
    for conn, transport in _transports(client_id):
        if isinstance(conn, connection.Client) and transport.writer is not None:
            sock = transport.writer.get_extra_info("socket")
            if sock is not None:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
            transport.writer.transport.abort()


def close_leftover(client: connection.Client) -> None:
    """Closes the socket of a client that has gone: where mitmproxy cuts a client that still sends,
    its handler may end before it has closed the socket, which then stays open for good."""
    for conn, transport in _transports(client.id):
        if conn is client and transport.writer is not None:
            transport.writer.transport.abort()


def _transports(client_id: str) -> list[tuple[connection.Connection, Any]]:
    server = ctx.master.addons.get("proxyserver")
    handler = server.connections.get(client_id) if server is not None else None
    return list(handler.transports.items()) if handler is not None else []
