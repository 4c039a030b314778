"""`openai-gateway serve` in place of mitmdump: one process, or several workers on one port."""

import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from tests.support import gateway_books
from tests.support.gateway_process import ROOT, GatewayError, GatewayProcess

PROGRAM = "from openai_gateway.cli.main import main; main()"
SEVERAL_READY_S = 90.0


@dataclass(slots=True)
class Served(GatewayProcess):
    """The command in place of mitmdump."""

    python_path: str = str(ROOT / "addons")

    def command(self) -> list[str]:
        program = f"import sys; sys.path.insert(0, {self.python_path!r}); {PROGRAM}"
        listen = ["--listen", f"127.0.0.1:{self.port}"]
        return [sys.executable, "-c", program, "serve", *listen, *self.args]


@dataclass(slots=True)
class Several(Served):
    """`--workers N`; the metrics of worker 1 are on `metrics_port`, of worker 2 on the next."""

    workers: int = 2

    def command(self) -> list[str]:
        return [*Served.command(self), "--workers", str(self.workers)]

    def pick_metrics_port(self) -> int:
        return free_ports(self.workers)

    def wait_ready(self) -> None:
        limit = time.monotonic() + SEVERAL_READY_S
        while time.monotonic() < limit:
            if self.exit_code() is not None:
                raise GatewayError(f"exit code {self.exit_code()}\n{self.output()}")
            if f"{self.workers} workers serve" in self.output():
                return
            time.sleep(0.05)
        raise GatewayError(f"not ready within {SEVERAL_READY_S} s\n{self.output()}")

    def page(self, worker: int, path: str) -> tuple[int, str]:
        """Status and text of a path on a worker's own port, counted from 1; 0 for no answer."""
        return gateway_books.get(f"http://127.0.0.1:{self.metrics_port + worker - 1}{path}")

    def counts(self, name: str, **labels: str) -> list[float]:
        """The sum of the samples of this name and these labels, worker by worker."""
        pages = [self.page(number, "/metrics")[1] for number in range(1, self.workers + 1)]
        return [gateway_books.total(page, name, labels) for page in pages]

    def processes(self) -> dict[int, int]:
        """The number of the worker by process, of all children that are alive."""
        return dict(_children(self.pid))


def _children(parent: int) -> Iterator[tuple[int, int]]:
    import psutil

    try:
        children = psutil.Process(parent).children()
    except psutil.NoSuchProcess:
        return
    for child in children:
        try:
            words = child.cmdline()
        except psutil.Error:
            continue
        if "--as-worker" in words:
            yield child.pid, int(words[words.index("--as-worker") + 1].split("/")[0])


def free_ports(count: int) -> int:
    """The first of so many ports in a row that were free a moment ago."""
    for _ in range(100):
        with ExitStack() as held:
            first = _bound(held, 0)
            try:
                for port in range(first + 1, first + count):
                    _bound(held, port)
            except (OSError, OverflowError):
                continue
            return first
    raise GatewayError(f"no {count} free ports in a row")


def _bound(held: ExitStack, port: int) -> int:
    probe = held.enter_context(socket.socket())
    probe.bind(("127.0.0.1", port))
    return int(probe.getsockname()[1])
