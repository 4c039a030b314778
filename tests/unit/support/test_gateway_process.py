"""The process fixture itself, tried on a stand-in script: its faults are not the gateway's."""

import signal
import sqlite3
import time
from pathlib import Path

import pytest
import yaml

from tests.support.fake_openai import FakeOpenAIThread
from tests.support.gateway_process import (
    GatewayError,
    GatewayProcess,
    environment,
    fresh_keys,
    merged,
    settings,
)

STAND_IN = """
import os, sys, threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
import yaml

path = next(a.split("=", 1)[1] for a in sys.argv if a.startswith("gateway_config="))
host, port = yaml.safe_load(Path(path).read_text())["metrics"]["listen"].split(":")

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path in ("/readyz", "/metrics") else 404)
        self.end_headers()
        self.wfile.write(b'# TYPE calls counter\\n')
        for key in ("a", "b"):
            self.wfile.write(f'calls_total{{key="{key}",x="y"}} 3.0\\n'.encode())

class Addon:
    def load(self, loader):
        loader.add_option("gateway_config", str, "", "")
        print("environment:", sorted(k for k in os.environ if k.startswith("OPENAI_")), flush=True)

server = HTTPServer((host, int(port)), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
addons = [Addon()]
"""


@pytest.fixture
def stand_in(tmp_path: Path, fake: FakeOpenAIThread) -> GatewayProcess:
    script = tmp_path / "stand_in.py"
    script.write_text(STAND_IN)
    config = settings("http://127.0.0.1:9", fake.ca_pem_path)
    return GatewayProcess(config, environment(fresh_keys()), script=script)


def test_it_starts_in_a_folder_of_its_own_and_stops_on_sigterm(
    stand_in: GatewayProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://wrong.example")
    with stand_in as process:
        assert process.get("/readyz")[0] == 200
        assert process.get("/nothing")[0] == 404
        counted = [process.metric("calls_total", **how) for how in ({"key": "a"}, {}, {"x": "z"})]
        assert counted == [3.0, 6.0, 0.0]
        written = yaml.safe_load(process.config_path.read_text())
        assert written["metrics"]["listen"] == f"127.0.0.1:{process.metrics_port}"
        names = "['OPENAI_API_KEY_PRODUCTION', 'OPENAI_API_KEY_STAGING']"
        assert f"environment: {names}" in process.output()
        process.reload({"environment": "production"})
        assert yaml.safe_load(process.config_path.read_text())["environment"] == "production"
        assert process.stop() == 0
        folder = process.folder
    assert not folder.exists()


def test_rows_are_awaited(stand_in: GatewayProcess) -> None:
    stand_in.wait = False
    with stand_in as process:
        assert process.rows(seconds=0.1) == []
        process.database.parent.mkdir()
        with sqlite3.connect(process.database) as connection:
            connection.execute("CREATE TABLE calls (id TEXT, status INTEGER)")
            connection.execute("INSERT INTO calls VALUES ('gw_1', 200)")
        connection.close()
        assert process.rows() == [{"id": "gw_1", "status": 200}]
        assert process.row("gw_1")["status"] == 200
        with pytest.raises(AssertionError, match="no row gw_2"):
            process.row("gw_2", seconds=0.1)
        assert b"gw_1" in process.database_bytes()
        process.signal(signal.SIGKILL)
        assert process.wait_exit() == -signal.SIGKILL


def test_an_early_end_is_told_with_the_output(stand_in: GatewayProcess) -> None:
    stand_in.script.write_text("raise RuntimeError('no good')")
    began = time.monotonic()
    with pytest.raises(GatewayError, match="no good"), stand_in:
        pass
    assert time.monotonic() - began < 10


def test_merged_lays_mappings_over_each_other() -> None:
    under = {"a": {"x": 1, "y": 2}, "b": [1]}
    assert merged(under, {"a": {"y": 3}, "b": [2]}) == {"a": {"x": 1, "y": 3}, "b": [2]}


def test_keys_are_made_anew_and_carry_fake() -> None:
    one, other = fresh_keys(), fresh_keys()
    made = {one.production, one.staging, other.production, other.staging}
    assert len(made) == 4
    assert all("FAKE" in key and 60 <= len(key) <= 160 for key in made)
