"""A real Prometheus over one gateway, and what it answers to the dashboard's queries."""

import json
import shutil
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.support.gateway_process import free_port

START_S, ASK_S = 20.0, 10.0

type Series = tuple[dict[str, str], list[tuple[float, float]]]


@dataclass(frozen=True, slots=True)
class Prometheus:
    """Asked over its HTTP API."""

    url: str

    def ranged(self, expr: str, begin: float, end: float, step: float) -> list[Series]:
        """Every series with its points."""
        told = self._ask("query_range", query=expr, start=begin, end=end, step=step)
        return [(one["metric"], numbers(one["values"])) for one in told["result"]]

    def now(self, expr: str, at: float) -> list[Series]:
        """Every series with one point."""
        told = self._ask("query", query=expr, time=at)
        return [(one["metric"], numbers([one["value"]])) for one in told["result"]]

    def exemplars(self, expr: str, begin: float, end: float) -> list[tuple[float, float, str]]:
        """Time, value and call of each exemplar of the series that the query asks for."""
        told = self._ask("query_exemplars", query=expr, start=begin, end=end)
        return [
            (float(one["timestamp"]), float(one["value"]), one["labels"]["call_id"])
            for series in told
            for one in series["exemplars"]
        ]

    def _ask(self, what: str, **values: object) -> Any:
        body = urllib.parse.urlencode(values).encode()
        address = f"{self.url}/api/v1/{what}"
        with urllib.request.urlopen(address, body, timeout=ASK_S) as reply:  # noqa: S310 - loopback
            return json.load(reply)["data"]


def numbers(values: list[list[Any]]) -> list[tuple[float, float]]:
    return [(float(at), float(value)) for at, value in values]


@contextmanager
def prometheus(target: str, folder: Path) -> Iterator[Prometheus]:
    """Debian's server on loopback, that reads HOST:PORT every second, exemplars too."""
    binary = shutil.which("prometheus")
    if binary is None:
        raise SystemExit("prometheus is not installed (Debian's package of that name)")
    jobs = [{"job_name": "openai-gateway", "static_configs": [{"targets": [target]}]}]
    config = folder / "prometheus.yml"
    config.write_text(yaml.safe_dump({
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
        "scrape_configs": jobs,
    }))  # fmt: skip
    port = free_port()
    process = subprocess.Popen(  # noqa: S603 - Debian's own
        [binary, f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}",
         f"--web.listen-address=127.0.0.1:{port}", "--enable-feature=exemplar-storage"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield ready(Prometheus(f"http://127.0.0.1:{port}"))
    finally:
        process.terminate()
        process.wait(START_S)


def ready(server: Prometheus) -> Prometheus:
    limit = time.monotonic() + START_S
    while time.monotonic() < limit:
        try:
            if server.now("up == 1", time.time()):
                return server
        except OSError:
            pass
        time.sleep(0.2)
    raise SystemExit(f"Prometheus read nothing within {START_S} s")


def photograph(page: Path, picture: Path, width: int, height: int) -> None:
    """The page as Debian's Chromium draws it."""
    binary = shutil.which("chromium")
    if binary is None:
        raise SystemExit(f"chromium is not installed (Debian's package); the page is {page}")
    with tempfile.TemporaryDirectory() as home:
        subprocess.run(  # noqa: S603 - Debian's own
            [binary, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
             f"--user-data-dir={home}", f"--window-size={width},{height}",
             f"--screenshot={picture}", page.resolve().as_uri()],
            check=True, timeout=60, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
