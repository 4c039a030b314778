"""What stands in the gateway's place gets no secret, not even a client's. A real socket."""

import base64
import shutil
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path

import certifi
import pytest

from openai_gateway.doctor import gateway, ports
from openai_gateway.doctor.proof import proof
from openai_gateway.host.authority import PUBLIC_FILE
from tests.unit.doctor.rig import site

SECRET = "hunter22FAKE"  # noqa: S105
REFUSAL = b'{"error": {"code": "gateway_client_refused"}}'


class Impostor(socketserver.ThreadingTCPServer):
    """Answers as a gateway that asks for a client's name, and keeps all that it is told."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Listening)
        self.told: list[bytes] = []

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class Listening(socketserver.BaseRequestHandler):
    server: Impostor

    def handle(self) -> None:
        self.server.told.append(self.request.recv(65_536))
        head = f"HTTP/1.1 407 No\r\ncontent-length: {len(REFUSAL)}\r\n\r\n".encode()
        self.request.sendall(head + REFUSAL)


@pytest.fixture
def impostor() -> Iterator[Impostor]:
    with Impostor() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_clients_secret_is_not_told_to_what_only_answers_like_a_gateway(
    tmp_path: Path, impostor: Impostor
) -> None:
    (tmp_path / "certs").mkdir()
    shutil.copy(certifi.where(), tmp_path / "certs" / PUBLIC_FILE)
    named = {"clients": {"credentials": {"ci": "env:CI_SECRET"}}}
    listen = ("127.0.0.1", impostor.port)
    looked_at = site(tmp_path, named, {"CI_SECRET": SECRET}, listen=listen)
    assert proof(looked_at).state == "wrong"
    gateway.look(looked_at)
    ports.look(looked_at)
    told = b"".join(impostor.told)
    assert b"CONNECT api.openai.com:443" in told
    assert b"CONNECT gateway-doctor.openai.com:443" in told
    assert base64.b64encode(f"ci:{SECRET}".encode()) not in told
