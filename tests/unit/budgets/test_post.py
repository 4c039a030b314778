"""A POST on plain streams, to real servers that behave well and badly."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
import trustme

from openai_gateway.budgets import post as posting
from openai_gateway.budgets import way
from openai_gateway.budgets.post import NotSent, post
from openai_gateway.core.secret import Secret

type Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

BODY = b'{"text":"\xc3\xb6"}'


@asynccontextmanager
async def serving(handler: Handler, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    server = await asyncio.start_server(handler, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(server.wait_closed(), 1.0)


class Recorder:
    """A server that keeps what it gets, and says what it is told to."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.got: list[tuple[list[str], bytes]] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        size = next(int(one[16:]) for one in head if one.lower().startswith("content-length: "))
        self.got.append((head, await reader.readexactly(size)))
        writer.write(self.answer)
        await ended(writer)


async def ended(writer: asyncio.StreamWriter) -> None:
    """Closes a connection to its end, whoever of the two has left first."""
    with suppress(OSError):
        await writer.drain()
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


async def test_a_post_says_what_it_should() -> None:
    server = Recorder(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
    async with serving(server) as port:
        await post(Secret(f"http://127.0.0.1:{port}/services/T1?x=%20y"), BODY)
    ((head, body),) = server.got
    assert head[0] == "POST /services/T1?x=%20y HTTP/1.1"
    assert f"Host: 127.0.0.1:{port}" in head
    assert "Content-Type: application/json" in head
    assert body == BODY


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 500 Oops\r\n\r\n", "answered 500"),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", "answered 404"),
        (b"HTTP/1.1 101 Switching\r\n\r\n", "answered 101"),
        (b"SSH-2.0-OpenSSH_9\r\n", "ValueError"),
        (b"HTTP/1.1 twohundred\r\n", "ValueError"),
        (b"HTTP/1.1 20", "IncompleteReadError"),
        (b"", "IncompleteReadError"),
        (b"x" * 100_000, "LimitOverrunError"),
    ],
)
async def test_whatever_is_no_success_was_not_sent(answer: bytes, why: str) -> None:
    async with serving(Recorder(answer)) as port:
        with pytest.raises(NotSent, match=why):
            await post(Secret(f"http://127.0.0.1:{port}/"), BODY)


async def test_a_redirect_is_not_followed() -> None:
    elsewhere = Recorder(b"HTTP/1.1 200 OK\r\n\r\n")
    async with serving(elsewhere) as other:
        moved = f"HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:{other}/\r\n\r\n".encode()
        async with serving(Recorder(moved)) as port:
            with pytest.raises(NotSent, match="answered 307"):
                await post(Secret(f"http://127.0.0.1:{port}/"), BODY)
    assert elsewhere.got == []


async def test_nobody_s_megabytes_are_taken() -> None:
    """Ten of them, as an answer that goes on and on: its first line is enough."""
    sent = 0

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10000000\r\n\r\n")
        with suppress(OSError):
            while sent < 10_000_000:
                writer.write(b"x" * 100_000)
                await writer.drain()
                sent += 100_000
        await ended(writer)

    async with serving(endless) as port:
        await post(Secret(f"http://127.0.0.1:{port}/"), BODY)
        await asyncio.sleep(0)
    assert sent < 10_000_000


async def test_a_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "ANSWER_S", 0.05)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            await reader.read()
        await ended(writer)

    async with serving(silent) as port:
        with pytest.raises(NotSent, match="no answer within"):
            await post(Secret(f"http://127.0.0.1:{port}/"), BODY)


async def test_nobody_there_is_not_sent_and_names_no_url() -> None:
    async with serving(Recorder(b"")) as port:
        pass
    with pytest.raises(NotSent) as told:
        await post(Secret(f"http://127.0.0.1:{port}/SECRET"), BODY)
    assert "SECRET" not in str(told.value)


@pytest.mark.parametrize(
    "url", ["http:///nowhere", "http://127.0.0.1:99999/", "http://127.0.0.1:0x/", "http://ö:1/\0"]
)
async def test_a_url_that_leads_nowhere_is_not_sent(url: str) -> None:
    with pytest.raises(NotSent):
        await post(Secret(url), BODY)


async def test_tls_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server = Recorder(b"HTTP/1.1 204 No Content\r\n\r\n")
    async with serving(server, context) as port:
        url = Secret(f"https://127.0.0.1:{port}/hook")
        with pytest.raises(NotSent, match="SSLCertVerificationError"):
            await post(url, BODY)
        assert server.got == []
        trusting = ssl.create_default_context()
        authority.configure_trust(trusting)
        monkeypatch.setattr(way, "_context", lambda: trusting)
        await post(url, BODY)
    assert [body for _, body in server.got] == [BODY]
