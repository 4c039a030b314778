"""The commands as users run them, beside a gateway that runs."""

import subprocess
import sys
from pathlib import Path

import openai_gateway
from tests.support.gateway_process import GatewayProcess
from tests.support.gateway_settings import clean_environment

MAIN = "from openai_gateway.cli.main import main; main()"


def command(gateway: GatewayProcess, *arguments: str) -> "subprocess.Popen[str]":
    """From another folder, without any key of the gateway in the environment."""
    package = str(Path(openai_gateway.__file__).parents[1])
    return subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", MAIN, *arguments, "--config", str(gateway.config_path)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd="/",
        env={**clean_environment(), "PYTHONPATH": package},
    )  # fmt: skip


def told(gateway: GatewayProcess, *arguments: str, code: int = 0) -> str:
    with command(gateway, *arguments) as process:
        out, errors = process.communicate(timeout=30)
    assert process.returncode == code, errors
    return out if code == 0 else errors
