"""A key goes in by standard input, its fingerprint comes out, and the key itself nowhere."""

import contextlib
import hashlib
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from openai_gateway.cli.fingerprint import LONGEST
from openai_gateway.cli.main import main
from openai_gateway.core.secret import Secret

ADDONS = Path(__file__).resolve().parents[3] / "addons"
KEY = "sk-proj-" + "FAKE" * 10
EXPECTED = "sha256:" + hashlib.sha256(KEY.encode()).hexdigest()


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_prints_the_fingerprint_that_the_configuration_compares(ending: str) -> None:
    result = CliRunner().invoke(main, ["fingerprint"], input=KEY + ending)
    assert (result.exit_code, result.output) == (0, EXPECTED + "\n")
    assert Secret(KEY).fingerprint() == EXPECTED


def test_prints_json_when_asked() -> None:
    result = CliRunner().invoke(main, ["fingerprint", "--json"], input=KEY)
    assert json.loads(result.output) == {"fingerprint": EXPECTED}


@pytest.mark.parametrize(
    "given",
    ["", "\n", "  \t\n", f"{KEY}\n\n", f"{KEY}\n{KEY}\n", f" {KEY}", "k" * (LONGEST + 1)],
    ids=["nothing", "newline", "blank", "two newlines", "two keys", "leading space", "too long"],
)
def test_anything_but_one_key_is_wrong_usage(given: str) -> None:
    result = CliRunner().invoke(main, ["fingerprint"], input=given)
    assert result.exit_code == 2
    assert "sha256:" not in result.output
    assert KEY not in result.output


def test_bytes_that_are_no_text_are_wrong_usage() -> None:
    result = CliRunner().invoke(main, ["fingerprint"], input=b"\xff\xfe" + KEY.encode())
    assert result.exit_code == 2
    assert "UTF-8" in result.output


def test_a_key_as_an_argument_is_refused_without_reading_on() -> None:
    result = CliRunner().invoke(main, ["fingerprint", KEY], input=KEY)
    assert result.exit_code == 2
    assert "standard input only" in result.output


def test_a_terminal_is_asked_and_shows_nothing_of_the_key() -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", "from openai_gateway.cli.main import main; main()", "fingerprint"],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, "PYTHONPATH": str(ADDONS)},
        start_new_session=True,  # no /dev/tty: the prompt then uses standard input
    ) as process:
        os.close(theirs)
        shown = b""
        while b"Key" not in shown:
            shown += os.read(ours, 1024)
        os.write(ours, KEY.encode() + b"\n")
        assert process.stdout is not None
        output = process.stdout.read()
    with contextlib.suppress(OSError):  # the other end is closed, nothing more was shown
        shown += os.read(ours, 4096)
    os.close(ours)
    assert output.decode() == EXPECTED + "\n"
    assert KEY.encode() not in shown
