"""How a process leaves while others serve on: it takes nothing new, and closes between calls.

Calls under way end in their own time; the answer to each says that its connection closes behind it
(http1.py, http2.py), and one that lies idle is closed as any server's time limit would.
"""

import asyncio
import time
from typing import Any, Final

from mitmproxy import ctx

from openai_gateway.host.state import State

LOOK_S: Final = 0.05
# Shorter than what clients keep connections for: most notice the end before they use one again.
IDLE_S: Final = 2.0


async def close_doors() -> None:
    """Stops accepting; connections that are open stay so. May be called again."""
    server = ctx.master.addons.get("proxyserver")
    for instance in list(server.servers) if server else []:
        if instance.is_running:
            await instance.stop()


async def retire(state: State, limit_s: float) -> None:
    """Returns once no connection is left, or the time is over."""
    state.retiring = True
    await close_doors()
    if state.services is not None:
        await asyncio.to_thread(state.services.release)
    idle: dict[str, float] = {}
    until = time.monotonic() + limit_s
    handlers = _handlers()
    while handlers and time.monotonic() < until:
        _close_idle(state, handlers, idle)
        await asyncio.sleep(LOOK_S)
        handlers = _handlers()


def _close_idle(state: State, handlers: dict[str, Any], idle: dict[str, float]) -> None:
    """Closes what has had no call for IDLE_S; `idle` holds since when, by connection."""
    now, busy = time.monotonic(), _busy(state)
    for client_id, handler in handlers.items():
        if client_id in busy:
            idle.pop(client_id, None)
        elif now - idle.setdefault(client_id, now) >= IDLE_S:
            _close(handler)


def _busy(state: State) -> set[str]:
    exchanges = (*state.calls.values(), *state.sockets.values())
    return {exchange.client_id for exchange in exchanges} | set(state.tunnels)


# mitmproxy's connection handlers are not public.


def _handlers() -> dict[str, Any]:
    server = ctx.master.addons.get("proxyserver")
    return dict(server.connections) if server is not None else {}


def _close(handler: Any) -> None:
    transport = handler.transports.get(handler.client)
    if transport is not None and transport.handler is not None:
        transport.handler.cancel("retired")
