"""The line between a worker and its parent: whole messages, its end, and nobody who waits."""

import asyncio
import socket
from collections.abc import Iterator

import pytest

from openai_gateway.host.line import LONGEST, MOST_WAITING, Line, Message

type Ends = tuple[socket.socket, socket.socket]


@pytest.fixture
def ends() -> Iterator[Ends]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


async def until(met: "asyncio.Event") -> None:
    await asyncio.wait_for(met.wait(), 5)


class Other:
    """What the one end hears."""

    def __init__(self, end: socket.socket) -> None:
        self.heard: list[Message] = []
        self.lost = asyncio.Event()
        self.came = asyncio.Event()
        self.line = Line(end, self._hear, self.lost.set)

    def _hear(self, message: Message) -> None:
        self.heard.append(message)
        if message == ["last"]:
            self.came.set()


async def test_messages_arrive_whole_and_in_order_both_ways(ends: Ends) -> None:
    one, two = Other(ends[0]), Other(ends[1])
    long = "x" * 50_000
    assert one.line.say("up", 600.0)
    assert one.line.say("news", "minted", long, "default", 1.5)
    assert one.line.say("last")
    assert two.line.say("last")
    await until(two.came)
    await until(one.came)
    assert two.heard == [["up", 600.0], ["news", "minted", long, "default", 1.5], ["last"]]
    assert one.heard == [["last"]]
    one.line.close()
    two.line.close()


async def test_a_message_cut_into_pieces_is_one_message(ends: Ends) -> None:
    other = Other(ends[0])
    for piece in (b'["re', b'tire"]\n["la', b'st"]\n'):
        ends[1].sendall(piece)
        await asyncio.sleep(0)
    await until(other.came)
    assert other.heard == [["retire"], ["last"]]
    other.line.close()


async def test_the_end_of_the_other_side_is_told_once_and_nothing_can_be_said_then(
    ends: Ends,
) -> None:
    other = Other(ends[0])
    ends[1].sendall(b'["last"]\n')
    ends[1].close()
    await until(other.lost)
    assert other.heard == [["last"]]
    assert not other.line.say("up")
    other.line.close()


async def test_a_side_that_takes_nothing_is_not_waited_for_nor_stored_for_without_bound(
    ends: Ends,
) -> None:
    other = Other(ends[0])
    taken = sum(other.line.say("x" * 60_000) for _ in range(200))
    assert MOST_WAITING // 60_000 <= taken < 200
    other.line.close()


async def test_a_message_too_long_for_the_other_side_stays_here_and_the_line_lives(
    ends: Ends,
) -> None:
    """An answer's id, which is told to the other workers, may be of any length."""
    one, two = Other(ends[0]), Other(ends[1])
    assert not one.line.say("news", "charged", "r" * 10 * 2**20, True)
    assert one.line.say("last")
    await until(two.came)
    assert two.heard == [["last"]]
    assert not one.lost.is_set()
    one.line.close()
    two.line.close()


async def test_what_waited_goes_out_once_it_is_taken(ends: Ends) -> None:
    one = Other(ends[0])
    for _ in range(20):
        assert one.line.say("x" * 60_000)
    one.line.say("last")
    two = Other(ends[1])
    await until(two.came)
    assert len(two.heard) == 21
    one.line.close()
    two.line.close()


async def test_an_endless_message_ends_the_line(ends: Ends) -> None:
    other = Other(ends[0])
    ends[1].setblocking(False)
    sent = 0
    while sent <= LONGEST and not other.lost.is_set():
        try:
            sent += ends[1].send(b"x" * 16_384)
        except BlockingIOError:
            await asyncio.sleep(0)
    await until(other.lost)
    assert other.heard == []


async def test_no_message_ends_the_line(ends: Ends) -> None:
    other = Other(ends[0])
    ends[1].sendall(b"no json\n")
    await until(other.lost)
    assert other.heard == []
