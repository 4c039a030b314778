"""The tools that judge what deploy/ holds, each where it is installed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

# Those of the environment first, which nobody has to put on PATH.
WHERE: Final = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"


def run(*words: str, text: str | None = None) -> "subprocess.CompletedProcess[str]":
    """What a tool says; the test is skipped where there is no such tool."""
    tool = shutil.which(words[0], path=WHERE)
    if tool is None:
        pytest.skip(f"no {words[0]} here")
    return subprocess.run(  # noqa: S603 - linters, on our own files
        (tool, *words[1:]), input=text, capture_output=True, text=True, check=False, timeout=60,
        env={**os.environ, "LC_ALL": "C", "SYSTEMD_COLORS": "0"},
    )  # fmt: skip


def passes(*words: str, text: str | None = None) -> str:
    """Its output, where it finds no fault."""
    done = run(*words, text=text)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
