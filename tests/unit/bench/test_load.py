"""The load generator and its upstream: what is sent, timed and counted, without a proxy between."""

import random
import ssl
from collections.abc import AsyncIterator
from itertools import islice

import pytest

from tests.bench import bodies, load
from tests.bench.client import BenchError, Kept, Reply, read_head
from tests.bench.upstream import EVERY_S, MARK, Upstream

KEY = "sk-proj-" + "FAKE" * 10


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    async with Upstream(events=5) as running:
        yield running


@pytest.fixture
async def kept(upstream: Upstream) -> AsyncIterator[Kept]:
    trust = ssl.create_default_context(cadata=upstream.ca_pem.decode())
    connection = await Kept.open(upstream.port, trust)
    yield connection
    connection.close()


async def test_every_call_is_counted_once_here_and_at_the_upstream(
    upstream: Upstream, kept: Kept
) -> None:
    took = await load.flat_out([kept], iter(bodies.chat(KEY, 2_000, different=3)), 7)
    assert len(took.times) == kept.answered == 7
    assert upstream.calls == {KEY: 7}
    assert all(seconds > 0 for seconds in took.times)


async def test_an_answer_other_than_200_stops_the_run() -> None:
    reply = Reply(0, status=403, pieces=[(1, b"refused")])
    with pytest.raises(BenchError, match="403: refused"):
        load.Took().add(reply, 0.1)


async def test_a_stream_gives_a_delay_for_each_event(upstream: Upstream, kept: Kept) -> None:
    requests = iter(bodies.chat(KEY, 2_000, stream=True, different=1))
    (reply,) = (await load.flat_out([kept], requests, 1, keep=True)).replies
    delays = reply.event_delays()
    assert len(delays) == upstream.events
    assert all(0 <= delay < 5 for delay in delays)
    assert reply.first_event_s() < reply.seconds
    assert reply.seconds >= (upstream.events - 1) * EVERY_S


def test_events_are_found_however_their_bytes_are_cut() -> None:
    chance = random.Random(7)  # noqa: S311 -- no secret is drawn
    whole = b"".join(b'data: {"n":%d,%b%d}\n\n' % (n, MARK, 1000 + n) for n in range(20))
    for _ in range(50):
        cuts = sorted(chance.sample(range(1, len(whole)), 6))
        pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
        reply = Reply(0, 200, None, 0, [(2_000, piece) for piece in pieces])
        assert reply.event_delays() == [(1000 - n) / 1e9 for n in range(20)]


async def test_an_upload_is_read_whole_before_it_is_answered(
    upstream: Upstream, kept: Kept
) -> None:
    took = await load.flat_out([kept], iter(bodies.upload(KEY, 300_000, different=1)), 2)
    assert len(took.times) == upstream.calls[KEY] == 2


async def test_a_closed_connection_ends_the_run_at_once(upstream: Upstream, kept: Kept) -> None:
    for transport in upstream.transports:
        transport.abort()
    with pytest.raises(BenchError, match="closed"):
        await load.flat_out([kept], iter(bodies.chat(KEY, 2_000, different=1)), 1)


async def test_paced_calls_are_as_many_as_the_times_drawn(kept: Kept) -> None:
    requests = iter(bodies.chat(KEY, 2_000, different=2))
    took = await load.paced([kept], requests, rate=100, seconds=0.2, seed=3)
    assert len(took.times) == kept.answered == len(load.starts(100, 0.2, 3)) > 0


def test_starts_are_random_in_order_and_the_same_for_a_seed() -> None:
    times = load.starts(500, 2.0, 1)
    assert times == sorted(times) == load.starts(500, 2.0, 1) != load.starts(500, 2.0, 2)
    assert 800 < len(times) < 1200
    assert times[-1] < 2.0


def test_no_two_requests_are_alike_and_none_repeats_itself() -> None:
    sent = list(islice(bodies.chat(KEY, 2_000, different=20), 60))
    assert len(set(sent)) == 60
    assert {len(text) for text in sent} == {len(sent[0])}
    body = sent[0].partition(b"\r\n\r\n")[2]
    windows = [body[at : at + 40] for at in range(len(body) - 40)]
    assert len(set(windows)) == len(windows)


@pytest.mark.parametrize("size", [2_000, 100_000])
@pytest.mark.parametrize("image", [False, True])
def test_a_body_has_the_size_that_was_asked_for(size: int, image: bool) -> None:
    (text,) = islice(bodies.chat(KEY, size, image=image, different=1), 1)
    head, _, body = text.partition(b"\r\n\r\n")
    assert abs(len(body) - size) < 100
    assert b"Content-Length: %d" % len(body) in head


def test_a_chunked_answer_has_no_size() -> None:
    reply = Reply(0)
    read_head(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", reply)
    assert (reply.status, reply.size) == (200, None)
