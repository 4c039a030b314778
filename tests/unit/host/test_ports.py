"""The ports of several workers: opened once, and one in use is an error that names the fix."""

import socket

import pytest

from openai_gateway.config.places import Listen
from openai_gateway.host.ports import open_admin, open_proxy
from tests.support.served import free_ports


def close(opened: list[socket.socket]) -> None:
    for each in opened:
        each.close()


def test_the_metrics_ports_count_up() -> None:
    first = free_ports(3)
    opened = open_admin(Listen("127.0.0.1", first), 3)
    assert [each.getsockname()[1] for each in opened] == [first, first + 1, first + 2]
    assert not any(each.get_inheritable() for each in opened)
    close(opened)


def test_port_0_gives_each_worker_a_port_that_is_free() -> None:
    opened = open_admin(Listen("localhost", 0), 2)
    assert len({each.getsockname()[1] for each in opened}) == 2
    close(opened)


def test_ports_beyond_the_last_are_refused() -> None:
    with pytest.raises(OSError, match="2 workers take the ports 65535 to 65536"):
        open_admin(Listen("127.0.0.1", 65535), 2)


def test_a_taken_metrics_port_names_its_worker_and_the_fix() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = rf"metrics.listen: cannot listen on 127.0.0.1:{port} for worker 1: .*stop what holds"
        with pytest.raises(OSError, match=said):
            open_admin(Listen("127.0.0.1", port), 2)


def test_a_taken_port_is_refused_even_by_another_that_shares_it() -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"--listen: cannot listen on 127.0.0.1:{port}: Address"):
            open_proxy("127.0.0.1", port)


def test_a_name_that_is_nobody_s_is_an_error_with_the_name() -> None:
    with pytest.raises(OSError, match=r"cannot listen on nowhere\.invalid:8080: "):
        open_proxy("nowhere.invalid", 8080)


def test_a_proxy_s_socket_waits_for_nobody() -> None:
    (opened,) = open_proxy("127.0.0.1", free_ports(1))
    with opened, pytest.raises(BlockingIOError):
        opened.accept()
