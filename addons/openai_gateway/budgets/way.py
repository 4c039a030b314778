"""The way to a webhook: directly, or through the corporate proxy that `upstream.proxy` names.

What listens on loopback is this machine's own, and to a proxy that address is another one: it is
always reached directly.
"""

import asyncio
import ipaddress
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

import certifi

from openai_gateway.config.places import Proxy

LONGEST_LINE: Final = 8192
MOST_LINES: Final = 100
PORTS: Final = {"http": 80, "https": 443}

type Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class ProxyRefused(Exception):
    """The proxy does not lead there; the text is its status."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL in its parts; `host` is without brackets, `place` as it stands in the URL."""

    scheme: str
    host: str
    port: int
    place: str
    path: str


def target(url: str) -> Target:
    """Raises: ValueError for what leads nowhere."""
    parts = urlsplit(url)
    if not parts.hostname or parts.scheme not in PORTS:
        raise ValueError("names no host")
    return Target(
        parts.scheme,
        parts.hostname,
        parts.port or PORTS[parts.scheme],
        parts.netloc.rpartition("@")[2],
        f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}",
    )


def proxy_for(to: Target, proxy: Proxy | None) -> Proxy | None:
    """The proxy that leads there; None where the way is direct."""
    if to.host == "localhost":
        return None
    with suppress(ValueError):
        if ipaddress.ip_address(to.host).is_loopback:
            return None
    return proxy


@asynccontextmanager
async def opened(to: Target, proxy: Proxy | None) -> AsyncIterator[Streams]:
    """A connection that speaks to the target, over TLS where the URL says so; through the proxy
    a tunnel for https, and the proxy's own connection for http.

    Raises: ProxyRefused; OSError, EOFError, ValueError, LimitOverrunError.
    """
    first = proxy or to
    reader, writer = await asyncio.open_connection(
        first.host, first.port, ssl=await _tls(first.scheme), limit=LONGEST_LINE
    )
    try:
        if proxy is not None and to.scheme == "https":
            await _tunnel(reader, writer, to, proxy)
        yield reader, writer
    finally:
        writer.transport.abort()  # an orderly end could wait for the other side
        with suppress(OSError):
            await writer.wait_closed()


def authorization(proxy: Proxy) -> str:
    """The header that the proxy asks for, with its end of line; nothing where it asks for none."""
    if proxy.auth is None:
        return ""
    basic = b64encode(proxy.auth.secret.reveal().encode()).decode()
    return f"Proxy-Authorization: Basic {basic}\r\n"


def code(line: bytes) -> int:
    """The status of an answer's first line. Raises: ValueError where it is none."""
    version, _, rest = line.partition(b" ")
    if not version.startswith(b"HTTP/1."):
        raise ValueError("no HTTP")
    return int(rest[:3])


async def _tunnel(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, to: Target, proxy: Proxy
) -> None:
    place = f"[{to.host}]:{to.port}" if ":" in to.host else f"{to.host}:{to.port}"
    head = f"CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n{authorization(proxy)}\r\n"
    writer.write(head.encode("ascii"))
    await writer.drain()
    status = code(await reader.readuntil(b"\n"))
    if not 200 <= status < 300:
        raise ProxyRefused(str(status))
    for _ in range(MOST_LINES):
        if not (await reader.readuntil(b"\n")).strip():
            break
    else:
        raise ValueError("an answer without an end")
    context = await _tls("https")
    if context is not None:
        await writer.start_tls(context, server_hostname=to.host)


async def _tls(scheme: str) -> ssl.SSLContext | None:
    return await asyncio.to_thread(_context) if scheme == "https" else None


@lru_cache(maxsize=1)
def _context() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certifi.where())
