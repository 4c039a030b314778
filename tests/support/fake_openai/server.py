"""The stand-in for api.openai.com: one port, real TLS, HTTP/1.1 and HTTP/2 by ALPN, WebSockets."""

import asyncio
import contextlib
import socket
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from tests.support.fake_openai import routes
from tests.support.fake_openai.answers import Answer
from tests.support.fake_openai.asking import Asking, Memory
from tests.support.fake_openai.certificates import Certificates, Tls
from tests.support.fake_openai.credentials import Door
from tests.support.fake_openai.delivery import deliver
from tests.support.fake_openai.families.talk import conversation
from tests.support.fake_openai.h1 import H1Sink, Http1
from tests.support.fake_openai.h2 import Http2
from tests.support.fake_openai.knobs import Knobs
from tests.support.fake_openai.recorder import Connection, Received, Recorder
from tests.support.fake_openai.sockets import Talker
from tests.support.fake_openai.wire import LIMIT, Sink, Wire

HANDSHAKE_S = 10.0


class FakeOpenAI:
    """async with FakeOpenAI(staging_keys={...}) as fake: fake.port, fake.requests, fake.knobs …

    It accepts the keys it was given and those it minted; nobody else gets more than a 401.
    """

    def __init__(self, staging_keys: Iterable[str] = (), port: int = 0) -> None:
        self.door = Door(set(staging_keys))
        self.recorder, self.knobs, self.memory = Recorder(), Knobs(), Memory()
        self.certificates, self.tls = Certificates(), Tls()
        self.port = port
        self._folder = tempfile.TemporaryDirectory(prefix="fake-openai-")
        self.ca_pem_path = Path(self._folder.name) / "ca.pem"
        self.ca_pem_path.write_bytes(self.certificates.pem)
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def requests(self) -> list[Received]:
        """The requests so far, in the order of their heads."""
        return list(self.recorder.requests)

    @property
    def connections(self) -> list[Connection]:
        return list(self.recorder.connections)

    def received_bytes(self) -> bytes:
        """All that ever arrived since the last reset, raw and decoded."""
        return self.recorder.everything()

    def reset(self) -> None:
        """Forgets requests, rules, objects and minted keys; the port and the CA stay."""
        self.recorder.clear()
        self.knobs.clear()
        self.memory.clear()
        self.door.minted.clear()
        self.tls.clear()

    async def __aenter__(self) -> Self:
        listener = socket.create_server(("127.0.0.1", self.port), backlog=256)
        listener.setblocking(False)
        self.port = listener.getsockname()[1]
        self._spawn(self._accept(listener))
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._folder.cleanup()

    def _spawn(self, work: "asyncio._CoroutineLike[None]") -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        with listener:
            while True:
                sock, _ = await loop.sock_accept(listener)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._spawn(self._connection(sock))

    async def _connection(self, sock: socket.socket) -> None:
        connection = self.recorder.connection()
        wire = await self._handshake(sock, connection)
        if wire is None:
            return
        try:
            http = Http2(wire, self) if connection.alpn == "h2" else Http1(wire, self)
            await http.run()
        finally:
            await wire.finish()

    async def _handshake(self, sock: socket.socket, connection: Connection) -> Wire | None:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=LIMIT)
        protocol = asyncio.StreamReaderProtocol(reader)
        context = self.certificates.context(self.tls)
        try:
            transport, _ = await loop.connect_accepted_socket(
                lambda: protocol, sock, ssl=context, ssl_handshake_timeout=HANDSHAKE_S
            )
        except OSError as fault:  # ssl.SSLError too: the peer did not like the certificate
            connection.fault, connection.closed = repr(fault), True
            return None
        tls = transport.get_extra_info("ssl_object")
        connection.alpn = tls.selected_alpn_protocol() or ""
        connection.sni = self.certificates.asked.get(tls)
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        return Wire(reader, writer, self.recorder, connection)

    def begin(self, request: Received) -> None:
        """A head has arrived: it is recorded, and its rule chosen."""
        request.knob = self.knobs.take(request.method, request.path)
        self.recorder.add(request)

    async def serve(self, request: Received, sink: Sink) -> None:
        await deliver(self._answer(request), request, sink)

    def _answer(self, request: Received) -> Answer:
        refusal = self.door.judge(request)
        if refusal is not None:
            return refusal
        return routes.answer(self._asking(request))

    def _asking(self, request: Received) -> Asking:
        return Asking(request, request.knob, self.memory, self.door)

    async def socket(self, request: Received, wire: Wire) -> None:
        """A WebSocket handshake: refused as an ordinary answer, or opened and talked on."""
        refusal = self.door.judge(request)
        if request.knob.ws_reject is not None:
            refusal = Answer(request.knob.ws_reject, body=b'{"error":{"message":"refused"}}')
        if refusal is None and request.knob.status is None:
            return await Talker(request, wire, conversation(self._asking(request))).run()
        with contextlib.suppress(OSError):
            await deliver(refusal or Answer(), request, H1Sink(wire, request))
        return None
