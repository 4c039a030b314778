"""A real Prometheus on loopback, with the rules of deploy/prometheus, each second."""

import json
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import yaml

from tests.observability.rules import RULES
from tests.support.gateway_process import free_port

READY_S: Final = 20.0
STOP_S: Final = 10.0
ATTEMPTS: Final = 3
IN_USE: Final = "already in use"
JOB: Final = "openai-gateway"

type Labels = Mapping[str, str]
type Sample = tuple[dict[str, str], float]


class PrometheusError(RuntimeError):
    """It did not start, or did not answer; the message says what it said."""


@dataclass(slots=True)
class Prometheus:
    """with Prometheus(["127.0.0.1:9464"]) as server: server.ask("up")"""

    targets: Sequence[str]
    port: int = field(init=False, default=0)
    _holder: "tempfile.TemporaryDirectory[str]" = field(init=False, repr=False)
    _process: "subprocess.Popen[bytes] | None" = field(init=False, default=None, repr=False)

    def __enter__(self) -> Self:
        self._holder = tempfile.TemporaryDirectory(prefix="prometheus-")
        try:
            self._start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def _start(self) -> None:
        for attempt in range(ATTEMPTS):
            self._launch()
            try:
                if eventually(self._ready, READY_S):
                    return
                raise PrometheusError(self._output())
            except PrometheusError as error:
                self._stop()
                if IN_USE not in str(error) or attempt == ATTEMPTS - 1:
                    raise

    def ask(self, expr: str) -> list[Sample]:
        """The vector of an expression, now. Raises: PrometheusError with what it objects to."""
        data = self._get("/api/v1/query?" + urllib.parse.urlencode({"query": expr}))
        if data["resultType"] == "scalar":
            return [({}, float(data["result"][1]))]
        return [(one["metric"], float(one["value"][1])) for one in data["result"]]

    def one(self, expr: str) -> float:
        """The value of an expression that is one number; nan where there is none yet."""
        found = self.ask(expr)
        return found[0][1] if len(found) == 1 else float("nan")

    def rules(self) -> dict[str, dict[str, Any]]:
        """Every rule by its name: its health, and for alerts the state."""
        data = self._get("/api/v1/rules")
        return {rule["name"]: rule for group in data["groups"] for rule in group["rules"]}

    def exemplars(self, expr: str) -> list[dict[str, Any]]:
        span = {"start": time.time() - 600, "end": time.time() + 1}
        query = urllib.parse.urlencode({"query": expr, **span})
        return [one for each in self._get(f"/api/v1/query_exemplars?{query}")
                for one in each["exemplars"]]  # fmt: skip

    def _launch(self) -> None:
        folder = Path(self._holder.name)
        self.port = free_port()
        (folder / "prometheus.yml").write_text(yaml.safe_dump(self._config()))
        with (folder / "output.txt").open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 -- Debian's own, on our files
                [  # noqa: S607 -- wherever it is installed
                    "prometheus",
                    f"--config.file={folder / 'prometheus.yml'}",
                    f"--storage.tsdb.path={folder / 'data'}",
                    f"--web.listen-address=127.0.0.1:{self.port}",
                    "--enable-feature=exemplar-storage",
                ],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _config(self) -> dict[str, Any]:
        each_second = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
        scraped = {"job_name": JOB, "static_configs": [{"targets": list(self.targets)}]}
        return {
            "global": each_second,
            "rule_files": [str(path) for path in RULES],
            "scrape_configs": [scraped],
        }

    def _get(self, path: str) -> Any:
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.port}{path}", timeout=10
            ) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as refused:
            with refused:
                raise PrometheusError(refused.read().decode()) from refused
        except OSError as error:
            raise PrometheusError(f"{error}\n{self._output()}") from error

    def _ready(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise PrometheusError(self._output())
        try:
            return bool(self._get("/api/v1/status/buildinfo"))
        except PrometheusError:
            return False

    def _output(self) -> str:
        return (Path(self._holder.name) / "output.txt").read_text(errors="replace")

    def _stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(STOP_S)

    def _end(self) -> None:
        self._stop()
        self._holder.cleanup()


def eventually(met: Callable[[], bool], seconds: float) -> bool:
    """Looks again and again, and once more when the time is over."""
    until = time.monotonic() + seconds
    while not met() and time.monotonic() < until:
        time.sleep(0.2)
    return met()
