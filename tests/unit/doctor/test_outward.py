"""What is said of the upstream and of the way past the gateway: real TLS, a real relay."""

import socket
import socketserver
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import pytest

from openai_gateway.doctor import outward
from openai_gateway.doctor.finding import Finding, Told
from openai_gateway.doctor.outward import Direct, rule, tried
from openai_gateway.doctor.wire import Reply
from tests.support.fake_openai import FakeOpenAIThread
from tests.support.relay import RelayThread, to_fake
from tests.unit.doctor.rig import only, site

LOGIN = "ci:s3cretFAKE"


@pytest.fixture(scope="module")
def the_fake() -> Iterator[FakeOpenAIThread]:
    with FakeOpenAIThread() as fake:
        yield fake


@pytest.fixture
def fake(the_fake: FakeOpenAIThread) -> Iterator[FakeOpenAIThread]:
    the_fake.reset()
    yield the_fake
    the_fake.reset()


@pytest.fixture
def relay(fake: FakeOpenAIThread) -> Iterator[RelayThread]:
    with RelayThread(to_fake(fake.port)) as made:
        yield made


def told(folder: Path, relay: RelayThread, ca: Path | None, **upstream: Any) -> Told:
    said = {"proxy": relay.url, "ca_file": str(ca) if ca else None, **upstream}
    return outward.upstream(site(folder, {"upstream": said}))


def look(folder: Path, relay: RelayThread, ca: Path | None, **upstream: Any) -> Finding:
    return only(told(folder, relay, ca, **upstream))


def test_openai_proves_itself_without_a_key(
    tmp_path: Path, fake: FakeOpenAIThread, relay: RelayThread
) -> None:
    found = told(tmp_path, relay, fake.ca_pem_path)
    assert only(found).status == "pass"
    assert [(one.method, one.path) for one in fake.requests] == [("GET", "/v1/models")]
    assert fake.requests[0].values("authorization") == []


@contextmanager
def dripping() -> Iterator[str]:
    """A proxy whose answer never ends, a byte at a time, each well within any time limit."""
    ended = threading.Event()

    class Drip(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.sendall(b"HTTP/1.1 200 OK\r\nx: ")
            with suppress(OSError):
                while not ended.wait(0.2):
                    self.request.sendall(b"x")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Drip) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        ended.set()
        server.shutdown()
        thread.join()


EXAMINED: Final = """
import sys
from pathlib import Path
from openai_gateway.doctor import outward
from openai_gateway.doctor.finding import Probe
from openai_gateway.doctor.run import examine
from tests.unit.doctor.rig import site

looked_at = site(Path(sys.argv[1]), {"upstream": {"proxy": sys.argv[2]}})
print(examine(looked_at, [Probe(("upstream",), outward.upstream)], 1)[0].status)
"""


def test_a_host_that_answers_byte_by_byte_does_not_keep_the_process(tmp_path: Path) -> None:
    with dripping() as url:
        ran = subprocess.run(  # noqa: S603  # this Python, with the code above
            [sys.executable, "-c", EXAMINED, str(tmp_path), url],
            capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
    assert ran.stdout == "unknown\n"


def test_each_host_is_asked(tmp_path: Path, fake: FakeOpenAIThread, relay: RelayThread) -> None:
    hosts = ["api.openai.com", "eu.api.openai.com"]
    found = look(tmp_path, relay, fake.ca_pem_path, hosts=hosts)
    assert all(f"{host} answers" in found.evidence for host in hosts)
    assert sorted(one.target for one in relay.asked) == [f"{host}:443" for host in hosts]


@pytest.mark.parametrize("leaf", ["untrusted", "wrong_name"])
def test_a_certificate_that_is_not_openais_fails(
    tmp_path: Path, fake: FakeOpenAIThread, relay: RelayThread, leaf: Any
) -> None:
    fake.inner.tls.leaf = leaf
    found = look(tmp_path, relay, fake.ca_pem_path)
    assert (found.status, "the certificate is not trusted" in found.evidence) == ("fail", True)
    assert fake.requests == []


def test_the_default_trust_does_not_hold_the_fakes_ca(tmp_path: Path, relay: RelayThread) -> None:
    assert look(tmp_path, relay, None).status == "fail"


@pytest.mark.parametrize(("mode", "said"), [("refuse", "(403)"), ("reset", "127.0.0.1:")])
def test_a_proxy_that_does_not_let_it_through_fails(
    tmp_path: Path, fake: FakeOpenAIThread, relay: RelayThread, mode: Any, said: str
) -> None:
    relay.inner.mode = mode
    found = look(tmp_path, relay, fake.ca_pem_path)
    assert (found.status, said in found.evidence) == ("fail", True)


def test_a_proxy_that_is_not_there_fails(
    tmp_path: Path, fake: FakeOpenAIThread, relay: RelayThread
) -> None:
    found = look(tmp_path, relay, fake.ca_pem_path, proxy="http://127.0.0.1:1")
    assert (found.status, "was refused" in found.evidence) == ("fail", True)


def test_a_proxys_credentials_are_sent_and_not_shown(
    tmp_path: Path, fake: FakeOpenAIThread
) -> None:
    with RelayThread(to_fake(fake.port), LOGIN) as relay:
        url = relay.url.replace("//", "//env:PROXY_LOGIN@")
        said = {"upstream": {"proxy": url, "ca_file": str(fake.ca_pem_path)}}
        found = only(outward.upstream(site(tmp_path, said, {"PROXY_LOGIN": LOGIN})))
        assert found.status == "pass"
        wrong = only(outward.upstream(site(tmp_path, said, {"PROXY_LOGIN": "ci:otherFAKE"})))
        assert (wrong.status, "(407)" in wrong.evidence) == ("fail", True)
        assert "FAKE" not in repr((found, wrong))


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (401, b'{"error":{"code":null}}', "pass"),
        (403, b'{"error":{"code":"unsupported_country_region_territory"}}', "warn"),
        (401, b"<html>log in to the hotel", "fail"),
        (200, b"<html>", "fail"),
        (200, b"", "fail"),
        (200, b'{"error": "text"}', "fail"),
        (302, b"[]", "fail"),
    ],
)
def test_only_openais_own_refusal_passes(status: int, body: bytes, said: str) -> None:
    assert outward.judged("api.openai.com", Reply(status, {}, body)).status == said


@pytest.mark.parametrize(
    ("date", "known"),
    [("Tue, 24 Nov 2026 17:00:00 GMT", True), ("", False), ("soon", False), ("9" * 400, False)],
)
def test_its_date_is_a_clock_where_it_is_one(date: str, known: bool) -> None:
    at = outward.ahead(Reply(401, {"date": date}, b""))
    assert (at is not None) is known


def test_a_ca_file_that_has_gone_since_fails(
    tmp_path: Path, fake: FakeOpenAIThread, relay: RelayThread
) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_bytes(fake.ca_pem_path.read_bytes())
    machine = site(tmp_path, {"upstream": {"proxy": relay.url, "ca_file": str(ca)}})
    ca.unlink()
    found = only(outward.upstream(machine))
    assert (found.status, "ca_file" in found.evidence) == ("fail", True)


def test_the_direct_way_is_open_where_openais_certificate_comes(fake: FakeOpenAIThread) -> None:
    trust = ssl.create_default_context(cafile=str(fake.ca_pem_path))
    assert tried(("127.0.0.1", fake.port), trust).way == "open"


def test_it_is_intercepted_where_another_certificate_comes(fake: FakeOpenAIThread) -> None:
    assert tried(("127.0.0.1", fake.port), ssl.create_default_context()).way == "intercepted"


def test_it_is_closed_where_nothing_answers() -> None:
    context = ssl.create_default_context()
    assert tried(("127.0.0.1", 1), context).way == "closed"
    assert tried(("no-such-host.invalid", 443), context).way == "closed"
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes TCP, says nothing
        assert tried(silent.getsockname(), context, 0.2).way == "closed"


@pytest.mark.parametrize(
    ("way", "needed", "status"),
    [
        ("open", False, "fail"),
        ("open", True, "unknown"),
        ("closed", False, "pass"),
        ("closed", True, "pass"),
        ("intercepted", False, "unknown"),
    ],
)
def test_an_open_way_fails_but_where_the_gateway_needs_it(
    way: Any, needed: bool, status: str
) -> None:
    assert rule(Direct(way, "how"), needed=needed).status == status


def test_only_a_gateway_here_without_a_proxy_needs_the_way(tmp_path: Path) -> None:
    proxied = {"upstream": {"proxy": "http://127.0.0.1:1"}}
    assert outward.needed(site(tmp_path))
    assert not outward.needed(site(tmp_path, proxied))
    assert not outward.needed(site(tmp_path, listen=("192.0.2.1", 8080)))
