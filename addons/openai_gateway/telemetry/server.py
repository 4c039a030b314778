"""A small HTTP server in threads whose clients can neither fill nor hold it.

Bounded are: connections at once, the time of each, the size of a request's head. Why not the
standard library's as it is: that one waits for slow clients for ever, shakes TLS hands in the one
thread that accepts, asks DNS for its own name, and writes of every request to stderr.
"""

import io
import logging
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from socketserver import TCPServer, ThreadingMixIn
from typing import IO, Any, Final, cast
from wsgiref.handlers import SimpleHandler
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer
from wsgiref.types import WSGIApplication

import orjson

CONNECTIONS_MAX: Final = 16
SILENCE_S: Final = 10.0  # no byte for so long
TOTAL_S: Final = 30.0  # a connection as a whole, however busy
HEAD_MAX: Final = 16_384
_LOOK_EVERY_S: Final = 0.2  # for connections that are due, and for the end

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tls:
    """PEM files; with `client_ca` only clients with a certificate of it are let in."""

    cert: Path
    key: Path
    client_ca: Path | None = None

    def context(self) -> ssl.SSLContext:
        """Raises: OSError that names the files."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(self.cert, self.key)
            if self.client_ca is not None:
                context.load_verify_locations(self.client_ca)
                context.verify_mode = ssl.CERT_REQUIRED
        except OSError as error:
            named = ", ".join(str(path) for path in (self.cert, self.key, self.client_ca) if path)
            raise OSError(f"metrics.tls: cannot use {named}: {error}") from error
        return context


def fault(code: str, message: str) -> bytes:
    """The one shape of an error here, the same as on the proxy's port."""
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return orjson.dumps({"error": error})


class Server(ThreadingMixIn, WSGIServer):
    """Listens from its construction on; serves from `start` on."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = CONNECTIONS_MAX

    def __init__(
        self,
        listen: tuple[str, int],
        application: WSGIApplication,
        tls: Tls | None,
        opened: socket.socket | None = None,
    ) -> None:
        """`opened` listens already, and others may accept on it too.

        Raises: OSError with the address and what to do about it.
        """
        self.address_family = socket.AF_INET6 if ":" in listen[0] else socket.AF_INET
        self._context = tls.context() if tls else None
        self._slots = threading.Semaphore(CONNECTIONS_MAX)
        self._open: dict[int, tuple[socket.socket, float]] = {}
        self._opened = opened
        try:
            super().__init__(listen, _Handler)
        except OSError as error:
            raise OSError(error.errno, _cannot_listen(listen, error)) from error
        self.answer = application

    def start(self) -> tuple[str, int]:
        """Serves from a thread; returns the address and port."""
        threading.Thread(
            target=self.serve_forever, args=(_LOOK_EVERY_S,), name="admin", daemon=True
        ).start()
        host, port = self.server_address[:2]
        return str(host), int(port)

    def release(self) -> None:
        """Closes the port; who is being answered gets the answer. Waits up to 0.2 s."""
        self.shutdown()
        self.server_close()

    def stop(self) -> None:
        """Closes the port and the connections; waits up to 0.2 s for its thread."""
        self.release()
        self._cut(lambda _: True)

    def server_bind(self) -> None:
        # HTTPServer's asks DNS for the host's name, which can take seconds
        if self._opened is None:
            TCPServer.server_bind(self)
        else:
            self.socket.close()
            self.socket = self._opened
            self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]
        self.setup_environ()

    def server_activate(self) -> None:
        if self._opened is None:
            super().server_activate()

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._slots.acquire(blocking=False):
            self.shutdown_request(request)
            return
        request.settimeout(SILENCE_S)
        self._open[id(request)] = request, time.monotonic() + TOTAL_S
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            del self._open[id(request)]
            self._slots.release()

    def finish_request(self, request: Any, client_address: Any) -> None:
        if self._context is None:
            return super().finish_request(request, client_address)
        deadline = self._open[id(request)][1]
        with self._context.wrap_socket(
            request, server_side=True, do_handshake_on_connect=False
        ) as wrapped:
            self._open[id(request)] = wrapped, deadline
            wrapped.do_handshake()
            return super().finish_request(wrapped, client_address)

    def service_actions(self) -> None:
        now = time.monotonic()
        self._cut(lambda deadline: deadline < now)

    def handle_error(self, request: Any, client_address: Any) -> None:
        del request, client_address
        error = sys.exception()
        if not isinstance(error, OSError):  # a client that left, was slow, or spoke no TLS
            _LOG.error("metrics.listen: a request failed", exc_info=error)

    def _cut(self, due: Callable[[float], bool]) -> None:
        for connection, deadline in list(self._open.values()):
            if due(deadline):
                with suppress(OSError):  # TLS's own shutdown is not safe from another thread
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)


class _Head(io.BufferedIOBase):
    """Reads lines until so many bytes are spent; from then on the stream seems to have ended."""

    def __init__(self, stream: io.BufferedIOBase) -> None:
        self._stream = stream
        self.left = HEAD_MAX

    def readline(self, size: int | None = -1, /) -> bytes:
        most = self.left if size is None or size < 0 else min(size, self.left)
        line = self._stream.readline(most)
        self.left -= len(line)
        return line

    def close(self) -> None:
        self._stream.close()
        super().close()


class _Answering(SimpleHandler):
    """Runs the application; the process's environment is none of its business."""

    os_environ: dict[str, str] = {}  # noqa: RUF012 - the base class copies it for each request
    server_software = "openai-gateway"
    error_status = "500 Internal Server Error"
    error_headers = [("Content-Type", "application/json")]  # noqa: RUF012 - as the base declares it
    error_body = fault("internal_error", "The gateway could not answer; its log says why.")

    def log_exception(self, exc_info: Any) -> None:
        _LOG.error("metrics.listen: a request failed", exc_info=exc_info)


class _Handler(WSGIRequestHandler):
    """One request a connection, its head bounded, its errors in JSON, nothing written of it."""

    server: Server
    default_request_version = "HTTP/1.0"  # not 0.9, whose answers have no status

    def handle(self) -> None:
        self.rfile = head = _Head(self.rfile)
        self.raw_requestline = head.readline()
        if not self.parse_request():
            return
        if head.left <= 0:
            self.send_error(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            return
        out = cast(IO[bytes], self.wfile)
        answering = _Answering(io.BytesIO(), out, io.StringIO(), self.get_environ())
        answering.run(self.server.answer)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        del message, explain  # they may quote the client
        body = fault("bad_request", HTTPStatus(code).phrase)
        self.send_response_only(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: a scraper asks every few seconds."""


def _cannot_listen(listen: tuple[str, int], error: OSError) -> str:
    host = f"[{listen[0]}]" if ":" in listen[0] else listen[0]
    return (
        f"metrics.listen: cannot listen on {host}:{listen[1]}: {error.strerror}; "
        "stop what holds the port, or set another under metrics.listen"
    )
