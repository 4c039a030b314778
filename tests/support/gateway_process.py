"""Starts the real gateway, `mitmdump -s addons/gateway.py`, in a folder of its own."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import yaml

from tests.support import gateway_books
from tests.support.clients.tunnel import Way
from tests.support.gateway_books import Row
from tests.support.gateway_settings import (
    Keys,
    clean_environment,
    client_environment,
    environment,
    fresh_keys,
    merged,
    settings,
)

__all__ = [
    "GatewayError",
    "GatewayProcess",
    "Keys",
    "environment",
    "free_port",
    "fresh_keys",
    "merged",
    "settings",
]

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "addons" / "gateway.py"
READY_S, STOP_S, ROWS_S = 45.0, 35.0, 5.0
DEFAULT_METRICS_PORT = 9464
ATTEMPTS = 3
IN_USE = "already in use"


class GatewayError(RuntimeError):
    """The gateway did not start; the message holds its output."""


def free_port() -> int:
    """A port that was free a moment ago; another may still take it, so callers try again."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(slots=True)
class GatewayProcess:
    """with GatewayProcess(config, env) as gateway: gateway.proxy_url, gateway.rows(), …

    `config` is the whole gateway.yaml (see `settings` and `merged`); only metrics.listen is added.
    """

    config: dict[str, Any]
    env: Mapping[str, str]
    script: Path = SCRIPT
    args: tuple[str, ...] = ()
    wait: bool = True
    written: bool = True  # False: no gateway.yaml at all, the gateway's own defaults
    folder: Path = field(init=False)
    port: int = field(init=False, default=0)
    metrics_port: int = field(init=False, default=0)
    _holder: "tempfile.TemporaryDirectory[str]" = field(init=False, repr=False)
    _process: "subprocess.Popen[bytes] | None" = field(init=False, default=None, repr=False)

    def __enter__(self) -> Self:
        self._holder = tempfile.TemporaryDirectory(prefix="gateway-")
        self.folder = Path(self._holder.name)
        try:
            self._start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def _end(self) -> None:
        self.stop()
        self._holder.cleanup()

    def _start(self) -> None:
        for attempt in range(ATTEMPTS):
            self._launch()
            try:
                if self.wait:
                    self.wait_ready()
                return
            except GatewayError:
                self.stop()
                if IN_USE not in self.output() or attempt == ATTEMPTS - 1:
                    raise

    def _launch(self) -> None:
        self.port = free_port()
        self.metrics_port = self.pick_metrics_port() if self.written else DEFAULT_METRICS_PORT
        if self.written:
            self._write(self.config)
        with (self.folder / "output.txt").open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 -- our own interpreter's mitmdump
                self.command(),
                cwd=self.folder,
                env={**clean_environment(), **self.env},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def pick_metrics_port(self) -> int:
        return free_port()

    def command(self) -> list[str]:
        mitmdump = str(Path(sys.executable).with_name("mitmdump"))
        named = ["--set", f"gateway_config={self.config_path}"] if self.written else []
        listen = ["--listen-host", "127.0.0.1", "--listen-port", str(self.port)]
        return [mitmdump, "-s", str(self.script), *named, *listen, *self.args]

    @property
    def config_path(self) -> Path:
        return self.folder / "gateway.yaml"

    @property
    def proxy_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def metrics_url(self) -> str:
        return f"http://127.0.0.1:{self.metrics_port}"

    @property
    def ca_file(self) -> Path:
        return self.folder / "certs" / "gateway-ca.pem"

    @property
    def bundle(self) -> Path:
        return self.folder / "certs" / "ca-bundle.pem"

    @property
    def way(self) -> Way:
        """For the raw clients: this proxy, and trust in this gateway's CA alone."""
        return Way(self.proxy_url, self.ca_file)

    @property
    def database(self) -> Path:
        return self.folder / "var" / "calls.db"

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    def _write(self, config: Mapping[str, Any]) -> None:
        """In one step, so that a reload never reads half a file."""
        listen = {"metrics": {"listen": f"127.0.0.1:{self.metrics_port}"}}
        beside = self.config_path.with_suffix(".new")
        beside.write_text(yaml.safe_dump(merged(listen, config), sort_keys=False))
        beside.replace(self.config_path)

    def reload(self, config: Mapping[str, Any]) -> None:
        """Merges `config` over what the gateway was started with and swaps the file."""
        self._write(merged(self.config, config))

    def write_text(self, text: str) -> None:
        """Swaps the file for any text, broken ones too."""
        beside = self.config_path.with_suffix(".new")
        beside.write_text(text)
        beside.replace(self.config_path)

    def wait_ready(self) -> None:
        limit = time.monotonic() + READY_S
        while time.monotonic() < limit:
            if self.exit_code() is not None:
                raise GatewayError(f"exit code {self.exit_code()}\n{self.output()}")
            if self.get("/readyz")[0] == 200:
                return
            time.sleep(0.05)
        raise GatewayError(f"not ready within {READY_S} s\n{self.output()}")

    def get(self, path: str) -> tuple[int, str]:
        """Status and text of a path on metrics.listen; status 0 where nothing answers."""
        return gateway_books.get(self.metrics_url + path)

    def metric(self, name: str, **labels: str) -> float:
        """The sum of the samples of this name that carry these labels; 0 where there is none."""
        return gateway_books.total(self.get("/metrics")[1], name, labels)

    def rows(self, count: int = 1, seconds: float = ROWS_S) -> list[Row]:
        """The rows of `calls`, oldest first, once there are `count` of them or the time is over."""
        return gateway_books.await_rows(self.database, lambda r: len(r) >= count, seconds)

    def row(self, call_id: str, seconds: float = ROWS_S) -> Row:
        """The row of one call, by its x-gateway-request-id; fails where none comes in time."""

        def known(found: list[Row]) -> bool:
            return any(row["id"] == call_id for row in found)

        found = gateway_books.await_rows(self.database, known, seconds)
        assert known(found), f"no row {call_id}; the log holds {found}"
        return next(row for row in found if row["id"] == call_id)

    def client_env(self, key: str) -> dict[str, str]:
        """The environment of a client as the README tells it to be set."""
        return client_environment(self.proxy_url, self.bundle, self.ca_file, key)

    def output(self) -> str:
        """What it has written to stdout and stderr so far."""
        return (self.folder / "output.txt").read_text(errors="replace")

    def database_bytes(self) -> bytes:
        """The raw bytes of the database and its journal, to look for what must not be there."""
        folder = self.database.parent
        return b"".join(path.read_bytes() for path in sorted(folder.glob("*")) if path.is_file())

    def exit_code(self) -> int | None:
        return self._process.poll() if self._process else None

    def wait_exit(self, seconds: float = READY_S) -> int:
        """The exit code of a gateway that is expected to end by itself."""
        assert self._process is not None
        return self._process.wait(seconds)

    def signal(self, number: int) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def stop(self, seconds: float = STOP_S) -> int | None:
        """SIGTERM, then the exit code; a gateway that does not end in time is killed: None."""
        if self._process is None:
            return None
        self.signal(signal.SIGTERM)
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(5)
            return None
