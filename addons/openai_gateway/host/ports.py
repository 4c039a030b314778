"""Opens the ports that several workers serve, once, in their parent: one in use is one clear error.

The parent holds them as long as it lives: what waits in their queues survives any worker's end.
"""

import socket
from typing import Final

from openai_gateway.config.places import Listen

BACKLOG: Final = 1024
ADMIN_BACKLOG: Final = 16
HIGHEST: Final = 65_535


def open_proxy(host: str, port: int) -> list[socket.socket]:
    """Listens on every address of the name. Raises: OSError that names port and fix."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        addresses = sorted({(family, str(address[0])) for family, _, _, _, address in found})
        return [_listen(family, (address, port), BACKLOG) for family, address in addresses]
    except OSError as error:
        raise OSError(
            error.errno,
            f"--listen: cannot listen on {Listen(host, port)}: {error.strerror}; stop what holds "
            "the port, or name another with --listen",
        ) from error


def open_admin(listen: Listen, workers: int) -> list[socket.socket]:
    """One socket a worker, on ports that count up from `listen`; from port 0 any that are free.

    Raises: OSError that names worker, port and fix.
    """
    last = listen.port + workers - 1
    if listen.port and last > HIGHEST:
        raise OSError(
            f"metrics.listen: {workers} workers take the ports {listen.port} to {last}, and "
            f"{HIGHEST} is the last there is; set a lower one"
        )
    return [_open_admin(listen, number, workers) for number in range(workers)]


def _open_admin(listen: Listen, number: int, workers: int) -> socket.socket:
    mine = Listen(
        "127.0.0.1" if listen.host == "localhost" else listen.host,
        listen.port + number if listen.port else 0,
    )
    family = socket.AF_INET6 if ":" in mine.host else socket.AF_INET
    try:
        return _listen(family, (mine.host, mine.port), ADMIN_BACKLOG)
    except OSError as error:
        raise OSError(
            error.errno,
            f"metrics.listen: cannot listen on {mine} for worker {number + 1}: {error.strerror}; "
            f"stop what holds the port, or set another under metrics.listen ({workers} workers "
            f"take as many ports, counting up)",
        ) from error


def _listen(family: int, address: tuple[str, int], backlog: int) -> socket.socket:
    """Not inherited unless it is handed on; nobody who accepts on it may wait there."""
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        opened.bind(address)
        opened.listen(backlog)
    except OSError:
        opened.close()
        raise
    opened.setblocking(False)
    return opened
