"""The metrics port over real connections: what it tells, to whom, and what it survives."""

import gzip
import http.client
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import orjson
import pytest
import trustme
from prometheus_client import CollectorRegistry, Counter

from openai_gateway.core.call import Call, Request
from openai_gateway.core.secret import Secret
from openai_gateway.core.usage import Usage
from openai_gateway.telemetry import server as limits
from openai_gateway.telemetry.admin import Admin
from openai_gateway.telemetry.labels import Labels
from openai_gateway.telemetry.metrics import Metrics, Versions
from openai_gateway.telemetry.server import Tls

LOCAL = ("127.0.0.1", 0)
TOKEN = "FAKE-" * 3 + "metrics"
REQUESTS = "openai_gateway_requests_total"
BEARER = {"Authorization": f"Bearer {TOKEN}"}

type Served = Callable[..., Port]


class Port:
    """A running admin port and a way to ask it."""

    def __init__(self, admin: Admin) -> None:
        self.admin = admin
        self.address = admin.start()

    def ask(
        self, path: str, method: str = "GET", headers: dict[str, str] | None = None
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        with closing(http.client.HTTPConnection(*self.address, timeout=20)) as connection:
            connection.request(method, path, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()

    def raw(self, request: bytes) -> bytes:
        with socket.create_connection(self.address, timeout=20) as connection:
            connection.sendall(request)
            return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.fixture
def registry() -> CollectorRegistry:
    made = CollectorRegistry()
    Counter("seen_total", "Seen.", registry=made).inc(3)
    return made


@pytest.fixture
def served(registry: CollectorRegistry) -> Iterator[Served]:
    with ExitStack() as stack:

        def serve(ready: Callable[[], list[str]] = list, **settings: Any) -> Port:
            admin = Admin(LOCAL, registry, ready, **settings)
            stack.callback(admin.stop)
            return Port(admin)

        yield serve


def test_metrics_as_text(served: Served) -> None:
    status, headers, body = served().ask("/metrics")
    assert (status, headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert b"\nseen_total 3.0\n" in body
    assert headers["Content-Length"] == str(len(body))


def test_metrics_as_openmetrics(served: Served) -> None:
    accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
    status, headers, body = served().ask("/metrics", headers=accept)
    assert status == 200
    assert headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    assert body.endswith(b"# EOF\n")


def busy() -> Metrics:
    """Metrics with a series in every family."""
    labels = Labels(frozenset({"chat.create"}), frozenset({"ci"}), frozenset({"gpt-5"}))
    metrics = Metrics(labels, Versions("1", "2", "3"), gen_ai=True)
    call = Call(
        Request("POST", "h", b"/", []), id="gw_1", key="ci", endpoint="chat.create",
        model_requested="gpt-5", model_response="gpt-5", stream=True, status=200,
        outcome="forwarded", admitted=True, departing=Secret("FAKE"), upstream_error="500",
        usage=Usage(input_tokens=3, output_tokens=4, units={"web_search": 1}), cost_nano_usd=5,
        usage_missing="stream_aborted", unpriced_model="gpt-5",
        duration_ms=1500.0, upstream_ms=1400.0, ttft_ms=250.0, overhead_ms=100.0,
    )  # fmt: skip
    metrics.began(call)
    metrics.record(call)
    metrics.internal_error("limits")
    metrics.passthrough("opened")
    return metrics


def test_exemplars_are_told_to_those_who_ask_for_openmetrics_only() -> None:
    metrics = busy()
    admin = Admin(LOCAL, metrics.registry, list)
    port = Port(admin)
    plain = port.ask("/metrics")[2].decode()
    accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
    told = port.ask("/metrics", headers=accept)[2].decode()
    admin.stop()
    assert "gw_1" not in plain
    assert "# {" not in plain
    counted = next(line for line in told.splitlines() if line.startswith(f"{REQUESTS}{{"))
    assert '"} 1.0 # {call_id="gw_1"} 1.0 ' in counted
    text_of = {line.split(" # ")[0] for line in told.splitlines() if line.startswith(REQUESTS)}
    assert text_of <= set(plain.splitlines())


def test_metrics_are_gzipped_for_those_who_take_it(served: Served) -> None:
    _, headers, body = served().ask("/metrics", headers={"Accept-Encoding": "gzip"})
    assert headers["Content-Encoding"] == "gzip"
    assert b"\nseen_total 3.0\n" in gzip.decompress(body)


def test_head_tells_the_length_and_sends_no_body(served: Served) -> None:
    port = served()
    length = len(port.ask("/healthz")[2])
    status, headers, body = port.ask("/healthz", method="HEAD")
    assert (status, headers["Content-Length"], body) == (200, str(length), b"")


def test_ready_or_the_reasons_why_not(served: Served) -> None:
    reasons: list[str] = ["starting"]
    port = served(ready=lambda: reasons)
    status, headers, body = port.ask("/readyz")
    assert (status, headers["Content-Type"]) == (503, "application/json")
    assert orjson.loads(body) == {"ready": False, "reasons": ["starting"]}
    assert port.ask("/healthz")[0] == 200
    reasons.clear()
    status, _, body = port.ask("/readyz")
    assert (status, orjson.loads(body)) == (200, {"ready": True})


@pytest.mark.parametrize(
    "path", ["/", "/metrics/", "/METRICS", "/metricsx", "//healthz/..", "/api"]
)
def test_anything_else_is_not_found_in_openais_envelope(served: Served, path: str) -> None:
    status, headers, body = served().ask(path)
    assert (status, headers["Content-Type"]) == (404, "application/json")
    error = orjson.loads(body)["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["code"] == "not_found"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "BREW"])
def test_only_get_and_head(served: Served, method: str) -> None:
    status, headers, body = served().ask("/metrics", method=method)
    assert (status, headers["Allow"]) == (405, "GET, HEAD")
    assert b"seen_total" not in body


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer FAKE", TOKEN],
)
def test_without_the_token_there_are_no_metrics(served: Served, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    status, told, body = served(token=Secret(TOKEN)).ask("/metrics", headers=headers)
    assert (status, told["WWW-Authenticate"]) == (401, "Bearer")
    assert b"seen_total" not in body
    assert TOKEN.encode() not in body


def test_with_the_token_there_are(served: Served) -> None:
    port = served(token=Secret(TOKEN))
    assert b"seen_total 3.0" in port.ask("/metrics", headers=BEARER)[2]
    lower = {"authorization": f"bearer {TOKEN}"}
    assert port.ask("/metrics", headers=lower)[0] == 200


def test_health_is_open_but_tells_reasons_to_those_with_the_token(served: Served) -> None:
    port = served(ready=lambda: ["the database is gone"], token=Secret(TOKEN))
    assert port.ask("/healthz")[0] == 200
    status, _, body = port.ask("/readyz")
    assert (status, orjson.loads(body)) == (503, {"ready": False})
    told = orjson.loads(port.ask("/readyz", headers=BEARER)[2])
    assert told["reasons"] == ["the database is gone"]


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.1", "::"])  # noqa: S104 - that is refused
def test_an_open_address_needs_a_token_or_tls(registry: CollectorRegistry, host: str) -> None:
    with pytest.raises(ValueError, match=r"set metrics\.token or metrics\.tls"):
        Admin((host, 0), registry, list)
    Admin((host, 0), registry, list, token=Secret(TOKEN))


def test_a_taken_port_is_named_with_the_fix(served: Served, registry: CollectorRegistry) -> None:
    taken = served().address
    with pytest.raises(OSError, match=rf"cannot listen on 127\.0\.0\.1:{taken[1]}: .*set another"):
        Admin(taken, registry, list).start()


def test_a_stopped_port_is_free_again(registry: CollectorRegistry) -> None:
    admin = Admin(LOCAL, registry, list)
    address = admin.start()
    admin.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, timeout=5)
    again = Admin(address, registry, list)
    assert again.start() == address
    again.stop()


def test_a_question_that_fails_is_500_and_the_next_one_works(
    served: Served, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    faults = [RuntimeError("broken")]

    def ready() -> list[str]:
        if faults:
            raise faults.pop()
        return []

    port = served(ready=ready)
    status, headers, body = port.ask("/readyz")
    assert (status, headers["Content-Type"]) == (500, "application/json")
    assert orjson.loads(body)["error"]["code"] == "internal_error"
    assert "a request failed" in caplog.text
    assert port.ask("/readyz")[0] == 200
    assert capfd.readouterr() == ("", "")


# ---- clients that mean no good ---------------------------------------------------------------


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n" + b"X: a\r\n" * 5_000 + b"\r\n",
        b"GET /healthz HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00 hello tls\r\n\r\n",
        b"GET\r\n\r\n",
    ],
)
def test_a_head_too_large_or_broken_is_refused_in_json(served: Served, request_: bytes) -> None:
    port = served()
    try:
        answer = port.raw(request_)
    except ConnectionError:  # closed while the rest of the head was still on its way
        answer = b""
    assert b"<" not in answer
    assert not answer or re.match(rb"HTTP/1\.0 (400|431|505) ", answer)
    assert port.ask("/healthz")[0] == 200


def test_a_connection_above_the_maximum_is_closed_and_room_comes_back(served: Served) -> None:
    port = served()
    with ExitStack() as stack:
        for _ in range(limits.CONNECTIONS_MAX):
            stack.enter_context(socket.create_connection(port.address, timeout=20))
        with socket.create_connection(port.address, timeout=20) as one_more:
            assert one_more.recv(1) == b""
    assert eventually(lambda: port.ask("/healthz")[0] == 200)


def test_a_silent_client_is_cut_off(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SILENCE_S", 0.2)
    with socket.create_connection(served().address, timeout=20) as silent:
        assert silent.recv(1) == b""


def test_a_client_that_speaks_slowly_is_cut_off_too(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "TOTAL_S", 0.5)
    with socket.create_connection(served().address, timeout=20) as slow:
        slow.settimeout(0.05)
        began = time.monotonic()
        assert eventually(lambda: cut_off(slow))
        assert time.monotonic() - began < 5


def cut_off(slow: socket.socket) -> bool:
    """Sends one more byte; whether the server has had enough of it."""
    try:
        slow.send(b"G")
        return slow.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


def eventually(true: Callable[[], object], within_s: float = 10.0) -> bool:
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        try:
            if true():
                return True
        except (ConnectionError, http.client.HTTPException):
            pass
        time.sleep(0.02)
    return False


def test_nothing_is_written_of_any_request(
    served: Served, capfd: pytest.CaptureFixture[str]
) -> None:
    port = served()
    port.ask("/metrics")
    port.ask("/nothing")
    port.raw(b"broken\r\n\r\n")
    socket.create_connection(port.address, timeout=5).close()
    port.ask("/healthz")
    assert capfd.readouterr() == ("", "")


def test_one_scrape_at_a_time(served: Served, registry: CollectorRegistry) -> None:
    at_once, most = 0, 0
    lock = threading.Lock()

    class Slow:
        def collect(self) -> list[Any]:
            nonlocal at_once, most
            with lock:
                at_once += 1
                most = max(most, at_once)
            time.sleep(0.05)
            with lock:
                at_once -= 1
            return []

        def describe(self) -> list[Any]:
            return []

    registry.register(Slow())
    port = served()
    asking = [threading.Thread(target=port.ask, args=("/metrics",)) for _ in range(5)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join(20)
    assert most == 1


# ---- TLS -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def files(ca: trustme.CA, tmp_path: Path) -> Tls:
    certificate = ca.issue_cert("127.0.0.1")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    return Tls(tmp_path / "cert.pem", tmp_path / "key.pem")


def ask_tls(port: Port, context: ssl.SSLContext) -> int:
    connection = http.client.HTTPSConnection(*port.address, timeout=20, context=context)
    with closing(connection):
        connection.request("GET", "/metrics")
        return connection.getresponse().status


def trusting(ca: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    ca.configure_trust(context)
    return context


def test_tls_serves_https_and_nothing_else(served: Served, ca: trustme.CA, files: Tls) -> None:
    port = served(tls=files)
    assert ask_tls(port, trusting(ca)) == 200
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        port.ask("/metrics")


def test_with_a_client_ca_only_its_clients_get_in(
    served: Served, ca: trustme.CA, files: Tls, tmp_path: Path
) -> None:
    port = served(tls=Tls(files.cert, files.key, tmp_path / "ca.pem"))
    context = trusting(ca)
    with pytest.raises((ssl.SSLError, ConnectionError, http.client.HTTPException)):
        ask_tls(port, context)
    ca.issue_cert("scraper.example").configure_cert(context)
    assert ask_tls(port, context) == 200
    stranger = trusting(ca)
    trustme.CA().issue_cert("scraper.example").configure_cert(stranger)
    with pytest.raises((ssl.SSLError, ConnectionError, http.client.HTTPException)):
        ask_tls(port, stranger)


def test_a_client_that_never_shakes_hands_does_not_keep_others_out(
    served: Served, ca: trustme.CA, files: Tls
) -> None:
    port = served(tls=files)
    with socket.create_connection(port.address, timeout=20):
        assert ask_tls(port, trusting(ca)) == 200


def test_a_certificate_that_is_not_there_is_named(registry: CollectorRegistry) -> None:
    missing = Tls(Path("/nowhere/cert.pem"), Path("/nowhere/key.pem"))
    with pytest.raises(OSError, match=r"metrics\.tls: cannot use /nowhere/cert\.pem"):
        Admin(LOCAL, registry, list, tls=missing).start()


# ---- what Prometheus says of it --------------------------------------------------------------


def test_promtool_finds_nothing_to_say_of_the_metrics() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool (Debian package prometheus) is not on this machine")
    admin = Admin(LOCAL, busy().registry, list)
    text = Port(admin).ask("/metrics")[2]
    admin.stop()
    said = subprocess.run(  # noqa: S603 - the tool by its own path
        [promtool, "check", "metrics"], input=text, capture_output=True, timeout=60, check=False
    )
    assert (said.returncode, said.stderr) == (0, b"")


# ---- a port that was opened by another, and is shared with it ----


def test_two_answer_on_one_port_until_one_leaves_it_to_the_other(
    registry: CollectorRegistry,
) -> None:
    with socket.create_server(LOCAL) as opened:
        opened.setblocking(False)
        ports = [Port(Admin(LOCAL, registry, list, opened=opened.dup())) for _ in range(2)]
        assert ports[0].address == ports[1].address == opened.getsockname()
        assert {port.ask("/readyz")[0] for port in ports * 4} == {200}
        ports[0].admin.release()
        assert {ports[0].ask("/readyz")[0] for _ in range(8)} == {200}
        ports[1].admin.stop()
        # nobody answers, but who asks now is in the queue for the next
        with closing(socket.create_connection(ports[0].address, timeout=5)) as waiting:
            waiting.sendall(b"GET /readyz HTTP/1.0\r\n\r\n")
            third = Port(Admin(LOCAL, registry, list, opened=opened.dup()))
            assert waiting.recv(64).startswith(b"HTTP/1.0 200")
            third.admin.stop()


def test_an_answer_under_way_ends_when_the_port_is_left(registry: CollectorRegistry) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def unready() -> list[str]:
        asked.set()
        go_on.wait(10)
        return []

    port = Port(Admin(LOCAL, registry, unready))
    with closing(socket.create_connection(port.address, timeout=10)) as client:
        client.sendall(b"GET /readyz HTTP/1.0\r\n\r\n")
        assert asked.wait(10)
        port.admin.release()
        go_on.set()
        assert b"".join(iter(lambda: client.recv(4096), b"")).endswith(b'{"ready":true}')


def test_a_port_that_others_reach_needs_a_guard_whatever_the_configuration_says(
    registry: CollectorRegistry,
) -> None:
    with (
        socket.create_server(("0.0.0.0", 0)) as opened,  # noqa: S104  # what is refused
        pytest.raises(ValueError, match=r"0\.0\.0\.0 can be reached from other machines"),
    ):
        Admin(LOCAL, registry, list, opened=opened)
