"""Ordinary clients set up for the gateway, and the reading of event streams."""

import ssl
from collections.abc import Iterator
from typing import Any

import httpx

from tests.support.clients.tunnel import Way

BASE = "https://api.openai.com"


def client(way: Way, key: str | None = None, *, http2: bool = False, **more: Any) -> httpx.Client:
    """An httpx client through the gateway; paths are relative to OpenAI's API."""
    headers = {"authorization": f"Bearer {key}"} if key else {}
    return httpx.Client(
        base_url=BASE,
        proxy=way.proxy_url,
        verify=ssl.create_default_context(cafile=str(way.ca_file)),
        http2=http2,
        headers={**headers, **more.pop("headers", {})},
        timeout=way.wait_s,
        trust_env=False,
        **more,
    )


def events(body: bytes) -> Iterator[str]:
    """The data of each event of a stream, in order."""
    for block in body.replace(b"\r\n", b"\n").split(b"\n\n"):
        lines = block.decode().split("\n")
        data = [line.removeprefix("data:").lstrip() for line in lines if line.startswith("data:")]
        if data:
            yield "\n".join(data)
