"""A corporate egress proxy in small: CONNECT, and http by its whole URL, to the routes it was told,
with a record."""

import asyncio
import base64
import contextlib
from dataclasses import dataclass, field
from typing import Literal, Self, cast
from urllib.parse import urlsplit

from tests.support.fake_openai.certificates import HOSTS
from tests.support.fake_openai.wire import reset
from tests.support.loop_thread import LoopThread

type Mode = Literal["relay", "refuse", "hang", "reset"]
type Address = tuple[str, int]
HANG_S = 3600
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Asked:
    """One CONNECT (or whatever else came): its target and its headers in lower case, in order."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    dialled: bool

    def first(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)


@dataclass(slots=True)
class Relay:
    """async with Relay({"api.openai.com:443": ("127.0.0.1", port)}) as relay: relay.url"""

    routes: dict[str, Address]
    credentials: str | None = None  # "user:password", then a CONNECT must carry them
    port: int = 0
    mode: Mode = "relay"
    delay_s: float = 0.0
    asked: list[Asked] = field(default_factory=list)
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def reset(self) -> None:
        self.asked.clear()
        self.mode, self.delay_s = "relay", 0.0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, backlog=256)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = cast("asyncio.Task[None]", asyncio.current_task())
        self._tasks.add(task)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await self._one(reader, writer)
        writer.close()
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await writer.wait_closed()
        self._tasks.discard(task)

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = method, target, headers = _head(await reader.readuntil(b"\r\n\r\n"))
        status = self._judge(method, target, headers)
        self.asked.append(Asked(method, target, headers, status == 200 and self.mode == "relay"))
        await asyncio.sleep(HANG_S if self.mode == "hang" else self.delay_s)
        if self.mode == "reset":
            return reset(writer)
        if status != 200:
            return writer.write(b"HTTP/1.1 %d Refused\r\ncontent-length: 0\r\n\r\n" % status)
        if method != "CONNECT":
            return await _join(reader, writer, self.routes[place(target)], forwarded(*asked))
        return await _join(reader, writer, self.routes[target], b"", ESTABLISHED)

    def _judge(self, method: str, target: str, headers: list[tuple[str, str]]) -> int:
        sent = [value for name, value in headers if name == "proxy-authorization"]
        if self.credentials is not None and sent != [_basic(self.credentials)]:
            return 407
        wanted = target if method == "CONNECT" else place(target)
        if wanted not in self.routes or self.mode == "refuse":
            return 403
        return 200


def _basic(credentials: str) -> str:
    return f"Basic {base64.b64encode(credentials.encode()).decode()}"


def _head(head: bytes) -> tuple[str, str, list[tuple[str, str]]]:
    first, *lines = head.decode("latin-1").split("\r\n")[:-2]
    method, target, *_ = [*first.split(" "), "", ""]
    fields = (line.partition(":") for line in lines)
    return method, target, [(name.lower(), value.strip()) for name, _, value in fields]


def place(url: str) -> str:
    """HOST:PORT of a whole http URL; of anything else what no route is named."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or 80}" if parts.scheme == "http" else ""


def forwarded(method: str, url: str, headers: list[tuple[str, str]]) -> bytes:
    """The head as the proxy sends it on, without what was meant for itself."""
    parts = urlsplit(url)
    path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    own = [f"{name.title()}: {value}" for name, value in headers if name[:6] != "proxy-"]
    return "\r\n".join((f"{method} {path} HTTP/1.1", *own, "", "")).encode("latin-1")


async def _join(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    address: Address,
    there: bytes,
    back: bytes = b"",
) -> None:
    """`there` and `back` are what each side is told first."""
    far_reader, far_writer = await asyncio.open_connection(*address)
    try:
        far_writer.write(there)
        writer.write(back)
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
    finally:
        far_writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Passes bytes on; a reset is passed on as a reset, an end as an end."""
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        reset(writer)
    writer.close()


def to_fake(port: int) -> dict[str, Address]:
    """The routes of every host that is OpenAI's API."""
    return {f"{host}:443": ("127.0.0.1", port) for host in HOSTS}


class RelayThread:
    """The relay in a background thread: with RelayThread(routes) as relay: relay.inner.asked"""

    def __init__(self, routes: dict[str, Address], credentials: str | None = None) -> None:
        self.inner = Relay(routes, credentials)
        self._thread = LoopThread(self.inner, "relay")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.stop()

    @property
    def url(self) -> str:
        return self.inner.url

    @property
    def asked(self) -> list[Asked]:
        return list(self.inner.asked)

    def reset(self) -> None:
        self.inner.reset()
