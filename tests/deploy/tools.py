"""The tools that judge what deploy/ holds, each where it is installed."""

import os
import shutil
import subprocess

import pytest


def run(*words: str, text: str | None = None) -> "subprocess.CompletedProcess[str]":
    """What a tool says; the test is skipped where there is no such tool."""
    if shutil.which(words[0]) is None:
        pytest.skip(f"no {words[0]} here")
    return subprocess.run(  # noqa: S603 - linters, on our own files
        words, input=text, capture_output=True, text=True, check=False, timeout=60,
        env={**os.environ, "LC_ALL": "C", "SYSTEMD_COLORS": "0"},
    )  # fmt: skip


def passes(*words: str, text: str | None = None) -> str:
    """Its output, where it finds no fault."""
    done = run(*words, text=text)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
