"""The names that every raw client uses, and the rudest way to leave."""

import socket
import ssl
import struct
import sys

HOST = "api.openai.com"
TARGET = f"{HOST}:443"
type Pairs = list[tuple[str, str]]
BLIND = sys.version_info < (3, 12, 3)  # its ssl module reads a reset as an end (gh-115627)
TCP_CLOSE = 7  # the first byte of TCP_INFO on Linux


def bearer(key: str) -> tuple[str, str]:
    return ("Authorization", f"Bearer {key}")


def reset(sock: socket.socket) -> None:
    """Leaves with a TCP RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if isinstance(sock, ssl.SSLSocket):
        socket.socket(fileno=sock.detach()).close()
    else:
        sock.close()


def read(sock: socket.socket) -> bytes:
    """The next bytes, nothing at an end; a reset raises ConnectionResetError on every Python."""
    data = sock.recv(65536)
    if not data and BLIND and _state(sock) == TCP_CLOSE:
        raise ConnectionResetError
    return data


def _state(sock: socket.socket) -> int:
    return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
