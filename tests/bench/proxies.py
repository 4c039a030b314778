"""The two processes that are compared: the real gateway, and an empty mitmdump beside it."""

import contextlib
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from openai_gateway.host.authority import ensure
from openai_gateway.host.options import FORCED
from tests.support.gateway_process import READY_S, ROOT, SCRIPT, GatewayError, GatewayProcess
from tests.support.gateway_settings import Keys, environment, settings

HERE: Final = Path(__file__).resolve().parent
# The watched scripts import the stopwatch from here.
IMPORTS: Final = {"PYTHONPATH": str(ROOT)}


@dataclass(slots=True)
class NoopProcess(GatewayProcess):
    """mitmdump with all its default addons, the options that the gateway sets, and no gateway."""

    def _launch(self) -> None:
        # The same kind of certificate authority, so that TLS costs the same.
        ensure(self.folder / "certs", create=True)
        super(NoopProcess, self)._launch()

    def wait_ready(self) -> None:
        limit = time.monotonic() + READY_S
        while time.monotonic() < limit:
            if self.exit_code() is not None:
                raise GatewayError(f"exit code {self.exit_code()}\n{self.output()}")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            time.sleep(0.05)
        raise GatewayError(f"not ready within {READY_S} s\n{self.output()}")


def gateway(upstream_port: int, ca_file: Path, keys: Keys, script: Path = SCRIPT) -> GatewayProcess:
    """The gateway with its defaults: every stage, every metric, a row a call in SQLite."""
    config = settings(f"http://127.0.0.1:{upstream_port}", ca_file)
    return GatewayProcess(config, {**environment(keys), **IMPORTS}, script=script)


def noop(upstream_port: int, ca_file: Path, script: Path = HERE / "noop.py") -> NoopProcess:
    """The same way out by mitmproxy's own upstream mode, as the addon is to do nothing."""
    options = {**FORCED, "confdir": "certs", "ssl_verify_upstream_trusted_ca": ca_file}
    named = [word for name, value in options.items() for word in ("--set", set_to(name, value))]
    mode = ["--mode", f"upstream:http://127.0.0.1:{upstream_port}"]
    return NoopProcess({}, IMPORTS, script=script, args=(*mode, *named), written=False)


def set_to(name: str, value: object) -> str:
    """As `--set` wants it."""
    return f"{name}={str(value).lower() if isinstance(value, bool) else value}"
