"""One POST to a webhook: within a time limit, with TLS checked, and never led elsewhere.

Written on plain streams, as the gateway has no HTTP client of its own: the status line is all that
is read of the answer, so a redirect is an answer like any other, and nobody's megabytes are taken.
"""

import asyncio
from typing import Final

from openai_gateway.budgets import way
from openai_gateway.config.places import Proxy
from openai_gateway.core.secret import Secret

ANSWER_S: Final = 5.0


class NotSent(Exception):
    """Nobody has taken the message; the text says why, and not where it should have gone."""


async def post(url: Secret, body: bytes, proxy: Proxy | None = None) -> None:
    """Raises: NotSent for whatever is no 2xx within ANSWER_S."""
    try:
        async with asyncio.timeout(ANSWER_S):
            status = await _status(way.target(url.reveal()), body, proxy)
    except TimeoutError as error:
        raise NotSent(f"no answer within {ANSWER_S:g} s") from error
    except way.ProxyRefused as error:
        raise NotSent(f"the proxy answered {error}") from error
    except (OSError, ValueError, EOFError, asyncio.LimitOverrunError) as error:
        # the error's own text may hold the URL
        raise NotSent(type(error).__name__) from error
    if not 200 <= status < 300:
        raise NotSent(f"answered {status}")


async def _status(to: way.Target, body: bytes, proxy: Proxy | None) -> int:
    proxy = way.proxy_for(to, proxy)
    async with way.opened(to, proxy) as (reader, writer):
        writer.write(_head(to, len(body), proxy).encode("ascii") + body)
        await writer.drain()
        return way.code(await reader.readuntil(b"\n"))


def _head(to: way.Target, length: int, proxy: Proxy | None) -> str:
    """A proxy is told the whole URL where it has no tunnel to it."""
    asked = proxy is not None and to.scheme == "http"
    where = f"http://{to.place}{to.path}" if asked else to.path
    return (
        f"POST {where} HTTP/1.1\r\nHost: {to.place}\r\nContent-Type: application/json\r\n"
        f"User-Agent: openai-gateway\r\nContent-Length: {length}\r\n"
        f"{way.authorization(proxy) if proxy is not None and asked else ''}"
        f"Connection: close\r\n\r\n"
    )
