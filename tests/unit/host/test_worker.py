"""How a process is told which worker it is, and what its log lines say."""

import logging
import os
import socket

import pytest

from openai_gateway.host.worker import Worker, handed, name_in_log


def test_what_the_parent_writes_the_worker_reads() -> None:
    one = Worker(2, 4, (5, 6), 7, 8)
    assert str(one) == "2/4:5,6:7:8"
    assert Worker.of(str(one)) == one
    assert one.fds == (5, 6, 7, 8)


@pytest.mark.parametrize("text", ["", "1", "1/2", "a/2:3:4:5", "3/2:3:4:5", "0/2:3:4:5", "1/2::4"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Worker.of(text)


def test_a_handed_socket_listens_already_and_is_handed_to_nobody_else() -> None:
    opened = socket.create_server(("127.0.0.1", 0), backlog=5)
    os.set_inheritable(opened.fileno(), True)
    (mine,) = handed([opened.detach()])
    with mine:
        assert not mine.get_inheritable()
        mine.listen(1)  # must not make the queue of all shorter
        clients = [socket.create_connection(mine.getsockname(), 2) for _ in range(4)]
        for client in clients:
            client.close()


def test_every_record_begins_with_the_worker_s_number(caplog: pytest.LogCaptureFixture) -> None:
    before = logging.getLogRecordFactory()
    name_in_log(3)
    try:
        logging.getLogger("mitmproxy.anything").warning("%d of %s", 5, "those")
    finally:
        logging.setLogRecordFactory(before)
    assert caplog.messages == ["worker 3: 5 of those"]
