"""What is said of ports that are free, ours, or held by somebody else. Real sockets."""

import http.server
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from openai_gateway.doctor import ports
from openai_gateway.doctor.holder import holder, taken
from openai_gateway.telemetry.admin import Admin
from tests.unit.doctor.rig import only, site


class Stranger(http.server.BaseHTTPRequestHandler):
    """Says 200 to everything, CONNECT too."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def do_CONNECT(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def stranger() -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stranger)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


@contextmanager
def silent() -> Iterator[int]:
    """Listens, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield int(listener.getsockname()[1])


def test_free_ports_pass(tmp_path: Path) -> None:
    found = only(ports.look(site(tmp_path)))
    assert (found.status, "is free" in found.evidence) == ("pass", True)


def test_a_strangers_port_fails_and_names_who_holds_it(tmp_path: Path) -> None:
    with stranger() as port:
        found = only(ports.look(site(tmp_path, listen=("127.0.0.1", port))))
    assert found.status == "fail"
    assert f"(pid {os.getpid()})" in found.evidence
    assert "--listen" in found.fix


def test_one_that_says_nothing_fails_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openai_gateway.doctor.wire.WAIT_S", 0.2)
    with silent() as port:
        found = only(ports.look(site(tmp_path, listen=("127.0.0.1", port))))
    assert found.status == "fail"


def test_a_stranger_on_metrics_listen_fails(tmp_path: Path) -> None:
    with stranger() as port:
        config = {"metrics": {"listen": f"127.0.0.1:{port}"}}
        found = only(ports.look(site(tmp_path, config)))
    assert (found.status, "(metrics.listen) is held by" in found.evidence) == ("fail", True)


def test_our_own_metrics_port_passes(tmp_path: Path) -> None:
    admin = Admin(("127.0.0.1", 0), CollectorRegistry(), lambda: ["not ready"])
    _, port = admin.start()
    try:
        config = {"metrics": {"listen": f"127.0.0.1:{port}"}}
        found = only(ports.look(site(tmp_path, config)))
    finally:
        admin.stop()
    assert (found.status, "is held by a gateway" in found.evidence) == ("pass", True)


def test_an_address_elsewhere_without_a_gateway_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openai_gateway.doctor.wire.WAIT_S", 0.2)
    found = only(ports.look(site(tmp_path, listen=("192.0.2.1", 8080))))
    assert (found.status, found.evidence) == ("fail", "no gateway answers on 192.0.2.1:8080")


def test_without_a_configuration_the_metrics_port_is_unknown(tmp_path: Path) -> None:
    assert only(ports.look(site(tmp_path, {"odd": 1}))).status == "unknown"


def test_a_port_is_taken_until_it_is_closed() -> None:
    with silent() as port:
        assert taken(("127.0.0.1", port)) is not None
        assert f"(pid {os.getpid()})" in holder(port)
    assert taken(("127.0.0.1", port)) is None
    assert holder(port) == ""


def test_where_proc_tells_nothing_nobody_is_named(tmp_path: Path) -> None:
    assert holder(80, tmp_path) == ""
