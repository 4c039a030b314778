"""Keeps every byte the fake got, so that a test can say what left the gateway and what did not."""

import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

import brotli  # type: ignore[import-untyped]  # ships no types
import orjson
import zstandard

from tests.support.fake_openai.knobs import Knob

type RawHeaders = list[tuple[bytes, bytes]]


@dataclass(slots=True)
class Frame:
    """One whole WebSocket message: text, binary, ping, pong or close (data is then the reason)."""

    kind: str
    data: bytes
    code: int | None = None
    fragments: int = 1


@dataclass(slots=True)
class Connection:
    """One TLS connection and the plain bytes that came through it."""

    number: int
    alpn: str = ""
    sni: str | None = None
    raw: bytearray = field(default_factory=bytearray, repr=False)
    fault: str = ""
    closed: bool = False


@dataclass(slots=True)
class Received:
    """One request in the making: it is there from its head on, `complete` when its end was seen."""

    connection: Connection
    http_version: str
    method: str
    target: str
    headers: RawHeaders
    pseudo: RawHeaders = field(default_factory=list)
    buffer: bytearray = field(default_factory=bytearray, repr=False)
    trailers: RawHeaders = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    at: float = field(default_factory=time.monotonic)
    complete: bool = False
    answered: bool = False
    aborted: bool = False
    status: int = 0
    knob: Knob = field(default_factory=Knob, repr=False)

    @property
    def body(self) -> bytes:
        return bytes(self.buffer)

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    @property
    def authority(self) -> str:
        found = [value for name, value in self.pseudo if name == b":authority"]
        return found[0].decode("latin-1") if found else self.first("host")

    def values(self, name: str) -> list[str]:
        """All values of a header in order; the name in any case."""
        wanted = name.lower().encode()
        return [v.decode("latin-1") for k, v in self.headers if k.lower() == wanted]

    def first(self, name: str, default: str = "") -> str:
        return next(iter(self.values(name)), default)

    def decoded(self) -> bytes:
        """The body without its content-coding; as it is where the coding is unknown or broken."""
        decode = _CODINGS.get(self.first("content-encoding").strip().lower())
        return _try(decode, self.body) if decode else self.body

    def json(self) -> object:
        return orjson.loads(self.decoded())

    def messages(self, kind: str = "text") -> list[bytes]:
        """The WebSocket messages of one kind, in order."""
        return [frame.data for frame in self.frames if frame.kind == kind]


class Recorder:
    """Everything received, in order; reading is safe from another thread."""

    def __init__(self) -> None:
        self.keep = True
        self.connections: list[Connection] = []
        self.requests: list[Received] = []
        self._lock = threading.Lock()
        self._numbers = 0

    def connection(self) -> Connection:
        with self._lock:
            self._numbers += 1
            made = Connection(self._numbers)
            if self.keep:
                self.connections.append(made)
        return made

    def raw(self, connection: Connection, data: bytes) -> None:
        if self.keep:
            connection.raw += data

    def add(self, request: Received) -> None:
        if self.keep:
            with self._lock:
                self.requests.append(request)

    def clear(self) -> None:
        with self._lock:
            self.connections.clear()
            self.requests.clear()

    def everything(self) -> bytes:
        """All that arrived, as it came and decoded (HPACK, content-coding, WebSocket, percent)."""
        with self._lock:
            connections, requests = list(self.connections), list(self.requests)
        parts = [bytes(connection.raw) for connection in connections]
        for request in requests:
            parts.extend(_views(request))
        return b"\n".join(parts)


def _views(request: Received) -> Iterator[bytes]:
    target = request.target.encode("latin-1")
    yield target
    yield unquote_to_bytes(target)
    for name, value in (*request.pseudo, *request.headers, *request.trailers):
        yield name + b": " + value
    yield request.body
    yield request.decoded()
    yield from (frame.data for frame in request.frames)


def _try(decode: Callable[[bytes], bytes], data: bytes) -> bytes:
    try:
        return decode(data)
    except (zlib.error, brotli.error, zstandard.ZstdError):
        return data


_CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: zlib.decompress(data, 47),
    "deflate": lambda data: zlib.decompress(data, 47),
    "br": brotli.decompress,
    "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
}
