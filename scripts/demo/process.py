"""Starts the application as a process of its own and hands it one step's code after the other."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from scripts.demo.application import END

CODE = Path(__file__).with_name("application.py")
STEP_S = 20.0


class Application:
    """with Application({"HTTPS_PROXY": …}, folder) as application: application.run(code)"""

    def __init__(self, env: Mapping[str, str], folder: Path) -> None:
        self._env, self._folder = dict(env), folder

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(  # noqa: S603 -- our own interpreter and file
            [sys.executable, "-W", "ignore", str(CODE)],
            env=self._env,
            cwd=self._folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            start_new_session=True,  # a Ctrl-C is for the demo, which then ends this one
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def run(self, code: str) -> tuple[list[str], str]:
        """What the step printed, and the fault that ended it (empty: none)."""
        limit = threading.Timer(STEP_S, self._process.kill)
        limit.start()
        try:
            return self._ask(code)
        finally:
            limit.cancel()

    def _ask(self, code: str) -> tuple[list[str], str]:
        sent, heard = self._process.stdin, self._process.stdout
        assert sent is not None  # noqa: S101 -- both are pipes
        assert heard is not None  # noqa: S101
        sent.write(json.dumps(code) + "\n")
        sent.flush()
        said: list[str] = []
        for line in heard:
            if line.startswith(END):
                return said, str(json.loads(line.removeprefix(END)))
            said.append(line.rstrip("\n"))
        code = self._process.wait(STEP_S)
        killed = code == -signal.SIGKILL
        slow = f"the step was not over within {STEP_S:.0f} s"
        return said, slow if killed else f"the application ended with code {code}"
