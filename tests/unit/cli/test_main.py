"""The command as a whole: its help, its exit codes, and that it echoes nothing of a key."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import openai_gateway
from openai_gateway.cli.main import COMMANDS, main

KEY = "sk-proj-" + "FAKE" * 10
HEAVY = ("mitmproxy", "pydantic", "sqlalchemy", "cryptography", "openai_gateway.config")


def test_version_is_the_package_s() -> None:
    result = CliRunner().invoke(main, ["--version"])
    assert (result.exit_code, result.output) == (
        0,
        f"openai-gateway {openai_gateway.__version__}\n",
    )


def test_help_names_every_command_and_fits_80_columns() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    assert all(f"\n  {name} " in result.output for name in COMMANDS)
    assert max(map(len, result.output.splitlines())) <= 80


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_there_and_its_help_has_an_example(name: str) -> None:
    command = getattr(import_module(f"openai_gateway.cli.{COMMANDS[name][0]}"), name)
    assert isinstance(command, click.Command)
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0
    assert f"openai-gateway {name}" in result.output.split("\n\n", 1)[1]


def test_help_imports_nothing_heavy() -> None:
    """Start-up time, as a fact that no busy machine changes."""
    code = (
        "import sys\nfrom openai_gateway.cli.main import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(  # noqa: S603 -- our own interpreter
        [sys.executable, "-c", code],
        capture_output=True,
        check=True,
        text=True,
        cwd=Path(openai_gateway.__file__).parents[1],
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    "arguments",
    [[KEY], ["fingerprint", KEY], ["fingerprint", f"--key={KEY}"], ["serve", "--listen", KEY]],
)
def test_wrong_usage_is_exit_code_2_and_echoes_no_key(arguments: list[str]) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert KEY not in result.output


def test_a_mistyped_command_gets_a_suggestion() -> None:
    result = CliRunner().invoke(main, ["serv"])
    assert result.exit_code == 2
    assert "did you mean `serve`?" in result.output
