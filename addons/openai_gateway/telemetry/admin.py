"""Serves /metrics, /healthz and /readyz on `metrics.listen`, from threads of its own.

Why our own server: the metrics client's binds every interface, asks nobody for a token and answers
every path. Here nothing is unbounded: connections, time, and the size of what a client says.
"""

import gzip
import hmac
import socket
import threading
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from typing import Final
from wsgiref.types import StartResponse, WSGIEnvironment

import orjson
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder, gzip_accepted

from openai_gateway.core.secret import Secret
from openai_gateway.telemetry.server import Server, Tls, fault

SCRAPE_WAIT_S: Final = 10.0
_JSON: Final = ("Content-Type", "application/json")

type Reasons = Callable[[], list[str]]
type Header = tuple[str, str]
type Reply = tuple[str, list[Header], bytes]


class Admin:
    """The server. `ready` tells what is in the way of being ready; it is asked in a thread."""

    def __init__(
        self,
        listen: tuple[str, int],
        registry: CollectorRegistry,
        ready: Reasons,
        token: Secret | None = None,
        tls: Tls | None = None,
        opened: socket.socket | None = None,
    ) -> None:
        """`listen` is an address and a port, 0 for any that is free; `opened` is in its place.

        Raises: ValueError where others could reach it, and neither token nor tls guards it.
        """
        if opened is not None:
            listen = opened.getsockname()[:2]
        if token is None and tls is None and not ip_address(listen[0]).is_loopback:
            raise ValueError(
                f"metrics.listen: {listen[0]} can be reached from other machines: set "
                "metrics.token or metrics.tls, or listen on 127.0.0.1"
            )
        self._listen = listen
        self._registry = registry
        self._ready = ready
        self._token = token
        self._tls = tls
        self._opened = opened
        self._scrape = threading.Lock()
        self._server: Server | None = None

    def start(self) -> tuple[str, int]:
        """Listens, and returns where. Raises: OSError with the address and what to do."""
        self._server = Server(self._listen, self, self._tls, self._opened)
        return self._server.start()

    def release(self) -> None:
        """Closes the port, for another that answers there; answers under way end."""
        server, self._server = self._server, None
        if server is not None:
            server.release()

    def stop(self) -> None:
        """Closes the port and every connection."""
        server, self._server = self._server, None
        if server is not None:
            server.stop()

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """The WSGI application."""
        line, headers, body = self._reply(environ)
        start(line, [*headers, ("Content-Length", str(len(body))), ("Cache-Control", "no-store")])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    def _reply(self, environ: WSGIEnvironment) -> Reply:
        path = environ.get("PATH_INFO", "")
        if path not in ("/metrics", "/healthz", "/readyz"):
            return _fault("404 Not Found", "not_found", "Here are /metrics, /healthz and /readyz.")
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return _fault(
                "405 Method Not Allowed", "method_not_allowed", "Use GET.", ("Allow", "GET, HEAD")
            )
        if path == "/healthz":
            return _json("200 OK", {"alive": True})
        if path == "/readyz":
            return self._readiness(told=self._trusted(environ))
        return self._metrics(environ)

    def _readiness(self, told: bool) -> Reply:
        """Open to all, for orchestrators; the reasons are told to those with the token only."""
        reasons = self._ready()
        answer: dict[str, object] = {"ready": not reasons}
        if reasons and told:
            answer["reasons"] = reasons
        return _json("503 Service Unavailable" if reasons else "200 OK", answer)

    def _metrics(self, environ: WSGIEnvironment) -> Reply:
        if not self._trusted(environ):
            return _fault(
                "401 Unauthorized",
                "unauthorized",
                "Send metrics.token as a bearer token.",
                ("WWW-Authenticate", "Bearer"),
            )
        if not self._scrape.acquire(timeout=SCRAPE_WAIT_S):  # each scrape takes the loop's time
            return _fault("503 Service Unavailable", "busy", "Other scrapes are under way.")
        try:
            return self._rendered(environ)
        finally:
            self._scrape.release()

    def _rendered(self, environ: WSGIEnvironment) -> Reply:
        encode, content_type = choose_encoder(environ.get("HTTP_ACCEPT", ""))
        headers = [("Content-Type", content_type), ("Vary", "Accept, Accept-Encoding")]
        body = encode(self._registry)
        if gzip_accepted(environ.get("HTTP_ACCEPT_ENCODING", "")):
            headers.append(("Content-Encoding", "gzip"))
            body = gzip.compress(body, compresslevel=1)
        return "200 OK", headers, body

    def _trusted(self, environ: WSGIEnvironment) -> bool:
        if self._token is None:
            return True
        scheme, _, given = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(
            given.strip().encode("latin-1", "replace"), self._token.reveal().encode()
        )


def _json(line: str, value: object) -> Reply:
    return line, [_JSON], orjson.dumps(value)


def _fault(line: str, code: str, message: str, *headers: Header) -> Reply:
    return line, [_JSON, *headers], fault(code, message)
