"""HTTP/1.1 byte by byte: it sends exactly what it is told and reads what comes."""

import contextlib
import socket
import time
from typing import Self

from tests.support.clients import shape
from tests.support.clients.reply import Reply
from tests.support.clients.shape import Pairs

BODILESS = (204, 304)


class RawH1:
    """with RawH1(way.tls()) as client: client.request("GET", "/v1/models", [...]); client.answer()

    Nothing is added to what is given: no Host, no Content-Length.
    """

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._buffer = bytearray()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.sock.close()

    def reset(self) -> None:
        """Leaves with a TCP RST."""
        shape.reset(self.sock)

    def send(self, data: bytes, split: int = 0, pause_s: float = 0.0) -> None:
        """Sends bytes, in writes of `split` bytes with a pause between where that is set."""
        size = split or max(1, len(data))
        for at in range(0, len(data), size):
            self.sock.sendall(data[at : at + size])
            if pause_s:
                time.sleep(pause_s)

    def request(
        self,
        method: str,
        target: str,
        headers: Pairs,
        body: bytes = b"",
        *,
        chunks: list[bytes] | None = None,
        trailers: Pairs | None = None,
    ) -> None:
        """`chunks` are sent chunked (the header is added), `body` needs its own Content-Length."""
        if chunks is not None:
            headers = [*headers, ("Transfer-Encoding", "chunked")]
        self.send(head(f"{method} {target} HTTP/1.1", headers) + body)
        if chunks is not None:
            self.send(chunked(chunks, trailers or []))

    def call(self, method: str, target: str, key: str, body: bytes | None = None) -> Reply:
        """An ordinary call with a JSON body, and its answer."""
        headers = [("Host", shape.HOST), shape.bearer(key)]
        if body is not None:
            headers += [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        with contextlib.suppress(OSError):  # answered and closed before all was sent
            self.request(method, target, headers, body or b"")
        return self.answer(method)

    def answer(self, method: str = "GET") -> Reply:
        """The next answer; what came before its end broke is in it, `end` says how it ended."""
        reply = Reply()
        try:
            self._read(reply, method)
        except EOFError:
            reply.end = "complete" if reply.end == "complete" else "eof"
        except TimeoutError:
            reply.end = "timeout"
        except OSError:
            reply.end = "reset"
        return reply

    def rest(self) -> bytes:
        """Everything until the other side ends."""
        try:
            while self._more():
                pass
        except (EOFError, OSError):
            pass
        return bytes(self._buffer)

    def rest_of(self, mark: bytes) -> bytes:
        """Everything up to and with these bytes."""
        return self._until(mark)

    def _read(self, reply: Reply, method: str) -> None:
        while True:
            reply.status, reply.headers = self._head()
            if reply.status >= 200 or reply.status == 101:
                break
            reply.informational.append(reply.status)
        if method == "HEAD" or reply.status in (101, *BODILESS):
            reply.end = "complete"
        elif method != "CONNECT" or reply.status != 200:
            self._body(reply)
        else:
            reply.end = "complete"

    def _head(self) -> tuple[int, Pairs]:
        lines = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        pairs = [line.partition(":") for line in lines[1:] if line]
        return int(lines[0].split(" ")[1]), [(name, value.strip()) for name, _, value in pairs]

    def _body(self, reply: Reply) -> None:
        if "chunked" in reply.first("transfer-encoding"):
            self._chunks(reply)
        elif reply.values("content-length"):
            self._take(reply, int(reply.first("content-length")))
        else:
            self._all(reply)
        reply.end = "complete"

    def _chunks(self, reply: Reply) -> None:
        while size := int(self._until(b"\r\n").split(b";")[0], 16):
            self._take(reply, size)
            self._until(b"\r\n")
        while line := self._until(b"\r\n")[:-2]:
            name, _, value = line.decode("latin-1").partition(":")
            reply.trailers.append((name, value.strip()))

    def _take(self, reply: Reply, size: int) -> None:
        while size:
            if not self._buffer:
                self._more()
            piece = bytes(self._buffer[:size])
            del self._buffer[:size]
            reply.took(piece)
            size -= len(piece)

    def _all(self, reply: Reply) -> None:
        """A body without length ends with the connection."""
        try:
            while True:
                self._take(reply, len(self._buffer) or self._more())
        except EOFError:
            return

    def _until(self, mark: bytes) -> bytes:
        while (at := self._buffer.find(mark)) < 0:
            self._more()
        data = bytes(self._buffer[: at + len(mark)])
        del self._buffer[: at + len(mark)]
        return data

    def _more(self) -> int:
        data = shape.read(self.sock)
        if not data:
            raise EOFError
        self._buffer += data
        return len(data)


def head(first: str, headers: Pairs) -> bytes:
    lines = [first, *(f"{name}: {value}" for name, value in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def chunked(chunks: list[bytes], trailers: Pairs) -> bytes:
    """The chunks and the end of the body; nothing ends it where `chunks` is followed by no call."""
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks if chunk)
    lines = "".join(f"{name}: {value}\r\n" for name, value in trailers)
    return body + b"0\r\n" + lines.encode("latin-1") + b"\r\n"
