"""Start, reload and stop: unfit starts end with 1, a bad reload changes nothing, SIGTERM drains."""

import concurrent.futures
import signal
import time
from pathlib import Path

import pytest

from tests.e2e.calls import eventually
from tests.e2e.conftest import MakeGateway
from tests.support.clients import ConnectRefused, RawH1
from tests.support.fake_openai import FakeOpenAIThread
from tests.support.gateway_process import SCRIPT, GatewayProcess, Keys, free_port, fresh_keys

CHAT = "/v1/chat/completions"
BODY = b'{"model": "gpt-6-luna", "messages": []}'
LAST = "openai_gateway_config_last_reload_successful"


def call(process: GatewayProcess, key: str, body: bytes = BODY) -> int:
    with RawH1(process.way.tls()) as client:
        return client.call("POST", CHAT, key, body).status


def serves(process: GatewayProcess) -> bool:
    """Whether its metrics port answers, and it is past its start."""
    status, text = process.get("/readyz")
    return status != 0 and '"starting"' not in text


@pytest.mark.parametrize(
    "args",
    [
        ("--set", "map_remote=|//api.openai.com|//evil.example"),
        ("--set", "map_local=|//api.openai.com|/tmp"),  # only named
        ("--set", "modify_headers=/~q/x/y"),
        ("--set", "modify_body=/~q/x/y"),
        ("--set", "stickyauth=.*"),
        ("--set", "stickycookie=.*"),
        ("--set", "save_stream_file=out"),
        ("--set", "hardump=out.har"),
        ("--set", "ssl_insecure=true"),
        ("--set", "ssl_verify_upstream_trusted_confdir=."),
        ("--set", "ssl_verify_upstream_trusted_ca=other.pem"),
        ("--set", "stream_large_bodies=1k"),
        ("--set", "store_streamed_bodies=true"),
        ("--set", "allow_hosts=api.openai.com"),
        ("--set", "ignore_hosts=evil"),
        ("--set", "tcp_hosts=evil"),
        ("--set", "validate_inbound_headers=false"),
        ("--set", "websocket=false"),
        ("--set", "flow_detail=3"),
        ("--set", "proxy_debug=true"),
        ("--set", "confdir=elsewhere"),
        ("--set", "proxyauth=a:b"),
        ("--set", "upstream_auth=a:b"),
        ("--set", "tls_version_server_min=TLS1"),
        ("--set", "body_size_limit=1m"),
        ("--set", "mapp_remote=typo"),
        ("--mode", "upstream:http://127.0.0.1:9"),
        ("--mode", "reverse:https://api.openai.com"),
    ],
    ids=lambda args: "-".join(args)[:40],
)  # fmt: skip
def test_what_would_undo_the_gateway_stops_the_start(
    make_gateway: MakeGateway, args: tuple[str, ...]
) -> None:
    process = make_gateway(args=args, wait=False)
    assert process.wait_exit() == 1
    name = args[1].split("=", 1)[0].split(":", 1)[0] if args[0] == "--set" else "mode"
    assert name in process.output()


def test_options_that_change_nothing_may_be_given(make_gateway: MakeGateway, keys: Keys) -> None:
    process = make_gateway(args=("-q", "--set", "rawtcp=false", "--set", "http2=true"))
    assert call(process, keys.production) == 200


def test_a_second_script_stops_the_start(make_gateway: MakeGateway, tmp_path: Path) -> None:
    other = tmp_path / "other.py"
    other.write_text("def request(flow): flow.request.host = 'evil.example'\n")
    process = make_gateway(args=("-s", str(other)), wait=False)
    assert process.wait_exit() == 1
    assert "second -s script" in process.output()


def test_every_problem_of_the_file_is_told_on_a_line_of_its_own(make_gateway: MakeGateway) -> None:
    process = make_gateway({"upstreem": {}, "limits": {"instances": 0}}, wait=False)
    assert process.wait_exit() == 1
    lines = [line for line in process.output().splitlines() if "gateway.yaml:" in line]
    assert any("upstreem" in line and "did you mean" in line for line in lines)
    assert any("limits.instances" in line for line in lines)
    assert "Traceback" not in process.output()


def test_missing_keys_are_named(make_gateway: MakeGateway) -> None:
    process = make_gateway(
        env={"OPENAI_API_KEY_PRODUCTION": "", "OPENAI_API_KEY_STAGING": ""}, wait=False
    )
    assert process.wait_exit() == 1
    assert "OPENAI_API_KEY_PRODUCTION" in process.output()
    assert "OPENAI_API_KEY_STAGING" in process.output()


def test_a_taken_metrics_port_stops_the_start(
    make_gateway: MakeGateway, gateway: GatewayProcess
) -> None:
    taken = f"127.0.0.1:{gateway.metrics_port}"
    process = make_gateway({"metrics": {"listen": taken}}, wait=False)
    assert process.wait_exit() == 1
    assert taken in process.output()


def test_a_changed_file_is_in_force_within_two_seconds(
    make_gateway: MakeGateway, keys: Keys, fake: FakeOpenAIThread
) -> None:
    process = make_gateway()
    other = fresh_keys()
    fake.staging_keys.add(other.staging)
    assert call(process, other.production) == 401
    secret = process.folder / "other.key"
    secret.write_text(other.production)
    secret.chmod(0o600)
    mapping = process.config["keys"]["mappings"][0]
    process.reload({"keys": {"mappings": [{**mapping, "production": [f"file:{secret}"]}]}})
    assert eventually(lambda: call(process, other.production) == 200)
    assert call(process, keys.production) == 401
    assert process.metric(LAST) == 1


def test_a_bad_file_changes_nothing_and_says_so(make_gateway: MakeGateway, keys: Keys) -> None:
    process = make_gateway()
    assert process.metric(LAST) == 1
    process.write_text("keys: [")
    assert eventually(lambda: process.metric(LAST) == 0)
    assert call(process, keys.production) == 200
    assert process.get("/readyz")[0] == 200
    process.reload({})
    assert eventually(lambda: process.metric(LAST) == 1)
    assert process.metric("openai_gateway_config_reloads_total", result="failure") == 1


def test_a_database_that_is_down_at_the_start_stops_no_call(
    make_gateway: MakeGateway, keys: Keys
) -> None:
    dead = {"log": {"database": f"postgresql+psycopg://gateway@127.0.0.1:{free_port()}/calls"}}
    process = make_gateway(dead, wait=False)
    assert eventually(lambda: serves(process), 20)
    assert call(process, keys.production) == 200
    status, reasons = process.get("/readyz")
    assert status == 503
    assert "the call log cannot be written" in reasons


def test_sighup_reads_the_file_again(make_gateway: MakeGateway) -> None:
    process = make_gateway()
    before = process.metric("openai_gateway_config_reloads_total", result="success")
    process.signal(signal.SIGHUP)
    assert eventually(
        lambda: process.metric("openai_gateway_config_reloads_total", result="success") > before
    )


def test_a_broken_script_leaves_the_gateway_in_force(
    make_gateway: MakeGateway, keys: Keys, fake: FakeOpenAIThread, tmp_path: Path
) -> None:
    script = tmp_path / "gateway.py"
    script.write_text(SCRIPT.read_text())
    process = make_gateway(script=script, env={"PYTHONPATH": str(SCRIPT.parent)})
    script.write_text("this is no python")
    time.sleep(1.5)
    script.unlink()
    time.sleep(1.5)
    assert call(process, "sk-unknown-FAKE-key") == 401
    assert call(process, keys.production) == 200
    assert keys.production.encode() not in fake.received_bytes()


def test_sigterm_lets_calls_under_way_end_and_flushes_the_log(
    make_gateway: MakeGateway, keys: Keys, fake: FakeOpenAIThread
) -> None:
    fake.knobs.add(CHAT, delay_s=1.5)
    process = make_gateway()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        under_way = pool.submit(call, process, keys.production)
        fake.wait_for(lambda requests: len(requests) == 1)
        assert process.stop() == 0
        assert under_way.result() == 200
    assert [row["status"] for row in process.rows()] == [200]


def test_while_draining_new_calls_are_told_to_come_back(
    make_gateway: MakeGateway, keys: Keys, fake: FakeOpenAIThread
) -> None:
    fake.knobs.add(CHAT, delay_s=2.0, times=1)
    process = make_gateway()
    way = process.way
    with RawH1(way.tls()) as kept, concurrent.futures.ThreadPoolExecutor(1) as pool:
        under_way = pool.submit(call, process, keys.production)
        fake.wait_for(lambda requests: len(requests) == 1)
        process.signal(signal.SIGTERM)
        time.sleep(0.5)
        reply = kept.call("POST", CHAT, keys.production, BODY)
        assert (reply.status, reply.code) == (503, "gateway_not_ready")
        assert reply.first("x-should-retry") == "true"
        with pytest.raises((OSError, EOFError, ConnectRefused)):
            way.tls()
        assert under_way.result() == 200


def test_an_upstream_without_an_answer_is_a_timeout(
    make_gateway: MakeGateway, keys: Keys, fake: FakeOpenAIThread
) -> None:
    fake.knobs.add(CHAT, fail="hang")
    process = make_gateway({"upstream": {"timeout_s": 1.0}})
    with RawH1(process.way.tls()) as client:
        began = time.monotonic()
        reply = client.call("POST", CHAT, keys.production, BODY)
    assert (reply.status, reply.code) == (504, "gateway_upstream_timeout")
    assert 0.9 < time.monotonic() - began < 3
    assert process.rows()[-1]["error_code"] == "gateway_upstream_timeout"
