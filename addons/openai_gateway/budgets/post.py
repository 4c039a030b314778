"""One POST to a webhook: within a time limit, with TLS checked, and never led elsewhere.

Written on plain streams, as the gateway has no HTTP client of its own: the status line is all that
is read of the answer, so a redirect is an answer like any other, and nobody's megabytes are taken.
"""

import asyncio
import ssl
from contextlib import suppress
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

import certifi

from openai_gateway.core.secret import Secret

ANSWER_S: Final = 5.0
LONGEST_LINE: Final = 1024
PORTS: Final = {"http": 80, "https": 443}


class NotSent(Exception):
    """Nobody has taken the message; the text says why, and not where it should have gone."""


async def post(url: Secret, body: bytes) -> None:
    """Raises: NotSent for whatever is no 2xx within ANSWER_S."""
    try:
        async with asyncio.timeout(ANSWER_S):
            status = await _status(url.reveal(), body)
    except TimeoutError as error:
        raise NotSent(f"no answer within {ANSWER_S:g} s") from error
    except (OSError, ValueError, EOFError, asyncio.LimitOverrunError) as error:
        # the error's own text may hold the URL
        raise NotSent(type(error).__name__) from error
    if not 200 <= status < 300:
        raise NotSent(f"answered {status}")


async def _status(url: str, body: bytes) -> int:
    parts = urlsplit(url)
    if not parts.hostname:
        raise ValueError("names no host")
    context = await asyncio.to_thread(_context) if parts.scheme == "https" else None
    reader, writer = await asyncio.open_connection(
        parts.hostname, parts.port or PORTS[parts.scheme], ssl=context, limit=LONGEST_LINE
    )
    try:
        path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        host = parts.netloc.rpartition("@")[2]
        writer.write(
            f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
            f"User-Agent: openai-gateway\r\nContent-Length: {len(body)}\r\n"
            f"Connection: close\r\n\r\n".encode("ascii")
            + body
        )
        await writer.drain()
        return _code(await reader.readuntil(b"\n"))
    finally:
        writer.transport.abort()  # an orderly end could wait for the other side
        with suppress(OSError):
            await writer.wait_closed()


def _code(line: bytes) -> int:
    """The status of an answer's first line. Raises: ValueError where it is none."""
    version, _, rest = line.partition(b" ")
    if not version.startswith(b"HTTP/1."):
        raise ValueError("no HTTP")
    return int(rest[:3])


@lru_cache(maxsize=1)
def _context() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certifi.where())
