"""The fake's second port, plain HTTP on loopback: rules in, records out, for another process."""

import asyncio
import base64
import contextlib
from collections.abc import Callable
from typing import Any, Self, cast

import orjson

from tests.support.fake_openai.answers import Answer, of_json
from tests.support.fake_openai.delivery import deliver
from tests.support.fake_openai.h1 import Http1
from tests.support.fake_openai.knobs import from_json
from tests.support.fake_openai.recorder import Received, Recorder
from tests.support.fake_openai.server import FakeOpenAI
from tests.support.fake_openai.wire import LIMIT, Sink, Wire


class Control:
    """POST /knobs, /keys, /tls, /reset, /search; GET /requests, /connections."""

    def __init__(self, fake: FakeOpenAI, port: int = 0) -> None:
        self.port = port
        self._fake = fake
        self._recorder = Recorder()
        self._recorder.keep = False
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._routes: dict[tuple[str, str], Callable[[Any], object]] = {
            ("POST", "/knobs"): self._knob,
            ("POST", "/keys"): self._keys,
            ("POST", "/tls"): self._tls,
            ("POST", "/reset"): self._reset,
            ("POST", "/search"): self._search,
            ("GET", "/requests"): self._requests,
            ("GET", "/connections"): self._connections,
        }

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=LIMIT)
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
        wire = Wire(reader, writer, self._recorder, self._recorder.connection())
        with contextlib.suppress(asyncio.CancelledError):
            await Http1(wire, self).run()
        await wire.finish()
        self._tasks.discard(task)

    def begin(self, request: Received) -> None:
        """Nothing is recorded here, and no rule holds."""

    async def socket(self, request: Received, wire: Wire) -> None:
        """No WebSocket here: the connection just ends."""

    async def serve(self, request: Received, sink: Sink) -> None:
        await deliver(self._answer(request), request, sink)

    def _answer(self, request: Received) -> Answer:
        route = self._routes.get((request.method, request.path))
        if route is None:
            return of_json({"known": [" ".join(key) for key in self._routes]}, 404)
        try:
            return of_json(route(orjson.loads(request.body or b"{}")))
        except (ValueError, TypeError, KeyError) as fault:
            return of_json({"fault": str(fault)}, 400)

    def _knob(self, value: dict[str, Any]) -> object:
        self._fake.knobs.add(**from_json(value))
        return {"ok": True}

    def _keys(self, value: list[str]) -> object:
        self._fake.door.keys.update(value)
        return {"ok": True}

    def _tls(self, value: dict[str, Any]) -> object:
        self._fake.tls.leaf = value.get("leaf", self._fake.tls.leaf)
        self._fake.tls.alpn = tuple(value.get("alpn", self._fake.tls.alpn))
        return {"ok": True}

    def _reset(self, _: object) -> object:
        self._fake.reset()
        return {"ok": True}

    def _search(self, value: dict[str, str]) -> object:
        """Whether any received byte sequence is the needle (text, or base64)."""
        coded = value.get("needle_base64")
        needle = base64.b64decode(coded) if coded else value["needle"].encode()
        return {"found": needle in self._fake.received_bytes()}

    def _requests(self, _: object) -> object:
        return [as_json(request) for request in self._fake.requests]

    def _connections(self, _: object) -> object:
        return [
            {"number": c.number, "alpn": c.alpn, "sni": c.sni, "raw_base64": _coded(c.raw)}
            for c in self._fake.connections
        ]


def as_json(request: Received) -> dict[str, Any]:
    """One request for another process; what may be any bytes is base64."""
    return {
        "connection": request.connection.number,
        "http_version": request.http_version,
        "method": request.method,
        "target": request.target,
        "authority": request.authority,
        "headers": _pairs(request.headers),
        "body_base64": _coded(request.buffer),
        "trailers": _pairs(request.trailers),
        "frames": [
            {"kind": f.kind, "data_base64": _coded(f.data), "code": f.code} for f in request.frames
        ],
        "status": request.status,
        "complete": request.complete,
        "answered": request.answered,
        "aborted": request.aborted,
    }


def _coded(data: bytes | bytearray) -> str:
    return base64.b64encode(data).decode()


def _pairs(headers: list[tuple[bytes, bytes]]) -> list[list[str]]:
    return [[name.decode("latin-1"), value.decode("latin-1")] for name, value in headers]
